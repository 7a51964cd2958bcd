"""Completion for zsh, to be sourced or put on ``$fpath`` as ``_postrender``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.completion import CliArgument, Command

_HEAD = """\
#compdef postrender
# zsh completion for postrender; printed by `postrender completion zsh`.
# To use it: postrender completion zsh > "${fpath[1]}/_postrender", or source <(postrender completion zsh)

_postrender() {
    local -a commands
    commands=(
"""

_MIDDLE = """\
    )
    if (( CURRENT == 2 )) && [[ "${words[2]}" != -* ]]; then
        _describe -t commands command commands
        return
    fi
    case "${words[2]}" in
"""

_TAIL = """\
    esac
}

if [[ "${funcstack[1]}" == _postrender ]]; then
    _postrender "$@"
else
    compdef _postrender postrender
fi
"""


def script(commands: Sequence[Command]) -> str:
    """The script."""
    named = [each for each in commands if each.name]
    lines = [f"        {_quoted(f'{each.name}:{_plain(each.summary)}')}" for each in named]
    text = _HEAD + "\n".join(lines) + "\n" + _MIDDLE
    for each in named:
        text += f"        {each.name})\n            shift words\n            (( CURRENT-- ))\n"
        text += _arguments(each)
    (program,) = (each for each in commands if not each.name)
    return text + "        *)\n" + _arguments(program) + _TAIL


def _arguments(command: Command) -> str:
    specs = [*_flags(command), *_operands(command)]
    lines = ["            _arguments", *(f"                {_quoted(spec)}" for spec in specs)]
    return " \\\n".join(lines) + "\n            ;;\n"


def _flags(command: Command) -> Iterator[str]:
    for flag in command.flags:
        for spelling in flag.spellings:
            # A long flag takes its value behind = as well.
            equals = "=" if flag.metavar and spelling.startswith("--") else ""
            repeated = "*" if flag.many else ""
            yield f"{repeated}{spelling}{equals}[{_plain(flag.help)}]{_value(flag)}"


def _value(operand: CliArgument) -> str:
    if not operand.metavar:
        return ""
    colons = "::" if operand.optional else ":"
    return f"{colons}{_plain(operand.metavar)}:{_offered(operand)}"


def _operands(command: Command) -> Iterator[str]:
    for place, argument in enumerate(command.arguments):
        if argument.many:
            yield f"*:{_plain(argument.metavar)}:{_offered(argument)}"
        else:
            yield f"{place + 1}:{_plain(argument.metavar)}:{_offered(argument)}"


def _offered(operand: CliArgument) -> str:
    if operand.values:
        return f"({' '.join(operand.values)})"
    return "_files" if operand.files else " "


def _plain(text: str) -> str:
    """Without what ``_arguments`` and ``_describe`` read as their own."""
    for mark in "\\[]:":
        text = text.replace(mark, f"\\{mark}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
