"""Values as YAML that every reader takes alike: quoted strings, JSON for everything else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from postrender.live import Json
from postrender.manifest.scalars import resolve

_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*\Z")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def flow(value: Json) -> bytes:
    """A value as JSON on one line, which is YAML too; what YAML does not allow is escaped.

    Raises ValueError for what has no place in JSON, or is no Unicode text.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def key(name: str) -> bytes:
    """A mapping's key, quoted where it has to be."""
    if _PLAIN_KEY.match(name) and isinstance(resolve(name, "", True), str):
        return name.encode()
    return flow(name)


def block(name: str, value: Json, indent: int, newline: bytes, step: int = 2) -> bytes:
    """``name: value`` as lines indented by so many blanks, nested mappings as blocks, each line ended."""
    pad = b" " * indent
    if isinstance(value, Mapping) and value:
        inner = b"".join(block(each, item, indent + step, newline, step) for each, item in value.items())
        return pad + key(name) + b":" + newline + inner
    return pad + key(name) + b": " + flow(value) + newline
