r"""Plain text for people: text from outside made harmless, and lines that fit a terminal.

This is the one place that escapes, for every format and every stream. Names, annotations and messages come from a
chart, a server or another program. On a terminal or in a CI log a control character is a command, a bidirectional one
shows another text than is there, and a line may be a workflow command.

An escape is ``\x1b`` below 0x7f and ``\u202e`` above, which is also what JSON and YAML write in double quotes: what is
escaped on the way out is still the same value there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from postrender._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_COMMANDS = r"#(?=#(?:\[|vso\[|teamcity\[))|(?:(?<=\s)|^):(?=:)"
"""What GitHub (``ActionCommand``, src/Runner.Common/ActionCommand.cs), Azure Pipelines and TeamCity take for a command:
``##[`` and its like anywhere, ``::`` where a line begins, blanks aside. A line may be wrapped at any blank.
"""

ODD = f"(?m)[{_CONTROLS}]|{_COMMANDS}"
"""What is escaped; a printer of YAML puts a value with it in double quotes.

As the other patterns here, compiled when it is first used: a run of the filter that prints nothing needs none.
"""

HEAD = r"(?mi)^[ \t]*(?:next|hint|note|report|error|warning|postrender):"
"""How a line of our own begins."""

_BREAKS = "[\r\n]"
_OWN = r"(\x1b\[(?:[012]|3[1256])(?:;(?:[12]|3[1256]))*m)"
"""The colours of ``report/terminal.py``."""


def packaged(module: str, name: str) -> str:
    """The text of a data file beside a module (its ``__name__``), also where both are in a zip archive.

    Not by importlib.resources, whose import takes longer than reading the file. Raises OSError.
    """
    spec = sys.modules[module].__spec__
    assert spec is not None
    assert spec.origin is not None
    data: bytes = spec.loader.get_data(os.path.join(os.path.dirname(spec.origin), name))  # type: ignore[union-attr]
    return data.decode()


def harmless(text: str, *, coloured: bool = False) -> str:
    """A text of several lines, as it is shown; ``coloured`` lets our own colours through."""
    if not re.search(ODD, text):
        return text
    if not coloured:
        return re.sub(ODD, _escape, text)
    return "".join(part if place % 2 else re.sub(ODD, _escape, part) for place, part in enumerate(re.split(_OWN, text)))


def one_line(text: str) -> str:
    """A text as part of one line: a line break in it is escaped as well, so that it makes no line of its own."""
    return re.sub(ODD, _escape, text).replace("\n", "\\x0a")


def joined(lines: Iterable[str]) -> str:
    """Lines, each ended; a line break inside of one is escaped, and colours stay."""
    return "".join(f"{re.sub(_BREAKS, _escape, each)}\n" for each in lines)


def quoted(text: str, name: str) -> str:
    """What another program said, each line with its name before it: no line of it can be taken for ours."""
    return "".join(f"{name}: {line}\n" for line in text.splitlines())


def to_stderr(text: str, *, coloured: bool = False) -> None:
    """Write lines to stderr, if there is one that takes them: what a command is for may be done by now.

    ``coloured`` lets our own colours through; other lines are wrapped on a terminal.
    """
    try:
        sys.stderr.write(harmless(text if coloured else folded(text, columns(sys.stderr)), coloured=coloured))
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return


def draw(line: str) -> None:
    """Write one line over the last one on a terminal; ``""`` wipes it away."""
    sys.stderr.write(f"\r\x1b[K{one_line(line)}")
    sys.stderr.flush()


def _escape(found: re.Match[str]) -> str:
    return _escaped(found[0])


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x7F and code not in (0x23, 0x3A):
        return f"\\x{code:02x}"
    return f"\\u{code:04x}"


_HEADS = frozenset({"next:", "hint:", "note:", "report:", "error:", "warning:", "postrender:"})


def wrapped(text: str, first: str = "", rest: str = "  ", width: int = 0) -> list[str]:
    """Lines of ``width`` columns (0: one line); a name longer than that stays whole, so that it can be copied.

    Not by textwrap, which takes more time to import than a small stream takes to filter.
    """
    lines: list[str] = []
    line, blank = first, ""
    # A line break is of somebody else's text, and would let it begin a line; so would our own words for a line's head.
    for word in one_line(text.strip()).split():
        too_long = width and len(line) + len(blank) + len(word) > width and word.lower() not in _HEADS
        # The first line may be a long name already.
        if too_long and (blank or len(line) > len(rest) + len(word)):
            lines.append(line.rstrip())
            line, blank = rest, ""
        line += blank + word
        blank = " "
    return [*lines, line] if blank else []


def folded(text: str, width: int) -> str:
    """Lines of at most ``width`` columns (0: as they are); a hint stays whole, so that it can be copied."""
    if not width or all(len(line) <= width for line in text.splitlines()):
        return text
    return "".join(_folded(line, width) for line in text.splitlines(keepends=True))


def _folded(line: str, width: int) -> str:
    inner = line.lstrip(" ")
    indent = line[: len(line) - len(inner)]
    head, _, rest = inner.partition(" ")
    if len(line.rstrip("\n")) <= width or head == "hint:" or not rest.strip():
        return line
    end = "\n" if line.endswith("\n") else ""
    return "\n".join(wrapped(rest, first=f"{indent}{head} ", rest=f"{indent}  ", width=width)) + end


class Hint(str):
    """A command to run next, and a remark on it for a line of its own above; it compares as the command."""

    note: str

    def __new__(cls, command: str, note: str) -> Hint:
        """The command with its remark, a sentence without a full stop."""
        made = super().__new__(cls, command)
        made.note = note
        return made


class Advice(str):
    """What to do next if no command does it: a sentence without a full stop."""


AGAIN = "..."
"""The hint to run the same command once more."""


def in_command(hints: Iterable[str], *commands: str) -> tuple[str, ...]:
    """The hints, if there are any, with these commands at the end if all are advice: so there is something to type."""
    given = tuple(hints)
    return (*given, *commands) if given and all(isinstance(hint, Advice) for hint in given) else given


def with_command(hint: str, command: str) -> str:
    """The same hint with another command; its remark stays."""
    return Hint(command, hint.note) if isinstance(hint, Hint) else command


def parts(hint: str) -> tuple[str, str]:
    """The command of a hint and the remark on it; one of them may be ``""``."""
    if isinstance(hint, Advice):
        return "", str(hint)
    return str(hint), hint.note if isinstance(hint, Hint) else ""


def finished(hint: str) -> str:
    """The hint as it is printed: one with a part that only the user knows (``helm upgrade ... --force``) in words."""
    command, note = parts(hint)
    words = _in_words(command)
    return Advice(f"{words}: {note}" if note else words) if words else hint


_PARTIAL = r"((?:\w+=\S+ )*)(helm|postrender)((?: [a-z-]+)*) \.\.\.(?: (.+))?"
_OTHERWISE = r"\.\.\. without (--\S+)"


def _in_words(hint: str) -> str:
    """``run helm upgrade with --force`` for ``helm upgrade ... --force``; ``""`` for a whole command."""
    if hint == AGAIN:
        return "run the same command again"
    if hint.startswith("--"):
        return f"add {hint}"
    if "..." not in hint:
        return ""
    if found := re.fullmatch(_OTHERWISE, hint):
        return f"leave out {found[1]}"
    if not (found := re.fullmatch(_PARTIAL, hint)):
        return ""
    variables, program, verb, flags = found.groups()
    name = "Helm" if program == "helm" and not verb else f"{program}{verb}"
    more = [each for each in (variables.strip(), flags) if each]
    return f"run {name}" + "".join(f" {each if each.startswith('without ') else f'with {each}'}" for each in more)


def hint_data(hints: Iterable[str]) -> list[Any]:
    """Hints in JSON: ``{"command": ..., "note": ...}``, of which one may be ``""``."""
    return [{"command": command, "note": note} for command, note in map(parts, hints)]


def hints_from(data: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """The hints that ``hint_data`` gave; raises KeyError and TypeError for anything else."""
    return tuple(
        (Hint(each["command"], each["note"]) if each["note"] else each["command"])
        if each["command"]
        else Advice(each["note"])
        for each in data
    )


def hint_lines(hints: Iterable[str], paint: Paint | None = None, first: str = "") -> Iterator[str]:
    """The lines of hints: a command whole on its own line, to be copied, below the remark on it, which is wrapped."""
    paint = paint or PLAIN
    for hint in hints:
        command, note = parts(hint)
        yield from wrapped(note, first=f"{first}note: ", rest=f"{first}      ", width=paint.width)
        if command:
            yield f"{first}{paint('cyan', 'hint')}: {one_line(command)}"


def counted(count: int, word: str) -> str:
    """``1 object``, ``1,200 objects``."""
    return f"{count:,} {word}{'s' * (count != 1)}"


def shorten(names: Sequence[str], most: int = 5) -> str:
    """``a, b and 7 more``: the first names, and how many there are beyond ``most``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "magenta": "35", "cyan": "36"}
_HEAD_STYLES = {"error": "bold red", "warning": "magenta", "hint": "cyan"}
_PAINTED = r"(?m)^([ \t]*)(error|warning|hint)(?=:)"

CHOICES = ("auto", "always", "never")
"""The values of ``--color``."""


class Paint(Record):
    """How a stream is written to: whether in colours, and in how many columns (0: lines are not wrapped).

    Called, it writes a text in a style: bold, dim, red, green, magenta, cyan, or several with a blank between.
    """

    on: bool = False
    width: int = 0

    def __call__(self, style: str, text: str) -> str:
        """The text; plain where colours are off or the style is ``""``."""
        if not self.on or not style:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in style.split())}m{text}\x1b[0m"

    def heads(self, text: str) -> str:
        """The text with the words that begin errors, warnings and hints in their colours."""
        if not self.on:
            return text
        return re.sub(_PAINTED, lambda found: found[1] + self(_HEAD_STYLES[found[2]], found[2]), text)


PLAIN = Paint()
"""No colours, and lines that are not wrapped."""


def paint(wanted: str, stream: IO[Any] | None, environ: Mapping[str, str]) -> Paint:
    """By ``--color`` (auto, always, never); auto colours a terminal that takes it, unless ``$NO_COLOR`` says no."""
    width = columns(stream)
    auto = bool(width) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Paint(wanted == "always" or (wanted == "auto" and auto), width)


NARROWEST, USUAL = 40, 80


def columns(stream: IO[Any] | None) -> int:
    """The columns of a terminal; 0 for anything else, such as a file, where lines are not wrapped."""
    try:
        if stream is None or not stream.isatty():
            return 0
        return max(NARROWEST, os.get_terminal_size(stream.fileno()).columns or USUAL)
    except (OSError, ValueError):
        return 0
