"""An object as Helm holds it in memory: built from a manifest, with its ownership metadata."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from postrender._record import Record
from postrender.helm.versions import HelmVersion, Matching, behaviour_of
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    SECRET,
    GroupVersionKind,
    Json,
    ObjectKey,
    ReleaseName,
)


class ManifestObject(Record):
    """An object of a release; ``body`` is its manifest, with Helm's ownership metadata.

    A Secret's ``stringData`` stands in ``data``, as the API server stores it. ``plain`` are the keys that the manifest
    has in ``stringData`` alone: Helm's patches set them, and never remove them.
    """

    gvk: GroupVersionKind
    key: ObjectKey
    body: Json
    plain: frozenset[str] = frozenset()

    @property
    def removable(self) -> Json:
        """The body as the older side of a patch: without the values that a patch never removes."""
        return _without_data(self.body, self.plain)


FILENAME_ANNOTATION = "postrenderer.helm.sh/postrender-filename"
"""The annotation by which Helm 4 finds each document's file again (``annotateAndMerge``, pkg/action/action.go)."""


def without_filename_annotation(body: Json) -> Json:
    """A manifest without the annotation that Helm 4 adds for post-renderers and removes before it builds objects.

    What was its only annotation or metadata leaves none (``splitAndDeannotate``, pkg/action/action.go of 4.0.0 to
    4.3.1).
    """
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or FILENAME_ANNOTATION not in annotations:
        return body
    rest = {name: value for name, value in annotations.items() if name != FILENAME_ANNOTATION}
    without = {name: value for name, value in metadata.items() if name != "annotations"}
    kept = {**without, "annotations": rest} if rest else without
    return {name: value for name, value in {**body, "metadata": kept}.items() if name != "metadata" or kept}


def build_object(gvk: GroupVersionKind, key: ObjectKey, manifest: Json) -> ManifestObject:
    """The object that Helm builds from a manifest, with a Secret's ``stringData`` merged into ``data``."""
    body = sent(key, manifest)
    if gvk.group_kind != SECRET or not isinstance(body.get("stringData"), dict):
        return ManifestObject(gvk, key, folded(gvk, body))
    data = body.get("data") if isinstance(body.get("data"), dict) else {}
    plain = frozenset(body["stringData"]) - frozenset(data)
    return ManifestObject(gvk, key, folded(gvk, body), plain)


def sent(key: ObjectKey, manifest: Json) -> Json:
    """The object that Helm builds from a manifest: with a namespace, and without Helm 4's filename annotation.

    ``SetNamespace`` and ``UpdateObjectNamespace`` (k8s.io/cli-runtime, pkg/resource/visitor.go).
    """
    manifest = without_filename_annotation(manifest)
    metadata = manifest.get("metadata") or {}
    if not key.namespace or metadata.get("namespace"):
        return manifest
    return {**manifest, "metadata": {**metadata, "namespace": key.namespace}}


def folded(gvk: GroupVersionKind, body: Json) -> Json:
    """A Secret as the API server stores it: ``stringData`` in base64 replaces the same keys of ``data``.

    A null becomes an empty value. Any other object comes back as it is, and so does a Secret that the server refuses
    for a value that is not a string (``Convert_v1_Secret_To_core_Secret``, k8s.io/kubernetes 1.34,
    pkg/apis/core/v1/conversion.go).
    """
    if gvk.group_kind != SECRET or not isinstance(body, dict) or "stringData" not in body:
        return body
    plain, data = body["stringData"] or {}, body.get("data")
    if not (isinstance(plain, dict) and isinstance(data, (dict, type(None)))):
        return body
    if not all(isinstance(value, (str, type(None))) for value in plain.values()):
        return body
    from base64 import b64encode

    rest = {name: value for name, value in body.items() if name != "stringData"}
    if plain:
        packed = {name: b64encode((value or "").encode()).decode() for name, value in plain.items()}
        rest["data"] = {**(data or {}), **packed}
    return rest


def _without_data(body: Json, names: frozenset[str]) -> Json:
    """A Secret without these keys of its ``data``, and without one that is then empty."""
    if not names or not isinstance(body.get("data"), dict):
        return body
    data = {name: value for name, value in body["data"].items() if name not in names}
    rest = {name: value for name, value in body.items() if name != "data"}
    return {**rest, "data": data} if data else rest


def with_helm_metadata(body: Json, release: ReleaseName, helm: HelmVersion | None = None) -> Json:
    """The object with the ownership label and annotations that Helm adds in memory.

    ``setMetadataVisitor`` (pkg/action/validate.go), forced: what the manifest says about ownership is overwritten. Of
    labels or annotations with a value that is not a text Helm sees none and drops them all; a null among them is an
    empty text from Helm 3.18.0 on, and before no text (``GetLabels``, k8s.io/apimachinery 0.33 and 0.32,
    pkg/apis/meta/v1/unstructured/unstructured.go). A Helm of unknown version counts as an older one.
    """
    metadata = dict(body.get("metadata") or {})
    empty = helm is not None and behaviour_of(helm).null_texts_are_empty
    for place in ("labels", "annotations"):
        metadata[place] = _texts(metadata.get(place), null_is_empty=empty)
    return with_ownership_metadata({**body, "metadata": metadata}, release)


def with_ownership_metadata(body: Json, release: ReleaseName) -> Json:
    """The object with ownership metadata; its other labels and annotations stay, whatever their values."""
    metadata = dict(body.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), MANAGED_BY: "Helm"}
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        RELEASE_NAME: release.name,
        RELEASE_NAMESPACE: release.namespace,
    }
    return {**body, "metadata": metadata}


def _texts(values: Json, *, null_is_empty: bool) -> dict[str, Json]:
    if isinstance(values, dict) and null_is_empty:
        values = {name: "" if value is None else value for name, value in values.items()}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        return {}
    return values


def identity(matching: Matching, gvk: GroupVersionKind, key: ObjectKey) -> Hashable:
    """The key by which a Helm matches objects: two with equal keys are one object to it."""
    if matching is Matching.KIND:
        return (gvk.kind, key.namespace, key.name)
    if matching is Matching.GROUP_KIND:
        return (gvk.group, gvk.kind, key.namespace, key.name)
    return (gvk.group, gvk.version, gvk.kind, key.namespace, key.name)


def first_matches(identities: Iterable[Hashable]) -> dict[Hashable, int]:
    """The index of the first entry with each identity: what ``ResourceList.Get`` finds."""
    first: dict[Hashable, int] = {}
    for index, entry in enumerate(identities):
        first.setdefault(entry, index)
    return first


def no_original(helm: HelmVersion, key: ObjectKey) -> str:
    """Helm's error for a live object that the revision it starts from does not have.

    ``update`` (pkg/kube/client.go).
    """
    kind, name = key.group_kind.kind, key.name
    if helm.major >= 4:
        return f'original object {kind} with the name "{name}" not found'
    return f'no {kind} with the name "{name}" found'


def name_collisions(objects: Sequence[tuple[GroupVersionKind, ObjectKey]]) -> list[tuple[int, ...]]:
    """Groups of objects that share Kind, namespace and name but not the API group.

    Each answer holds indices into ``objects``, ascending, and spans at least two groups. One object named twice (the
    same group) is no lookalike of itself.
    """
    by_kind: dict[Hashable, list[int]] = {}
    for index, (gvk, key) in enumerate(objects):
        by_kind.setdefault(identity(Matching.KIND, gvk, key), []).append(index)
    return [tuple(group) for group in by_kind.values() if len({objects[index][0].group for index in group}) > 1]


HOOK = "helm.sh/hook"
DELETE_POLICY = "helm.sh/hook-delete-policy"

_EVENTS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "upgrade", "rollback", "delete")
) | {"test", "test-success"}


def events(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The events a hook names, in order; ``()`` for an object that is no hook."""
    return _words(annotations[HOOK]) if HOOK in annotations else ()


def unknown_events(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The events that Helm does not know; with a single one it skips the object, whatever else it names."""
    return tuple(event for event in events(annotations) if event not in _EVENTS)


def deleted_before(annotations: Mapping[str, str]) -> bool:
    """True if Helm deletes the live object of the hook's name before it runs the hook.

    That is the policy where none is written (``hookSetDeletePolicy``, pkg/action/hooks.go); an empty annotation is one
    that names no policy Helm knows, and nothing is deleted.
    """
    return DELETE_POLICY not in annotations or "before-hook-creation" in _words(annotations[DELETE_POLICY])


def deleted_after(annotations: Mapping[str, str]) -> bool:
    """True if Helm deletes the hook's object when it has succeeded (``deleteHookByPolicy``, pkg/action/hooks.go)."""
    return "hook-succeeded" in _words(annotations.get(DELETE_POLICY, ""))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(","))
