"""All commands as their parsers describe them."""

from __future__ import annotations

import argparse
from importlib import import_module

from postrender.cli.arguments import FILTER_SETTINGS
from postrender.cli.commands import COMMANDS
from postrender.cli.run_report import REPORT_SETTINGS
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES
from postrender.settings.table import SETTINGS, Setting
from tools.completion import CliArgument, Command, Group

_FILES = ("FILE", "PATH", "DIR", "CHART", "STREAM")

SETTING: dict[str, Setting] = {
    flag: setting for setting in (*FILTER_SETTINGS, *REPORT_SETTINGS, *SETTINGS) for flag in setting.flags
}
"""What is known of a flag beside its parser: argparse is not told of choices, whose errors it would word itself."""


def commands() -> tuple[Command, ...]:
    """The program itself, then every command in the order of its help."""
    return (_command("", ""), *(_command(name, summary) for name, summary in COMMANDS.items()))


def _command(name: str, summary: str) -> Command:
    module = import_module(f"postrender.cli.commands.{name.replace('-', '_') or 'filter'}")
    parser: argparse.ArgumentParser = module.parser()
    groups = []
    arguments: list[CliArgument] = []
    for group in parser._action_groups:
        found = [_operand(action) for action in group._group_actions]
        arguments += [each for each in found if not each.spellings]
        flags = tuple(each for each in found if each.spellings)
        if flags:
            groups.append(Group(group.title or "", flags))
    return Command(
        name=name,
        summary=summary,
        usage=parser.usage or _usage(parser.prog, arguments),
        description=parser.description or "",
        epilog=parser.epilog or "",
        groups=tuple(groups),
        arguments=tuple(arguments),
    )


def _usage(program: str, arguments: list[CliArgument]) -> str:
    """In short; argparse lists every flag, and each version of it breaks the lines elsewhere."""
    words = [
        f"[{each.metavar}{' ...' * each.many}]" if each.optional or each.many else each.metavar for each in arguments
    ]
    return " ".join([program, *words, "[FLAG ...]"])


def _operand(action: argparse.Action) -> CliArgument:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    switch = action.nargs == 0
    parts = metavar.replace("|", " ").split()
    return CliArgument(
        spellings=tuple(action.option_strings),
        metavar="" if switch else metavar,
        help=action.help or "",
        values=() if switch else _values(action, metavar),
        files=not switch and any(part in _FILES or part.endswith(".yaml") for part in parts),
        optional=action.nargs == "?",
        many=action.nargs in ("*", "+") or isinstance(action, argparse._AppendAction),
    )


def _values(action: argparse.Action, metavar: str) -> tuple[str, ...]:
    if action.choices is not None:
        return tuple(map(str, action.choices))
    setting = SETTING.get(action.option_strings[0]) if action.option_strings else None
    if setting is not None and setting.choices:
        return setting.choices
    if metavar == "true|false":
        return ("true", "false")
    return (*CODES, *RULES) if metavar == "CODE" else ()
