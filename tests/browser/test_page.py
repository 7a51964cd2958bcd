"""``postrender plan -o html`` in a real browser: filtered, walked through by keys, and fetching nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.devtools import Page
from tests.browser.scenario import PASSWORDS, write
from tests.cli.test_filter import run
from tests.tools import installed

SHOWN = "[...document.querySelectorAll('.card')].filter((card) => !card.hidden)"
NAMES = f"{SHOWN}.map((card) => card.querySelector('.name').textContent)"
COUNT = "document.getElementById('count').textContent"
FOCUSED = "document.activeElement.closest('.card')?.id"

CONTRAST = """
(() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
  };
  const poor = [];
  const told = "p, dt, dd, code, b, button, .name, .badge, .does, pre span, h1, h2, h3";
  for (const element of document.querySelectorAll(told)) {
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
})()
"""


@pytest.fixture(scope="module")
def program() -> str:
    return installed.needed("chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the scenario."""
    folder = tmp_path_factory.mktemp("page")
    stream, live = write(folder, refused=True)
    done = run(
        *("plan", "--manifests", str(stream), "--live", str(live), "--release", "shop", "-n", "shop"),
        *("--helm-version", "3.21.4", "-o", "html"),
    )
    assert done.returncode == 4, done.stderr
    page = folder / "page.html"
    page.write_bytes(done.stdout)
    return page


@pytest.fixture
def page(program: str, report: Path, tmp_path: Path) -> Iterator[Page]:
    with Page(program, tmp_path) as opened:
        opened.open(report)
        yield opened
        assert opened.complaints == []
        assert opened.requests == [report.as_uri()]


def test_everything_is_there(page: Page) -> None:
    assert page.run(f"{SHOWN}.length") == 15
    assert page.run(COUNT) == "15 of 15"
    assert "shop/shop" in page.run("document.title")
    assert page.run("document.querySelectorAll('svg .flow').length") == 15


def test_problems_come_first_and_what_stays_unchanged_is_counted(page: Page) -> None:
    words = page.run("[...document.querySelectorAll('.card')].map((card) => card.dataset.word)")
    assert words[:3] == ["blocked"] * 3
    assert "blocked" not in words[3:]
    unchanged = words.count("unchanged")
    assert words[-unchanged:] == ["unchanged"] * unchanged
    rest = "document.getElementById('rest')"
    assert (
        page.run(f"{rest}.querySelector('summary').textContent")
        == f"{unchanged} object{'s' * (unchanged > 1)} unchanged"
    )
    assert page.run(f"{rest}.open") is False
    page.run("document.querySelector('.chip[data-word=unchanged]').click()")
    assert page.run(f"{rest}.open") is True
    page.press("Escape")
    assert page.run(f"{rest}.open") is False


def test_a_text_filters_cards_and_picture(page: Page) -> None:
    page.press("/")
    assert page.run("document.activeElement.id") == "text"
    page.type("shirts kept")
    assert page.run(NAMES) == ["shirts.stable.example.com/shop/shirt", "shirts.beta.example.com/shop/shirt"]
    assert page.run("document.querySelectorAll('svg .flow:not(.off)').length") == 2
    assert page.run(COUNT) == "2 of 15"
    page.press("Escape")
    assert page.run(COUNT) == "15 of 15"


def test_nothing_is_left_and_it_is_said(page: Page) -> None:
    page.press("/")
    page.type("xyzzy")
    assert page.run(f"{SHOWN}.length") == 0
    assert page.run("document.getElementById('none').hidden") is False


def test_actions_and_severities_filter(page: Page) -> None:
    page.run("document.querySelector('.chip[data-word=blocked]').click()")
    assert page.run(NAMES) == [
        "persistentvolumeclaims/shop/data",
        "configmaps/shop/theirs",
        "roles.rbac.authorization.k8s.io/shop/found",
    ]
    page.run("document.querySelector('.chip[data-word=adopt]').click()")
    assert page.run(f"{SHOWN}.length") == 5
    page.run(
        "document.getElementById('severity').value = 'warning';"
        "document.getElementById('severity').dispatchEvent(new Event('change'))"
    )
    assert page.run(NAMES) == ["shirts.stable.example.com/shop/shirt"]


def test_keys_walk_from_card_to_card_and_unfold_them(page: Page) -> None:
    first, second, *_ = page.run("[...document.querySelectorAll('.card')].map((card) => card.id)")
    page.press("j")
    assert page.run(FOCUSED) == first
    page.press("j")
    page.press("j")
    page.press("k")
    assert page.run(FOCUSED) == second
    opened = f"document.getElementById('{second}').open"
    before = page.run(opened)
    page.press("Enter")
    assert page.run(opened) is not before
    page.press("e")
    assert page.run(f"{SHOWN}.every((card) => card.open)") is True
    assert page.run("document.getElementById('all').textContent") == "Fold all"
    page.press("e")
    assert page.run(f"{SHOWN}.some((card) => card.open)") is False


def test_everything_that_can_be_clicked_can_be_reached_by_tab(page: Page) -> None:
    reached = set()
    for _ in range(80):
        page.press("Tab")
        reached.add(
            page.run(
                "(({tagName, id, className}) => `${tagName}#${id}.${className.baseVal ?? className}`)"
                "(document.activeElement)"
            )
        )
    kinds = {each.split("#")[0].lower() for each in reached}
    assert {"a", "input", "button", "select", "summary", "pre"} <= kinds


def test_the_picture_leads_to_the_card(page: Page) -> None:
    page.run("document.querySelector('svg .flow.delete').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("document.querySelector('.card.delete').open") is True
    assert page.run(f"document.getElementById({FOCUSED}).dataset.word") == "delete"


def test_what_the_manifests_say_is_text(page: Page) -> None:
    page.press("e")
    assert "<b>dear</b>" in page.run("document.getElementById('objects').textContent")
    assert page.run("document.querySelectorAll('#objects pre b').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_can_be_read(page: Page, scheme: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.press("e")
    background = page.run("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    assert page.run(CONTRAST) == []


@pytest.mark.parametrize("width", [390, 800, 1600])
def test_no_width_makes_the_page_itself_scroll_sideways(page: Page, width: int) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    page.press("e")
    assert page.run("document.documentElement.scrollWidth") <= width


def test_no_secret_is_in_it(report: Path) -> None:
    text = report.read_text()
    for value in PASSWORDS:
        assert value not in text
        assert base64.b64encode(value.encode()).decode() not in text
    assert text.count("digest:") >= 2
