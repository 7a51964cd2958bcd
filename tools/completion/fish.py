"""Completion for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.completion import CliArgument, Command

_HEAD = """\
# fish completion for postrender; printed by `postrender completion fish`.
# To use it: postrender completion fish > ~/.config/fish/completions/postrender.fish

function __postrender_command
    set -l words (commandline -opc)
    if test (count $words) -gt 1; and contains -- $words[2] COMMANDS
        echo $words[2]
    end
end

function __postrender_first
    test (count (commandline -opc)) -eq 1
end

function __postrender_is
    test "$(__postrender_command)" = "$argv[1]"
end

complete -c postrender -f
"""


def script(commands: Sequence[Command]) -> str:
    """The script to be sourced."""
    named = [each for each in commands if each.name]
    lines = [_HEAD.replace("COMMANDS", " ".join(each.name for each in named))]
    lines += [
        f"complete -c postrender -n __postrender_first -a {_quoted(each.name)} -d {_quoted(each.summary)}\n"
        for each in named
    ]
    for each in commands:
        condition = f"-n {_quoted(f'__postrender_is {_quoted(each.name)}')}"
        lines += [f"complete -c postrender {condition} {line}\n" for line in (*_flags(each), *_arguments(each))]
    return "".join(lines)


def _flags(command: Command) -> Iterator[str]:
    for flag in command.flags:
        names = " ".join(
            f"-l {spelling[2:]}" if spelling.startswith("--") else f"-s {spelling[1:]}" for spelling in flag.spellings
        )
        takes = "" if not flag.metavar or flag.optional else " -r" if flag.files else " -x"
        yield f"{names}{takes}{_offered(flag)} -d {_quoted(flag.help)}"


def _arguments(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        offered = _offered(argument)
        if offered:
            yield offered.strip()


def _offered(operand: CliArgument) -> str:
    if operand.values:
        return f" -a {_quoted(' '.join(operand.values))}"
    return " -F" if operand.files else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
