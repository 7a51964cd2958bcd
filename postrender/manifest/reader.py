"""PyYAML's parser: libyaml's where it is compiled in, else the pure one; events with offsets in characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

LIBYAML: bool = bool(yaml.__with_libyaml__)
"""Whether libyaml reads; without it the pure-Python parser does, some thirty times slower."""

__all__ = [
    "LIBYAML",
    "AliasEvent",
    "DocumentEndEvent",
    "DocumentStartEvent",
    "Event",
    "MappingEndEvent",
    "MappingStartEvent",
    "MarkedYAMLError",
    "ReaderError",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "events",
]


def events(text: str) -> Iterator[Event]:
    """The events of one document's text, which starts with no byte order mark; raises MarkedYAMLError, ReaderError."""
    parser = _parser(text)
    while parser.check_event():
        yield parser.get_event()


def _parser(text: str) -> Any:
    if LIBYAML:
        from yaml._yaml import CParser

        return CParser(text)
    return yaml.SafeLoader(text)
