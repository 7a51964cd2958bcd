"""One vocabulary: no message, help text, page or changelog entry uses a word of ``words.yaml``."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import postrender
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES
from tools.pages import EXAMPLES, MADE

ROOT = Path(__file__).parents[2]
_WORDS = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text())
ALLOWED: dict[str, int] = _WORDS["allowed"]
_PATTERNS = {
    language: [(re.compile(pattern, re.IGNORECASE), use) for pattern, use in _WORDS[language].items()]
    for language in ("english", "chinese")
}
_NO_PROSE = re.compile(
    r"^ *```.*?^ *```$|^:::.*?$|`[^`]*`|\]\([^)]*\)|<!--.*?-->|https?://\S+", re.MULTILINE | re.DOTALL
)


def written() -> list[Path]:
    """The pages that people write: not those made from the help of commands or from the matrix, but those of codes."""
    pages = [
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *EXAMPLES.glob("*/README.md"),
    ]
    by_hand = (page for page in pages if MADE.strip() not in page.read_text() or page.parent.name == "codes")
    return sorted(by_hand)


def offences(text: str, language: str = "english") -> list[str]:
    """Each banned word of a text with the words around it and what to write instead."""
    flat = " ".join(_NO_PROSE.sub(" ` ", text).split())
    return [
        f"...{flat[max(0, found.start() - 40) : found.end() + 30]}...: instead of {found[0]!r} write {use}"
        for pattern, use in _PATTERNS[language]
        for found in pattern.finditer(flat)
    ]


@pytest.mark.parametrize("page", written(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_uses_plain_words(page: Path) -> None:
    chinese = page.parent.name == "zh" or ".zh-CN." in page.name
    found = offences(page.read_text(), "chinese" if chinese else "english")
    assert len(found) <= ALLOWED.get(page.relative_to(ROOT).as_posix(), 0), found


@pytest.mark.parametrize("code", [*CODES, *RULES])
def test_an_explanation_uses_plain_words(code: str) -> None:
    title, text = (CODES[code].title, CODES[code].text) if code in CODES else (RULES[code].title, RULES[code].text)
    assert offences(f"{title}\n{text}") == []


def test_a_title_has_at_most_eight_words() -> None:
    titles = {code: known.title for code, known in CODES.items()} | {code: rule.title for code, rule in RULES.items()}
    assert {code: title for code, title in titles.items() if len(title.split()) > 8} == {}


@pytest.mark.parametrize("name", postrender.__all__)
def test_a_public_docstring_uses_plain_words(name: str) -> None:
    """The API reference shows them."""
    public = getattr(postrender, name)
    texts = [inspect.getdoc(public) or ""]
    if isinstance(public, type):
        texts += [inspect.getdoc(member) or "" for key, member in vars(public).items() if not key.startswith("_")]
    assert [found for text in texts for found in offences(text.replace("``", "`"))] == []


def sentences(path: Path) -> Iterator[str]:
    """The strings of a module that can reach a user: those of several words, but no docstrings."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    docstrings |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in {*docstrings, *inside}:
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        if " " in text.strip():
            yield text


def counted() -> dict[str, list[str]]:
    """The offences in strings of the code, by package or module directly in ``postrender``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "postrender").rglob("*.py")):
        package = path.relative_to(ROOT / "postrender").parts[0].removesuffix(".py")
        for text in sentences(path):
            found.setdefault(package, []).extend(f"{path.name}: {offence}" for offence in offences(text))
    return {package: listed for package, listed in found.items() if listed}


def test_strings_of_the_code_use_plain_words() -> None:
    more = {package: listed for package, listed in counted().items() if len(listed) > ALLOWED.get(package, 0)}
    assert more == {}


@pytest.mark.parametrize(
    "text",
    [
        "which release is installed cannot be told",
        "the object is live and nobody's",
        "'x' is no label key",
        "the account says so",
    ],
)
def test_a_banned_word_is_found(text: str) -> None:
    assert offences(text)


def test_code_is_not_prose() -> None:
    assert offences("Run `postrender --stamp all`, the Pod of the service account.") == []
