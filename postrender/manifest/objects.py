"""The Kubernetes objects of one document's tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from postrender.identity import GroupVersionKind
from postrender.live import Json
from postrender.manifest.tree import Node

_METADATA = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation", "selfLink")


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One Kubernetes object in the stream.

    ``path`` is () for the document itself, (i,) for item i of a list, (i, j) for one of a list in a list. ``name`` is
    "" where the manifest names none, ``namespace`` as written. Labels and annotations are those with string values.
    ``server_set`` are dotted paths of fields that only a server sets. ``line`` counts from 1 in the stream.
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


def objects(body: Json, document: int, line: Callable[[tuple[int, ...]], int]) -> tuple[tuple[ObjectRef, ...], str]:
    """The objects of a document's value, or why there is none.

    As kubectl's builder finds them: whatever has ``items`` is a list (``unstructuredJSONScheme.decode``,
    k8s.io/apimachinery), whose items without apiVersion and kind have them from the list (``decodeToList``), and the
    lists among them are taken apart as well (``FlattenListVisitor``, k8s.io/cli-runtime).
    """
    if body is None:
        return (), "empty"
    if not isinstance(body, dict):
        return (), "not a mapping"
    kind = body.get("kind")
    if not isinstance(kind, str) or not kind:
        return (), "no kind"
    api_version = body.get("apiVersion")
    if not isinstance(api_version, str) or not api_version:
        return (), "no apiVersion"
    found: list[ObjectRef] = []
    if "items" in body:
        items = body["items"]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return (), "items are not objects"
        inherited = (api_version, kind.removesuffix("List"))
        pending = [((index,), item, inherited) for index, item in enumerate(items)]
        while pending:
            path, item, (given_version, given_kind) = pending.pop(0)
            inner = item.get("items")
            own_kind = item.get("kind") or ""
            own_version = item.get("apiVersion") or ""
            if not own_kind and not own_version:
                own_kind, own_version = given_kind, given_version
            if isinstance(inner, list):
                nested = [((*path, index), each, ("", "")) for index, each in enumerate(inner)]
                pending = [*nested, *pending]
                continue
            if not own_kind:
                return (), f"item {'.'.join(map(str, path))} has no kind"
            found.append(_ref(item, document, path, own_version, own_kind, line(path)))
        return tuple(found), "" if found else "an empty list"
    return (_ref(body, document, (), api_version, kind, line(())),), ""


def _ref(body: Json, document: int, path: tuple[int, ...], version: str, kind: str, line: int) -> ObjectRef:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name")
    namespace = metadata.get("namespace")
    carried = [f"metadata.{key}" for key in _METADATA if metadata.get(key) not in (None, "", [], {})]
    if body.get("status") not in (None, "", [], {}):
        carried.append("status")
    return ObjectRef(
        document,
        path,
        GroupVersionKind.parse(version, kind),
        name if isinstance(name, str) else "",
        namespace if isinstance(namespace, str) else "",
        not name and bool(metadata.get("generateName")),
        _strings(metadata.get("labels")),
        _strings(metadata.get("annotations")),
        tuple(carried),
        line,
    )


def _strings(found: Json) -> Mapping[str, str]:
    return {key: text for key, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def item_node(root: Node, path: tuple[int, ...]) -> Node | None:
    """The node of an item, where it can be told from the text alone."""
    node: Node | None = root
    for index in path:
        items = next((item for key, item in node.pairs() if key.text == "items"), None) if node else None
        node = items.children[index] if items and index < len(items.children) else None
    return node
