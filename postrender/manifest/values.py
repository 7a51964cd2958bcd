"""What a node is worth to Kubernetes: JSON, as Go's sigs.k8s.io/yaml makes it of YAML.

sigs.k8s.io/yaml v1.3 to v1.6 reads with go-yaml v2.4 (``resolve`` in resolve.go, ``decoder`` in decode.go) and turns
the result into JSON (``convertToJSONableObject`` in yaml.go).
"""

from __future__ import annotations

import base64
import binascii
import math
import re

from postrender.live import Json
from postrender.manifest.tree import Kind, Node

_PREFIX = "tag:yaml.org,2002:"
_STR, _INT, _FLOAT, _BOOL, _NULL, _BINARY, _MERGE, _TIMESTAMP = (
    _PREFIX + name for name in ("str", "int", "float", "bool", "null", "binary", "merge", "timestamp")
)
_RESOLVABLE = {"", _STR, _INT, _FLOAT, _BOOL, _NULL, _TIMESTAMP}
_WORDS: dict[str, tuple[str, Json]] = {
    **{word: (_BOOL, True) for word in "y Y yes Yes YES true True TRUE on On ON".split()},
    **{word: (_BOOL, False) for word in "n N no No NO false False FALSE off Off OFF".split()},
    **{word: (_NULL, None) for word in ("", "~", "null", "Null", "NULL")},
    **{word: (_FLOAT, math.nan) for word in (".nan", ".NaN", ".NAN")},
    **{word: (_FLOAT, math.inf) for word in (".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF")},
    **{word: (_FLOAT, -math.inf) for word in ("-.inf", "-.Inf", "-.INF")},
    "<<": (_MERGE, "<<"),
}
_FLOAT_TEXT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_GO_FLOAT = re.compile(r"\.(?:[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_DIGITS = {2: "01", 8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}


class Unusable(Exception):
    """Go's reader would fail on this node."""

    def __init__(self, cause: str, node: Node) -> None:
        super().__init__(cause)
        self.node = node


def value(node: Node | None) -> Json:
    """The node's value; raises Unusable."""
    return None if node is None else _Reader().read(node)


def key_text(node: Node) -> str | None:
    """The string that a mapping's key becomes, ``None`` where it is none; raises Unusable."""
    return _Reader().key(node)


def is_merge(node: Node) -> bool:
    """Whether a key is ``<<`` (``isMerge``, decode.go)."""
    return node.kind is Kind.SCALAR and node.text == "<<" and (node.plain or node.tag == _MERGE)


class _Reader:
    def __init__(self) -> None:
        self._open: set[int] = set()

    def read(self, node: Node) -> Json:
        result: list[Json] = []
        self._into(node, result)
        return result[0]

    def _into(self, node: Node, result: list[Json]) -> None:
        if node.kind is Kind.ALIAS:
            assert node.target is not None
            if id(node) in self._open:
                raise Unusable(f"anchor {node.text!r} contains itself", node)
            self._open.add(id(node))
            self._into(node.target, result)
            self._open.discard(id(node))
        elif node.kind is Kind.SCALAR:
            result.append(as_json(scalar(node)[1], node))
        elif node.kind is Kind.SEQUENCE:
            result.append([self.read(child) for child in node.children])
        else:
            into: dict[str, Json] = {}
            self._mapping(node, into)
            result.append(into)

    def _mapping(self, node: Node, into: dict[str, Json]) -> None:
        for key, item in node.pairs():
            if is_merge(key):
                self._merge(item, into)
            else:
                text = self.key(key)
                if text is None:
                    raise Unusable("a null key", key)
                into[text] = self.read(item)

    def _merge(self, node: Node, into: dict[str, Json]) -> None:
        parts = node.children[::-1] if node.kind is Kind.SEQUENCE else [node]
        for part in parts:
            mapping = part.target if part.kind is Kind.ALIAS else part
            if mapping is None or mapping.kind is not Kind.MAPPING:
                raise Unusable("a merge key takes a mapping or a list of mappings", part)
            if id(part) in self._open:
                raise Unusable(f"anchor {part.text!r} contains itself", part)
            self._open.add(id(part))
            self._mapping(mapping, into)
            self._open.discard(id(part))

    def key(self, node: Node) -> str | None:
        target = node.target if node.kind is Kind.ALIAS else node
        if target is None or target.kind is not Kind.SCALAR:
            raise Unusable("a key that is not a scalar", node)
        tag, found = scalar(target)
        if found is None:
            return None
        if found is True or found is False:
            return "true" if found else "false"
        if isinstance(found, float):
            return _float_key(found)
        return str(found)


def scalar(node: Node) -> tuple[str, Json]:
    """A scalar's tag and value as ``resolve`` finds them, timestamps left as text; raises Unusable."""
    if not node.tag and not node.plain:
        return _STR, node.text
    tag, found = _resolve("" if node.tag == "!" else node.tag, node)
    if tag == _BINARY:
        try:
            found = base64.b64decode(node.text, validate=True).decode(errors="replace")
        except binascii.Error:
            raise Unusable("!!binary value contains invalid base64 data", node) from None
    return tag, found


def _resolve(tag: str, node: Node) -> tuple[str, Json]:
    if tag not in _RESOLVABLE:
        return tag, node.text
    if tag == _STR:
        return _STR, node.text
    found_tag, found = resolve_plain(node.text)
    if tag == _FLOAT and found_tag == _INT:
        return _FLOAT, float(found)
    if tag not in ("", found_tag):
        raise Unusable(f"cannot decode {node.text!r} as {tag.removeprefix(_PREFIX)}", node)
    return found_tag, found


def resolve_plain(text: str) -> tuple[str, Json]:
    """Tag and value of a plain scalar."""
    word = _WORDS.get(text)
    if word:
        return word
    first = text[0]
    if first == "." and _GO_FLOAT.match(text):
        return _FLOAT, float(text)
    if first in "+-0123456789":
        plain = text.replace("_", "")
        number = _go_int(plain)
        if number is not None:
            return _INT, number
        if _FLOAT_TEXT.match(plain):
            found = float(plain)
            if not math.isinf(found):
                return _FLOAT, found
    return _STR, text


def _go_int(text: str) -> int | None:
    """``strconv.ParseInt(text, 0, 64)``, or ``ParseUint`` where that does not fit; underscores are gone already."""
    sign = text[0] if text[:1] in ("+", "-") else ""
    digits = text[len(sign) :]
    base = 10
    if digits[:1] == "0" and len(digits) > 1:
        base = {"b": 2, "o": 8, "x": 16}.get(digits[1].lower(), 8)
        digits = digits[1 if base == 8 and digits[1] not in "oO" else 2 :]
    if not digits or any(digit not in _DIGITS[base] for digit in digits):
        return None
    number = int(digits, base)
    if sign == "-":
        return -number if number <= 1 << 63 else None
    limit = 1 << 63 if sign else 1 << 64
    return number if number < limit else None


def as_json(found: Json, node: Node) -> Json:
    """A value as it is after Go wrote it as JSON and it was read again: ``1.0`` is 1."""
    if isinstance(found, float):
        if math.isnan(found) or math.isinf(found):
            raise Unusable(f"{node.text} has no place in JSON", node)
        if found.is_integer() and abs(found) < 1e21:
            return int(found)
    return found


def _float_key(found: float) -> str:
    if math.isnan(found):
        return ".nan"
    if math.isinf(found):
        return ".inf" if found > 0 else "-.inf"
    return repr(found)
