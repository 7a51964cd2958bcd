"""Paths of fields as users write them: ``data.password``, ``metadata.annotations["example.com/x"]``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_/-]+\Z")
_QUOTED = r"""\[\s*(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*\]"""
_PART = re.compile(rf"(?:\.?((?:[^.\[\],\"'\s\\]|\\.)+)|({_QUOTED}))")
_LISTED = re.compile(rf"(?:{_QUOTED}|[^,\[]|\[)+")


class InvalidPath(ValueError):
    """A text is not a path; the message is one sentence without a full stop."""


def parse_path(text: str) -> tuple[str, ...]:
    r"""The keys of a path; raises InvalidPath.

    A key with a dot is quoted in brackets, ``["tls.crt"]``, or its dots are escaped, ``tls\.crt``.
    """
    text = text.strip()
    keys: list[str] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None or (position and text[position] not in ".["):
            if re.match(r"\[\s*(?:\d+|\*)?\s*\]", text[position:]):
                raise InvalidPath(f"{text!r} leads into a list; name the whole list")
            raise InvalidPath(f"{text!r} is not the path of a field")
        keys.append(_unquoted(found[2]) if found[2] else re.sub(r"\\(.)", r"\1", found[1]))
        position = found.end()
    if not keys:
        raise InvalidPath("the path of a field is missing")
    return tuple(keys)


def split_paths(text: str) -> list[str]:
    """The texts between the commas of a list; a comma in quotes separates nothing."""
    return [part.strip() for part in _LISTED.findall(text) if part.strip()]


def path_text(path: Sequence[str]) -> str:
    """The path as text that ``parse_path`` reads."""
    text = ""
    for key in path:
        text += f".{key}" if _PLAIN.match(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
    return text.removeprefix(".")


def _unquoted(text: str) -> str:
    inner = text[1:-1].strip()
    if inner.startswith("'"):
        return inner[1:-1]
    try:
        return str(json.loads(inner))
    except ValueError:
        raise InvalidPath(f"{inner} is not a quoted key") from None
