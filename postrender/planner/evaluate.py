"""Evaluates rewrites of a collision group: their effect on this run of Helm and on the next upgrade."""

from __future__ import annotations

from collections.abc import Sequence

from postrender._record import replace
from postrender.helm.api_server import SERVER_KEPT, preserve_server_fields
from postrender.helm.field_set import WHOLE, FieldSet
from postrender.helm.fresh_install import (
    FieldOwners,
    as_stored,
    differences,
    dropped,
    expected_object,
    field_owners,
    with_leftovers,
)
from postrender.helm.managed_fields import (
    helm_fields,
    limited_to_server_result,
    live_where_different,
    overlay_owned,
    with_stale_fields,
    without_stale_fields,
)
from postrender.helm.objects import ManifestObject, build_object, identity, with_helm_metadata
from postrender.helm.patch import PatchType, apply_merge_patch, differs, patch_type
from postrender.helm.simulate import Prediction, simulate
from postrender.helm.versions import Matching
from postrender.models import RESOURCE_POLICY, Json, ObjectKey
from postrender.planner.rewrite import CollisionGroup, DocumentRewrite, GroupMember

Paths = tuple[tuple[str, ...], ...]

_POLICY = ("metadata", "annotations", RESOURCE_POLICY)


def simulate_group(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> tuple[Prediction, ...]:
    """Helm's predictions for the members if these rewrites are emitted."""
    return simulate(replace(group.update, targets=targets(group, rewrites)))


def targets(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> list[ManifestObject]:
    """The members as Helm builds them: rewritten, then with its ownership metadata."""
    return [
        replace(entry, body=with_helm_metadata(entry.body, group.release, group.update.helm))
        for entry in _manifests(group, rewrites)
    ]


def differing(
    group: CollisionGroup,
    rewrites: Sequence[DocumentRewrite],
    predictions: Sequence[Prediction],
    *,
    policy: bool = False,
) -> list[Paths]:
    """For each member, the paths at which the live object will differ from the chart after this run.

    The resource policy that a chart asks for is among them only where ``policy`` is asked for: what is stored says it,
    whatever is live. Of an object that the stream has twice the last document counts; of what is new there are none.
    """
    last = {member.entry.key: index for index, member in enumerate(group.members)}
    found = [
        ()
        if prediction.error or last[target.key] != index or target.key not in group.update.live
        else _differences(group, target, prediction.live)
        for index, (target, prediction) in enumerate(zip(_desired_objects(group, rewrites), predictions, strict=True))
    ]
    return [
        tuple(
            path
            for path in paths
            if (policy or path != _POLICY or policy_of(member.entry.body) is None)
            and (member.entry.key in group.fresh or not _as_charted(prediction.live, member.entry.body, path))
        )
        for paths, member, prediction in zip(found, group.members, predictions, strict=True)
    ]


def _differences(group: CollisionGroup, target: ManifestObject, now: Json) -> Paths:
    """The paths at which the object ``now`` differs from the expected one, except what the server would not accept."""
    asked = _expected_object(group, target)
    if target.key not in group.fresh:
        return differs(*(comparable(_limited(group, target.key, each, asked)) for each in (now, asked)))
    now, owners = seen_by_server(group, target, now, asked), _owners(group, target)
    # What Helm's patch takes from other managers is theirs to set again.
    right = expected_object(now, target.body, group.fresh[target.key], owners)
    now, right = (comparable(_limited(group, target.key, each, asked)) for each in (now, right))
    return differences(now, right, owners)


def seen_by_server(group: CollisionGroup, entry: ManifestObject, now: Json, right: Json) -> Json:
    """A predicted object with the API server's defaults and notation; as it is if no new object was asked for."""
    fresh = group.fresh.get(entry.key)
    if fresh is None:
        return now
    return as_stored(
        now, with_helm_metadata(entry.body, group.release, group.update.helm), fresh, right, _owners(group, entry)
    )


def _owners(group: CollisionGroup, entry: ManifestObject) -> FieldOwners:
    live, fresh = group.update.live[entry.key], group.fresh[entry.key]
    merges = patch_type(entry.gvk, group.update.helm) is PatchType.MERGE
    owners = field_owners(live, fresh, group.manager, whole_lists=merges)
    # What others set before an adoption that wrote nothing is no later change of theirs.
    wrote = any(element != "f:metadata" for element in owners.helm.children)
    return replace(owners, yields=merges and wrote and bool(_stored(group, entry)))


def _stored(group: CollisionGroup, target: ManifestObject) -> list[ManifestObject]:
    """The manifests that the release stores of the object: one or none."""
    own = identity(Matching.GROUP_KIND, target.gvk, target.key)
    return [entry for entry in group.update.stored if identity(Matching.GROUP_KIND, entry.gvk, entry.key) == own]


def stays_true(
    group: CollisionGroup, entry: ManifestObject, replacement: Json, before: Prediction, after: Prediction, right: Json
) -> bool:
    """True if the live object will equal ``replacement``, and storing that changes nothing of what Helm sends."""
    if entry.key in group.fresh:
        return not differs(*(comparable(seen_by_server(group, entry, each.live, right)) for each in (before, after)))
    return not _contradicts(replacement, after.live, right)


def _contradicts(stored: Json, live: Json, right: Json) -> bool:
    """True if the document sets anything that will not be live; the resource policy is ignored.

    A value that is live as it should be though the document says something else was set by another manager.
    """
    if not (isinstance(stored, dict) and isinstance(live, dict)):
        return bool(differs(stored, live) and differs(live, right))
    expected = right if isinstance(right, dict) else {}
    return any(
        key not in live or _contradicts(value, live[key], expected.get(key))
        for key, value in stored.items()
        if key != RESOURCE_POLICY and (key != "annotations" or key in live)
    )


def _as_charted(live: Json, chart: Json, path: tuple[str, ...]) -> bool:
    """True if the live object has the chart's value at the path, although another manager had set it differently.

    Where the chart has null, a field that is not there is as it says.
    """
    for key in path:
        if not (isinstance(live, dict) and isinstance(chart, dict) and key in chart):
            return False
        if key not in live:
            return chart[key] is None
        live, chart = live[key], chart[key]
    return not differs(live, chart)


def expected_objects(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> list[Json]:
    """Desired object per member: the chart's fields, and fields of others that the chart does not set."""
    wanted = [(target.key, _expected_object(group, target)) for target in _desired_objects(group, rewrites)]
    return [_limited(group, key, right, right) for key, right in wanted]


def _desired_objects(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> list[ManifestObject]:
    """The members as Helm builds them, without pins and stored live values."""
    return targets(group, [replace(rewrite, pin="", replacement=None) for rewrite in rewrites])


def _limited(group: CollisionGroup, key: ObjectKey, body: Json, asked: Json) -> Json:
    """The object with the live values that the server keeps although it accepts an update to ``asked``."""
    if key not in group.server_results:
        return body
    return limited_to_server_result(body, group.update.live[key], group.server_results[key], asked)


def dropped_by_server(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> list[Paths]:
    """For each member, the paths at which the server drops or keeps a value, as far as dry runs showed."""
    result = []
    for member, target in zip(group.members, _desired_objects(group, rewrites), strict=True):
        gone = dropped(target.body, group.fresh.get(target.key, target.body))
        asked = _expected_object(group, target) if target.key in group.server_results else None
        kept_live = differs(asked, _limited(group, target.key, asked, asked)) if asked is not None else ()
        # What the filter adds, such as a label, the new object was without.
        result.append(tuple(path for path in (*gone, *kept_live) if _sets(member.entry.body, path)))
    return result


def _sets(chart: Json, path: tuple[str, ...]) -> bool:
    """True if the chart has a value at the path that is not null."""
    for key in path:
        chart = chart.get(key) if isinstance(chart, dict) else None
    return chart is not None


def policy_of(body: Json) -> Json:
    """The resource policy of a manifest or a live object; ``None`` if it has none."""
    return ((body.get("metadata") or {}).get("annotations") or {}).get(RESOURCE_POLICY)


def as_live_document(
    group: CollisionGroup, index: int, rewrite: DocumentRewrite, prediction: Prediction, right: Json
) -> Json:
    """The member's document with live values: the chart's fields and older ones of Helm, as they will be live.

    ``right`` is the expected object: a field that is as expected, but not as in the chart, belongs to another manager.
    The resource policy that the chart asks for stays whatever is live: an uninstall reads it from what is stored.
    """
    entry = group.members[index].entry
    body = rewrite.stripped(entry.body)
    live = prediction.live
    if entry.key in group.fresh:
        now = comparable(seen_by_server(group, entry, live, right))
        result = _without_null_texts(with_leftovers(body, now, comparable(right), _owners(group, entry)))
    else:
        result = with_stale_fields(live_where_different(body, live, right), live, _helm_fields(group, entry, live))
    policy = policy_of(body)
    if policy is None:
        return result
    metadata = dict(result["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RESOURCE_POLICY: policy}
    return {**result, "metadata": metadata}


def _without_null_texts(body: Json) -> Json:
    """A manifest without null labels and annotations: Helm drops them all if one of them is null."""
    metadata = {
        name: {key: text for key, text in value.items() if text is not None}
        if name in ("labels", "annotations") and isinstance(value, dict)
        else value
        for name, value in (body.get("metadata") or {}).items()
    }
    return {**body, "metadata": metadata}


def next_upgrade(
    group: CollisionGroup, rewrites: Sequence[DocumentRewrite], predictions: Sequence[Prediction]
) -> CollisionGroup:
    """The group as the next ``helm upgrade`` of the same chart will find it."""
    return replace(
        group,
        update=replace(
            group.update,
            stored=_manifests(group, rewrites),
            adopted=(),
            live={
                member.entry.key: versioned(prediction.live)
                for member, prediction in zip(group.members, predictions, strict=True)
            },
            three_way=False,
        ),
    )


def versioned(live: Json) -> Json:
    """The object with some resourceVersion, as the server sets one when Helm creates it; its value is never sent."""
    metadata = live.get("metadata") or {}
    return live if metadata.get("resourceVersion") else {**live, "metadata": {**metadata, "resourceVersion": "new"}}


def _manifests(group: CollisionGroup, rewrites: Sequence[DocumentRewrite]) -> list[ManifestObject]:
    """The members as Helm reads them from the emitted manifest, which it then stores."""
    return [
        replace(
            member.entry, body=build_object(member.entry.gvk, member.entry.key, rewrite.emitted(member.entry.body)).body
        )
        for member, rewrite in zip(group.members, rewrites, strict=True)
    ]


def _expected_object(group: CollisionGroup, target: ManifestObject) -> Json:
    """The object as Helm would update it if it compared it with the right manifest.

    That is the object's own stored manifest, or for an adoption the live object. An adopted object is to be what the
    chart says, without fields that Helm set for an earlier chart. So is one whose stored manifest is not true: the
    release says that a value was applied, and live is another that Helm itself set, or none. What somebody else set
    since then is left to them.
    """
    live = group.update.live.get(target.key)
    stored = [_versionless(entry) for entry in _stored(group, target)]
    if live is not None and target.key in group.fresh and not group.update.force:
        return expected_object(live, target.body, group.fresh[target.key], _owners(group, target))
    merges = patch_type(target.gvk, group.update.helm) is PatchType.MERGE
    if live is not None and not stored and merges and not group.update.force:
        return without_stale_fields(_overlaid(group, target, live), target.body, _helm_fields(group, target, live))
    alone = replace(
        group.update,
        targets=[target],
        stored=stored or ([target] if live is not None else []),
        adopted=(),
        matching=Matching.GROUP_KIND,
        three_way=group.update.three_way or not stored,
    )
    (prediction,) = simulate(alone)
    if live is None or group.update.force:
        return prediction.live
    fields = _helm_fields(group, target, live)
    if not stored:
        return without_stale_fields(prediction.live, target.body, fields)
    if prediction.error:
        return prediction.live
    if patch_type(target.gvk, group.update.helm) is PatchType.STRATEGIC:
        return without_stale_fields(prediction.live, target.body, fields)
    thorough = _overlaid(group, target, prediction.live)
    set_spec = any(element != "f:metadata" for element in fields.children)
    named = fields if set_spec else WHOLE
    expected = overlay_owned(thorough, prediction.live, named)
    # A map that comes back as ``{}`` where another value was stored shows no difference, and keeps its old entries.
    was = overlay_owned(apply_merge_patch({}, stored[0].body), live, named)
    stale = differs(expected, prediction.live) or differs(comparable(was), comparable(live))
    # That Helm set more than is stored may be the server's own defaulting: only a dry-run create can tell.
    if not stale:
        return prediction.live
    return without_stale_fields(expected, target.body, fields)


def _overlaid(group: CollisionGroup, target: ManifestObject, live: Json) -> Json:
    """The custom resource with every value of the chart.

    Not Helm's three-way patch: that leaves out a map that holds nothing but nulls (``keepOrDeleteNullInObj``,
    k8s.io/apimachinery 0.34, pkg/util/jsonmergepatch/patch.go), and what was there instead would stay.
    """
    status_apart = target.gvk in group.update.status_apart
    return preserve_server_fields(target.gvk, live, apply_merge_patch(live, target.body), status_apart=status_apart)


def _helm_fields(group: CollisionGroup, entry: ManifestObject, live: Json) -> FieldSet:
    return helm_fields(live, group.manager, custom=patch_type(entry.gvk) is PatchType.MERGE)


def _versionless(entry: ManifestObject) -> ManifestObject:
    metadata = {name: value for name, value in (entry.body.get("metadata") or {}).items() if name != "resourceVersion"}
    return replace(entry, body={**entry.body, "metadata": metadata})


def comparable(body: Json) -> Json:
    """The object without fields that only the server sets, and without apiVersion."""
    metadata = {
        name: value
        for name, value in (body.get("metadata") or {}).items()
        if name not in SERVER_KEPT and name != "resourceVersion" and value not in ({}, None)
    }
    return {**{name: value for name, value in body.items() if name != "apiVersion"}, "metadata": metadata}


def with_pins(
    group: CollisionGroup, proposals: Sequence[DocumentRewrite]
) -> tuple[list[DocumentRewrite], tuple[Prediction, ...]]:
    """The proposals with a pinned resourceVersion wherever that turns a refused patch into a valid one."""
    chosen = list(proposals)
    predictions = simulate_group(group, chosen)
    for index, member in enumerate(group.members):
        if not predictions[index].resource_version_error:
            continue
        for pin in _versions(group, member):
            request = [*chosen[:index], replace(chosen[index], pin=pin), *chosen[index + 1 :]]
            answers = simulate_group(group, request)
            if not answers[index].error:
                chosen, predictions = request, answers
                break
    return chosen, predictions


def _versions(group: CollisionGroup, member: GroupMember) -> list[str]:
    """Versions that could keep ``resourceVersion: null`` out of the patch: the stored one first.

    The stored one cancels out of a patch that is made against the object's own stored manifest, so that no conflict
    can arise; against anything else only the live one is valid.
    """
    own = identity(Matching.GROUP_KIND, member.entry.gvk, member.entry.key)
    stored = [entry.body for entry in group.update.stored if identity(Matching.GROUP_KIND, entry.gvk, entry.key) == own]
    bodies = [*stored[:1], group.update.live.get(member.entry.key)]
    versions = [str((body.get("metadata") or {}).get("resourceVersion") or "") for body in bodies if body]
    return [version for version in versions if version]


def wrong_after_next_upgrade(
    group: CollisionGroup, rewrites: Sequence[DocumentRewrite], predictions: Sequence[Prediction]
) -> list[Paths]:
    """For each member, the paths at which the next upgrade of the same chart does not give it what the chart wants.

    ``((),)``, the whole object, if that upgrade would fail.
    """
    alone = len(group.members) == 1 and len(group.update.stored) <= 1
    alone = alone and not (group.fresh and any(rewrite.replacement is not None for rewrite in rewrites))
    if alone or any(prediction.error for prediction in predictions):
        # Compared with nothing but itself, the next upgrade sends what differs from what is stored, which is true.
        return [()] * len(predictions)
    later = next_upgrade(group, rewrites, predictions)
    proposals, answers = with_pins(later, [member.proposed for member in group.members])
    wrong = differing(group, proposals, answers)
    return [((),) if answer.error else paths for answer, paths in zip(answers, wrong, strict=True)]
