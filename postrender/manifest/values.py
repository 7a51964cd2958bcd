"""What a tree is worth to Kubernetes: JSON, as Go's sigs.k8s.io/yaml makes it of YAML.

sigs.k8s.io/yaml v1.3 to v1.6 reads with go-yaml v2.4 (``decoder`` in decode.go) and turns the result into JSON
(``convertToJSONableObject`` in yaml.go). Where Go's result would be left to chance, nothing is read.
"""

from __future__ import annotations

from postrender.live import Json
from postrender.manifest.leaves import Unusable, resolved_key, scalar
from postrender.manifest.nodes import DEEPEST, Kind, Node


def value(root: Node | None, *, references: bool = True) -> Json:
    """The value of a tree, or of a part of one; raises Unusable.

    Without ``references`` there are known to be no aliases and no merge keys in it, which is quicker.
    """
    if root is None:
        return None
    if not references:
        try:
            return _value(root, 0)
        except (_Unusual, Unusable):
            pass
    from postrender.manifest.decoder import decode  # Few documents have any.

    return decode(root)


class _Unusual(Exception):
    """A key is no string: two of them may become one."""


def _value(node: Node, depth: int) -> Json:
    if node.kind is Kind.SCALAR:
        return scalar(node)
    if depth > DEEPEST:
        raise Unusable(f"nested more than {DEEPEST} deep", node)
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
