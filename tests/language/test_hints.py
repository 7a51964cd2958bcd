"""Hints are commands: whole, without remarks, whichever module makes them and whichever format shows them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from postrender.text import AGAIN, Advice, Hint, finished, hint_data, hint_lines, hints_from
from tests.hints import hints_given

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:helm|kubectl|postrender|pip|pipx|rm|df|env|export|unset|openssl|ls|command|argocd|X)(?: |$)|"
    r"--[a-z]|\.\.\. without --|X--"
)
"""How a hint may begin; ``X`` stands for what the program fills in."""
REMARK = re.compile(r" {2,}\(|\((?:or|if|with|only|and|once|to) ")


def texts(node: ast.expr) -> Iterator[str]:
    """The texts of an expression that are commands as they stand there; remarks and advice in words are none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from texts(each)
    elif isinstance(node, ast.Starred):
        yield from texts(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def sources() -> list[tuple[str, str]]:
    """Every hint that is written in the code, with its module."""
    found = []
    for path in sorted((ROOT / "postrender").rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        found += [(module, text) for node in hints_given(ast.parse(path.read_text())) for text in texts(node)]
    return found


def test_every_hint_of_the_code_is_a_command() -> None:
    found = sources()
    assert len(found) > 100
    assert [(module, text) for module, text in found if text and not COMMAND.match(text)] == []


def test_no_hint_of_the_code_has_a_remark() -> None:
    assert [(module, text) for module, text in sources() if REMARK.search(text)] == []


def test_no_string_of_the_code_puts_a_remark_behind_a_command() -> None:
    found = []
    for path in sorted((ROOT / "postrender").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\S {3}\(", node.value):
                found.append((path.name, node.value))
    assert [each for each in found if each[0] != "zsh.py"] == []


HINTS = ("kubectl get a", Hint("helm uninstall b", "deletes the history"), Advice("use Helm 4.0.1 or later"))


def test_a_remark_stands_on_a_line_of_its_own() -> None:
    assert list(hint_lines(HINTS, first="  ")) == [
        "  hint: kubectl get a",
        "  note: deletes the history",
        "  hint: helm uninstall b",
        "  note: use Helm 4.0.1 or later",
    ]


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("helm ... --take-ownership", "run Helm with --take-ownership"),
        (Hint("helm upgrade --install ... --force", "once"), "run helm upgrade --install with --force: once"),
        ("helm ... without --atomic", "run Helm without --atomic"),
        ("helm upgrade ...", "run helm upgrade"),
        ("POSTRENDER_ADOPT=orphans helm ...", "run Helm with POSTRENDER_ADOPT=orphans"),
        ("postrender plan ... --save plan.json", "run postrender plan with --save plan.json"),
        ("--stamp adopt", "add --stamp adopt"),
        ("... without --live", "leave out --live"),
        (AGAIN, "run the same command again"),
    ],
)
def test_what_only_the_user_can_complete_is_no_command(hint: str, words: str) -> None:
    assert list(hint_lines([finished(hint)])) == [f"note: {words}"]


@pytest.mark.parametrize("hint", ["kubectl get a", "postrender --then 'sed ...' --offline", "kubectl get a -p '{...}'"])
def test_an_ellipsis_in_a_value_stays(hint: str) -> None:
    assert list(hint_lines([finished(hint)])) == [f"hint: {hint}"]


def test_hints_in_json_and_back() -> None:
    data = hint_data(HINTS)
    assert data == [
        {"command": "kubectl get a", "note": ""},
        {"command": "helm uninstall b", "note": "deletes the history"},
        {"command": "", "note": "use Helm 4.0.1 or later"},
    ]
    assert list(hint_lines(hints_from(data))) == list(hint_lines(HINTS))


@pytest.mark.parametrize("text", ["helm list   (or not)", "--release NAME (or POSTRENDER_RELEASE)"])
def test_a_remark_is_found(text: str) -> None:
    assert REMARK.search(text)
