"""Saved plans and snapshots in which something was changed, taken out or cut off: an error to read, never a fault."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from postrender.cli.saved_plan import SavedPlan, hold
from postrender.cluster.snapshot_file import load
from postrender.errors import PostrenderError, UsageError
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import ReleaseName
from postrender.operations.filter.pipeline import filter_stream, plan_stream
from postrender.planner.compare import differences
from postrender.planner.policy import Adopt, Policy
from tests.browser.scenario import write
from tests.cli.test_plan import CONFIG, live_file, ours, stored
from tests.cli.test_plan_held import NEW, saved
from tests.cli.test_snapshot import snapshot

OTHERS: tuple[Any, ...] = (None, [], {}, "x", 7, True, [1], {"a": [None]})
RUN = Invocation(HelmVersion(3, 21, 4), Action.INSTALL, ReleaseName("shop", "shop"))


def tampered(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with each of its parts replaced by something else, or taken out, and where."""
    for path in _paths(value):
        for other in (*OTHERS, KeyError):
            changed = copy.deepcopy(value)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            if other is KeyError:
                del inside[path[-1]]
            else:
                inside[path[-1]] = other
            yield f"{path}: {other!r}", changed


def _paths(value: Any) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in entries:
        yield (key,)
        yield from ((key, *path) for path in _paths(each))


def cut(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes, cut off at many places."""
    for length in range(0, len(data), max(1, len(data) // 60)):
        yield f"cut after {length} bytes", data[:length]


def test_a_saved_plan(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    path = saved(tmp_path, NEW, live)
    whole = json.loads(Path(path).read_text())
    honest = hold(path, {})
    tried = refused = 0
    dead_ends: list[str] = []
    files = [(where, json.dumps(each).encode()) for where, each in tampered(whole)]
    for where, data in [*files, *cut(Path(path).read_bytes())]:
        tried += 1
        Path(path).write_bytes(data)
        try:
            found = hold(path, {})
            assert isinstance(found, SavedPlan)
            differences(found.saved, honest.saved)
            differences(honest.saved, found.saved)
        except UsageError as error:
            refused += 1
            dead_ends += [] if error.next else [where]
        except Exception as error:
            pytest.fail(f"{where}: {error!r}")
    assert dead_ends == []
    assert tried > 500
    assert refused > 100


def test_a_snapshot(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    taken = snapshot(stream, str(live), "--with-secrets")
    documents = list(yaml.safe_load_all(taken))
    path = tmp_path / "taken.yaml"
    policy = Policy(adopt=frozenset(Adopt))
    tried = refused = 0
    dead_ends: list[str] = []
    files: list[tuple[str, bytes]] = []
    for place, document in enumerate(documents):
        for where, each in tampered(document):
            changed = [*documents[:place], each, *documents[place + 1 :]]
            files.append((f"document {place}, {where}", "\n---\n".join(map(json.dumps, changed)).encode()))
    for where, data in [*files[:: max(1, len(files) // 500)], *cut(taken)]:
        tried += 1
        path.write_bytes(data)
        try:
            source = load(str(path))
            plan_stream(stream.read_bytes(), RUN, policy, source)
            filter_stream(stream.read_bytes(), RUN, policy, source)
        except PostrenderError as error:
            refused += 1
            dead_ends += [] if error.next else [f"{where}: {error}"]
        except Exception as error:
            pytest.fail(f"{where}: {error!r}")
    assert dead_ends == []
    assert tried > 500
    assert refused > 50
