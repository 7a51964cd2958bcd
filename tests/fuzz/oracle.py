"""What must hold for any bytes: they are read as Go reads them, and an edit changes what was meant and no more."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import Document, Manifest, ObjectRef
from postrender.manifest.edit import Edit, Remove, Set, Spliced, splice
from postrender.models import GroupVersionKind
from tests.tools.goreader import GoReader, GoStream

STRICTER = (
    "a byte order mark inside the stream",
    "nested more than",
    "two keys are both",
    "after the document separator",
    "not UTF-8",
)
"""What is refused though Go's reader accepts it, and why that is right: see docs/limits.md."""

LABELS = ("metadata", "labels")
ANNOTATIONS = ("metadata", "annotations")


class Wrong(AssertionError):
    """A promise about manifests was broken."""


def check(data: bytes, go: GoReader, *, each_edit: bool = True) -> None:
    """Raises Wrong where a stream is read or edited wrongly; with stamps only, unless ``each_edit``."""
    helm = go.read(data)
    try:
        found = manifest.read(data)
    except ManifestError as error:
        if helm.installable and not any(cause in str(error) for cause in STRICTER):
            raise Wrong(f"Helm accepts what is refused here: {error}") from error
        if not error.line:
            raise Wrong(f"no line: {error}") from error
        return
    try:
        _check_reading(found, helm)
    except ManifestError as error:
        if any(cause in str(error) for cause in STRICTER):
            return
        raise Wrong(f"Helm reads what cannot be read here: {error}") from error
    for edits_of in (stamps, removals, replacements) if each_edit else (stamps,):
        _check_edits(found, edits_of(found.objects), helm, go)


def stamps(refs: Sequence[ObjectRef]) -> list[Edit]:
    """A label and two annotations for every object."""
    return [
        edit
        for ref in refs
        for edit in (
            Set(ref, (*LABELS, "app.kubernetes.io/managed-by"), "Helm"),
            Set(ref, (*ANNOTATIONS, "meta.helm.sh/release-name"), "yes"),
            Set(ref, (*ANNOTATIONS, "a"), "1"),
        )
    ]


def removals(refs: Sequence[ObjectRef]) -> list[Edit]:
    """Every field that only a server sets taken out, and a label that fuzzing writes."""
    return [
        *(Remove(ref, tuple(path.split("."))) for ref in refs for path in ref.server_set),
        *(Remove(ref, (*LABELS, "a")) for ref in refs if "a" in ref.labels),
    ]


def replacements(refs: Sequence[ObjectRef]) -> list[Edit]:
    """A pin, and values of every type."""
    return [
        edit
        for ref in refs
        for edit in (
            Set(ref, ("metadata", "resourceVersion"), "42"),
            Set(ref, ("spec",), {"a": [1, None, True, 1.5, "é\u2028\x01", {}], "": "~"}),
        )
    ]


def _check_reading(found: Manifest, helm: GoStream) -> None:
    documents = [document for document in found.documents if document.objects or document.skip_reason]
    if helm.error:
        return
    mine = [[(ref.gvk, ref.namespace, ref.name) for ref in document.objects] for document in documents]
    theirs = [document for document in helm.documents if document.value is not None]
    seen = [objects for objects, document in zip(mine, documents, strict=True) if _counted(document.skip_reason)]
    if len(seen) != len(theirs):
        raise Wrong(f"{len(seen)} documents, Helm reads {len(theirs)}")
    for objects, theirs_of in zip(seen, theirs, strict=True):
        expected = [
            (GroupVersionKind.parse(version, kind), namespace, name)
            for version, kind, namespace, name in theirs_of.objects
        ]
        if not theirs_of.refused and objects != expected:
            raise Wrong(f"objects {objects}, Helm reads {expected}")
    position = 0
    for document in documents:
        if not _counted(document.skip_reason):
            continue
        for ref in document.objects:
            meant = _at(theirs[position].value, ref.path)
            if not equal(found.value(ref), meant):
                raise Wrong(f"value {found.value(ref)!r}, Helm reads {meant!r}")
        position += 1


def _counted(skip_reason: str) -> bool:
    """Whether Helm sees the document at all."""
    return skip_reason != "empty"


def _check_edits(found: Manifest, edits: list[Edit], helm: GoStream, go: GoReader) -> None:
    try:
        result = splice(found, edits)
    except ManifestError as error:
        if not error.line:
            raise Wrong(f"no line: {error}") from error
        return
    _check_untouched(found, edits, result)
    if helm.error:
        return
    if not result.rewritten and all(_only_adds(found, edit) for edit in edits):
        _check_added(found.data, result.data)
    after = go.read(result.data)
    if after.error:
        raise Wrong(f"Helm now says {after.error!r}: {result.data!r}")
    documents = [document for document in found.documents if _counted(document.skip_reason)]
    if len(after.values) != len(helm.values):
        raise Wrong(f"{len(helm.values)} documents became {len(after.values)}")
    edited = {edit.ref.document for edit in edits}
    for document, before, now in zip(documents, helm.values, after.values, strict=False):
        if document.index not in edited:
            continue
        meant = copy.deepcopy(before)
        for edit in edits:
            if edit.ref.document == document.index:
                apply(_at(meant, edit.ref.path), edit)
        if not equal(meant, now):
            raise Wrong(f"meant {meant!r}, Helm reads {now!r}: {result.data!r}")
    _check_again(result, edits)


def _check_untouched(found: Manifest, edits: list[Edit], result: Spliced) -> None:
    """What is outside the edited documents is there byte for byte, in its order."""
    touched = {edit.ref.document for edit in edits}
    rest = result.data
    position = 0
    for document in found.documents:
        if document.index in touched:
            before = found.data[position : document.start]
            at = rest.find(before)
            if at < 0:
                raise Wrong("bytes outside the edited documents changed")
            rest = rest[at + len(before) :]
            position = document.end
    if not rest.endswith(found.data[position:]):
        raise Wrong("bytes after the edited documents changed")


def _only_adds(found: Manifest, edit: Edit) -> bool:
    """Whether an edit puts a field into a mapping that has others, and no alias elsewhere is concerned."""
    document = found.documents[edit.ref.document]
    value = found.value(edit.ref)
    for key in edit.path[:-1]:
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(edit, Set) and bool(value) and edit.path[-1] not in value and not _refers(found, document)


def _refers(found: Manifest, document: Document) -> bool:
    return found.data.find(b"*", document.start, document.end) >= 0


def _check_added(before: bytes, after: bytes) -> None:
    """Taking some bytes out of the output gives the input back."""
    rest = iter(after)
    if not all(byte in rest for byte in before):
        raise Wrong(f"more than additions: {after!r}")


def _check_again(result: Spliced, edits: list[Edit]) -> None:
    """The same edits of the output change nothing."""
    again = manifest.read(result.data)
    refs = {(ref.document, ref.path): ref for ref in again.objects}
    repeated: list[Edit] = []
    for edit in edits:
        ref = refs.get((edit.ref.document, edit.ref.path))
        if ref is None:
            raise Wrong(f"object {edit.ref} is gone")
        repeated.append(Set(ref, edit.path, edit.value) if isinstance(edit, Set) else Remove(ref, edit.path))
    if splice(again, repeated).data != result.data:
        raise Wrong("the same edits change the output again")


def apply(value: Any, edit: Edit) -> None:
    """An edit of a value, in place: a second implementation of what the splice is to do."""
    *way, last = edit.path
    for key in way:
        inner = value.get(key) if isinstance(value, dict) else value[key]
        if inner is None:
            if isinstance(edit, Remove):
                return
            inner = value[key] = {}
        value = inner
    if isinstance(edit, Set):
        value[last] = edit.value
    elif isinstance(value, dict):
        value.pop(last, None)
    else:
        del value[last]


def equal(one: Any, other: Any) -> bool:
    """JSON equality, in which true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return (type(one) is type(other) and bool(one == other)) or (
        isinstance(one, (int, float))
        and isinstance(other, (int, float))
        and not isinstance(one, bool)
        and not isinstance(other, bool)
        and one == other
    )


def _at(value: Any, path: tuple[int, ...]) -> Any:
    for index in path:
        value = value["items"][index]
    return value
