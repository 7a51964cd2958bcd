"""The counts of what rewriting does are counts: they are not 0 by themselves."""

from __future__ import annotations

from tests.corpus.tally import Tally, tally
from tests.tools.goreader import GoReader

ONE = b"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


def test_every_second_object_is_stamped(go: GoReader) -> None:
    assert tally(ONE * 3 + b"---\n# nothing\n", go) == Tally(streams=1, documents=4, objects=3, stamped=2)


def test_a_stream_that_go_alone_accepts_is_counted(go: GoReader) -> None:
    only_go = b"a: b\n---\n\xef\xbb\xbfc: d\n"
    assert tally(only_go, go, tally(ONE, go)) == Tally(streams=2, documents=1, objects=1, stamped=1, refused=1)


def test_a_stream_that_nobody_accepts_is_not(go: GoReader) -> None:
    assert tally(b"a: [b\n", go) == Tally(streams=1)
