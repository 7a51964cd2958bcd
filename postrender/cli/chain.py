"""``--first`` and ``--then``: the programs that the manifests go through beside us, and what those say on stderr."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from postrender.cli.run_report import RunReporter
from postrender.operations.filter.post_renderers import PostRenderer, link, passed
from postrender.settings.parse import Value


def chained(
    data: bytes, values: Mapping[str, Value | None], reporter: RunReporter
) -> tuple[bytes, Callable[[bytes], bytes] | None]:
    """The stream after the first program, and what hands ours to the last one; both are looked at before either runs.

    Raises as ``link`` and ``passed`` of ``postrender.operations.filter.post_renderers`` do.
    """
    first, then = (
        link(flag, str(text)) if text else None
        for flag, text in (("--first", values["first"]), ("--then", values["then"]))
    )

    def through(link: PostRenderer, stream: bytes) -> bytes:
        done = passed(link, stream)
        reporter.on_stderr(link.name, done.stderr)
        return done.data

    after = through(first, data) if first else data
    return after, (lambda ours: through(then, ours)) if then else None
