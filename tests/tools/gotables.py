"""What Go libraries do in their own tests: each call with its result, printed by a copy that was made to record it.

Nothing of the libraries is kept here: their source comes from Go's module cache, and the record is made once, in the
cache folder of ``assets``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.tools import assets

STRUCTURED_MERGE_DIFF = ("6.3.0", "6.3.2", "6.4.2")
"""The versions that Kubernetes 1.34, 1.36.0 and 1.37 are built from; 6.3.2 leaves something else of an emptied map."""
CLIENT_GO = "0.36.2"
"""Of this client-go the migration of field ownership."""

_SOURCES = Path(__file__).parent / "gotables"
_MARK = "@@"


def applies(version: str) -> dict[str, list[dict[str, Any]]]:
    """Each ``Updater.Apply`` by test of structured-merge-diff's package merge, in order."""
    return _calls(f"structured-merge-diff-{version}", lambda target: _record_applies(version, target))


def migrations() -> dict[str, list[dict[str, Any]]]:
    """Each ``upgradedManagedFields`` and ``FindFieldsOwners`` by test of client-go's package util/csaupgrade."""
    return _calls(f"csaupgrade-{CLIENT_GO}", _record_migrations)


def _calls(name: str, how: Any) -> dict[str, list[dict[str, Any]]]:
    source = (_SOURCES / "merge.go.txt").read_bytes() + (_SOURCES / "csaupgrade.go.txt").read_bytes()
    path = assets.made(f"{name}-{assets.digest(source)}.json", how)
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _record_applies(version: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        _copied(f"sigs.k8s.io/structured-merge-diff/v6@v{version}", "", place)
        _renamed(place / "merge" / "update.go", "func (s *Updater) Apply(", "func (s *Updater) applied(")
        shutil.copy(_SOURCES / "merge.go.txt", place / "merge" / "record.go")
        _recorded(place, "./merge", target)


def _record_migrations(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        _copied(f"k8s.io/client-go@v{CLIENT_GO}", "util/csaupgrade", place)
        _renamed(place / "upgrade.go", "func upgradedManagedFields(", "func migrated(")
        _renamed(place / "upgrade.go", "func FindFieldsOwners(", "func fieldsOwners(")
        _renamed(place / "upgrade_test.go", '"k8s.io/client-go/util/csaupgrade"', '"csaupgrade"')
        shutil.copy(_SOURCES / "csaupgrade.go.txt", place / "record.go")
        (place / "go.mod").write_text(f"module csaupgrade\nrequire k8s.io/client-go v{CLIENT_GO}\n")
        assets.go("mod", "tidy", cwd=place, GOFLAGS="-mod=mod")
        _recorded(place, ".", target)


def _copied(module: str, under: str, place: Path) -> None:
    found = json.loads(assets.go("mod", "download", "-json", module))
    shutil.copytree(Path(found["Dir"]) / under, place)
    for folder, _, names in os.walk(place):
        for each in (folder, *(os.path.join(folder, name) for name in names)):
            os.chmod(each, os.stat(each).st_mode | 0o200)


def _renamed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, f"{before} is not once in {path}"
    path.write_text(text.replace(before, after))


def _recorded(place: Path, package: str, target: Path) -> None:
    done = subprocess.run(
        ["go", "test", "-count=1", "-v", package],
        cwd=place,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise assets.BuildError(f"go test {package} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    calls: dict[str, list[Any]] = {}
    name = ""
    for line in done.stdout.splitlines():
        words = line.split()
        if words[:2] == ["===", "RUN"]:
            name = words[2]
            calls[name] = []
        elif line.startswith(_MARK):
            calls[name].append(json.loads(line.removeprefix(_MARK)))
    # A test that only runs others calls nothing itself.
    parents = {name for name in calls if any(other.startswith(f"{name}/") for other in calls)}
    target.write_text(json.dumps({name: made for name, made in calls.items() if made or name not in parents}))
