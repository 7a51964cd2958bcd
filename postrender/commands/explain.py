"""``postrender explain CODE...``: what a code means, in one paragraph each."""

from __future__ import annotations

import argparse
import sys
import textwrap

from postrender.codes import CODES
from postrender.commands.parsers import command_parser
from postrender.errors import UsageError


def main(arguments: list[str]) -> int:
    """Print the paragraphs of the codes asked for, or the list of all; raises UsageError for an unknown one."""
    wanted = [code.upper() for code in parser().parse_args(arguments).codes]
    unknown = [code for code in wanted if code not in CODES]
    if unknown:
        raise UsageError(f"no such code: {', '.join(unknown)}", next="postrender explain")
    if not wanted:
        sys.stdout.write("".join(f"{code.code}  {code.title}\n" for code in CODES.values()))
        return 0
    paragraphs = [
        f"{code}: {CODES[code].title}\n\n{textwrap.fill(CODES[code].text, 80, break_on_hyphens=False)}\n"
        for code in wanted
    ]
    sys.stdout.write("\n".join(paragraphs))
    return 0


def parser() -> argparse.ArgumentParser:
    """Codes, or none."""
    made = command_parser("explain", "Say what a code in postrender's messages means.")
    made.add_argument("codes", nargs="*", metavar="CODE", help="such as PR102; none: list all")
    return made
