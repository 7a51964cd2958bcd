"""Values as YAML that every reader takes alike: quoted strings, JSON for everything else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from postrender.live import Json
from postrender.manifest.values import resolve_plain

_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*\Z")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def flow(value: Json) -> str:
    """A value as JSON on one line, which is YAML too; characters that YAML does not allow are escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def key(name: str) -> str:
    """A mapping's key, quoted where it has to be."""
    if _PLAIN_KEY.match(name) and isinstance(resolve_plain(name)[1], str):
        return name
    return flow(name)


def block(name: str, value: Json, indent: int, newline: str, step: int = 2) -> str:
    """``name: value`` as lines indented by so many blanks, nested mappings as blocks, each line ended."""
    pad = " " * indent
    if isinstance(value, Mapping) and value:
        inner = "".join(block(each, item, indent + step, newline, step) for each, item in value.items())
        return f"{pad}{key(name)}:{newline}{inner}"
    return f"{pad}{key(name)}: {flow(value)}{newline}"
