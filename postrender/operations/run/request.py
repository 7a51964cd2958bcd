"""What a run is to do, and what all its steps ask and say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from postrender._record import Record
from postrender.cluster.client import Cluster
from postrender.cluster.interface import unreadable
from postrender.errors import UsageError
from postrender.helm.binary import HelmBinary
from postrender.helm.command_line import CommandLine, as_upgrade, command_at, parse, pasteable_in_run, release
from postrender.helm.storage import storage, stored_name
from postrender.models import ReleaseName, StoredRelease, Unknown
from postrender.operations.run.journal import RunState
from postrender.planner.view import View
from postrender.settings.sources import dry_run_mode, from_command_line
from postrender.settings.table import SETTINGS, Flags
from postrender.text import AGAIN, Advice, Hint, hint_lines, wrapped

Output = Callable[[str], None]
"""Takes lines for a person, each ended."""

UPGRADE = "helm upgrade ..."


class RunRequest(Record, hidden=("environ", "typed")):
    """What is to be done.

    ``typed`` is the Helm command as it was typed, program and all, and ``flags`` are those of the run, for hints.
    ``program`` is the path that starts this postrender, ``upgrade`` whether an announced upgrade is run too,
    ``environ`` what Helm and the filter get, ``folder`` where they run.
    """

    helm: HelmBinary
    typed: tuple[str, ...]
    flags: tuple[str, ...]
    command: HelmCommand
    cluster: Cluster
    release: ReleaseName
    driver: str
    program: str
    version: str
    environ: Mapping[str, str]
    folder: str
    upgrade: bool = True

    def whole(self, step: str) -> str:
        """The hint as a whole command: ``helm ...`` with the flags and the Helm command of this run."""
        return pasteable_in_run(step, self.typed, self.flags)


def print_hints(output: Output, hints: Iterable[str]) -> None:
    """Print hints, each command on a line of its own."""
    output("".join(f"{line}\n" for line in hint_lines(hints)))


def print_lines(output: Output, text: str, first: str = "") -> None:
    """Say one sentence, as wide as every message; ``first`` goes before its first line."""
    output("".join(f"{line}\n" for line in wrapped(text, first=first, rest=first + "  ")))


def revisions(request: RunRequest) -> tuple[StoredRelease, ...]:
    """The stored revisions from their labels, oldest first; raises ClusterError."""
    found = request.cluster.get_revisions(request.release, manifest=False, driver=request.driver)
    if isinstance(found, Unknown):
        raise unreadable(request.release, request.cluster.description, found)
    return found


def left_pending(noted: RunState, plan: View | None, newest: StoredRelease) -> bool:
    """Whether the Helm that the run started left the newest revision pending; ``plan`` is what its filter left.

    Helm looks for such a record before it renders, and stores its own after that. Where no filter got to its end for
    the run, this is the record of another Helm.
    """
    return newest.revision > noted.before and newest.status.startswith("pending-") and plan is not None


def unless_at_work(request: RunRequest, pending: StoredRelease) -> tuple[str, ...]:
    """What to type where a record is pending and its Helm may be alive.

    No rollback and no uninstall: those change or delete what is live, and all that is in the way is the record.
    """
    release, kept = pending.release, storage(request.driver)
    assert not isinstance(kept, Unknown)
    record = f"{kept.resource.qualified} {stored_name(pending)}"
    return (
        request.cluster.typed(f"helm history {release.name}", release.namespace),
        Hint(request.cluster.kubectl(f"delete {record}", release.namespace), "if no helm process is running"),
    )


class HelmCommand(Record, hidden=("arguments",)):
    """What stands behind Helm's name: install or upgrade. Its values may be secret, so they are never shown."""

    arguments: tuple[str, ...]
    line: CommandLine

    @property
    def installs(self) -> bool:
        """Whether it is ``helm install``."""
        return self.line.command == "install"

    def digest(self, folder: str) -> str:
        """The same for the same command in the same folder; nobody can tell its values from it."""
        return hashlib.sha256(json.dumps([folder, *self.arguments]).encode()).hexdigest()

    @property
    def is_dry_run(self) -> bool:
        """Whether it is a dry run."""
        return dry_run_mode(self.line) not in (None, "none")

    @property
    def release(self) -> str | None:
        """The release that it names; ``None`` where Helm makes the name up."""
        return release(self.line).name

    def flags(self, folder: str) -> Flags:
        """The settings it says; ``folder`` is where it runs."""
        given = {setting.name: from_command_line(setting, self.line, folder) for setting in SETTINGS}
        return Flags(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]

    def with_flags(self, *flags: str) -> tuple[str, ...]:
        """The arguments with further flags, in front of a ``--`` that ends the flags."""
        place = self.arguments.index("--") if "--" in self.arguments else len(self.arguments)
        return (*self.arguments[:place], *flags, *self.arguments[place:])

    def as_upgrade(self) -> HelmCommand:
        """``helm upgrade`` with the same chart, values and flags; an upgrade stays as it is."""
        return parse_helm_command(as_upgrade(self.arguments)) if self.installs else self


def parse_helm_command(arguments: Sequence[str]) -> HelmCommand:
    """The command behind Helm's name; raises UsageError for one that stores no release."""
    line = parse(arguments)
    if line is None or line.command not in ("install", "upgrade"):
        place = command_at(arguments)
        raise UsageError(
            "only helm install and helm upgrade can be run",
            where="helm" if place is None else f"helm {arguments[place]}",
            next="postrender run --help",
        )
    if any(argument.partition("=")[0].startswith("--post-renderer") for argument in arguments):
        raise UsageError(
            "--post-renderer is not allowed: postrender is the post-renderer",
            where=f"helm {line.command}",
            next=(
                Hint(AGAIN, "without --post-renderer"),
                Advice("to run the other post-renderer as well, give its program to postrender run with --then"),
            ),
        )
    named = release(line)
    if named.name is None and not named.generated:
        raise UsageError(named.why_not, where=f"helm {line.command}", next="postrender run --help")
    return HelmCommand(tuple(arguments), line)
