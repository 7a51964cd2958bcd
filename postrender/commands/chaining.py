"""``--first`` and ``--then``: the programs that the manifests go through beside us, and what those say on stderr."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postrender.caller.values import Value
from postrender.chain import Link, link, passed
from postrender.commands.telling import Telling


def chained(
    data: bytes, values: Mapping[str, Value | None], telling: Telling
) -> tuple[bytes, Callable[[bytes], bytes] | None]:
    """The stream after the first program, and what hands ours to the last one; both are looked at before either runs.

    Raises as ``chain.link`` and ``chain.passed`` do.
    """
    first, then = (
        link(flag, str(text)) if text else None
        for flag, text in (("--first", values["first"]), ("--then", values["then"]))
    )

    def through(link: Link, stream: bytes) -> bytes:
        done = passed(link, stream)
        telling.heard(link.name, done.said)
        return done.data

    after = through(first, data) if first else data
    return after, (lambda ours: through(then, ours)) if then else None
