"""The manual page postrender(1), in the man macros that groff and mandoc both read (man(7))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.completion import CliArgument, Command

_FEW = 9
"""So many values are worth listing; the codes are not."""


def page(commands: Sequence[Command], variables: dict[str, str]) -> str:
    """The whole page; ``variables`` are the environment variables by the flag that they stand for."""
    (program,) = (each for each in commands if not each.name)
    named = [each for each in commands if each.name]
    lines = [
        '.\\" Made by python -m tools.manpage from the parsers; do not edit.',
        '.TH POSTRENDER 1 "" "postrender" "User Commands"',
        ".SH NAME",
        f"postrender \\- {_text(_first_sentence(program.description))}",
        ".SH SYNOPSIS",
        *_usage(program),
        ".SH DESCRIPTION",
        *_prose(program.description.partition("\ncommands (")[0]),
        ".SH COMMANDS",
    ]
    for each in named:
        lines += [".TP", f"\\fBpostrender {_text(each.name)}\\fR", f"{_text(_sentence(each.summary))}"]
    lines += [".SH OPTIONS", "These are the post-renderer's own; each command has its own below."]
    lines += _groups(program)
    for each in named:
        lines += [f".SH POSTRENDER {_text(each.name.upper())}", *_usage(each), ".PP"]
        lines += [*_prose(each.description), *_operands(each), *_groups(each), *_prose(each.epilog)]
    lines += [".SH ENVIRONMENT", "Where the post-renderer's flag is not given:"]
    for flag, variable in sorted(variables.items(), key=lambda item: item[1]):
        lines += [".TP", f"\\fB{_text(variable)}\\fR", f"the same as \\fB{_text(flag)}\\fR"]
    lines += [
        ".TP",
        "\\fBPOSTRENDER_DEBUG\\fR",
        "a fault of postrender's own shows its whole traceback",
        ".TP",
        "\\fBNO_COLOR\\fR",
        "no colours on a terminal, unless \\fB\\-\\-color always\\fR is given",
        ".SH EXIT STATUS",
        *_exit_codes(program.epilog),
        ".SH SEE ALSO",
        "\\fBhelm\\fR(1), \\fBkubectl\\fR(1)",
    ]
    return "\n".join(lines) + "\n"


def _usage(command: Command) -> Iterator[str]:
    yield ".nf"
    yield from (_text(line.removeprefix(" " * 7)) for line in command.usage.splitlines())
    yield ".fi"


def _prose(text: str) -> Iterator[str]:
    """Paragraphs filled, lines that are indented as they stand."""
    literal = False
    for line in text.strip("\n").splitlines():
        indented = line.startswith("  ")
        if indented is not literal:
            yield ".nf" if indented else ".fi"
        literal = indented
        yield _text(line) if line.strip() else ".PP"
    if literal:
        yield ".fi"


def _exit_codes(epilog: str) -> Iterator[str]:
    yield from _prose(epilog[epilog.index("exit codes:") :])


def _groups(command: Command) -> Iterator[str]:
    for group in command.groups:
        title = "flags" if group.title in ("options", "optional arguments") else group.title
        yield f".SS {_text(title)}"
        for flag in group.flags:
            yield from _operand(flag)


def _operands(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        yield from _operand(argument)


def _operand(operand: CliArgument) -> Iterator[str]:
    yield ".TP"
    value = f" \\fI{_text(operand.metavar)}\\fR" if operand.metavar else ""
    if operand.optional and operand.spellings:
        value = f" [\\fI{_text(operand.metavar)}\\fR]"
    if operand.spellings:
        yield ", ".join(f"\\fB{_text(spelling)}\\fR" for spelling in operand.spellings) + value
    else:
        yield value.strip()
    yield _text(operand.help)
    told = operand.help.replace(",", " ").split()
    if not operand.optional and 0 < len(operand.values) <= _FEW and not set(operand.values) <= set(told):
        yield f"({_text(', '.join(operand.values))})"


def _first_sentence(description: str) -> str:
    sentence = description.partition("\n")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:]}."


def _text(text: str) -> str:
    """Without what roff reads as its own: a backslash, a hyphen that may be broken at, a control line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    escaped = escaped.replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
