"""Helm's command line, read the way cobra and pflag read it: pure, from arguments to what they say.

Only a command line that Helm accepted is ever read (Helm starts us after it has parsed its own), so nothing is
reported as wrong; what a Helm newer than the table may mean is said to be doubtful instead of guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from postrender.caller.helmflags import COMMANDS, ROOT, FlagSet

_KEPT = frozenset(
    (
        *("namespace", "kubeconfig", "kube-context", "kube-token", "kube-as-user", "kube-as-group", "kube-apiserver"),
        *("kube-ca-file", "kube-tls-server-name", "kube-insecure-skip-tls-verify"),
        *("install", "generate-name", "name-template", "replace", "dry-run", "validate"),
        *("force", "force-replace", "force-conflicts", "take-ownership", "server-side"),
        *("atomic", "rollback-on-failure"),
    )
)
"""The flags whose values are kept; of all others (``--set``, ``--password``) not even the name is."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a rendering Helm was asked.

    ``command`` is install, upgrade or template, ``arguments`` what stands behind it beside flags. ``flags`` are the
    flags that matter, in order, by long name; the value is ``None`` where a flag stood alone. ``unknown`` are flags
    that the table lacks (names only); ``doubtful`` says that one of them may have taken an argument, so that
    ``arguments`` cannot be relied on. Values are left out of ``repr``: they may be secret.
    """

    command: str
    arguments: tuple[str, ...] = field(repr=False)
    flags: tuple[tuple[str, str | None], ...] = field(repr=False)
    unknown: tuple[str, ...] = ()
    doubtful: bool = False

    def values(self, *names: str) -> tuple[str | None, ...]:
        """Every value that any of these flags was given, in order; pflag lets the last one win."""
        return tuple(value for name, value in self.flags if name in names)

    def switch(self, *names: str) -> bool:
        """Whether a boolean flag is on (it is off where it was not given)."""
        values = self.values(*names)
        return bool(values) and parse_bool(values[-1]) is True


@dataclass(frozen=True, slots=True)
class Release:
    """The release a command line names: a name, or why there is none.

    ``generated`` says that Helm makes a new name up, which nothing live can carry.
    """

    name: str | None
    generated: bool = False
    why_not: str = ""


def parse(arguments: Sequence[str]) -> CommandLine | None:
    """Read the arguments behind Helm's own name; ``None`` where the command is not one that renders."""
    found = _command(arguments)
    if found is None or found[0] not in COMMANDS:
        return None
    command, rest = found
    return _Reader(COMMANDS[command]).read(command, rest)


def release(line: CommandLine) -> Release:
    """Which release that is: ``NameAndChart`` (pkg/action/install.go) and ``newUpgradeCmd`` (cmd/helm/upgrade.go)."""
    template = (line.values("name-template") or (None,))[-1]
    if line.command == "install" and not template and line.switch("generate-name"):
        return Release(None, generated=True)
    if line.doubtful:
        unknown = ", ".join(line.unknown)
        return Release(None, why_not=f"Helm's command line has flags that are not known here: {unknown}")
    count = len(line.arguments)
    if count == 2:
        return Release(line.arguments[0])
    if count != 1 or line.command == "upgrade":
        return Release(None, why_not=f"Helm's command line has {count} arguments behind {line.command}")
    if template:
        return Release(None, why_not="Helm's --name-template is computed") if "{{" in template else Release(template)
    if line.command == "template":
        return Release("release-name")
    return Release(None, why_not="Helm's command line names none")


def parse_bool(text: str | None) -> bool | None:
    """As ``strconv.ParseBool``; ``None`` in for a flag that stood alone is true, ``None`` out is not a boolean."""
    if text in (None, "1", "t", "T", "true", "TRUE", "True"):
        return True
    return False if text in ("0", "f", "F", "false", "FALSE", "False") else None


def _command(arguments: Sequence[str]) -> tuple[str, list[str]] | None:
    """The first argument that is no flag and no flag's value, and the rest: ``Find`` and ``stripFlags`` of cobra.

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
                return argument, [*arguments[:index], *arguments[index + 1 :]]
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

    def read(self, command: str, arguments: Sequence[str]) -> CommandLine:
        self.rest = list(arguments)
        while self.rest:
            argument = self.rest.pop(0)
            if argument == "--":
                self.arguments += self.rest
                break
            if argument.startswith("--"):
                self._long(argument[2:])
            elif argument.startswith("-") and argument != "-":
                self._letters(argument[1:])
            else:
                self.arguments.append(argument)
        return CommandLine(
            command, tuple(self.arguments), tuple(self.flags), tuple(dict.fromkeys(self.unknown)), self.doubtful
        )

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        if equals:
            self._given(name, value)
        elif name not in self.known.takes_next:
            self._unknown("--" + name, ambiguous=self._next_could_be_value())
        else:
            self._given(name, self.rest.pop(0) if self.known.takes_next[name] and self.rest else None)

    def _letters(self, text: str) -> None:
        while text:
            letter, text = text[0], text[1:]
            name = self.known.letters.get(letter)
            if name is None:
                self._unknown("-" + letter, ambiguous=bool(text) or self._next_could_be_value())
                return
            if len(text) > 1 and text[0] == "=":
                self._given(name, text[1:])
                return
            if not self.known.takes_next[name]:
                self._given(name, None)
            else:
                self._given(name, text or (self.rest.pop(0) if self.rest else None))
                return

    def _given(self, name: str, value: str | None) -> None:
        if name in _KEPT:
            self.flags.append((name, value))
        elif name not in self.known.takes_next:
            self._unknown("--" + name, ambiguous=False)

    def _unknown(self, flag: str, *, ambiguous: bool) -> None:
        self.unknown.append(flag)
        self.doubtful = self.doubtful or ambiguous

    def _next_could_be_value(self) -> bool:
        return bool(self.rest) and not self.rest[0].startswith("-")
