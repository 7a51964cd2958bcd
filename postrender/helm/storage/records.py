"""Which objects with a release's labels are its revisions, as Helm counts them.

Helm lists objects by their labels and skips every payload that it cannot decode; it looks at neither name nor type
(``Query``, pkg/storage/driver/{secrets,cfgmaps}.go of 3.12.3 and 4.3.1). Whoever may create Secrets can so add to a
release's history. An object that is not named and typed as Helm names and types its own, and that Helm counts all the
same, therefore settles nothing, and no revision counts as uninstalled before its payload says so too.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from postrender.helm.storage.revisions import (
    RELEASE_TYPE,
    NotARecord,
    Storage,
    StoredObject,
    Undecodable,
    completed,
    decode,
    from_labels,
    sort_revisions,
)
from postrender.models import LiveObject, ReleaseName, StoredRelease, Unknown
from postrender.text import Hint

Read = Callable[[Sequence[LiveObject]], "Sequence[LiveObject | Unknown]"]
"""Objects read whole, each as it was listed, in order."""

Choose = Callable[["tuple[StoredRelease, ...]"], "Sequence[StoredRelease]"]
"""Of revisions, ascending, those whose payload is wanted."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

Found = "list[tuple[StoredRelease, StoredObject | None]]"

UNINSTALLED = "uninstalled"

MOST = 100
"""How many objects that are no revisions are read before a release counts as unreadable."""


class Commands(Protocol):
    """How the next command reaches the cluster that was read."""

    def kubectl(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with flags."""

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours with flags."""


class HistoryUnclear(Exception):
    """The revisions of a release cannot be determined; carries the reason."""

    def __init__(self, why: Unknown) -> None:
        self.why = why


def history(
    listed: Sequence[LiveObject],
    release: ReleaseName,
    kept: Storage,
    read: Read,
    choose: Choose,
    skip: Callable[[str], None],
    reached: Commands,
) -> list[tuple[StoredRelease, StoredObject | None]]:
    """All revisions, oldest first; the newest, and the chosen ones, with the contents of their payloads.

    The newest is taken by its labels if its payload cannot be read and the labels do not say that it was uninstalled.
    ``skip`` is called with each object that is skipped; ``reached`` makes the hints. Raises HistoryUnclear, and
    Undecodable if the list itself is wrong.
    """
    named: dict[StoredRelease, LiveObject] = {}
    odd: list[tuple[LiveObject, str]] = []
    for live in listed:
        try:
            named[_only(from_labels(live, release), named)] = live
        except NotARecord as error:
            odd.append((live, str(error)))
    _leave_out(odd, release, kept, read, skip, reached)
    whole: dict[StoredRelease, StoredObject | None] = {}
    unreadable: list[tuple[LiveObject, Undecodable]] = []
    for _ in range(MOST):
        revisions = sort_revisions(list(named))
        chosen = choose(revisions)
        wanted = [each for each in dict.fromkeys([*revisions[-1:], *chosen]) if each not in whole]
        if not wanted:
            _require_settled(revisions, unreadable, release, kept, reached)
            return [(each, whole.get(each) if each in chosen else None) for each in revisions]
        for revision, answer in zip(wanted, read([named[each] for each in wanted]), strict=True):
            if isinstance(answer, Unknown):
                if revision in chosen or revision.status == UNINSTALLED:
                    raise HistoryUnclear(answer)
                whole[revision] = None
                continue
            try:
                whole[revision] = StoredObject(_decoded(revision, answer, kept), answer, kept)
            except NotARecord as error:
                del named[revision]
                _leave_out([(answer, str(error))], release, kept, list, skip, reached)
            except Undecodable as error:
                unreadable.append((named.pop(revision), error))
                skip(f"{_named(answer, kept)} is skipped, as Helm skips it: {error}")
    raise HistoryUnclear(_too_many(release, kept, reached))


def _only(revision: StoredRelease, named: dict[StoredRelease, LiveObject]) -> StoredRelease:
    if revision in named:
        raise Undecodable(f"revision {revision.revision} of release {revision.release} is stored twice")
    return revision


def _decoded(revision: StoredRelease, live: LiveObject, kept: Storage) -> StoredRelease:
    """The revision with the contents of its payload; raises NotARecord for a type that is not Helm's, Undecodable."""
    typed = live.body.get("type")
    if kept.wrapped and typed != RELEASE_TYPE:
        raise NotARecord(f"its type is {typed}")
    return completed(revision, live.body.get("data"), wrapped=kept.wrapped)


def _leave_out(
    odd: Sequence[tuple[LiveObject, str]],
    release: ReleaseName,
    kept: Storage,
    read: Read,
    skip: Callable[[str], None],
    reached: Commands,
) -> None:
    """Skip what is not named and typed as Helm's own; raises HistoryUnclear where Helm would count it all the same."""
    if len(odd) > MOST:
        raise HistoryUnclear(_too_many(release, kept, reached))
    for (live, why), answer in zip(odd, read([live for live, _ in odd]) if odd else (), strict=True):
        if isinstance(answer, Unknown):
            raise HistoryUnclear(answer)
        where = _named(live, kept)
        if _counts(answer, kept):
            raise HistoryUnclear(
                Unknown(
                    f"{where} is not a record of Helm ({why}), but Helm treats it as a revision",
                    (
                        _kubectl("get", live, kept, reached) + " -o yaml",
                        Hint(_kubectl("delete", live, kept, reached), "if it does not belong to Helm"),
                    ),
                )
            )
        skip(f"{where} is skipped, as Helm skips it: it has the labels of release {release}, but {why}")


def _counts(live: LiveObject, kept: Storage) -> bool:
    data = live.body.get("data")
    packed = data.get("release") if isinstance(data, dict) else None
    try:
        decode(packed if isinstance(packed, str) else "", wrapped=kept.wrapped)
    except Undecodable:
        return False
    return True


def _require_settled(
    revisions: Sequence[StoredRelease],
    unreadable: Sequence[tuple[LiveObject, Undecodable]],
    release: ReleaseName,
    kept: Storage,
    reached: Commands,
) -> None:
    """Raise HistoryUnclear if only revisions that cannot be decoded show that the release exists."""
    if not unreadable or (revisions and revisions[-1].status != UNINSTALLED):
        return
    first, why = unreadable[0]
    raise HistoryUnclear(
        Unknown(
            f"{_named(first, kept)} cannot be decoded, so whether the release is installed is unknown: {why}",
            (
                reached.typed(f"helm history {release.name}", release.namespace),
                Hint(_kubectl("delete", first, kept, reached), "if the release is uninstalled"),
            ),
        )
    )


def _too_many(release: ReleaseName, kept: Storage, reached: Commands) -> Unknown:
    return Unknown(
        f"more than {MOST} {kept.resource.plural} have its labels and hold no revision of it",
        (reached.kubectl(f"get {kept.resource.plural} -l owner=helm,name={release.name}", release.namespace),),
    )


def _named(live: LiveObject, kept: Storage) -> str:
    return f"{kept.resource.qualified}/{live.key.namespace}/{live.key.name}"


def _kubectl(verb: str, live: LiveObject, kept: Storage, reached: Commands) -> str:
    return reached.kubectl(f"{verb} {kept.resource.plural} {shlex.quote(live.key.name)}", live.key.namespace)
