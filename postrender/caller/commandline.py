"""Helm's command line, read the way cobra and pflag read it: pure, from arguments to what they say.

Only a command line that Helm accepted is ever read (Helm starts us after it has parsed its own), so nothing is
reported as wrong; what cannot be read for certain is said to be in doubt instead of guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from postrender.caller.helmflags import COMMANDS, KEPT, ROOT, FlagSet
from postrender.record import Record


class CommandLine(Record, hidden=("arguments", "flags")):
    """What a rendering Helm was asked.

    ``command`` is install, upgrade or template, ``arguments`` what stands behind it beside flags. ``flags`` are the
    flags that matter, in order, by long name; the value is ``None`` where a flag stood alone. ``doubt`` says why
    ``arguments`` cannot be relied on, ``""`` where they can. Values are left out of ``repr``: they may be secret.
    """

    command: str
    arguments: tuple[str, ...]
    flags: tuple[tuple[str, str | None], ...]
    doubt: str = ""

    def values(self, *names: str) -> tuple[str | None, ...]:
        """Every value that any of these flags was given, in order: with pflag, the last one wins."""
        return tuple(value for name, value in self.flags if name in names)

    def switch(self, *names: str) -> bool:
        """Whether a boolean flag is on; it is off where it was not given."""
        values = self.values(*names)
        return bool(values) and parse_bool(values[-1]) is True


class Release(Record):
    """The release that a command line names, or why it names none.

    ``generated`` says that Helm makes up a new name, which nothing live can carry.
    """

    name: str | None
    generated: bool = False
    why_not: str = ""


def parse(arguments: Sequence[str], *, whole: bool = True) -> CommandLine | None:
    """Read the arguments behind Helm's own name; ``None`` where the command is not one that renders.

    Without ``whole`` the end of the command line is missing.
    """
    place = command_at(arguments)
    if place is None or arguments[place] not in COMMANDS:
        return None
    command = arguments[place]
    reader = _Reader(COMMANDS[command])
    reader.read([*arguments[:place], *arguments[place + 1 :]])
    doubt = "" if whole else "the end of Helm's command line cannot be read"
    if reader.doubtful:
        doubt = f"Helm's command line has flags that are not known here ({', '.join(reader.unknown)})"
    return CommandLine(command, tuple(reader.arguments), tuple(reader.flags), doubt)


def release(line: CommandLine) -> Release:
    """Tell the release: ``NameAndChart`` (pkg/action/install.go), ``newUpgradeCmd`` (cmd/helm/upgrade.go).

    ``helm template`` starts with a name of its own (``newTemplateCmd``, cmd/helm/template.go), so that
    ``--generate-name`` changes nothing there.
    """
    template = (line.values("name-template") or (None,))[-1]
    if line.command == "install" and not template and line.switch("generate-name"):
        return Release(None, generated=True)
    if line.doubt:
        return Release(None, why_not=line.doubt)
    count = len(line.arguments)
    if count == 2:
        return Release(line.arguments[0])
    if count != 1 or line.command == "upgrade":
        return Release(None, why_not="Helm's command line does not have a release and a chart")
    if template:
        return Release(None, why_not="Helm's --name-template is computed") if "{{" in template else Release(template)
    if line.command == "template":
        return Release("release-name")
    return Release(None, why_not="Helm's command line names none")


def parse_bool(text: str | None) -> bool | None:
    """Read a boolean as ``strconv.ParseBool`` does; ``None`` out is not a boolean, ``None`` in stood alone: true."""
    if text in (None, "1", "t", "T", "true", "TRUE", "True"):
        return True
    return False if text in ("0", "f", "F", "false", "FALSE", "False") else None


def command_at(arguments: Sequence[str]) -> int | None:
    """Find the place of the first argument that is no flag and no flag's value: ``Find`` and ``stripFlags`` of cobra.

    In front of the command a flag counts as taking the next argument unless it is one of the root command's that
    does not: the command's own flags are not known there.
    """
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "--":
            return None
        if not argument.startswith("-"):
            if argument:
                return index
        elif "=" not in argument and (argument.startswith("--") or len(argument) == 2):
            name = argument[2:] if argument.startswith("--") else ROOT.letters.get(argument[1:], "")
            index += ROOT.takes_next.get(name, True)
        index += 1
    return None


class _Reader:
    """One pass over the arguments: ``parseArgs``, ``parseLongArg`` and ``parseSingleShortArg`` of pflag."""

    def __init__(self, known: FlagSet) -> None:
        self.known = known
        self.rest: list[str] = []
        self.arguments: list[str] = []
        self.flags: list[tuple[str, str | None]] = []
        self.unknown: list[str] = []
        self.doubtful = False

    def read(self, arguments: Sequence[str]) -> None:
        self.rest = list(arguments)
        while self.rest:
            argument = self.rest.pop(0)
            if argument == "--":
                self.arguments += self.rest
                return
            if argument.startswith("--"):
                self._long(argument[2:])
            elif argument.startswith("-") and argument != "-":
                self._letters(argument[1:])
            else:
                self.arguments.append(argument)

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        takes_next = self.known.takes_next.get(name)
        if equals:
            self._keep(name, value)
        elif takes_next is None:
            self._unknown("--" + name)
        else:
            self._keep(name, self._next() if takes_next else None)

    def _letters(self, letters: str) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            name = self.known.letters.get(letter)
            if name is None:
                self._unknown("-" + letter, joined=bool(letters))
                return
            if len(letters) > 1 and letters[0] == "=":
                self._keep(name, letters[1:])
                return
            if self.known.takes_next[name]:
                self._keep(name, letters or self._next())
                return
            self._keep(name, None)

    def _next(self) -> str | None:
        return self.rest.pop(0) if self.rest else None

    def _keep(self, name: str, value: str | None) -> None:
        if name in KEPT:
            self.flags.append((name, value))

    def _unknown(self, flag: str, *, joined: bool = False) -> None:
        """Note a flag that may have taken what comes next: letters joined to it, or an argument."""
        self.unknown.append(flag)
        if joined or (self.rest and not self.rest[0].startswith("-")):
            self.doubtful = True
