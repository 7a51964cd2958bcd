"""The Kubernetes objects in the value of one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postrender._record import Record
from postrender.models import GroupVersionKind, Json

_SERVER_SET = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation", "selfLink")
_NOTHING: tuple[Json, ...] = (None, "", [], {})


class ObjectRef(Record, hidden=("annotations",)):
    """One Kubernetes object in the stream.

    ``path`` is () for the document itself, (i,) for item i of a list, (i, j) for one of a list in a list. ``name`` is
    "" where the manifest names none, ``namespace`` as written. ``generate_name`` is whether the server is asked to make
    a name, though there may be one already. Labels and annotations are those with string values. ``server_set`` are
    dotted paths of fields that only a server sets and that have a value, ``server_set_empty`` those without one; an
    empty ``managedFields`` counts among the former, since a server takes it for an order to forget them all. ``line``
    counts from 1 in the stream.
    """

    document: int
    path: tuple[int, ...]
    gvk: GroupVersionKind
    name: str
    namespace: str
    generate_name: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    server_set: tuple[str, ...]
    line: int
    server_set_empty: tuple[str, ...] = ()


def objects(body: Json, document: int, line_of: Callable[[tuple[int, ...]], int]) -> tuple[tuple[ObjectRef, ...], str]:
    """The objects in a document's value, or why there are none; ``line_of`` gives the line of an item.

    Whatever has ``items`` is a list to kubectl's builder (``unstructuredJSONScheme.decode``, k8s.io/apimachinery,
    pkg/apis/meta/v1/unstructured/helpers.go), and its items have apiVersion and kind from it where they have neither
    (``decodeToList``). A list among them is taken apart as well, though not every Helm does so.
    """
    listed = isinstance(body, dict) and "items" in body
    skip_reason = _why_not(body, ("kind",) if listed else ("kind", "apiVersion"))
    if skip_reason:
        return (), skip_reason
    version, kind = body.get("apiVersion"), body["kind"]
    if not listed:
        return (_ref(body, document, (), version, kind, line_of(())),), ""
    found: list[ObjectRef] = []
    pending: list[tuple[tuple[int, ...], Json]] = [((), body)]
    while pending:
        path, item = pending.pop()
        if path == () or isinstance(item.get("items"), list):
            items = item["items"] or []
            if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
                return (), "its items are not all objects"
            pending += [((*path, index), items[index]) for index in range(len(items) - 1, -1, -1)]
            continue
        if len(path) == 1 and not item.get("kind") and not item.get("apiVersion"):
            item = {**item, "apiVersion": version, "kind": kind.removesuffix("List")}
        skip_reason = _why_not(item, ("kind", "apiVersion"))
        if skip_reason:
            return (), f"item {'.'.join(map(str, path))}: {skip_reason}"
        found.append(_ref(item, document, path, item["apiVersion"], item["kind"], line_of(path)))
    return tuple(found), "" if found else "an empty list"


def _why_not(body: Json, fields: tuple[str, ...]) -> str:
    if body is None:
        return "empty"
    if not isinstance(body, dict):
        return "not a mapping"
    for field in fields:
        text = body.get(field)
        if text is None or text == "":
            return f"no {field}"
        if not isinstance(text, str):
            return f"its {field} is not a string"
    return ""


def _ref(body: Json, document: int, path: tuple[int, ...], version: str, kind: str, line: int) -> ObjectRef:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name")
    namespace = metadata.get("namespace")
    carried: list[str] = []
    empty: list[str] = []
    for key in _SERVER_SET:
        if key in metadata:
            is_set = metadata[key] not in _NOTHING or (key == "managedFields" and metadata[key] is not None)
            (carried if is_set else empty).append(f"metadata.{key}")
    if "status" in body:
        (carried if body["status"] not in _NOTHING else empty).append("status")
    return ObjectRef(
        document,
        path,
        GroupVersionKind.parse(version, kind),
        name if isinstance(name, str) else "",
        namespace if isinstance(namespace, str) else "",
        bool(metadata.get("generateName")),
        _strings(metadata.get("labels")),
        _strings(metadata.get("annotations")),
        tuple(carried),
        line,
        tuple(empty),
    )


def _strings(found: Json) -> Mapping[str, str]:
    return {key: text for key, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}
