"""What comes back of a request."""

from __future__ import annotations

import json

from postrender.live import Json
from postrender.record import Record


class Answer(Record):
    """What the server said. ``retry_after`` is in seconds, ``None`` where it asks for no patience."""

    status: int
    content_type: str
    body: bytes
    retry_after: float | None = None

    def json(self) -> Json:
        """The body as JSON; ``None`` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def items_of(value: Json) -> list[Json]:
    """The value, which has to be a list of JSON objects; raises TypeError for anything else."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError("it is no list of objects")
    return value


class NoAnswer(Record):
    """Nothing came back that can be understood; ``reason`` is a sentence without a full stop.

    ``broken`` says that a connection broke off, so that another try may do; the request may have been carried out.
    """

    reason: str
    next: tuple[str, ...] = ()
    broken: bool = False
