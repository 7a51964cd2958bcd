"""Which values of a stored release its chart generated when it was rendered: nobody can render them again.

They are the random and certificate functions of Sprig 3 (https://masterminds.github.io/sprig/).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from postrender.models import Json

_GENERATES = re.compile(
    r"\b(?:rand(?:AlphaNum|Alpha|Ascii|Numeric|Int|Bytes)|uuidv4"
    r"|gen(?:PrivateKey|CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey))\b"
)
_DEFINE = re.compile(r'\{\{-?\s*define\s+["`]([^"`]+)["`]')
_INCLUDE = re.compile(r'\b(?:include|template)\s+["`]([^"`]+)["`]')


def generating_templates(chart: Json) -> dict[str, str]:
    """The text of each template that generates values, itself or by a named template, by its name in the chart.

    ``chart`` is ``StoredRelease.chart``.
    """
    texts = dict(_texts(chart))
    named = {name: text for each in texts.values() for name, text in _named(each)}
    generating = {name for name, text in named.items() if _GENERATES.search(text)}
    more = generating
    while more:
        more = {name for name, text in named.items() if name not in generating and _includes(text, generating)}
        generating |= more
    return {name: text for name, text in texts.items() if _GENERATES.search(text) or _includes(text, generating)}


def with_included(name: str, texts: Mapping[str, str]) -> str:
    """The text of a template with that of all named templates that it includes; ``texts`` has all by their names."""
    named = {name: text for each in texts.values() for name, text in _named(each)}
    found: dict[str, str] = {}
    waiting = [texts[name]]
    while waiting:
        text = waiting.pop()
        for included in _INCLUDE.findall(text):
            if included in named and included not in found:
                found[included] = named[included]
                waiting.append(named[included])
    return "\n".join((texts[name], *found.values()))


def given_values(chart: Json) -> str:
    """All scalars of the chart's values and of the user's, a line each."""
    return "\n".join(_scalars(chart.get("values") if isinstance(chart, dict) else None))


def _texts(chart: Json) -> Iterator[tuple[str, str]]:
    templates = chart.get("templates") if isinstance(chart, dict) else None
    for each in templates if isinstance(templates, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("data"), str):
            try:
                yield each["name"], base64.b64decode(each["data"]).decode(errors="replace")
            except (binascii.Error, ValueError):
                continue


def _named(text: str) -> Iterator[tuple[str, str]]:
    """The named templates of a file, each with all that stands before the next one."""
    _, *found = _DEFINE.split(text)
    yield from zip(found[::2], found[1::2], strict=True)


def _includes(text: str, names: set[str]) -> bool:
    return not names.isdisjoint(_INCLUDE.findall(text))


def _scalars(value: Json) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _scalars(each)
    elif value is not None:
        yield str(value)
