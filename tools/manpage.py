"""Write ``postrender/postrender.1``, the manual page, from the parsers of all commands.

    python -m tools.manpage

A test holds the file against what this makes, so that nobody forgets it with a new flag.
"""

from __future__ import annotations

from pathlib import Path

from tools.completion.describe import SETTING, commands
from tools.manpage_format import page

ROOT = Path(__file__).parents[1]
FILE = ROOT / "postrender" / "postrender.1"


def made() -> str:
    """The page as it should be."""
    return page(commands(), {setting.flags[0]: setting.variable for setting in SETTING.values()})


if __name__ == "__main__":
    FILE.write_text(made())
