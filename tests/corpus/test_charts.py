"""The public charts, each object stamped: lines are added and nothing else, as the bytes say and as Go reads them."""

from __future__ import annotations

from collections.abc import Mapping

from postrender import manifest
from postrender.manifest.edit import splice
from tests.corpus.conftest import with_charts
from tests.corpus.tally import Tally, tally
from tests.fuzz.oracle import check, stamps
from tests.tools.goreader import GoReader, through_kyaml

ADDED = {
    b"labels:",
    b"annotations:",
    b'app.kubernetes.io/managed-by: "Helm"',
    b'meta.helm.sh/release-name: "yes"',
    b'a: "1"',
}
FILLED = {b'{"app.kubernetes.io/managed-by": "Helm"}', b'{"meta.helm.sh/release-name": "yes", "a": "1"}'}
LARGE = 1_000_000

pytestmark = with_charts


def stamped(data: bytes) -> bytes:
    """The stream with a label and two annotations on every object, no document written anew."""
    found = manifest.read(data)
    result = splice(found, stamps(found.objects))
    assert result.rewritten == ()
    return result.data


def test_each_promise_holds_for_every_chart(charts: Mapping[str, bytes], go: GoReader) -> None:
    for name, data in charts.items():
        try:
            check(data, go, each_edit=len(data) < LARGE)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_every_other_object_stamped_changes_what_was_meant_and_no_more(
    charts: Mapping[str, bytes], go: GoReader
) -> None:
    """``python -m tests.corpus`` prints the numbers."""
    found = Tally()
    for data in charts.values():
        found = tally(data, go, found)
    assert (found.streams, found.stamped > 200) == (48, True)
    assert (found.differences, found.changed, found.refused) == (0, 0, 0)


def test_every_document_is_an_object_or_empty(charts: Mapping[str, bytes]) -> None:
    for name, data in charts.items():
        assert {document.skip_reason for document in manifest.read(data).documents} <= {"", "empty"}, name


def test_lines_are_only_added(charts: Mapping[str, bytes]) -> None:
    """But for a ``{}`` on a line of its own, which is filled."""
    for name, data in charts.items():
        lines = iter(stamped(data).splitlines(keepends=True))
        added: list[bytes] = []
        for line in data.splitlines(keepends=True):
            while (found := next(lines)) != line and not (line.strip() == b"{}" and found.strip() in FILLED):
                added.append(found.strip())
        added += [line.strip() for line in lines]
        assert set(added) <= ADDED, name


def test_nothing_to_do_is_nothing_done(charts: Mapping[str, bytes]) -> None:
    for name, data in charts.items():
        assert splice(manifest.read(data), []).data == data, name
        again = stamped(data)
        assert stamped(again) == again, name


def test_helm_4_reads_the_output(charts: Mapping[str, bytes], go: GoReader) -> None:
    for name, data in charts.items():
        if len(data) > LARGE:
            continue
        found = through_kyaml(stamped(data))
        assert not found.error, name
        assert len(found.values) == len(go.read(data).values), name
        for value in found.values:
            assert value["metadata"]["annotations"]["meta.helm.sh/release-name"] == "yes", name
