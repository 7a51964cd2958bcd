"""Where findings are, what is shown of them, and how they are told to be quiet."""

from __future__ import annotations

import pytest

from postrender.lint import engine
from postrender.lint.model import Facts, Finding, Template, rendering
from postrender.lint.rules import RULES

EVENT = "apiVersion: v1\nkind: Event\nmetadata:\n  name: shop\n"
TEMPLATE = "shop/templates/event.yaml"


def check(text: str, template: str | None = None) -> list[Finding]:
    known = {} if template is None else {TEMPLATE: Template("chart/templates/event.yaml", template)}
    return engine.check(Facts(rendering(text.encode()), templates=known), RULES.values(), "stream.yaml")


def place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.file, finding.line, finding.column, finding.shown


def test_a_streams_line() -> None:
    (finding,) = check(f"# first\n---\n{EVENT}")
    assert place(finding) == ("stream.yaml", 3, 1, "apiVersion: v1")


def test_a_line_in_a_list() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- kind: Event\n  apiVersion: v1\n  metadata: {name: a}\n"
    (finding,) = check(text)
    assert place(finding) == ("stream.yaml", 5, 3, "  apiVersion: v1")


def test_a_field_behind_an_alias() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nstringData: &notes {helm.sh/resource-policy: Keep}\n"
        "metadata: {name: x, annotations: *notes}\n"
    )
    (finding,) = check(text)
    assert place(finding)[1:3] == (3, 21)


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("{{ if true }}\napiVersion: v1\nkind: Event\n{{ end }}\n", (2, 1, "apiVersion: v1")),
        ("  apiVersion: {{ .Values.api }}\n", (1, 3, "  apiVersion: {{ .Values.api }}")),
        ("apiVersion: v1\n---\napiVersion: v1\n", (0, 0, "apiVersion: v1")),
        ("apiVersion: x\n---\napiVersion: v{{ 1 }}\n", (3, 1, "apiVersion: v{{ 1 }}")),
        ("apiVersion: x{{ 1 }}\n---\n{{ all }}\napiVersion: y\n", (0, 0, "apiVersion: v1")),
        ('{{ include "shop.event" . }}\n', (0, 0, "apiVersion: v1")),
    ],
    ids=["the line", "its key", "twice", "what gives it", "nothing that gives it", "not there"],
)
def test_a_templates_line(template: str, where: tuple[int, int, str]) -> None:
    (finding,) = check(f"---\n# Source: {TEMPLATE}\n{EVENT}", template)
    assert place(finding) == ("chart/templates/event.yaml", *where)


def test_a_template_that_is_in_no_folder() -> None:
    (finding,) = check(f"---\n# Source: shop/charts/sub/templates/a.yaml\n{EVENT}", "apiVersion: v1\n")
    assert place(finding) == ("shop/charts/sub/templates/a.yaml", 0, 0, "apiVersion: v1")


@pytest.mark.parametrize(
    "text",
    [
        EVENT.replace("v1\n", "v1  # postrender: ignore=PL108\n", 1),
        EVENT.replace("v1\n", "v1  # postrender: ignore=PL101,PL108\n", 1),
        f"# postrender: ignore=PL108\n{EVENT}",
        EVENT + "  # postrender: ignore=PL101, PL108\n",
    ],
)
def test_told_to_be_quiet(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    "text",
    [
        EVENT.replace("v1\n", "v1  # postrender: ignore=PL101\n", 1),
        EVENT.replace("shop\n", "shop  # postrender: ignore=PL108\n"),
        EVENT.replace("v1\n", "v1  # postrender: ignore=\n", 1),
        f"# postrender: ignore=PL108\n---\n{EVENT}",
    ],
    ids=["another code", "another line", "no code", "another document"],
)
def test_not_told_to_be_quiet(text: str) -> None:
    assert [finding.code for finding in check(text)] == ["PL108"]


def test_the_template_can_tell_it_too() -> None:
    template = "apiVersion: v1 {{- /* postrender: ignore=PL108 */}}\n"
    assert check(f"---\n# Source: {TEMPLATE}\n{EVENT}", template) == []


def test_generated_values_are_not_shown() -> None:
    def secret(value: str) -> bytes:
        return (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {helm.sh/resource-policy: keep}}\n"
            f"data:\n  password: {value}\n"
        ).encode()

    facts = Facts(rendering(secret("czNjcjN0")), again=rendering(secret("b3RoZXI=")))
    (finding,) = engine.check(facts, [RULES["PL112"]], "stream.yaml")
    assert place(finding) == ("stream.yaml", 5, 3, "  password: …")
    assert "czNjcjN0" not in repr(finding)


def test_a_generated_mapping_in_braces_is_not_shown() -> None:
    def secret(value: str) -> bytes:
        head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {helm.sh/resource-policy: keep}}\n"
        return f"{head}data: {{password: {value}}}\n".encode()

    facts = Facts(rendering(secret("czNjcjN0")), again=rendering(secret("b3RoZXI=")))
    (finding,) = engine.check(facts, [RULES["PL112"]], "stream.yaml")
    assert finding.shown == "data: …"


def test_the_order_is_that_of_the_places() -> None:
    text = f"---\n{EVENT}---\n{EVENT}"
    assert [(finding.line, finding.code) for finding in check(text)] == [(2, "PL108"), (7, "PL108"), (10, "PL113")]
