"""Whose an object is, for owners in every state: a part of the table, which ``bin/owners`` plays in whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import CONFIG_MAP, SECRET
from tests.e2e.owners.play import TABLE, Row, Stage, a_record, quick, rows

REAL = [
    Row("filter", "deployed", "stripped", "configmap", "secret", "3.12.3", "lives"),
    Row("filter", "failed", "spoofed", "secret", "configmap", "3.21.4", "lives"),
    Row("filter", "pending-install", "misspelt", "secret", "secret", "4.3.1", "lives"),
    Row("filter", "uninstalled with history", "true", "configmap", "secret", "4.3.1", "gone"),
    Row("filter", "undecodable", "stripped", "secret", "secret", "3.21.4", "unknown"),
    Row("drop", "deployed", "true", "configmap", "secret", "3.12.3", "lives"),
    Row("drop", "nothing stored", "true", "secret", "configmap", "4.3.1", "gone"),
    Row("adopt", "deployed", "stripped", "configmap", "secret", "", "lives"),
    Row("adopt", "deployed", "spoofed", "secret", "secret", "", "lives"),
    Row("adopt", "deployed", "misspelt", "secret", "configmap", "", "lives"),
    Row("adopt", "nothing stored", "stripped", "secret", "secret", "", "gone"),
    Row("orphans", "nothing stored", "true", "secret", "secret", "", "gone"),
    Row("orphans", "deployed", "true", "configmap", "secret", "", "lives"),
]
"""Rows that every test run plays with the real programs."""

pytestmark = pytest.mark.one_in(3)


@pytest.mark.parametrize("row", quick(), ids=str)
def test_only_what_nobody_owns_is_taken(
    row: Row, control_plane: ControlPlane, discovery_cache: Path, tmp_path: Path
) -> None:
    assert Stage(control_plane, row, tmp_path, discovery_cache).play() == row.expected


@pytest.mark.parametrize("row", REAL, ids=str)
def test_only_what_nobody_owns_is_taken_by_the_real_programs(
    row: Row, control_plane: ControlPlane, discovery_cache: Path, tmp_path: Path
) -> None:
    assert row in set(rows())
    assert Stage(control_plane, row, tmp_path, discovery_cache).play_really() == row.expected


def test_every_state_and_action_is_in_the_quick_table() -> None:
    whole = {(row.action, row.state, row.driver, row.expected) for row in rows()}
    assert {(row.action, row.state, row.driver, row.expected) for row in quick()} == whole
    assert {row.helm for row in quick()} >= set(TABLE["helms"])


@pytest.mark.parametrize("version", TABLE["helms"])
@pytest.mark.parametrize("driver", TABLE["drivers"])
def test_the_records_of_the_table_are_what_helm_reads(
    helm: HelmFactory, namespace: Namespace, version: str, driver: str
) -> None:
    it = helm(version)
    expected = {}
    for state, about in TABLE["states"].items():
        name = state.replace(" ", "-")
        for revision, record in enumerate(about["records"], start=1):
            status, _, odd = record.partition(" ")
            body = a_record(namespace.name, name, revision, status, driver, "", odd)
            body["metadata"]["name"] += f"-{name}" if odd in ("foreign", "forged") else ""
            namespace.create(body, CONFIG_MAP if driver == "configmap" else SECRET)
            # Helm lists none whose status it calls unknown (``ListAll``, pkg/action/list.go).
            if odd not in ("broken", "foreign") and status != "unknown":
                expected[name] = status
    every = ["--all"] if it.major < 4 else []
    listed = it.run("list", *every, "--output", "yaml", env={"HELM_DRIVER": driver}).expect_ok()
    assert {each["name"]: each["status"] for each in yaml.safe_load(listed.stdout)} == expected
