"""The commands in the README of each example, and what is printed below them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.tools.transcripts import CLUSTER
from tools.pages import EXAMPLES

ROOT = Path(__file__).parents[2]
WITH_CLUSTER = f"sh{CLUSTER}"

_BLOCK = re.compile(
    r"^```(?P<info>[a-z][^\n`]*)\n(?P<text>.*?)^```$(?:\n\n```(?:text|json|yaml)\n(?P<shown>.*?)^```$)?",
    re.M | re.S,
)


class Block(NamedTuple):
    """One block of commands. ``info`` is what stands behind the fence (``sh``, or WITH_CLUSTER where it needs
    one), ``shown`` what is shown right below as its output, ``None`` for nothing.
    """

    info: str
    commands: str
    shown: str | None


def examples() -> list[Path]:
    """The folder of each example."""
    return sorted(readme.parent for readme in EXAMPLES.glob("*/README.md"))


def blocks(folder: Path, info: str) -> list[Block]:
    """The blocks of an example's README whose fence says ``info``, in order."""
    text = (folder / "README.md").read_text()
    found = (Block(each["info"], each["text"], each["shown"]) for each in _BLOCK.finditer(text))
    return [block for block in found if block.info == info]


def copy(place: Path) -> Path:
    """A folder like the clone's, where commands may change the examples."""
    shutil.copytree(EXAMPLES, place / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "bin").mkdir()
    (place / "bin" / "postrender").symlink_to(ROOT / "bin" / "postrender")
    return place
