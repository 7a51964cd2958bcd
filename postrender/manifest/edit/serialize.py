"""Values as YAML that every reader takes alike: quoted strings, JSON for everything else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

from postrender.manifest.edit.changes import Conflict
from postrender.manifest.scalars import resolve
from postrender.models import Json

_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*\Z")
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}


def flow(value: Json) -> bytes:
    """A value as JSON on one line, which is YAML too; what YAML does not allow is escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.translate(_ESCAPED).encode()


def check_value(value: Json) -> None:
    """Raises Conflict for what cannot be written."""
    if isinstance(value, str) and value.isascii():
        return
    try:
        flow(value)
    except UnicodeEncodeError:
        raise Conflict("a lone surrogate cannot be written as UTF-8") from None
    except ValueError:
        raise Conflict("neither infinity nor NaN has a place in JSON") from None


@cache
def key(name: str) -> bytes:
    """A mapping's key, quoted where it has to be."""
    if _PLAIN_KEY.match(name) and isinstance(resolve(name, "", plain=True), str):
        return name.encode()
    return flow(name)


def block(name: str, value: Json, indent: int, newline: bytes, step: int = 2) -> bytes:
    """``name: value`` as lines indented by so many blanks, nested mappings as blocks, each line ended."""
    pad = b" " * indent
    if isinstance(value, Mapping) and value:
        inner = b"".join(block(each, item, indent + step, newline, step) for each, item in value.items())
        return pad + key(name) + b":" + newline + inner
    return pad + key(name) + b": " + flow(value) + newline
