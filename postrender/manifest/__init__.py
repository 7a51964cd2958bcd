"""Bytes to documents with offsets, and to the objects in them: the only room that imports a YAML reader."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from postrender.errors import ManifestError
from postrender.live import Json
from postrender.manifest.objects import ObjectRef, item_node, objects
from postrender.manifest.reader import LIBYAML
from postrender.manifest.stream import chunks, error_at
from postrender.manifest.tree import Node, Unreadable, compose
from postrender.manifest.values import Unusable, value

__all__ = ["LIBYAML", "Document", "Manifest", "ManifestError", "ObjectRef", "read"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the stream: its bytes without the separator line, and the objects in it.

    ``objects`` is empty where ``why_not`` says why. ``json`` tells that a JSON decoder reads it, not a YAML reader.
    """

    index: int
    start: int
    end: int
    objects: tuple[ObjectRef, ...]
    why_not: str
    json: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stream, read once."""

    data: bytes
    documents: tuple[Document, ...]
    _values: dict[int, Json] = field(default_factory=dict, compare=False, repr=False)

    @property
    def objects(self) -> tuple[ObjectRef, ...]:
        """All objects, in the order of the stream."""
        return tuple(ref for document in self.documents for ref in document.objects)

    def text(self, document: Document) -> str:
        """A document's text."""
        return self.data[document.start : document.end].decode()

    def value(self, ref: ObjectRef) -> Json:
        """The object as Go's sigs.k8s.io/yaml reads it; raises ManifestError where that fails."""
        document = self.documents[ref.document]
        if document.index not in self._values:
            self._values[document.index] = document_value(self.data, document.start, document.end, document.json)
        body = self._values[document.index]
        for index in ref.path:
            body = body["items"][index]
        return body


def read(data: bytes) -> Manifest:
    """The documents and objects of a stream; raises ManifestError where it cannot be read."""
    found: list[Document] = []
    for index, chunk in enumerate(chunks(data)):
        text = data[chunk.start : chunk.end].decode()
        root = _tree(data, chunk.start, text)
        if chunk.json:
            body = json.loads(text)
        else:
            body = _value(data, chunk.start, text, root)
        first = data.count(b"\n", 0, chunk.start) + 1

        def line(path: tuple[int, ...], root: Node | None = root, text: str = text, first: int = first) -> int:
            node = item_node(root, path) if root else None
            return first + text.count("\n", 0, node.start if node else 0)

        refs, why_not = objects(body, index, line)
        found.append(Document(index, chunk.start, chunk.end, refs, why_not, chunk.json))
    return Manifest(data, tuple(found))


def document_value(data: bytes, start: int, end: int, is_json: bool = False) -> Json:
    """The value of one document of a stream; raises ManifestError."""
    text = data[start:end].decode()
    return json.loads(text) if is_json else _value(data, start, text, _tree(data, start, text))


def document_tree(data: bytes, start: int, end: int) -> Node | None:
    """The tree of one document of a stream; raises ManifestError."""
    return _tree(data, start, data[start:end].decode())


def _tree(data: bytes, start: int, text: str) -> Node | None:
    try:
        return compose(text)
    except Unreadable as error:
        raise error_at(data, start + len(text[: error.offset].encode()), f"not YAML: {error}") from None


def _value(data: bytes, start: int, text: str, root: Node | None) -> Json:
    try:
        return value(root)
    except Unusable as error:
        offset = start + len(text[: error.node.start].encode())
        raise error_at(data, offset, f"Helm cannot read this: {error}") from None
