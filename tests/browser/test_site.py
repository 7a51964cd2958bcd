"""The documentation's site, built and read in a browser."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.devtools import Page
from tests.tools import installed
from tools.pages import DOCS

ROOT = DOCS.parent
FIELD = "document.querySelector('.md-search__input')"
PASTED = """
(() => {
  const data = new DataTransfer();
  data.setData("text", %s);
  %s.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, cancelable: true, clipboardData: data}));
})()
"""
META = "document.querySelector('.md-search-result__meta').innerText"
FOUND = """
[...document.querySelectorAll(".md-search-result__link")].slice(0, 4).map((link) =>
  new URL(link.href).pathname.slice(1) + ": " + link.querySelector("h1, h2").innerText)
"""


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, and not a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(["bin/docs", "--site-dir", folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with Page(installed.needed("chromium"), tmp_path_factory.mktemp("browser")) as opened:
        yield opened
        assert opened.complaints == []
        elsewhere = [each for each in opened.requests if not each.startswith((address, "data:", "blob:"))]
        assert elsewhere == [], "a page that asks others for anything tells them who reads it"


def errors() -> list[tuple[list[str], str]]:
    """Each error of the page with the headings above it, names as somebody else has them."""
    headings: list[str] = []
    found = []
    for level, heading, error in re.findall(
        r"^(##+) ([^\n]*)$|^```text\n(Error: .*?)^```$", (DOCS / "errors.md").read_text(), re.MULTILINE | re.DOTALL
    ):
        if error:
            found.append((headings, error.replace('"cfg"', '"settings"').replace('"shop"', '"prod"').strip()))
        else:
            headings = [*headings[: len(level) - 2], heading]
    return found


def test_an_error_is_found_by_pasting_it(page: Page, address: str) -> None:
    """Other names stand in it, and it is full of what the search takes for its own syntax."""
    page.go(f"{address}index.html")
    page.run(f"{FIELD}.focus()")
    assert len(errors()) > 30
    for headings, error in errors():
        page.run(f"{FIELD}.value = ''; {FIELD}.dispatchEvent(new Event('keyup'))")
        page.wait(f"{META} === 'Type to start searching'")
        page.run(PASTED % (json.dumps(error), FIELD))
        page.wait(f"{META}.endsWith('matching documents')")
        first, *sections = page.run(FOUND)
        assert first == "errors.html: Troubleshooting", error
        assert set(sections) & {f"errors.html: {heading}" for heading in headings}, error


@pytest.mark.parametrize("flag", ["--adopt", "--on-drift"])
def test_a_flag_is_found_as_it_is_typed(page: Page, address: str, flag: str) -> None:
    """A minus would ask for pages without the word: the search gets the flag's words."""
    page.go(f"{address}index.html")
    page.run(f"{FIELD}.focus()")
    results = []
    for words in (flag, flag.removeprefix("--")):
        page.run(f"{FIELD}.value = ''; {FIELD}.dispatchEvent(new Event('keyup'))")
        page.wait(f"{META} === 'Type to start searching'")
        page.run(f"{FIELD}.value = {json.dumps(words)}; {FIELD}.dispatchEvent(new Event('keyup'))")
        page.wait(f"{META}.endsWith('matching documents')")
        results.append((page.run(META), page.run(FOUND)))
    assert results[0] == results[1]
    assert results[0][1]


def test_every_command_and_code_is_in_the_navigation(page: Page, address: str) -> None:
    for index in ("commands", "codes"):
        page.go(f"{address}{index}/index.html")
        missing = page.run(
            f"""(() => {{
              const shown = new Set([...document.querySelectorAll(".md-nav--primary a")].map((link) => link.href));
              return [...document.querySelectorAll("article table a")].map((link) => link.href)
                .filter((each) => each.includes("/{index}/") && !shown.has(each));
            }})()"""
        )
        assert missing == []


@pytest.mark.parametrize(("scheme", "background"), [("light", "default"), ("dark", "slate")])
def test_the_colors_are_those_of_the_system(page: Page, address: str, scheme: str, background: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.go(f"{address}index.html")
    page.wait(f"document.body.getAttribute('data-md-color-scheme') === '{background}'")


NARROW = [
    "index",
    "errors",
    "five-minutes",
    "callers",
    "callers-evidence",
    "settings",
    "api",
    "codes/PR301",
    "zh/errors",
]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", NARROW)
def test_a_page_is_no_wider_than_the_window(page: Page, address: str, name: str, width: int) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    page.go(f"{address}{name}.html")
    assert page.run("document.documentElement.scrollWidth") <= width


def test_an_error_is_read_whole(page: Page, address: str) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=400, height=900, deviceScaleFactor=1, mobile=False)
    page.go(f"{address}errors.html")
    cut = page.run("[...document.querySelectorAll('pre > code')].filter((each) => each.scrollWidth > each.clientWidth)")
    assert cut == []
