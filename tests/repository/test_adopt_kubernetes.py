"""How an API server is taken in among the tested ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.tools import assets
from tools import adopt_kubernetes, kubernetes, patchschema
from tools.adopt_kubernetes import DIFFERENCES, commands, listing, main
from tools.builtin import SERVERS, differences, list_differences, list_types, table, unknown, unknown_strategies
from tools.steps import COMPATIBILITY, Step, verdicts

FLAG = ("", "Flag", "flags", True, False)


def test_every_step_has_a_cell() -> None:
    names = [title for title, _ in commands(random=1, fresh=1, seed=1)]
    assert names[0] == "Kinds"
    assert names[-1] == "End-to-end tests"
    assert len(names) == 5


def test_kinds_of_several_servers_are_one_table() -> None:
    newer = (*FLAG[:4], True)
    served = {
        "1.30.14": {FLAG, ("a", "Old", "olds", False, False)},
        "1.37.2": {newer, ("a", "New", "news", True, True)},
    }
    assert [row for row in table(served) if row[0] in ("", "a")] == [
        newer,
        ("a", "New", "news", True, True),
        ("a", "Old", "olds", False, False),
    ]
    assert differences(served) == [
        "1.30.14 -> 1.37.2: Flag was ('flags', True, False) and is ('flags', True, True)",
        "1.30.14 -> 1.37.2: new New.a",
        "1.30.14 -> 1.37.2: no Old.a",
    ]
    assert unknown({newer}, {newer}) == []
    assert unknown({newer}, {FLAG}) == [f"{newer} is {FLAG} in the table"]
    assert unknown({FLAG}, {newer}) == [f"{FLAG} is {newer} in the table"]
    assert unknown({FLAG}, {newer}, older=True) == []
    assert unknown({newer}, {FLAG}, older=True) == [f"{newer} is {FLAG} in the table"]


def test_types_of_lists_are_compared_from_server_to_server() -> None:
    def served(**fields: Any) -> dict[tuple[str, str], str]:
        return list_types({"io.k8s.api.core.v1.PodSpec": {"properties": fields}, "Empty": {}})

    ports = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}
    older = served(
        ports=ports, gone={"type": "array"}, ref={"x-kubernetes-map-type": "atomic"}, name={"type": "string"}
    )
    newer = served(ports={"type": "array", "x-kubernetes-list-type": "set"}, ref={"x-kubernetes-map-type": "atomic"})
    assert list_differences({"1.30.14": older, "1.37.2": {**newer, ("New", "list"): "set"}}) == [
        "1.30.14 -> 1.37.2: api.core.v1.PodSpec gone: untyped -> no list",
        "1.30.14 -> 1.37.2: api.core.v1.PodSpec ports: map port protocol -> set",
    ]


def test_a_strategy_that_needs_a_version_and_is_not_known_to(tmp_path: Path) -> None:
    needs = "func (x) AllowUnconditionalUpdate({}) bool {{\n\treturn {}\n}}\n"
    for name, context, answer in (
        ("lease", "", "false"),
        ("flag", "ctx context.Context", "false"),
        ("pod", "", "true"),
    ):
        (tmp_path / "group" / name).mkdir(parents=True)
        (tmp_path / "group" / name / "strategy.go").write_text(needs.format(context, answer))
    lease = ("coordination.k8s.io", "Lease", "leases", True, False)
    pod = ("", "Pod", "pods", True, True)
    assert unknown_strategies(tmp_path, {lease, pod}) == []
    config_map = ("", "ConfigMap", "configmaps", True, False)
    (tmp_path / "group" / "flag").rename(tmp_path / "group" / "configmap")
    assert unknown_strategies(tmp_path, {lease, pod, config_map}) == [
        f"group/configmap/strategy.go: {config_map[:2]} is not known to need a resourceVersion"
    ]


def test_versions_that_know_a_kind_or_patch_it_differently() -> None:
    assert kubernetes.differences(
        [("a", "v1", "New", 31, None), ("", "v1", "Old", 5, 36), ("b", "v1", "Late", 9, 99)], 30
    ) == [
        "Kubernetes 1.31: new a/v1 New",
        "Kubernetes 1.36: no v1 Old",
    ]
    types = {"S": {"list": "[]T merge key"}, "S@0.33": {"list": "[]T@0.33", "gone": "string"}}
    kinds = {"a/v1": {"New": "S 31 -", "Old": "S@0.33 - 33", "Always": "S"}}
    assert patchschema.differences({"client_go": "v0.37.1", "kinds": kinds, "types": types}) == [
        "client-go 0.31: new a/v1 New",
        "client-go 0.34: S list: []T@0.33 -> []T merge key",
        "client-go 0.34: no a/v1 Old",
    ]


def test_the_differences_are_those_of_the_tables() -> None:
    head, mark, rest = listing([]).partition("\n\n")
    text = DIFFERENCES.read_text(encoding="utf-8")
    assert text.startswith(f"{head}\n")
    assert text.endswith(mark + rest)


@pytest.mark.parametrize(("quick", "cell"), [(["--quick", "20"], "20"), (["--random", "9"], "9")])
def test_a_quick_run_plays_cells_on_each_server_and_writes_no_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], quick: list[str], cell: str
) -> None:
    played = []

    def run(title: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Step:
        played.append((environ["POSTRENDER_TEST_KUBERNETES"], title, arguments))
        return Step(title, arguments, f"{title} done", environ["POSTRENDER_TEST_KUBERNETES"] == "1.37.2", 1)

    page = tmp_path / "compatibility.md"
    before = COMPATIBILITY.read_text()
    page.write_text(before)
    monkeypatch.setattr(adopt_kubernetes, "run", run)
    monkeypatch.setattr(adopt_kubernetes, "PAGE", page)
    monkeypatch.setattr(adopt_kubernetes, "ROOT", tmp_path)
    monkeypatch.setattr(adopt_kubernetes, "report", lambda title, *_: title)
    monkeypatch.setattr(assets, "build", lambda name: Path(name))
    assert main(["1.30.14", "1.37.2", "--seed", "7", *quick]) == 1
    assert capsys.readouterr().out == "Kubernetes 1.30.14\nKubernetes 1.37.2\n"
    assert {title for _, title, _ in played} >= {"Kinds", "Random cells"}
    cells = [arguments for _, title, arguments in played if title == "Random cells"]
    assert cells == [["-m", "tests.e2e.matrix", "--random", cell, "--seed", "7"]] * 2
    if "--quick" in quick:
        assert len(played) == 4
        assert page.read_text() == before
    else:
        assert len(played) == 10
        assert f"| 1.30.14 | {date.today()} | **differs** | Kinds done | Random cells done | " in page.read_text()
    assert main(["1.37.2", *quick]) == 0


@pytest.mark.parametrize("arguments", [[], ["1.37.2", "--tables"]])
def test_what_is_done_is_required(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err.endswith("adopt-kubernetes: error: VERSION or --tables required\n")


def test_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["newest"])
    assert capsys.readouterr().err.endswith(
        "adopt-kubernetes: error: VERSION: no version of Kubernetes; one is 1.37.2\n"
    )


def test_the_page_has_a_row_of_each_server_that_it_names() -> None:
    page = COMPATIBILITY.read_text(encoding="utf-8")
    assert verdicts(page, "API server") == dict.fromkeys(SERVERS, "tested")
    *others, newest = (server.rpartition(".")[0] for server in SERVERS)
    assert f"run with {', '.join(others)} and {newest} |" in page
