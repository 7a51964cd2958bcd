"""What a node is worth by itself: a scalar as a value, and as a mapping's key."""

from __future__ import annotations

from postrender.live import Json
from postrender.manifest import scalars
from postrender.manifest.nodes import Kind, Node


class Unusable(Exception):
    """Helm could not read this node, or could read it two ways."""

    def __init__(self, cause: str, node: Node) -> None:
        super().__init__(cause)
        self.node = node


def scalar(node: Node) -> Json:
    """A scalar's value as JSON has it; raises Unusable."""
    found = resolved(node)
    try:
        return scalars.as_json(found)
    except scalars.Unreadable as error:
        raise Unusable(str(error), node) from None


def key_text(node: Node) -> str:
    """The string that a mapping's key becomes; raises Unusable."""
    target = node.target if node.kind is Kind.ALIAS else node
    if target is None or target.kind is not Kind.SCALAR:
        raise Unusable("a key that is not a scalar", node)
    try:
        return scalars.key(target.text, target.tag, target.plain)
    except scalars.Unreadable as error:
        raise Unusable(str(error), node) from None


def resolved_key(node: Node) -> Json:
    """A key's value before it becomes a string; raises Unusable."""
    target = node.target if node.kind is Kind.ALIAS else node
    if target is None or target.kind is not Kind.SCALAR:
        raise Unusable("a key that is not a scalar", node)
    return resolved(target)


def resolved(node: Node) -> Json:
    """A scalar's value as go-yaml has it; raises Unusable."""
    try:
        return scalars.resolve(node.text, node.tag, node.plain)
    except scalars.Unreadable as error:
        raise Unusable(str(error), node) from None


def is_merge(node: Node) -> bool:
    """Whether a key is ``<<`` (``isMerge``, decode.go)."""
    return node.kind is Kind.SCALAR and node.text == "<<" and (node.plain or node.tag in ("!", scalars.MERGE))
