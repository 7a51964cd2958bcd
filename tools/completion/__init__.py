"""The command line as a whole, described once: what shells complete, and what the manual page says."""

from __future__ import annotations

from postrender._record import Record


class CliArgument(Record):
    """A flag, or an argument in its place where it has no ``spellings``.

    ``metavar`` is ``""`` for a switch; ``optional`` tells that a value may be left out. ``values`` are all that it
    takes (several with commas where ``listed``), ``files`` that it takes the name of a file or folder.
    """

    spellings: tuple[str, ...]
    metavar: str
    help: str
    values: tuple[str, ...] = ()
    files: bool = False
    optional: bool = False
    many: bool = False


class Group(Record):
    """Flags under one heading."""

    title: str
    flags: tuple[CliArgument, ...]


class Command(Record):
    """One command, or the program itself, whose ``name`` is ``""``.

    ``description`` and ``epilog`` are text as it is printed: paragraphs, with lines indented that are calls.
    """

    name: str
    summary: str
    usage: str
    description: str
    epilog: str
    groups: tuple[Group, ...]
    arguments: tuple[CliArgument, ...]

    @property
    def flags(self) -> tuple[CliArgument, ...]:
        """Those of all groups."""
        return tuple(flag for group in self.groups for flag in group.flags)


PROGRAM = "postrender"
