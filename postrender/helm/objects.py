"""An object as Helm holds it in memory: built from a manifest, then stamped."""

from __future__ import annotations

from postrender.identity import GroupVersionKind, ObjectKey
from postrender.live import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Json, ReleaseName
from postrender.record import Record


class Entry(Record):
    """One object on one of Helm's lists; ``body`` is its manifest, Helm's ownership stamps included."""

    gvk: GroupVersionKind
    key: ObjectKey
    body: Json


MARK = "postrenderer.helm.sh/postrender-filename"
"""The annotation by which Helm 4 finds each document's file again (``annotateAndMerge``, pkg/action/action.go)."""


def unmarked(body: Json) -> Json:
    """A manifest without the mark that Helm 4 puts on it for a post-renderer, and takes off again before it builds.

    ``splitAndDeannotate`` (pkg/action/action.go of 4.0.0 to 4.3.1).
    """
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or MARK not in annotations:
        return body
    rest = {name: value for name, value in annotations.items() if name != MARK}
    without = {name: value for name, value in metadata.items() if name != "annotations"}
    return {**body, "metadata": {**without, "annotations": rest} if rest else without}


def built(gvk: GroupVersionKind, key: ObjectKey, manifest: Json) -> Entry:
    """A manifest as Helm's builder makes an object of it: an empty namespace is filled in, and Helm 4's mark is gone.

    ``SetNamespace`` and ``UpdateObjectNamespace`` (k8s.io/cli-runtime, pkg/resource/visitor.go).
    """
    manifest = unmarked(manifest)
    metadata = manifest.get("metadata") or {}
    if not key.namespace or metadata.get("namespace"):
        return Entry(gvk, key, manifest)
    return Entry(gvk, key, {**manifest, "metadata": {**metadata, "namespace": key.namespace}})


def stamped(body: Json, release: ReleaseName) -> Json:
    """The object with the label and annotations Helm puts on it in memory.

    ``setMetadataVisitor`` (pkg/action/validate.go), forced: what the manifest says about ownership is overwritten. Of
    labels or annotations with a value that is not a text, such as null, Helm sees none and drops them all
    (``GetLabels``, k8s.io/apimachinery 0.34, pkg/apis/meta/v1/unstructured/unstructured.go).
    """
    metadata = dict(body.get("metadata") or {})
    metadata["labels"] = {**_texts(metadata.get("labels")), MANAGED_BY: "Helm"}
    metadata["annotations"] = {
        **_texts(metadata.get("annotations")),
        RELEASE_NAME: release.name,
        RELEASE_NAMESPACE: release.namespace,
    }
    return {**body, "metadata": metadata}


def _texts(values: Json) -> dict[str, Json]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        return {}
    return values
