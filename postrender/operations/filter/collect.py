"""Collects the facts: live objects, stored revisions, and whether other owners are still installed.

A failed lookup ends the run here with a ClusterError, before anything is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader, ObjectLookup, unreadable
from postrender.cluster.offline import Offline
from postrender.errors import ClusterError
from postrender.helm.invocation import Action, Invocation
from postrender.helm.objects import ManifestObject, build_object
from postrender.manifest import Manifest, ObjectRef
from postrender.models import (
    SECRET,
    Found,
    GroupVersionKind,
    NotServed,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
)
from postrender.planner.decide import bodies_wanted
from postrender.planner.facts import Desired, DesiredObject, Facts, Place, base_revision, place_of

MAX_LISTED = 10
"""How many unanswered objects a message names before it only counts the rest."""


class _Kinds(Record):
    """How each kind is served; ``guessed`` holds those that the cluster does not serve (yet)."""

    served: dict[GroupVersionKind, Resource]
    guessed: dict[GroupVersionKind, Resource]
    invocation: Invocation

    def of(self, gvk: GroupVersionKind) -> Resource:
        return self.served.get(gvk) or self.guessed[gvk]

    def key(self, ref: ObjectRef) -> ObjectKey:
        """The identity, where Helm would put it: the manifest's namespace, else the release's."""
        release = self.invocation.release
        namespace = ref.namespace or (release.namespace if release else self.invocation.namespace or "default")
        return ObjectKey(ref.gvk.group_kind, namespace if self.of(ref.gvk).namespaced else "", ref.name)


def collect_facts(
    manifest: Manifest,
    invocation: Invocation,
    source: ClusterReader | None,
    *,
    whole: bool = False,
    keep_live: Sequence[str] | None = None,
) -> Facts:
    """Everything ``decide`` needs; without a source, and for ``helm template``, nothing is looked up.

    With ``whole``, live objects come with their bodies even where the decision needs only metadata. With ``keep_live``
    (``Policy.keep_live``) those do of which values are to be kept; ``None`` if neither the user nor the chart names
    any. Raises ClusterError where an answer was not certain.
    """
    # A kind that the server does not serve yet is guessed, even where its CRD is in the stream: reading that would cost
    # more than all the rest, and the guess only names things.
    offline = Offline()
    if source is None or invocation.action is Action.TEMPLATE:
        kinds = _kinds(manifest, None, invocation, offline, offline)
        return Facts(
            Desired(manifest),
            tuple(DesiredObject(ref, kinds.key(ref), kinds.of(ref.gvk), None) for ref in manifest.objects),
            invocation,
        )
    own = _own(invocation, source)
    before = base_revision(invocation, own)
    stored = manifests.read((before.manifest or "").encode()) if before else None
    kinds = _kinds(manifest, stored, invocation, source, offline)
    items = [
        DesiredObject(ref, kinds.key(ref), kinds.of(ref.gvk), NotServed() if ref.gvk not in kinds.served else None)
        for ref in manifest.objects
    ]
    kept = _kept(items, keep_live)
    items = _observed(items, source, whole=whole or bodies_wanted(invocation, own), kept=kept)
    items = _occupied(items, source)
    leaving = _observed(_leaving(items, stored, kinds), source, whole=whole)
    live_releases = _live_releases([*items, *leaving], invocation, source)
    desired = Desired(manifest, lambda ref, body: source.normalize(kinds.key(ref), body))
    return Facts(desired, tuple(items), invocation, own, _entries(stored, kinds), live_releases, tuple(leaving))


def _own(invocation: Invocation, source: ClusterReader) -> tuple[StoredRelease, ...]:
    stored_as = invocation.stored_as
    if stored_as is None or invocation.action not in (Action.UPGRADE, Action.UPGRADE_INSTALL):
        return ()
    answer = source.get_revisions(stored_as, manifest=True, driver=invocation.driver)
    if isinstance(answer, Unknown):
        raise unreadable(stored_as, source.description, answer)
    return answer


def _kinds(
    manifest: Manifest, stored: Manifest | None, invocation: Invocation, source: ClusterReader, offline: ClusterReader
) -> _Kinds:
    wanted = {ref.gvk for ref in manifest.objects} | {ref.gvk for ref in (stored.objects if stored else ())}
    answers = source.resolve_kinds(wanted)
    _complain(source, ((str(gvk), answer) for gvk, answer in answers.items() if isinstance(answer, Unknown)))
    served = {gvk: answer for gvk, answer in answers.items() if isinstance(answer, Resource)}
    guesses = offline.resolve_kinds(gvk for gvk in wanted if gvk not in served)
    return _Kinds(served, {gvk: answer for gvk, answer in guesses.items() if isinstance(answer, Resource)}, invocation)


def _kept(items: Sequence[DesiredObject], keep_live: Sequence[str] | None) -> frozenset[Place]:
    if keep_live is None:
        return frozenset()
    from postrender.planner.keep_live import named  # Few charts and users name anything.

    return named(items, keep_live)


def _observed(
    items: Sequence[DesiredObject], source: ClusterReader, *, whole: bool, kept: frozenset[Place] = frozenset()
) -> list[DesiredObject]:
    """The items with what is live, read ``whole``, as those of ``kept``, or by metadata: one question for each."""
    places = [
        place
        for place, item in enumerate(items)
        if item.key.name and not item.hook and not isinstance(item.observation, NotServed)
    ]
    answers = source.get_objects(
        [
            _wanted(item, whole=whole or item.key.group_kind == SECRET or place_of(item.ref) in kept)
            for item in (items[place] for place in places)
        ]
    )
    result = list(items)
    for place, answer in zip(places, answers, strict=True):
        result[place] = replace(items[place], observation=answer)
    _complain(source, ((item.name, item.observation) for item in result if isinstance(item.observation, Unknown)))
    return result


def _occupied(items: Sequence[DesiredObject], source: ClusterReader) -> list[DesiredObject]:
    """The items with what is live under the name of each hook that Helm deletes first."""
    places = [
        place
        for place, item in enumerate(items)
        if item.hook and item.deleted_before_creation and item.key.name and not isinstance(item.observation, NotServed)
    ]
    answers = source.get_objects([_wanted(items[place], whole=False) for place in places]) if places else []
    named = [(items[place].name, answer) for place, answer in zip(places, answers, strict=True)]
    _complain(source, ((name, answer) for name, answer in named if isinstance(answer, Unknown)))
    result = list(items)
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Found):
            result[place] = replace(items[place], live_under_hook_name=answer.live)
    return result


def _wanted(item: DesiredObject, *, whole: bool) -> ObjectLookup:
    return ObjectLookup(item.resource, item.key.namespace, item.key.name, body=whole)


def _entries(stored: Manifest | None, kinds: _Kinds) -> tuple[ManifestObject, ...]:
    if stored is None:
        return ()
    return tuple(build_object(ref.gvk, kinds.key(ref), stored.value(ref)) for ref in stored.objects)


def _leaving(items: Sequence[DesiredObject], stored: Manifest | None, kinds: _Kinds) -> list[DesiredObject]:
    """What is stored and not in the stream in the same group, version and Kind; and all that is no longer served."""
    held = {(item.ref.gvk, item.key) for item in items if not item.hook}
    return [
        DesiredObject(ref, kinds.key(ref), kinds.of(ref.gvk), None if ref.gvk in kinds.served else NotServed())
        for ref in (stored.objects if stored else ())
        if ref.gvk not in kinds.served or (ref.gvk, kinds.key(ref)) not in held
    ]


def _live_releases(
    items: Iterable[DesiredObject], invocation: Invocation, source: ClusterReader
) -> dict[ReleaseName, bool]:
    from postrender.cluster.release_lookup import ReleaseLookup  # Where nobody is asked, nothing of it is needed.

    owners = ReleaseLookup(source, invocation.driver)
    live_releases: dict[ReleaseName, bool] = {}
    for item in items:
        live = item.live
        owner = live.owner if live else None
        if live is None or owner is None or owner == invocation.release:
            continue
        answer = owners.owner_exists(live)
        if isinstance(answer, Unknown):
            raise ClusterError(
                f"its owner is release {owner}, and whether it is installed is unknown: {answer.reason}",
                where=item.name,
                next=answer.next,
            )
        live_releases[owner] = answer or live_releases.get(owner, False)
    return live_releases


def _complain(source: ClusterReader, unanswered: Iterable[tuple[str, Observation | Resource | None]]) -> None:
    unknown = [(where, answer) for where, answer in unanswered if isinstance(answer, Unknown)]
    if not unknown:
        return
    where, first = unknown[0]
    more = [f"{other}: {answer.reason}" for other, answer in unknown[1:MAX_LISTED]]
    if len(unknown) > MAX_LISTED:
        more.append(f"and {len(unknown) - MAX_LISTED} more")
    raise ClusterError(
        "\n  ".join([f"could not be looked up in {source.description}: {first.reason}", *more]),
        where=where,
        next=first.next,
    )
