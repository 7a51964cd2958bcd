"""Adopted equals fresh, for a fixed slice of random cases; ``bin/fresh`` plays as many as one likes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conformance import customs, report
from tests.conformance.cases import Case, Deck, Start
from tests.conformance.objects import Source, harmless, sources
from tests.conformance.play import Player, Verdict, _Stage
from tests.conformance.server import Server
from tests.conformance.shrink import shrunk
from tests.corpus.conftest import CHARTS, with_charts
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.kinds import ROLE_BINDING, SERVICE_ACCOUNT

pytestmark = pytest.mark.e2e

SEED = 1
NUMBERS = range(6)
HELMS = ("3.12.3", "3.22.0", "4.3.2")


class Table:
    """A control plane with all that cases need."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane = plane
        self.folder = folder
        self.server = Server(plane.api)
        self.sources: Mapping[str, Source] = sources(self.server)

    def player(self, helm: str, *, filter: bool = True) -> Player:
        program(f"helm@{helm}")
        return Player(self.plane, helm, self.folder, self.folder / "discovery", filter=filter)

    def deck(self, helm: str, source: str) -> Deck:
        return Deck(self.server, SEED, {source: self.sources[source]}, apply=helm.startswith("4."))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    folder = tmp_path_factory.mktemp("fresh")
    with ControlPlane(program("etcd"), program("kube-apiserver"), folder) as plane:
        serve(plane.api, customs.definitions())
        yield Table(plane, folder)


@pytest.mark.parametrize("source", [pytest.param("charts", marks=with_charts), "schemas", "customs", "secrets"])
@pytest.mark.parametrize("helm", HELMS)
def test_adopted_equals_fresh(table: Table, helm: str, source: str) -> None:
    deck = table.deck(helm, source)
    played = list(table.player(helm).all([deck.draw(number) for number in NUMBERS]))
    assert not [report.line(each) for each in played if not each.good or each.mispredicted]


@pytest.mark.skipif(not (os.environ.get("CI") and CHARTS.parent.parent.is_dir()), reason="only where they should be")
def test_the_charts_are_there() -> None:
    assert CHARTS.is_file()


def test_a_number_always_means_the_same_case(table: Table) -> None:
    decks = [table.deck("4.3.1", "schemas") for _ in range(2)]
    assert [decks[0].draw(number) for number in range(5)] == [decks[1].draw(number) for number in range(5)]


BINDING = harmless(
    {
        "apiVersion": ROLE_BINDING.api_version,
        "kind": ROLE_BINDING.kind,
        "metadata": {"labels": {"a": "b"}},
        "roleRef": {"apiGroup": ROLE_BINDING.group, "kind": "Role", "name": "x"},
        "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "b"}],
    }
)
UNBOUND = {name: value for name, value in BINDING.items() if name != "subjects"}


def test_the_judge_sees_what_helm_alone_leaves_behind(table: Table) -> None:
    case = Case(SEED, 0, "written", ROLE_BINDING, Start.KEPT, "subjects leaves", BINDING, BINDING, UNBOUND)
    player = table.player("3.21.4", filter=False)
    silent = player.one(case)
    assert silent.verdict is Verdict.SILENT
    assert [each.path for each in silent.differs] == ["subjects"]
    assert report.line(silent) == (
        "1:0 helm 3.21.4: SILENT: RoleBinding, kept, subjects leaves | "
        'subjects: [{"kind": "ServiceAccount", "name": "a", "namespace": "b"}] (fresh: nothing) | no codes'
    )
    small = shrunk(silent, player, table.server)
    assert small.verdict is Verdict.SILENT
    assert set(small.case.new) == {"apiVersion", "kind", "metadata", "roleRef"}
    assert small.case.new["metadata"] == {"name": "drawn"}


def test_the_judge_knows_what_helm_alone_does_right(table: Table) -> None:
    old = harmless({"apiVersion": "v1", "kind": SERVICE_ACCOUNT.kind, "metadata": {"labels": {"a": "b"}}})
    new = harmless({"apiVersion": "v1", "kind": SERVICE_ACCOUNT.kind, "metadata": {"labels": {"a": "c"}}})
    case = Case(SEED, 0, "written", SERVICE_ACCOUNT, Start.KEPT, "a label changes", old, old, new)
    assert table.player("3.21.4", filter=False).one(case).verdict is Verdict.RIGHT


def test_what_the_filter_refuses_is_refused_before_anything_changed(table: Table) -> None:
    case = Case(SEED, 1, "written", ROLE_BINDING, Start.KEPT, "roleRef changes", BINDING, BINDING, other_role())
    found = table.player("4.3.1").one(case)
    assert (found.verdict, found.codes) == (Verdict.IMMUTABLE, ("PR307",))
    assert "cannot change roleRef" in found.objection
    assert "cannot change roleRef" in report.line(found)
    rows = report.table([found])
    assert re.search(r"^refused, and the server refuses the change itself +1 *$", rows, re.M)
    assert re.search(r"^right now or then, of all +0.0 % *$", rows, re.M)
    assert re.search(r"^right now or then, without what the server refuses itself +- *$", rows, re.M)


def test_what_only_a_create_sets_is_no_objection_to_an_update(table: Table) -> None:
    """The server gives a Job a selector when it creates it, and refuses an update without one."""
    job = harmless(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "template": {
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "x.example.com/a"}]}
                }
            },
        }
    )
    kind = table.server.kind(job)
    assert kind is not None
    case = Case(SEED, 2, "written", kind, Start.KEPT, "nothing changes", job, job, job)
    stage = _Stage(table.plane, "3.21.4", table.folder, table.folder / "discovery", [case], filter=False)
    with stage:
        stage.play()
        live, fresh = (stage._get(case, each) for each in (stage._over, stage._fresh))
        assert live is not None
        assert fresh is not None
        assert stage._objection(case, live, fresh) == ""


def other_role() -> dict[str, object]:
    return {**BINDING, "roleRef": {**BINDING["roleRef"], "name": "y"}}
