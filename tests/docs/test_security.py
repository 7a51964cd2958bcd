"""Each statement of docs/security.md has tests, which are there; ``security.yaml`` says which."""

from __future__ import annotations

import ast
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cli.test_hostile_corpus import AS_HELM, Play, flux_release, kubeconfig, play
from tests.faults.hints import TABLE
from tests.faults.play import fill
from tests.wire.server import Server

__all__ = ["play"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
TESTS: dict[str, list[str] | str] = yaml.safe_load(Path(__file__).with_name("security.yaml").read_text())


def statements(page: str) -> Iterator[str]:
    """Its statements: the first cell of each row of a table, and each sentence elsewhere; no headings or code."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=[-|#] ?)", text):
        flat = " ".join(block.split())
        if flat.startswith("|"):
            cell = flat.strip("| ").split(" | ")[0]
            if cell != "what" and set(cell) - set("- |"):
                yield cell
        elif flat and not flat.startswith("#"):
            yield from re.split(r"(?<=[.:;]) (?=[A-Z`])", flat.removeprefix("- "))


def test_every_statement_has_its_tests() -> None:
    assert list(TESTS) == list(statements(PAGE.read_text()))


def defined(path: Path) -> Iterator[str]:
    """The tests of a file, those of a class with its name before."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def test_every_test_is_there() -> None:
    """A text instead of tests says why there are none: ``advice``, ``an introduction``."""
    named = {each for tests in TESTS.values() if not isinstance(tests, str) for each in tests}
    files = {each.partition("::")[0] for each in named}
    assert named - {f"{path}::{each}" for path in files for each in defined(ROOT / path)} == set()
    assert [statement for statement, tests in TESTS.items() if not tests] == []


READS = {
    "plan": ("plan", "-", "--release", "new", *AS_HELM),
    "snapshot": ("snapshot", "-", "--release", "new", *AS_HELM),
    "lint": ("lint", "-"),
    "orphans": ("orphans",),
    "verify": ("verify", "web"),
    "doctor": ("doctor", "--release", "web"),
    "flux": ("flux", "release.yaml", "--stream", "-"),
    "krm": ("krm", "--release", "new", *AS_HELM),
    "filter": ("--release", "gone", *AS_HELM, "--action", "install"),
}
"""Commands that change nothing, and the filter without a flag that lets it write."""


@pytest.mark.parametrize("command", READS)
def test_it_talks_to_the_server_alone_and_changes_and_keeps_nothing(
    command: str, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flux_release(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    addresses: list[Any] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        addresses.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    shirt = TABLE["streams"]["same"].encode()
    items = {"kind": "ResourceList", "apiVersion": "config.kubernetes.io/v1", "items": [yaml.safe_load(shirt)]}
    stdin = json.dumps(items).encode() if command == "krm" else shirt
    with Server() as server:
        fill(server, drift=True)
        config = kubeconfig(tmp_path, server.url)
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        where = () if command == "lint" else ("--kubeconfig", config)
        within = () if command in ("lint", "flux") else ("-n", "shop")
        done = play(*READS[command], *where, *within, stdin=stdin)
        asked = server.asked()
        here = urlsplit(server.url)
    # No Helm is on the path of this test, which doctor says; what is refused was looked up too.
    assert done.code in ((0, 2) if command == "doctor" else (0, 4, 10)), done
    assert {tuple(address)[:2] for address in addresses} <= {(here.hostname, here.port)}
    assert bool(asked) == (command != "lint")
    writes = [each for each in asked if each.method != "GET" and each.query.get("dryRun") != "All"]
    assert [each for each in writes if "/apis/authorization.k8s.io/" not in each.path] == []
    assert {path for path in tmp_path.rglob("*") if path.is_file()} - before == set()
