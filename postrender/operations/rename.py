"""The command ``rename``: the stored revisions of a release under another name, and its objects' metadata.

The order of the writes: the new revisions are created with the label ``owner: postrender``, so that no Helm sees them;
the old ones are deleted, the oldest first; the objects get the new release's ownership metadata; and the new revisions
get ``owner: helm``, the newest first. So at no point two releases have an object in their manifests, and at every point
all revisions are in the cluster. Every step can be repeated.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from postrender._record import Record
from postrender.cluster.discovery import AccessRule
from postrender.cluster.interface import Listing, live_object, none_stored, unreadable
from postrender.cluster.release_lookup import ReleaseLookup, holders
from postrender.errors import ClusterError, Refused
from postrender.helm.ownership import DRIVERS
from postrender.helm.storage import StoredObject, Undecodable, completed, decode, storage
from postrender.helm.storage.payload import renamed
from postrender.models import Json, LiveObject, ObjectKey, ReleaseName, Resource, StoredRelease, Unknown, object_name
from postrender.operations import forget, handover, move
from postrender.operations.handover import Change, LiveMetadata, Progress, look_up, metadata_for
from postrender.operations.stored_revisions import copy_of, editing

HIDDEN = "postrender"
"""The label ``owner`` of a revision that no Helm is to see yet: Helm looks for ``owner=helm`` (``Query``,
pkg/storage/driver/secrets.go)."""

_DEPENDS = re.compile(r"\bRelease\b(?!\.(?:Namespace|Service|IsUpgrade|IsInstall|Revision)\b)")
_NAMESPACE = re.compile(r"\bRelease\b(?!\.(?:Name|Service|IsUpgrade|IsInstall|Revision)\b)")


class RenamePlan(Record):
    """What would be written. ``bodies`` are revisions to be created, ``old`` those to be deleted, both ascending.

    ``stale`` are hidden revisions of an interrupted rename that are out of date, ``hidden`` those that are right.
    ``differences`` are what the next upgrade would change, as sentences.
    """

    old: ReleaseName
    new: ReleaseName
    bodies: tuple[Json, ...]
    stored: tuple[StoredObject, ...]
    stale: tuple[StoredObject, ...]
    hidden: tuple[StoredObject, ...]
    changes: tuple[Change, ...]
    differences: tuple[str, ...]


def plan_rename(
    target: forget.Target, old: ReleaseName, new: ReleaseName, driver: str, *, with_changes: bool
) -> RenamePlan:
    """What would be written, in order; nothing is.

    Raises Refused if a Helm may be at work on the release, if there is a release of the new name, if names of objects
    depend on the release's, or, without ``with_changes``, if anything else does; ClusterError if the release cannot be
    read or rights are missing; UsageError if nothing is stored of it.
    """
    stored, hidden, taken = _stored(target, old, driver), _hidden(target, new, driver), _revisions(target, new)
    if not stored and not hidden:
        raise none_stored(old, target, driver)
    if taken and (stored or not hidden):
        raise Refused(
            f"a release of that name has revision {taken[-1].revision}; nothing was written",
            where=f"release {new}",
            next=target.typed(f"helm history {new.name}", new.namespace),
        )
    if stored:
        move.require_settled(target, old, [each.revision for each in stored])
    bodies, stale, right = _to_create(target, stored, hidden, new)
    resources, revisions = move.read_revisions(target, old, stored or tuple(hidden))
    changes = _changes(target, old, new, driver, resources)
    differences = tuple(_differences(revisions, old, new, resources))
    names = [text for text, fatal in differences if fatal]
    if names or (differences and not with_changes):
        texts = names or [text for text, _ in differences]
        raise Refused(
            "\n".join([*texts, "nothing was written"]), where=f"release {old}", next=_next(target, old, new, names)
        )
    handover.require_rights(target, [*_rights(old, new, bodies, stored, hidden), *handover.patch_rights(changes)])
    return RenamePlan(
        old,
        new,
        tuple(bodies),
        tuple(stored),
        tuple(stale),
        tuple(right),
        changes,
        tuple(text for text, _ in differences),
    )


def _to_create(
    target: forget.Target, stored: Sequence[StoredObject], hidden: Sequence[StoredObject], new: ReleaseName
) -> tuple[list[Json], list[StoredObject], list[StoredObject]]:
    """The revisions to be created, and the hidden ones that are out of date, and those that are right."""
    right = {each.live.key.name: each for each in hidden}
    bodies, stale = [], []
    for each in stored:
        with editing(target, each, "rename"):
            body = _body(each, new)
        name = body["metadata"]["name"]
        if name in right and right[name].packed != body["data"]["release"]:
            stale.append(right.pop(name))
        if name not in right:
            bodies.append(body)
    return bodies, stale, list(right.values())


def _rights(
    old: ReleaseName,
    new: ReleaseName,
    bodies: Sequence[Json],
    stored: Sequence[StoredObject],
    hidden: Sequence[StoredObject],
) -> Iterator[tuple[AccessRule, str]]:
    """The rights on stored revisions that a rename needs."""
    kept = (*stored, *hidden)[0].storage.resource
    for _ in bodies[:1]:
        yield AccessRule("create", kept.gvk.group, kept.plural, new.namespace), ""
    for each in stored:
        yield AccessRule("delete", kept.gvk.group, kept.plural, old.namespace), each.live.key.name
    for each in (*stored, *hidden):
        yield AccessRule("patch", kept.gvk.group, kept.plural, new.namespace), _name(each, new)


def carry_out(target: forget.Target, plan: RenamePlan, done: Progress) -> None:
    """Write all of it; raises ClusterError, after which the same plan can be made again."""
    hidden = list(plan.hidden)
    for each in plan.stale:
        target.delete(each)
    for body in plan.bodies:
        kept = plan.stored[0].storage
        live = target.create_stored(kept, body, f"created for release {plan.new}")
        revision = StoredRelease(plan.new, int(live.labels["version"]), live.labels["status"])
        hidden.append(StoredObject(revision, live, kept))
        done(f"revision {revision.revision} of release {plan.new}: created, hidden from Helm")
    for each in plan.stored:
        target.delete(each)
        done(f"revision {each.revision.revision} of release {plan.old}: deleted")
    handover.write_after(target, plan.changes, done)
    for each in sorted(hidden, key=lambda each: -each.revision.revision):
        kept_in = each.storage.resource
        target.set_metadata(each.live, kept_in, {"owner": "helm"}, {}, f"shown to Helm as release {plan.new}")
        done(f"revision {each.revision.revision} of release {plan.new}: shown to Helm")


def _stored(target: forget.Target, release: ReleaseName, driver: str) -> tuple[StoredObject, ...]:
    answer = target.payloads(release, driver)
    if isinstance(answer, Unknown):
        raise unreadable(release, target.description, answer)
    return answer


def _revisions(target: forget.Target, release: ReleaseName) -> tuple[StoredRelease, ...]:
    for driver in DRIVERS:
        answer = target.get_revisions(release, manifest=False, driver=driver)
        if isinstance(answer, Unknown):
            raise unreadable(release, target.description, answer)
        if answer:
            return answer
    return ()


def _hidden(target: forget.Target, new: ReleaseName, driver: str) -> tuple[StoredObject, ...]:
    """The revisions that an interrupted rename created, ascending."""
    kept = storage(driver)
    if isinstance(kept, Unknown):
        raise unreadable(new, target.description, kept)
    selector = f"owner={HIDDEN},name={new.name}"
    listing = Listing(
        kept.resource,
        new.namespace,
        selector,
        lambda resource, item: live_object(item, resource.gvk, whole=True),
        whole=True,
    )
    (found,) = target.list_objects([listing])
    if isinstance(found, Unknown):
        raise unreadable(new, target.description, found)
    hidden = []
    for live in found:
        body = {"apiVersion": "v1", "kind": kept.resource.gvk.kind, **live.body}
        whole = LiveObject(
            live.key, live.api_version, live.uid, live.resource_version, live.labels, live.annotations, body=body
        )
        revision = StoredRelease(new, int(live.labels.get("version", "0")), live.labels.get("status", "unknown"))
        try:
            revision = completed(revision, body.get("data"), wrapped=kept.wrapped)
        except Undecodable as error:
            raise ClusterError(
                f"cannot be read: {error}",
                where=f"{kept.resource.qualified}/{new.namespace}/{live.key.name}",
                next=target.kubectl(f"get {kept.resource.qualified} {live.key.name} -o yaml", new.namespace),
            ) from error
        hidden.append(StoredObject(revision, whole, kept))
    return tuple(sorted(hidden, key=lambda each: each.revision.revision))


def _name(each: StoredObject, new: ReleaseName) -> str:
    return f"sh.helm.release.v1.{new.name}.v{each.revision.revision}"


def _body(stored: StoredObject, new: ReleaseName) -> Json:
    """The Secret or ConfigMap of the same revision under the new name, hidden from Helm."""
    packed = renamed(stored.packed, wrapped=stored.storage.wrapped, name=new.name, namespace=new.namespace)
    body = copy_of(stored.live.body)
    metadata = {name: value for name, value in body["metadata"].items() if name not in ("uid", "ownerReferences")}
    labels = {**metadata.get("labels", {}), "owner": HIDDEN, "name": new.name}
    metadata |= {"name": _name(stored, new), "namespace": new.namespace, "labels": labels}
    return {**body, "metadata": metadata, "data": {**body["data"], "release": packed}}


def _changes(
    target: forget.Target,
    old: ReleaseName,
    new: ReleaseName,
    driver: str,
    resources: dict[ObjectKey, Resource],
) -> tuple[Change, ...]:
    """The objects that get other metadata; raises Refused if another release has one of them."""
    places = [(resource, key) for key, resource in resources.items()]
    changes, objections = [], []
    owners = ReleaseLookup(target, driver)
    for (resource, key), live in zip(places, look_up(target, places), strict=True):
        if live is None or live.deleting or live.owner == new:
            continue
        before = LiveMetadata.of(live).unprotected()
        change = Change(resource, key, live, before, metadata_for(new, before))
        other = live.owner not in (None, old) and owners.owner_exists(live)
        if isinstance(other, Unknown):
            raise ClusterError(f"its owner is unknown: {other.reason}", where=change.name, next=other.next)
        if other:
            objections.append(f"{change.name}: owned by installed release {live.owner} (PR101)")
        changes.append(change)
    found = [each.live for each in changes if each.live is not None]
    besides = [(old, driver), *((new, each) for each in DRIVERS)]
    others = holders(target, found, new, driver, besides).found if found else {}
    names = {each.key: each.name for each in changes}
    objections += [
        f"{names[key]}: release {held} has it in its stored manifest (PR101)" for key, held in others.items()
    ]
    if objections:
        raise Refused("\n".join([*objections, "nothing was written"]), next="postrender explain PR101")
    return tuple(changes)


def _differences(
    revisions: Sequence[move.Revision], old: ReleaseName, new: ReleaseName, resources: dict[ObjectKey, Resource]
) -> Iterator[tuple[str, bool]]:
    """What depends on the release's name or namespace, and whether it is an object's identity.

    Determined from the stored chart: if its templates and values do not use the name and it has no subcharts, nothing
    depends on it. Otherwise, whatever contains the name counts; the same for the namespace.
    """
    newest = revisions[-1]
    if old.namespace != new.namespace:
        yield from _unplaced(revisions, resources)
    stored = newest.stored
    chart = decode(stored.packed, wrapped=stored.storage.wrapped).get("chart") or {}
    words = [
        (re.compile(rf"(?<![a-z0-9]){re.escape(before)}(?![a-z0-9])"), what)
        for before, after, what, pattern in (
            (old.name, new.name, "name", _DEPENDS),
            (old.namespace, new.namespace, "namespace", _NAMESPACE),
        )
        if before != after and _uses(chart, pattern)
    ]
    for key, refs in newest.refs.items():
        name = object_name(resources[key], key)
        for ref in refs:
            for word, what in words:
                for path in _found(newest.payload.manifest.value(ref), word):
                    # A namespace that is the release's may come from either of the two.
                    moves = path == "metadata.namespace" and (what == "namespace" or ref.namespace != old.namespace)
                    identity = path == "metadata.name" or moves
                    text = f"its {path.removeprefix('metadata.')}" if identity else path
                    yield f"{name}: {text} has the release's {what} in it", identity


def _unplaced(revisions: Sequence[move.Revision], resources: dict[ObjectKey, Resource]) -> Iterator[tuple[str, bool]]:
    """The objects that have their namespace from their release, in any revision that a rollback can restore."""
    seen = set()
    for each in reversed(revisions):
        for key, refs in each.refs.items():
            if key.namespace and key not in seen and not all(ref.namespace for ref in refs):
                seen.add(key)
                where = "" if each is revisions[-1] else f" in revision {each.stored.revision.revision}"
                yield f"{object_name(resources[key], key)}: its namespace is the release's{where}", True


def _uses(chart: Json, pattern: re.Pattern[str]) -> bool:
    """Whether a stored chart may use a part of ``.Release``; of subcharts, Helm stores no templates."""
    if (chart.get("metadata") or {}).get("dependencies"):
        return True
    texts = [json.dumps(chart.get("values"))]
    for each in chart.get("templates") or ():
        try:
            texts.append(base64.b64decode(each.get("data") or "").decode(errors="replace"))
        except (binascii.Error, ValueError):
            return True
    return any(pattern.search(text) for text in texts)


def _found(value: Json, word: re.Pattern[str], path: str = "") -> Iterator[str]:
    """The paths of texts and keys that contain the word."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _found(each, word, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _found(each, word, f"{path}[{number}]")
    elif isinstance(value, str) and word.search(value):
        yield path


def _next(target: forget.Target, old: ReleaseName, new: ReleaseName, names: Iterable[str]) -> Sequence[str]:
    if names:
        return (target.typed(f"helm get manifest {old.name}", old.namespace),)
    elsewhere = f" --to-namespace {new.namespace}" if new.namespace != old.namespace else ""
    return (
        target.typed(f"postrender rename {old.name} {new.name}{elsewhere}", old.namespace) + " --with-changes",
        target.typed(f"helm get manifest {old.name}", old.namespace),
    )
