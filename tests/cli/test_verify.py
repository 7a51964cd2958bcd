"""``postrender verify`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import base64
import json
import re
from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.terminal import on_a_terminal
from tests.cli.test_filter import refused, run
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Server, status

Cluster = tuple[str, str]

OWNED = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
}
STORED = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {password: planted-4711}
---
apiVersion: stable.example.com/v1
kind: Shirt
metadata: {name: shirt, resourceVersion: "7"}
spec: {color: blue}
"""


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def release(server: Server) -> None:
    """A release whose objects are as stored."""
    server.put(SECRET, a_revision("web", 4, "deployed", manifest=STORED))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "1", "b": "2", "c": "theirs"}, metadata=OWNED))
    server.put(SECRET, an_object(SECRET, "token", data={"password": b64("planted-4711")}, metadata=OWNED))
    server.put(SHIRT, an_object(SHIRT, "shirt", spec={"color": "blue"}, metadata=OWNED))


def drift(server: Server) -> None:
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "9", "c": "theirs"}, metadata=OWNED))
    server.put(SECRET, an_object(SECRET, "token", data={"password": b64("planted-0815")}, metadata=OWNED))
    del server.objects[SHIRT.path("shop", "shirt")]


@pytest.mark.usefixtures("release")
def test_all_in_sync(server: Server, cluster: Cluster) -> None:
    done = run("verify", "web", *cluster, stdin=b"")
    flag = " ".join(cluster)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        "release shop/web, revision 4 (deployed)\n"
        "  shirts.stable.example.com/shop/shirt  in sync, pinned\n"
        "3 objects: 3 in sync\n"
        f"hint: postrender unpin web -n shop {flag}\n"
    )
    assert (
        "  configmaps/shop/settings              in sync\n"
        "  secrets/shop/token                    in sync\n"
        "  shirts.stable.example.com/shop/shirt  in sync, pinned\n"
    ) in run("verify", "web", "-v", *cluster, stdin=b"").stdout.decode()
    wide = run("verify", "web", "-o", "wide", *cluster, stdin=b"").stdout
    assert wide == run("verify", "web", "--verbose", *cluster, stdin=b"").stdout
    assert run("verify", "web", "-o", "name", *cluster, stdin=b"").stdout == b""
    assert {each.method for each in server.asked()} == {"GET"}


@pytest.mark.usefixtures("release")
def test_what_differs_is_shown_and_secret_values_are_not(server: Server, cluster: Cluster) -> None:
    drift(server)
    done = run("verify", "web", "--detailed-exitcode", *cluster, stdin=b"")
    flag = " ".join(cluster)
    assert (done.returncode, done.stderr) == (10, b"")
    text = re.sub(r"digest:[0-9a-f:]+", "DIGEST", done.stdout.decode())
    assert text == (
        "release shop/web, revision 4 (deployed)\n"
        "  configmaps/shop/settings              drifted\n"
        '      - data.a: "9"\n'
        '      + data.a: "1"\n'
        '      + data.b: "2"\n'
        "  secrets/shop/token                    drifted\n"
        '      - data.password: "DIGEST"\n'
        '      + data.password: "DIGEST"\n'
        "  shirts.stable.example.com/shop/shirt  missing, pinned\n"
        "3 objects: 0 in sync, 2 drifted, 1 missing\n"
        f"hint: postrender verify web -n shop {flag} --fix\n"
        f"hint: postrender unpin web -n shop {flag}\n"
    )
    assert {each.query.get("dryRun") for each in server.asked("(PATCH|POST) .*")} == {"All"}
    for output in ("json", "yaml"):
        said = run("verify", "web", "-o", output, *cluster, stdin=b"").stdout
        for value in ("planted", b64("planted-4711"), b64("planted-0815")):
            assert value.encode() not in said + done.stdout


@pytest.mark.usefixtures("release")
def test_a_removed_api_is_shown_with_the_command_that_fixes_it(server: Server, cluster: Cluster) -> None:
    server.served.remove(SHIRT)
    done = run("verify", "web", *cluster, stdin=b"")
    flag = " ".join(cluster)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        "release shop/web, revision 4 (deployed)\n"
        "  shirts.stable.example.com/shop/shirt  missing, pinned\n"
        "      its API is no longer served\n"
        f"    hint: postrender unserved web -n shop {flag}\n"
        "3 objects: 2 in sync, 1 missing\n"
        f"hint: postrender unpin web -n shop {flag}\n"
    )


@pytest.mark.usefixtures("release")
def test_json_and_yaml_are_as_the_schema_says(server: Server, cluster: Cluster) -> None:
    drift(server)
    environ = {"POSTRENDER_DIGEST_KEY": "0123456789abcdef"}
    data = json.loads(run("verify", "web", "-o", "json", *cluster, stdin=b"", environ=environ).stdout)
    assert yaml.safe_load(run("verify", "web", "-o", "yaml", *cluster, stdin=b"", environ=environ).stdout) == data
    valid(data)
    assert data["summary"] == {
        "inSync": 0,
        "drifted": 2,
        "missing": 1,
        "someoneElses": 0,
        "deleting": 0,
        "unknown": 0,
        "pinned": 1,
    }
    assert data["objects"][0]["changes"] == [
        {"op": "replace", "path": ["data", "a"], "live": "9", "stored": "1"},
        {"op": "add", "path": ["data", "b"], "live": None, "stored": "2"},
    ]


def valid(data: Any) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/verify.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.usefixtures("release")
def test_every_release_as_one_table(server: Server, cluster: Cluster) -> None:
    drift(server)
    server.put(SECRET, a_revision("empty", 1, "deployed", manifest=""), a_revision("gone", 1, "uninstalled"))
    broken = a_revision("broken", 2, "deployed")
    broken["data"] = {"release": "bm90aGluZw=="}
    server.put(SECRET, broken)
    done = run("verify", "--all", *cluster, stdin=b"")
    assert done.returncode == 5
    lines = done.stdout.decode().splitlines()
    assert lines[:2] == [
        "RELEASE      REVISION  OBJECTS  STATE",
        f"shop/broken                     unknown: its stored revisions could not be read from "
        f"context dev ({server.url}): "
        "secrets/shop/sh.helm.release.v1.broken.v2 cannot be decoded, so whether the release is installed is unknown: "
        "revision 2 of release shop/broken cannot be read: it is not base64",
    ]
    assert lines[-3:] == [
        "shop/empty          1        0  in sync",
        "shop/web            4        3  2 drifted, 1 missing, 1 pinned",
        "3 releases, 1 in sync",
    ]
    assert run("verify", "--all", "-q", *cluster, stdin=b"").stdout == b"shop/broken\nshop/web\n"
    data = json.loads(run("verify", "--all", "-A", "-o", "json", *cluster, stdin=b"").stdout)
    valid(data)
    assert [each["release"]["name"] for each in data["releases"]] == ["empty", "web"]
    assert [each["release"]["name"] for each in data["failed"]] == ["broken"]


@pytest.mark.usefixtures("release")
def test_a_fix_is_made_after_asking(server: Server, cluster: Cluster) -> None:
    drift(server)
    before = dict(server.objects)
    code, seen = on_a_terminal("verify", "web", "--fix", *cluster, typed=b"no\n")
    assert code == 4
    assert b"write to 3 objects of context dev" in seen
    assert b"not confirmed; nothing was written" in seen
    assert server.objects == before
    code, seen = on_a_terminal("verify", "web", "--fix", *cluster, typed=b"y\n")
    assert code == 0
    assert b"shirts.stable.example.com/shop/shirt: made" in seen
    assert server.objects[CONFIG_MAP.path("shop", "settings")]["data"] == {"a": "1", "b": "2", "c": "theirs"}
    assert server.objects[SHIRT.path("shop", "shirt")]["spec"] == {"color": "blue"}
    written = [each for each in server.asked("(PATCH|POST) .*") if "dryRun" not in each.query]
    assert {each.query["fieldManager"] for each in written} == {"helm"}
    assert [json.loads(each.body)["metadata"].get("resourceVersion") for each in written] == ["7", "7", None]


@pytest.mark.usefixtures("release")
def test_a_fix_without_a_terminal_needs_yes(server: Server, cluster: Cluster) -> None:
    drift(server)
    assert refused(run("verify", "web", "--fix", *cluster, stdin=b""), 2) == (
        "error: cannot prompt for confirmation: stdin is not a terminal\n"
        f"hint: postrender verify web --fix {' '.join(cluster)} --yes\n"
    )
    assert server.asked() == []
    assert run("verify", "web", "--fix", "--yes", *cluster, stdin=b"").returncode == 0
    assert run("verify", "web", *cluster, stdin=b"").returncode == 0


@pytest.mark.usefixtures("release")
def test_a_fix_while_a_helm_is_at_work(server: Server, cluster: Cluster) -> None:
    drift(server)
    server.put(SECRET, a_revision("web", 5, "pending-upgrade", manifest=STORED))
    done = run("verify", "web", "--fix", "--yes", *cluster, stdin=b"")
    flag = " ".join(cluster)
    assert done.returncode == 4
    assert done.stderr.decode() == (
        "error: release shop/web: has a pending operation (revision 5, pending-upgrade); another helm process may be "
        f"running. Nothing was changed\nhint: helm history web -n shop {flag}\nnote: if no helm process is running\n"
        f"hint: helm rollback web -n shop {flag}\n"
    )
    assert {each.query.get("dryRun") for each in server.asked("(PATCH|POST) .*")} == {"All"}


@pytest.mark.usefixtures("release")
def test_a_fix_that_is_refused_says_what_was_written(server: Server, cluster: Cluster) -> None:
    drift(server)
    server.on(
        "PATCH .*/secrets/.*",
        lambda request: None if "dryRun" in request.query else status(409, "Conflict", "the object has been modified"),
    )
    done = run("verify", "web", "--fix", "--yes", *cluster, stdin=b"")
    assert done.returncode == 5
    assert done.stderr.decode() == (
        "error: secrets/shop/token: it changed since it was read, so it was not restored to the stored "
        "manifest: the "
        "object has been modified; written before it: configmaps/shop/settings\n"
        f"hint: postrender verify web --fix --yes {' '.join(cluster)}\n"
        f"hint: kubectl get secrets token -o yaml -n shop {' '.join(cluster)}\n"
    )


@pytest.mark.usefixtures("release")
def test_what_the_server_quotes_of_a_secret_is_not_shown(server: Server, cluster: Cluster) -> None:
    drift(server)
    said = f"data.password: Invalid value: {b64('planted-4711')} instead of planted-0815"
    server.on("PATCH .*/secrets/.*", status(422, "Invalid", said))
    done = run("verify", "web", *cluster, stdin=b"")
    assert b"it is not valid" in b" ".join(done.stdout.split())
    server.behaviours.clear()
    server.on(
        "PATCH .*/secrets/.*", lambda request: None if "dryRun" in request.query else status(422, "Invalid", said)
    )
    done = run("verify", "web", "--fix", "--yes", *cluster, stdin=b"")
    assert done.returncode == 5
    assert b"it is not valid" in done.stderr
    assert b"planted" not in done.stdout + done.stderr


@pytest.mark.usefixtures("release")
def test_what_is_not_this_releases_own(server: Server, cluster: Cluster) -> None:
    server.put(SECRET, a_revision("other", 1, "deployed"))
    theirs = {**OWNED, "annotations": {**OWNED["annotations"], "meta.helm.sh/release-name": "other"}}
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "9"}, metadata=theirs))
    gone = {**OWNED, "annotations": {**OWNED["annotations"], "meta.helm.sh/release-name": "gone"}}
    server.put(SECRET, an_object(SECRET, "token", data={}, metadata=gone))
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata={**OWNED, "deletionTimestamp": "2026-09-14T10:00:00Z"}))
    done = run("verify", "web", "--fix", "--yes", "--detailed-exitcode", *cluster, stdin=b"")
    assert done.returncode == 10
    assert done.stdout.decode() == (
        "release shop/web, revision 4 (deployed)\n"
        "  configmaps/shop/settings              someone else's\n"
        "      it is owned by installed release shop/other\n"
        "    hint: postrender explain PR101\n"
        "  secrets/shop/token                    someone else's\n"
        "      it names uninstalled release shop/gone as its owner\n"
        f"    hint: postrender adopt web -n shop {' '.join(cluster)} secrets/shop/token\n"
        "  shirts.stable.example.com/shop/shirt  being deleted, pinned\n"
        "3 objects: 0 in sync, 2 someone else's, 1 being deleted\n"
        f"hint: postrender unpin web -n shop {' '.join(cluster)}\n"
    )
    assert server.asked("(PATCH|POST) .*") == []


@pytest.mark.usefixtures("release")
def test_what_could_not_be_read_is_unknown(server: Server, cluster: Cluster) -> None:
    server.on("GET .*/shirts/.*", status(403, "Forbidden", "no"))
    done = run("verify", "web", *cluster, stdin=b"")
    assert done.returncode == 5
    assert (
        "  shirts.stable.example.com/shop/shirt  unknown, pinned\n"
        "      no right to get shirts.stable.example.com (403): no\n"
        "    hint: kubectl auth can-i get shirts.stable.example.com/shirt -n shop"
    ) in done.stdout.decode()


@pytest.mark.usefixtures("release")
def test_who_may_not_write_is_told_what_the_manifest_says(server: Server, cluster: Cluster) -> None:
    drift(server)
    server.on("(PATCH|POST) .*", status(403, "Forbidden", "no"))
    done = run("verify", "web", *cluster, stdin=b"")
    assert done.returncode == 0
    text = " ".join(done.stdout.decode().split())
    assert (
        "not confirmed by the server: it could not be restored to the stored manifest (tried as a dry run): no right"
        in text
    )
    assert '- data.a: "9" + data.a: "1"' in text
    assert "--fix" not in text


@pytest.mark.parametrize(
    ("revisions", "note"),
    [
        ([(1, "failed")], "no revision is deployed; revision 1 (failed) is compared"),
        ([(1, "deployed"), (2, "failed")], "revision 2 is failed; revision 1, the deployed one, is compared"),
    ],
)
def test_which_revision_is_compared(
    server: Server, cluster: Cluster, revisions: list[tuple[int, str]], note: str
) -> None:
    server.put(SECRET, *(a_revision("web", *each, manifest="") for each in revisions))
    done = run("verify", "web", *cluster, stdin=b"")
    assert done.returncode == 0
    assert f"  note: {note}\n" in done.stdout.decode()


def test_a_release_that_is_not_stored(server: Server, cluster: Cluster) -> None:
    assert refused(run("verify", "nothing", *cluster, stdin=b""), 2) == (
        f"error: release shop/nothing: no revision of it is stored in context dev ({server.url}) (driver secret)\n"
        f"hint: helm list --deployed --failed --pending -n shop {' '.join(cluster)}\n"
        "note: if Helm runs with HELM_DRIVER=configmap\n"
        f"hint: postrender verify nothing {' '.join(cluster)} --driver configmap\n"
    )
    server.put(SECRET, a_revision("old", 1, "uninstalled"))
    assert refused(run("verify", "old", *cluster, stdin=b""), 2) == (
        "error: release shop/old: it is uninstalled, and only its history is kept\n"
        f"hint: postrender orphans -n shop {' '.join(cluster)}\n"
    )


def test_a_manifest_that_cannot_be_read(server: Server, cluster: Cluster) -> None:
    server.put(SECRET, a_revision("web", 1, "deployed", manifest="a: [\n"))
    message = refused(run("verify", "web", *cluster, stdin=b""), 3)
    assert message.startswith("error: release shop/web: its stored manifest cannot be read: ")
    assert message.endswith(f"hint: helm get manifest web -n shop {' '.join(cluster)}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one release, or all\nhint: postrender verify --all\n"),
        (
            ("web", "--all"),
            "name one release, or all\nhint: postrender verify --all\n",
        ),
        (("web", "-A"), "--all-namespaces goes with --all\nhint: postrender verify --all --all-namespaces\n"),
        (
            ("--all", "--fix"),
            "--fix works on one release and prints text\nhint: postrender verify --help\n",
        ),
        (("Web!",), "RELEASE: 'Web!' is no name for a release\n"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run("verify", *arguments, stdin=b""), 2).startswith(f"error: {message.partition(' is no ')[0]}")
