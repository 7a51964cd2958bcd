"""``postrender unpin`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.kinds import SECRET, SHIRT, a_revision
from tests.wire.server import Server, ok, status

ROOT = Path(__file__).parents[2]
PINNED = """\
---
apiVersion: stable.example.com/v1
kind: Shirt
metadata:
  resourceVersion: "237"
  name: shirt
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def put_back(server: Server) -> None:
    """The server takes updates, guarded by the resourceVersion if they have one."""

    def update(request: object) -> object:
        body = json.loads(request.body)  # type: ignore[attr-defined]
        path = request.path  # type: ignore[attr-defined]
        stored = server.objects[path]["metadata"]
        if body["metadata"].get("resourceVersion") not in (None, stored["resourceVersion"]):
            return status(409, "Conflict", "the object has been modified")
        version = str(int(stored["resourceVersion"]) + 1)
        kept = {name: stored[name] for name in ("uid", "namespace") if name in stored}
        server.objects[path] = {**body, "metadata": {**kept, **body["metadata"], "resourceVersion": version}}
        return ok(server.objects[path])

    server.on("PUT .*", update)  # type: ignore[arg-type]


def unpin(server: Server, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("POSTRENDER_", "HELM_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "postrender", "unpin", *arguments, "--kube-apiserver", server.url, "-n", "shop"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**clean, "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")},
        check=False,
    )


def test_each_revision_is_told_and_the_copy_is_the_users_alone(server: Server, tmp_path: Path) -> None:
    put_back(server)
    server.put(SECRET, a_revision("old", 1, "superseded"), a_revision("old", 2, "deployed", manifest=PINNED))
    done = unpin(server, tmp_path, "old")
    assert (done.returncode, done.stderr) == (0, "")
    (copy,) = (tmp_path / "state/postrender/releases").glob("shop-old-*.json")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert done.stdout == (
        f"postrender: release shop/old, API server ({server.url})\n"
        "  revision 2 (deployed): 1 resourceVersion removed\n"
        "    - shirts.stable.example.com/shop/shirt (resourceVersion 237)\n"
        "  2 revisions, 1 changed.\n"
        "note: to restore the old revisions\n"
        f"hint: kubectl replace -f {copy}\n"
    )
    assert unpin(server, tmp_path, "old", "-q").stdout == ""
    assert "  revision 1 (superseded): no resourceVersion\n" in unpin(server, tmp_path, "old", "-v").stdout
    again = unpin(server, tmp_path, "old")
    assert again.stdout.endswith("  2 revisions, none contains a resourceVersion. Nothing was written.\n")
    assert len(server.asked("PUT .*")) == 1


def test_a_kind_that_is_not_served_any_more_still_has_a_name(server: Server, tmp_path: Path) -> None:
    server.served.remove(SHIRT)
    server.put(SECRET, a_revision("old", 1, "deployed", manifest=PINNED))
    assert "    - shirts.stable.example.com/shop/shirt (" in unpin(server, tmp_path, "old", "--dry-run").stdout


def test_a_pending_revision_may_get_its_pins_back(server: Server, tmp_path: Path) -> None:
    server.put(SECRET, a_revision("old", 1, "pending-upgrade", manifest=PINNED))
    assert ("      it is pending-upgrade: a running Helm may write them again; if so, run this again\n") in unpin(
        server, tmp_path, "old", "--dry-run"
    ).stdout


def test_no_such_release(server: Server, tmp_path: Path) -> None:
    done = unpin(server, tmp_path, "old")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: release shop/old: no revision of it is stored in API server ({server.url}) (driver secret)\n"
        f"hint: helm list --deployed --failed --pending -n shop --kube-apiserver {server.url}\n"
        "note: if Helm runs with HELM_DRIVER=configmap\n"
        f"hint: postrender unpin old --kube-apiserver {server.url} -n shop --driver configmap\n"
    )


def test_no_name_of_a_release(server: Server, tmp_path: Path) -> None:
    done = unpin(server, tmp_path, "Old")
    assert done.returncode == 2
    assert done.stderr == (
        "error: RELEASE: 'Old' is no release name: it takes lower-case letters, digits, - and ., "
        "at most 53 of them\nhint: postrender unpin --help\n"
    )


def test_no_right_to_read(server: Server, tmp_path: Path) -> None:
    server.on("GET /api/v1/namespaces/shop/secrets", status(403, "Forbidden", "you cannot"))
    done = unpin(server, tmp_path, "old")
    assert done.returncode == 5
    assert done.stderr == (
        f"error: release shop/old: its stored revisions could not be read from API server ({server.url}): "
        "no right to list secrets (403): you cannot\n"
        "hint: kubectl auth can-i list secrets -n shop\n"
    )


def test_a_payload_that_cannot_be_edited_ends_it_before_anything_is_written(server: Server, tmp_path: Path) -> None:
    server.put(SECRET, a_revision("old", 1, "superseded", manifest=PINNED))
    server.put(SECRET, a_revision("old", 2, "deployed", manifest="a: ["))
    done = unpin(server, tmp_path, "old")
    assert done.returncode == 5
    assert done.stderr.startswith(
        "error: release shop/old: cannot remove the resourceVersion from revision 2, and nothing was written: "
    )
    assert done.stderr.endswith(
        f"hint: helm get manifest old --revision 2 -n shop --kube-apiserver {server.url}\n"
        "hint: kubectl get secrets sh.helm.release.v1.old.v2 -o yaml -n shop\n"
    )
    assert server.asked("PUT .*") == []


def test_a_copy_that_cannot_be_written_ends_it_before_anything_is_written(server: Server, tmp_path: Path) -> None:
    server.put(SECRET, a_revision("old", 1, "deployed", manifest=PINNED))
    taken = tmp_path / "taken.json"
    taken.write_text("mine")
    done = unpin(server, tmp_path, "old", "--backup", str(taken))
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {taken}: cannot write the backup, so nothing was changed: File exists\n"
        f"hint: postrender unpin old --kube-apiserver {server.url} -n shop --backup taken.json\n"
    )
    assert taken.read_text() == "mine"
    assert server.asked("PUT .*") == []


def test_a_conflict_says_what_was_written_before(server: Server, tmp_path: Path) -> None:
    put_back(server)
    server.put(SECRET, *(a_revision("old", each, "superseded", manifest=PINNED) for each in (1, 2)))
    server.behaviours.insert(
        0,
        lambda request: (
            status(409, "Conflict", "the object has been modified")
            if request.method == "PUT" and request.path.endswith(".v2")
            else None
        ),
    )
    copy = tmp_path / "old.json"
    done = unpin(server, tmp_path, "old", "--backup", str(copy))
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr == (
        "error: secrets/shop/sh.helm.release.v1.old.v2: it changed since it was read, so it was not given a new "
        "payload for revision 2: the object has been modified; written before it: revision 1; the old payloads are in "
        f"{copy}\n"
        f"hint: postrender unpin old --kube-apiserver {server.url} -n shop --backup {copy.with_name('old-2.json')}\n"
        "hint: kubectl get secrets sh.helm.release.v1.old.v2 -o yaml -n shop\n"
    )
    assert len(json.loads(copy.read_text())["items"]) == 2


def test_a_database_cannot_be_written(server: Server, tmp_path: Path) -> None:
    done = unpin(server, tmp_path, "old", "--driver", "sql")
    assert done.returncode == 5
    assert "HELM_DRIVER=sql keeps releases in a database, where they cannot be read" in done.stderr
