"""Scalars by go-yaml's rules, which are YAML 1.1's in part: a scalar as a value, and as a mapping's key.

go-yaml v2.4, ``resolve`` in resolve.go and ``decoder.scalar`` in decode.go: what sigs.k8s.io/yaml v1.3 to v1.6, and so
Helm 3.9 to 4.3, reads with.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from datetime import datetime

from postrender.manifest.nodes import Kind, Node
from postrender.models import Json

_PREFIX = "tag:yaml.org,2002:"
STR, INT, FLOAT, BOOL, NULL, BINARY, MERGE, TIMESTAMP = (
    _PREFIX + name for name in ("str", "int", "float", "bool", "null", "binary", "merge", "timestamp")
)
_RESOLVABLE = {"", STR, INT, FLOAT, BOOL, NULL, TIMESTAMP}
_WORDS: dict[str, tuple[str, Json]] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], (BOOL, True)),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], (BOOL, False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (NULL, None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (FLOAT, math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), (FLOAT, math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (FLOAT, -math.inf)),
}
_HINTS = frozenset(["", *"yYnNtTfFoO~.+-0123456789"])
"""How text begins that may be more than text (``resolveTable``)."""
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_TIME = (
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d))| +(\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?\Z"
)


class ScalarError(ValueError):
    """go-yaml fails on this scalar."""


def resolve(text: str, tag: str, *, plain: bool) -> Json:
    """A scalar's value: None, bool, int, float or str; ``tag`` is "" without one. Raises ScalarError."""
    if tag == "":
        return _untagged(text)[1] if plain else text
    if tag == BINARY:
        return _binary(text)
    if tag == STR or tag not in _RESOLVABLE:
        return text
    found_tag, found = _untagged(text)
    if tag == TIMESTAMP and _is_time(text):
        return text
    if tag == FLOAT and found_tag == INT and found < 1 << 63:
        return float(found)
    if tag != found_tag:
        raise ScalarError(f"a text that is not of type {tag.removeprefix(_PREFIX)}")
    return found


def _untagged(text: str) -> tuple[str, Json]:
    word = _WORDS.get(text)
    if word:
        return word
    first = text[0]
    if first in "0123456789+-":
        text_without = text.replace("_", "") if "_" in text else text
        number = _integer(text_without)
        if number is not None:
            return INT, number
    elif first == ".":
        text_without = text
    else:
        return STR, text
    if _FLOAT.match(text_without):
        found = float(text_without)
        if not math.isinf(found):
            return FLOAT, found
    return STR, text


def _integer(text: str) -> int | None:
    """``strconv.ParseInt(text, 0, 64)``, or ``ParseUint`` where that does not fit."""
    found = _INTEGER.match(text)
    if not found:
        return None
    sign, hexadecimal, binary, octal, decimal = found.groups()
    if hexadecimal:
        number = int(hexadecimal, 16)
    elif binary:
        number = int(binary, 2)
    elif octal:
        number = int(octal, 8)
    elif len(decimal) > 20:
        return None
    else:
        number = int(decimal)
    if sign == "-":
        return -number if number <= 1 << 63 else None
    return number if number < 1 << (63 if sign else 64) else None


def _is_time(text: str) -> bool:
    """``parseTimestamp``, resolve.go."""
    found = re.match(_TIME, text)
    if not found:
        return False
    numbers = [int(part) for part in found.groups() if part is not None]
    try:
        datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _binary(text: str) -> str:
    """What base64 stands for; Go's JSON has U+FFFD for each byte that is not UTF-8."""
    try:
        packed = base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise ScalarError("!!binary holds no base64") from None
    parts: list[str] = []
    while packed:
        try:
            parts.append(packed.decode())
            break
        except UnicodeDecodeError as error:
            parts += [packed[: error.start].decode(), "\ufffd"]
            packed = packed[error.start + 1 :]
    return "".join(parts)


def as_json(found: Json) -> Json:
    """The value after Go's encoding/json wrote it and it was read again: ``1.0`` is 1. Raises ScalarError."""
    if found.__class__ is not float:
        return found
    if math.isnan(found) or math.isinf(found):
        raise ScalarError("neither infinity nor NaN has a place in JSON")
    if not found.is_integer() or abs(found) >= 1e21:
        return found
    digits, _, exponent = repr(found).partition("e")
    return int(digits.removesuffix(".0").replace(".", "") + "0" * _zeros(digits, exponent)) if exponent else int(found)


def _zeros(digits: str, exponent: str) -> int:
    """How many zeros follow the shortest digits of a large whole number."""
    return int(exponent) - len(digits.removesuffix(".0").partition(".")[2])


def key(text: str, tag: str, *, plain: bool) -> str:
    """The string that a scalar becomes as a mapping's key; raises ScalarError."""
    if not tag and (not plain or text[:1] not in _HINTS):
        return text
    return as_key(resolve(text, tag, plain=plain))


def as_key(found: Json) -> str:
    """The string that a mapping's key becomes (``convertToJSONableObject``, sigs.k8s.io/yaml, yaml.go).

    Raises ScalarError.
    """
    if isinstance(found, str):
        return found
    if found is None:
        raise ScalarError("a null cannot be a key")
    if found is True:
        return "true"
    if found is False:
        return "false"
    if isinstance(found, float):
        return _float_key(found)
    if found >= 1 << 63:
        raise ScalarError(f"{found} is too large for a key")
    return str(found)


def _float_key(found: float) -> str:
    """``strconv.FormatFloat(found, 'g', -1, 32)``, and YAML's words for what is no number."""
    single = _single(found)
    if math.isnan(single):
        return ".nan"
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    shortest = next(
        text for text in (f"{single:.{precision}e}" for precision in range(9)) if _single(float(text)) == single
    )
    mantissa, _, power = shortest.partition("e")
    exponent = int(power)
    if -4 <= exponent < 6 and single != 0:
        return f"{float(shortest):.{max(len(mantissa.replace('-', '').replace('.', '')) - 1 - exponent, 0)}f}"
    if single == 0:
        return "-0" if math.copysign(1, single) < 0 else "0"
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _single(found: float) -> float:
    """The nearest number of single precision."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", found))[0])
    except OverflowError:
        return math.copysign(math.inf, found)


class UnsupportedYaml(Exception):
    """A node that Helm cannot read, or that could be read in two ways."""

    def __init__(self, cause: str, node: Node) -> None:
        super().__init__(cause)
        self.node = node


def scalar(node: Node) -> Json:
    """A scalar's value as JSON has it; raises UnsupportedYaml."""
    found = resolved(node)
    try:
        return as_json(found)
    except ScalarError as error:
        raise UnsupportedYaml(str(error), node) from None


def key_text(node: Node) -> str:
    """The string that a mapping's key becomes; raises UnsupportedYaml."""
    target = _key_scalar(node)
    try:
        return key(target.text, target.tag, plain=target.plain)
    except ScalarError as error:
        raise UnsupportedYaml(str(error), node) from None


def resolved_key(node: Node) -> Json:
    """A key's value before it becomes a string; raises UnsupportedYaml."""
    return resolved(_key_scalar(node))


def _key_scalar(node: Node) -> Node:
    target = node.target if node.kind is Kind.ALIAS else node
    if target is None or target.kind is not Kind.SCALAR:
        raise UnsupportedYaml("a key that is not a scalar", node)
    return target


def resolved(node: Node) -> Json:
    """A scalar's value as go-yaml has it; raises UnsupportedYaml."""
    try:
        return resolve(node.text, node.tag, plain=node.plain)
    except ScalarError as error:
        raise UnsupportedYaml(str(error), node) from None


def is_merge(node: Node) -> bool:
    """Whether a key is ``<<`` (``isMerge``, decode.go)."""
    return node.kind is Kind.SCALAR and node.text == "<<" and (node.plain or node.tag in ("!", MERGE))
