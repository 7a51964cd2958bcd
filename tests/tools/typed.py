"""Every command that the documentation has its reader type, wherever it stands on a page.

A command stands in a block of a shell (``sh``, ``shell``, ``console``), on an indented line of the help that a page of
a command shows (``text``), or between backticks in the prose. What stands in the prose may do less than command:

- a program with at most one word (``helm install``, ``postrender plan``) names that command, and is none to type;
- a synopsis says what a flag is called: a call of postrender with nothing but flags, each with what the parser calls
  its value, or with one of the values that the parser lists (``postrender plan --save FILE``).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from postrender.cli.commands import COMMANDS
from tests.tools import transcripts
from tools.pages import EXAMPLES

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md")),
    *sorted(EXAMPLES.glob("*/README.md")),
    *transcripts.PAGES,
)
"""All pages."""

SHELLS = ("sh", "shell", "console")
OTHERS = ("text", "yaml", "json", "python")
"""The languages of all other blocks."""
PLAYED = ("console", f"console{transcripts.CLUSTER}")
"""Blocks in which each command stands behind a prompt, with what it printed below."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PROGRAM = (
    r"(?:[A-Z_]+=\S+ +)*(?:(?:postrender|helm|kubectl|kustomize|kpt|pipx|pip|podman|python|source|helmfile|flux|argocd"
    r"|terraform|pulumi|skaffold|ansible-playbook)(?=\s|$)|bin/[a-z-]+|\.ci/run)"
)
_CALL = re.compile(rf"{_PROGRAM}(?:\s.*)?", re.DOTALL)


class Typed(NamedTuple):
    """One command on one page. ``shown`` is what the page shows as its output, ``None`` for nothing; ``info`` what
    stands behind the fence, ``""`` in the prose.
    """

    page: Path
    info: str
    command: str
    shown: str | None = None


def on(page: Path) -> Iterator[Typed]:
    """The commands of a page: first those of its blocks, in order, then those of its prose."""
    text = page.read_text()
    for block in _FENCE.finditer(text):
        info, lines = block["info"], block["text"].replace("\\\n", " ")
        if info in PLAYED:
            yield from (Typed(page, info, command, shown) for command, shown in transcripts.parted(block["text"]))
        elif info.partition(" ")[0] in SHELLS:
            yield from (Typed(page, info, line) for each in lines.split("\n") if (line := _bare(each)))
        elif info == "text":
            indented = (line for line in lines.split("\n") if re.match(r"  (?!\S+ {2,}\S)", line))
            yield from (Typed(page, info, line) for each in indented if _CALL.fullmatch(line := _bare(each)))
    for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", _FENCE.sub("", text)):
        line = " ".join(span.split())
        if _CALL.fullmatch(line) and not _names(line) and not synopsis(line):
            yield Typed(page, "", line)


def languages(page: Path) -> set[str]:
    """The languages of its blocks; ``""`` for a block that names none."""
    return {block["info"].partition(" ")[0] for block in _FENCE.finditer(page.read_text())}


def _bare(line: str) -> str:
    """The command of a line, its words one space apart where they are not quoted, without what explains it."""
    found = re.match(r"((?:'[^']*'|\"[^\"]*\"|[^'\"#]|(?<! )#)*?)(?:  +#.*| *)$", line.strip())
    bare = found[1] if found else line.strip()
    explained = re.match(r"(postrender [a-z]+ [a-z]+) {3,}\S", bare)
    return re.sub(r" {2,}(?=\S)", " ", explained[1] if explained else bare)


def _names(line: str) -> bool:
    """Whether this is a command's name."""
    return bool(re.fullmatch(r"[a-z]+( [a-z-]+)?|bin/[a-z-]+", line))


def synopsis(line: str) -> bool:
    """Whether this says what flags of postrender are called, and says it as their parser does."""
    program, *words = shlex.split(line)
    if program != "postrender" or not words:
        return False
    name = words.pop(0) if words[0] in COMMANDS else "filter"
    parser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
    flags = {flag: action for action in parser._actions for flag in action.option_strings}
    while words:
        action = flags.get(words.pop(0))
        if action is None:
            return False
        if action.nargs != 0:
            listed = re.findall(r"[\w.-]+", action.help or "")
            if not words or words.pop(0) not in (action.metavar, *(action.choices or ()), *listed):
                return False
    return True
