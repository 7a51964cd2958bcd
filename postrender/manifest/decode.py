"""The value of a document as JSON, as Go's sigs.k8s.io/yaml makes it of YAML.

sigs.k8s.io/yaml v1.3 to v1.6 reads with go-yaml v2.4 (``decoder`` in decode.go) and turns the result into JSON
(``convertToJSONableObject`` in yaml.go). Where Go's result would be left to chance, nothing is read. There is no
recursion, so that no document can exhaust the interpreter's stack.
"""

from __future__ import annotations

from postrender.manifest import scalars
from postrender.manifest.nodes import DEEPEST, Kind, Node
from postrender.manifest.scalars import UnsupportedYaml, is_merge, resolved, resolved_key, scalar
from postrender.models import Json

_LOW, _HIGH = 400_000, 4_000_000


def decode(root: Node) -> Json:
    """The value of a tree; raises UnsupportedYaml."""
    return _Decoder().decode(root)


class _Decoder:
    """One run over a tree, with a stack of its own: (what to do, node, container, place in it, depth)."""

    def __init__(self) -> None:
        self.decoded = 0
        self.aliased = 0
        self.open: set[int] = set()
        self.todo: list[tuple[str, Node, Json, Json, int]] = []
        self.typed: dict[int, tuple[Json, dict[str, type]]] = {}
        self.doubts = False

    def decode(self, root: Node) -> Json:
        result: list[Json] = [None]
        self._count(root)
        self.todo.append(("read", root, result, 0, 0))
        while self.todo:
            what, node, container, place, depth = self.todo.pop()
            if what == "read":
                self._read(node, container, place, depth)
            elif what == "merge":
                self._merge(node, container, depth)
            elif what == "fields":
                self._count(node)
                self._fields(node, container, depth)
            elif what == "key":
                self._key(node, container)
            else:
                self.open.discard(id(node))
        if self.doubts:
            _check_doubts(result)
        return result[0]

    def _count(self, node: Node) -> None:
        """Go's guard against alias bombs: ``decoder.unmarshal`` and ``allowedAliasRatio``."""
        self.decoded += 1
        if self.open:
            self.aliased += 1
        if self.aliased > 100 and self.decoded > 1000:
            over = min(max(self.decoded - _LOW, 0), _HIGH - _LOW)
            if self.aliased / self.decoded > 0.99 - 0.89 * (over / (_HIGH - _LOW)):
                raise UnsupportedYaml("document contains excessive aliasing", node)

    def _enter(self, alias: Node) -> None:
        if id(alias) in self.open:
            raise UnsupportedYaml("an anchor contains itself", alias)
        self._count(alias)
        self.open.add(id(alias))
        self.todo.append(("leave", alias, None, None, 0))

    def _read(self, node: Node, container: Json, place: Json, depth: int) -> None:
        if depth > DEEPEST:
            raise UnsupportedYaml(f"nested more than {DEEPEST} deep", node)
        if node.kind is Kind.ALIAS:
            self._enter(node)
            assert node.target is not None
            self.todo.append(("read", node.target, container, place, depth))
            return
        self._count(node)
        if node.kind is Kind.SCALAR:
            container[place] = self._scalar(node)
        elif node.pruned and node.text:
            container[place] = node.text
        elif node.kind is Kind.SEQUENCE:
            container[place] = items = [None] * len(node.children)
            for index in range(len(items) - 1, -1, -1):
                self.todo.append(("read", node.children[index], items, index, depth + 1))
        else:
            fields: dict[str, Json] = {}
            container[place] = fields
            self._fields(node, fields, depth)

    def _fields(self, node: Node, container: Json, depth: int) -> None:
        children = node.children
        for index in range(len(children) - 2, -1, -2):
            key, item = children[index], children[index + 1]
            if is_merge(key):
                self.todo.append(("merge", item, container, None, depth))
            else:
                self.todo.append(("read", item, container, self._key_text(key), depth + 1))
                self.todo.append(("key", key, container, None, depth))

    def _key(self, node: Node, container: Json) -> None:
        """Count a key, and doubt two of different types that become one string: Go then takes either."""
        self._count(node)
        if node.kind is Kind.ALIAS:
            self._count(node)
        found = resolved_key(node)
        known = self.typed.get(id(container))
        if found.__class__ is not str or known:
            text = self._key_text(node)
            if not known:
                known = self.typed[id(container)] = (container, dict.fromkeys(container, str))
            nan_again = found != found and text in known[1]
            if nan_again or known[1].setdefault(text, found.__class__) is not found.__class__:
                container[self._doubt(f"two keys are both {text!r} as text, and Helm takes either", node)] = None

    def _key_text(self, node: Node) -> Json:
        found = resolved_key(node)
        try:
            return scalars.as_key(found)
        except scalars.ScalarError as error:
            return self._doubt(str(error), node)

    def _scalar(self, node: Node) -> Json:
        found = resolved(node)
        try:
            return scalars.as_json(found)
        except scalars.ScalarError as error:
            return self._doubt(str(error), node)

    def _doubt(self, cause: str, node: Node) -> _Doubt:
        self.doubts = True
        return _Doubt(cause, node)

    def _merge(self, node: Node, container: Json, depth: int) -> None:
        if node.kind is Kind.SEQUENCE:
            for part in node.children:
                self._check_mapping(part)
                self.todo.append(("merge", part, container, None, depth))
            return
        mapping = self._check_mapping(node)
        if node.kind is Kind.ALIAS:
            self._enter(node)
        self.todo.append(("fields", mapping, container, None, depth))

    def _check_mapping(self, node: Node) -> Node:
        mapping = node.target if node.kind is Kind.ALIAS else node
        if mapping is None or mapping.kind is not Kind.MAPPING:
            raise UnsupportedYaml("a merge key takes a mapping or a list of mappings", node)
        return mapping


class _Doubt:
    """What Go would stumble over when it makes JSON of what it read, unless a later key overwrites it."""

    __slots__ = ("cause", "node")

    def __init__(self, cause: str, node: Node) -> None:
        self.cause = cause
        self.node = node


def _check_doubts(root: Json) -> None:
    """Raises UnsupportedYaml where a doubt is left in a value."""
    pending = [root]
    while pending:
        each = pending.pop()
        if isinstance(each, _Doubt):
            raise UnsupportedYaml(each.cause, each.node)
        if isinstance(each, list):
            pending += reversed(each)
        elif isinstance(each, dict):
            pending += [part for pair in reversed(each.items()) for part in reversed(pair)]


def value(root: Node | None, *, references: bool = True) -> Json:
    """The value of a tree, or of a part of one; raises UnsupportedYaml.

    Without ``references`` there are known to be no aliases and no merge keys in it, which is quicker.
    """
    if root is None:
        return None
    if not references:
        try:
            return _value(root, 0)
        except (_Unusual, UnsupportedYaml):
            pass

    return decode(root)


class _Unusual(Exception):
    """A key is no string: two of them may become one."""


def _value(node: Node, depth: int) -> Json:
    if node.kind is Kind.SCALAR:
        return scalar(node)
    if depth > DEEPEST:
        raise UnsupportedYaml(f"nested more than {DEEPEST} deep", node)
    if node.pruned and node.text:
        return node.text
    if node.kind is Kind.SEQUENCE:
        return [_value(child, depth + 1) for child in node.children]
    found: dict[str, Json] = {}
    children = iter(node.children)
    for key, item in zip(children, children, strict=True):
        text = key.text
        if key.plain or key.tag or key.kind is not Kind.SCALAR:
            text = resolved_key(key)
            if not isinstance(text, str):
                raise _Unusual
        found[text] = _value(item, depth + 1)
    return found
