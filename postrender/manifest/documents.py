"""A stream as documents, each read as far as its objects' identity needs."""

from __future__ import annotations

import re

from postrender._record import Record
from postrender.manifest.composer import Wanted, compose
from postrender.manifest.decode import value
from postrender.manifest.line_parser import compose_lines, value_of_lines
from postrender.manifest.nodes import Node, Tree
from postrender.manifest.object_refs import ObjectRef, objects
from postrender.manifest.reader import Span, YamlError
from postrender.manifest.scalars import UnsupportedYaml
from postrender.manifest.stream import TEMPLATE, Chunk, chunks, error_at
from postrender.manifest.top_level_fields import IDENTITY, Field, fields, plain_breaks
from postrender.models import Json

_SOURCE = b"# Source: "
_CRDS = r"[^/]+/(?:charts/[^/]+/)*crds/|crds/(?!templates/|charts/)"
"""A file of a folder ``crds/``: ``shop/crds/a.yaml``, to Helm 3.12 ``crds/a.yaml`` (helm template --include-crds)."""
_OBJECT: Wanted = dict.fromkeys(IDENTITY)
_OBJECT["items"] = {None: _OBJECT}


class Document(Record):
    """One document of the stream, at data[start:end], without its separator line.

    ``skip_reason`` says why ``objects`` is empty. ``fields`` are its top-level fields if they could be found without
    reading all of it, else (). From ``ignored_from`` on Helm ignores the text: after a line ``...``, or at the end.
    ``json`` is set if Helm's JSON decoder reads the document, not its YAML reader.
    """

    index: int
    start: int
    end: int
    objects: tuple[ObjectRef, ...]
    skip_reason: str
    ignored_from: int
    fields: tuple[Field, ...] = ()
    json: bool = False


class Manifest:
    """A parsed manifest stream: its bytes and its documents."""

    __slots__ = ("_last", "data", "documents")

    def __init__(self, data: bytes, documents: tuple[Document, ...]) -> None:
        self.data = data
        self.documents = documents
        self._last: dict[int, Json] = {}

    @property
    def objects(self) -> tuple[ObjectRef, ...]:
        """All objects, in the order of the stream."""
        return tuple(ref for document in self.documents for ref in document.objects)

    def template(self, document: int) -> str:
        """The template in Helm's comment ``# Source:`` of a document (by its index); ``""`` if it has none."""
        place = self.documents[document]
        # Not by a pattern that begins with ^: that is tried at every byte, which took a third of a large stream's time.
        start = place.start
        if not self.data.startswith(_SOURCE, start, place.end):
            start = self.data.find(b"\n" + _SOURCE, start, place.end) + 1
            if not start:
                return ""
        newline = self.data.find(b"\n", start, place.end)
        line = self.data[start + len(_SOURCE) : newline if newline >= 0 else place.end]
        return line.decode(errors="replace").strip()

    def templates(self) -> list[str]:
        """The template of each document; a file of ``crds/`` holds several under one comment."""
        found: list[str] = []
        for document in self.documents:
            before = found[-1] if found else ""
            found.append(self.template(document.index) or (before if in_crds_folder(before) else ""))
        return found

    def value(self, ref: ObjectRef) -> Json:
        """The object as Go's sigs.k8s.io/yaml reads it, not to be changed; raises ManifestError where that fails."""
        if ref.document not in self._last:
            self._last.clear()
            document = self.documents[ref.document]
            self._last[ref.document] = document_value(
                Span(self.data, document.start, document.end), is_json=document.json
            )
        body = self._last[ref.document]
        for index in ref.path:
            body = body["items"][index]
        return body


def in_crds_folder(template: str) -> bool:
    """True if a template's name is that of a file in a chart's folder ``crds/``.

    Helm creates such an object and never updates or deletes it: it is no part of the release.
    """
    return "crds/" in template and re.match(_CRDS, template) is not None


def read(data: bytes) -> Manifest:
    """The documents and objects of a stream; raises ManifestError where it cannot be read."""
    found: list[Document] = []
    line, counted = 1, 0
    for chunk in chunks(data):
        line += data.count(b"\n", counted, chunk.start)
        counted = chunk.start
        found.append(_document(data, chunk, len(found), line))
    return Manifest(data, tuple(found))


def load(data: bytes) -> Json:
    """The first document of a stream that is not only comments, as Go's sigs.k8s.io/yaml reads it.

    Raises ManifestError.
    """
    for chunk in chunks(data):
        if _has_content(data, chunk.start, chunk.end):
            return document_value(Span(data, chunk.start, chunk.end), is_json=chunk.json)
    return None


def document_value(span: Span, *, is_json: bool = False) -> Json:
    """The value of one document; raises ManifestError."""
    if is_json:
        from postrender.manifest import json_stream

        try:
            return json_stream.load(span)
        except json_stream.NotJson as error:
            raise error_at(span.data, span.start, f"cannot be read as Helm does: {error}", next=TEMPLATE) from None
    return tree_value(span, document_tree(span))


def document_tree(span: Span, wanted: Wanted = None) -> Tree:
    """The tree of one document; raises ManifestError."""
    try:
        return compose(span, wanted)
    except YamlError as error:
        raise error_at(span.data, error.offset, f"not YAML: {error}", next=TEMPLATE) from None


def tree_value(span: Span, tree: Tree) -> Json:
    """The value of a document's tree; raises ManifestError."""
    try:
        return value(tree.root, references=tree.references)
    except UnsupportedYaml as error:
        raise error_at(span.data, error.node.start, f"cannot be read as Helm does: {error}", next=TEMPLATE) from None


def _document(data: bytes, chunk: Chunk, index: int, line: int) -> Document:
    if chunk.json:
        refs, skip_reason = objects(_json_identity(Span(data, chunk.start, chunk.end)), index, lambda _: line)
        return Document(index, chunk.start, chunk.end, refs, skip_reason, chunk.end, json=True)
    quick = _quick(Span(data, chunk.start, chunk.end), index, line)
    if quick:
        return quick
    span = Span(data, chunk.read_from, chunk.end)
    tree = document_tree(span, _OBJECT)
    root = tree.root
    counted = chunk.start

    def line_of(path: tuple[int, ...]) -> int:
        nonlocal line, counted
        # From the item before, of which a list may have very many.
        start = _item(root, path).start if root else chunk.start
        line += data.count(b"\n", counted, start) - data.count(b"\n", start, counted)
        counted = start
        return line

    refs, skip_reason = objects(tree_value(span, tree), index, line_of)
    ignored_from = tree.end if _has_content(data, tree.end, chunk.end) else chunk.end
    return Document(index, chunk.start, chunk.end, refs, skip_reason, ignored_from)


def _json_identity(span: Span) -> Json:
    """The fields of a JSON document that identify its objects, read as YAML if that gives the same."""
    if plain_breaks(span):
        try:
            tree = compose(span, _OBJECT)
            return value(tree.root, references=tree.references)
        except (YamlError, UnsupportedYaml):
            pass
    return document_value(span, is_json=True)


def _quick(span: Span, index: int, line: int) -> Document | None:
    """The document read by its top-level fields alone, where that is safe."""
    found = fields(span)
    by_name = {each.name: each for each in found}
    if "items" in by_name or not all(name in by_name for name in IDENTITY):
        return None
    body: dict[str, Json] = {}
    for name in (*IDENTITY, "status"):
        if name in by_name:
            read = _field_value(Span(span.data, by_name[name].start, by_name[name].end))
            if read is None:
                return None
            body.update(read)
    first = line + span.data.count(b"\n", span.start, found[0].start)
    refs, skip_reason = objects(body, index, lambda _: first)
    return Document(index, span.start, span.end, refs, skip_reason, span.end, found)


def _field_value(span: Span) -> dict[str, Json] | None:
    read = value_of_lines(span)
    if read is not None:
        return read
    tree = field_tree(span, _OBJECT)
    try:
        return value(tree.root, references=False) if tree else None
    except UnsupportedYaml:
        return None


def field_tree(span: Span, wanted: Wanted = None) -> Tree | None:
    """The tree of one top-level field; ``None`` if it has aliases, or is not YAML on its own."""
    root = compose_lines(span)
    if root:
        return Tree(root, span.end, references=False)
    try:
        tree = compose(span, wanted)
    except YamlError:
        return None
    return None if tree.references else tree


def _item(root: Node, path: tuple[int, ...]) -> Node:
    """The node of an item, or its nearest ancestor that is found without resolving aliases."""
    node = root
    for index in path:
        items = next((item for key, item in node.pairs() if key.text == "items"), None)
        if items is None or index >= len(items.children):
            break
        node = items.children[index]
    return node


def _has_content(data: bytes, start: int, end: int) -> bool:
    lines = (line.strip() for line in data[start:end].decode().splitlines())
    return any(line and line != "..." and not line.startswith("#") for line in lines)
