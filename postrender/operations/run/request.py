"""What a run is to do, and what all its steps ask and say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postrender._record import Record
from postrender.cluster.client import Cluster
from postrender.cluster.interface import unreadable
from postrender.helm.binary import HelmBinary
from postrender.helm.storage import storage, stored_name
from postrender.models import ReleaseName, StoredRelease, Unknown
from postrender.operations.run.command import HelmCommand
from postrender.operations.run.journal import RunState
from postrender.planner.view import View
from postrender.text import wrapped

Output = Callable[[str], None]
"""Takes lines for a person, each ended."""

UPGRADE = "helm upgrade ...   (with the same chart and values)"


class RunRequest(Record, hidden=("environ",)):
    """What is to be done.

    ``program`` is the path that starts this postrender, ``upgrade`` whether an announced upgrade is run too,
    ``environ`` what Helm and the filter get, ``folder`` where they run.
    """

    helm: HelmBinary
    command: HelmCommand
    cluster: Cluster
    release: ReleaseName
    driver: str
    program: str
    version: str
    environ: Mapping[str, str]
    folder: str
    upgrade: bool = True


def print_lines(output: Output, text: str, first: str = "") -> None:
    """Say one sentence, as wide as every message; ``first`` goes before its first line."""
    output("".join(f"{line}\n" for line in wrapped(text, first=first, rest=first + "  ")))


def revisions(request: RunRequest) -> tuple[StoredRelease, ...]:
    """The stored revisions as their labels tell them, ascending; raises ClusterError."""
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
        f"{request.cluster.kubectl(f'delete {record}', release.namespace)}   (if no Helm is at work any more)",
    )
