"""The places of this repository that cite Go source of another program: ``(``Update``, pkg/kube/client.go)``."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("postrender", "tests", "bench", "docs")
_LEFT_OUT = ("docs/codes/", "docs/zh/", "tests/tools/", "tests/repository/test_facts.py")
"""Generated and translated pages, and what is about Go programs of our own."""

_FILE = re.compile(r"(?<![\w./{-])((?:[\w.-]+/)*)(\{[\w,]+\}|\w+)\.go\b")
_NAME = r"`+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)`+"
_BETWEEN = re.compile(r",? and |, | or |/")
_AFTER = re.compile(r"(?: of [\w .]+?)? ?\((" + _NAME + r"(?:(?:,? and |, )" + _NAME + r")*)\)")
_SENTENCE = re.compile(r"\. |: (?=[A-Z])|;")
_NEAR = 60
"""So far before a file at most, in characters, stands the last name that is cited with it."""


@dataclass(frozen=True)
class Citation:
    """Names said to stand in one of some Go files; no names where only the files are cited.

    ``files`` are ends of paths, which may begin with the end of the module's; ``scope`` is the Python function, class
    or attribute that cites, ``""`` for the module or a page.
    """

    path: Path
    line: int
    scope: str
    files: tuple[str, ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        """``postrender/helm/objects.py:33 no_original``."""
        return f"{self.path.relative_to(ROOT)}:{self.line} {self.scope}".rstrip()


def citations() -> Iterator[Citation]:
    """All of them, by file and line."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            below = path.relative_to(ROOT).as_posix()
            if path.suffix in (".py", ".md") and not below.startswith(_LEFT_OUT):
                text = path.read_text(encoding="utf-8")
                if ".go" in text:
                    yield from _of(path, text)


def _of(path: Path, text: str) -> Iterator[Citation]:
    parts = _python(text) if path.suffix == ".py" else _page(text)
    for line, scope, part in sorted(parts):
        for files, names in cited(" ".join(part.split())):
            yield Citation(path, line, scope, files, names)


def cited(text: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The files of a text, each with the names cited with it."""
    last = 0
    for found in _FILE.finditer(text):
        stems = found[2].strip("{}").split(",")
        files = tuple(f"{found[1]}{stem}.go" for stem in stems)
        after = _AFTER.match(text, found.end())
        names = re.findall(_NAME, after[1]) if after else _before(text[last : found.start()])
        yield files, tuple(names)
        last = after.end() if after else found.end()


def _before(text: str) -> list[str]:
    """The names that end a text, but for a few words."""
    found = list(re.finditer(_NAME, text))
    if not found or len(text) - found[-1].end() > _NEAR or _SENTENCE.search(text, found[-1].end()):
        return []
    names = [found[-1]]
    for earlier, later in zip(found[-2::-1], found[:0:-1], strict=True):
        if not _BETWEEN.fullmatch(text, earlier.end(), later.start()):
            break
        names.append(earlier)
    return [name[1] for name in reversed(names)]


def _page(text: str) -> Iterator[tuple[int, str, str]]:
    for found in re.finditer(r"(?:.+\n?)+", text):
        yield text.count("\n", 0, found.start()) + 1, "", found[0]


def _python(text: str) -> Iterator[tuple[int, str, str]]:
    """Docstrings and comments, with the innermost function, class or attribute each stands in."""
    tree = ast.parse(text)
    scopes = [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    named = [
        (
            node.lineno,
            node.end_lineno or node.lineno,
            ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target),
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
    ]

    def scope(line: int) -> str:
        inner = [each for each in scopes if each[0] <= line <= each[1]]
        return max(inner)[2] if inner else ""

    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            above = [each[2] for each in named if each[1] == node.lineno - 1]
            yield node.lineno, above[0] if above else scope(node.lineno), node.value.value
    comments = [
        token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    ]
    for _, run in itertools.groupby(enumerate(comments), lambda pair: pair[1].start[0] - pair[0]):
        block = [token for _, token in run]
        line = block[-1].start[0]
        below = [each[2] for each in named if each[0] == line + 1] if block[0].string.startswith("#:") else []
        yield (
            block[0].start[0],
            below[0] if below else scope(line),
            "\n".join(each.string.lstrip("#: ") for each in block),
        )
