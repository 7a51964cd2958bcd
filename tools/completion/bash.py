"""Completion for bash, 3.2 of macOS included; nothing of the package bash-completion is needed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from tools.completion import CliArgument, Command

_HEAD = """\
# bash completion for postrender; printed by `postrender completion bash`.
# To use it: source <(postrender completion bash)

_postrender_words() {
    local IFS=$' \\t\\n'
    COMPREPLY=( $(compgen -W "$1" -- "$2") )
}

_postrender_files() {
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=( $(compgen -f -- "$1") )
}

_postrender() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="" command="" flags=""
    COMPREPLY=()
    (( COMP_CWORD > 0 )) && before="${COMP_WORDS[COMP_CWORD-1]}"
    # --flag=value comes as three words where = parts words.
    if [[ "$current" == "=" ]]; then
        current=""
    elif [[ "$before" == "=" ]]; then
        (( COMP_CWORD > 1 )) && before="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    case "${COMP_WORDS[1]}" in
"""

_TAIL = """\
}

complete -F _postrender postrender
"""


def script(commands: Sequence[Command]) -> str:
    """The script to be sourced."""
    lines = [f"        {each.name}) (( COMP_CWORD > 1 )) && command={each.name} ;;" for each in commands if each.name]
    lines += ["    esac", '    case "$command:$before" in']
    for each in commands:
        lines += _values(each)
    lines += ["    esac", '    case "$command" in']
    for each in commands:
        spellings = " ".join(spelling for flag in each.flags for spelling in flag.spellings)
        lines.append(f"        {each.name or repr('')}) flags={shlex.quote(spellings)} ;;")
    lines += [
        "    esac",
        '    if [[ "$current" == -* ]]; then',
        '        _postrender_words "$flags" "$current"',
        "        return",
        "    fi",
        '    case "$command" in',
    ]
    names = " ".join(each.name for each in commands if each.name)
    for each in commands:
        lines.append(f"        {each.name or repr('')}) {_arguments(each, names)} ;;")
    lines.append("    esac")
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _values(command: Command) -> Iterator[str]:
    for flag in command.flags:
        if flag.metavar and not flag.optional:
            patterns = "|".join(f"{command.name}:{spelling}" for spelling in flag.spellings)
            yield f"        {patterns}) {_offered(flag)}; return ;;"


def _offered(operand: CliArgument) -> str:
    if operand.values:
        return f'_postrender_words {shlex.quote(" ".join(operand.values))} "$current"'
    return '_postrender_files "$current"' if operand.files else ":"


def _arguments(command: Command, names: str) -> str:
    if not command.name:
        return f'(( COMP_CWORD == 1 )) && _postrender_words {shlex.quote(names)} "$current"'
    for argument in command.arguments:
        if argument.values or argument.files:
            return _offered(argument)
    return ":"
