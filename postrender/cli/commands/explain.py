"""``postrender explain CODE...``: what a code means, in one paragraph each."""

from __future__ import annotations

import argparse
import textwrap

from postrender.cli.output import write
from postrender.cli.parsers import command_parser
from postrender.errors import UsageError
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES


def main(arguments: list[str]) -> int:
    """Print the paragraphs of the codes asked for, or the list of all; raises UsageError for an unknown one."""
    wanted = [code.upper() for code in parser().parse_args(arguments).codes]
    known = {code.code: (code.title, code.text) for code in CODES.values()}
    known |= {rule.code: (rule.title, rule.text) for rule in RULES.values()}
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise UsageError(f"unknown code: {', '.join(unknown)}", next="postrender explain")
    if not wanted:
        write("".join(f"{code}  {title}\n" for code, (title, _) in known.items()))
        return 0
    paragraphs = [
        f"{code}: {title}\n\n{textwrap.fill(text, 80, break_on_hyphens=False)}\n"
        for code, (title, text) in ((code, known[code]) for code in wanted)
    ]
    write("\n".join(paragraphs))
    return 0


def parser() -> argparse.ArgumentParser:
    """Codes, or none."""
    made = command_parser("explain", "Say what a code in postrender's messages means.")
    made.add_argument("codes", nargs="*", metavar="CODE", help="such as PR102 or PL101; none: list all")
    return made
