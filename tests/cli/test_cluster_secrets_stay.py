"""Secrets of a cluster, through every command that asks one, each format, each failure, and each record in memory."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from postrender._record import Record
from postrender.errors import PostrenderError
from tests.cli.test_hostile_corpus import AS_HELM, FORMATS, PLAN_FORMATS, Done, Play, kubeconfig, play
from tests.cli.test_secrets_stay import WORD, in_yaml, leaks, packed
from tests.cli.test_unpin import PINNED, put_back
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Server, status

__all__ = ["play"]

SHIRTS = b"""\
apiVersion: v1
kind: Secret
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
stringData: {a: hunter2-chart}
"""


def a_secret(name: str, owner: str, **fields: Any) -> dict[str, Any]:
    """A live Secret of a release, with its values in every place that holds them."""
    applied = json.dumps({"kind": "Secret", "apiVersion": "v1", "stringData": {"a": f"{WORD}-applied"}})
    annotations = {
        "meta.helm.sh/release-name": owner,
        "meta.helm.sh/release-namespace": "shop",
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "helm.sh/resource-policy": "keep",
    }
    metadata = {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": annotations}
    return an_object(SECRET, name, metadata=metadata, data={"a": packed(f"{WORD}-live")}, **fields)


def fill(server: Server) -> None:
    """A release ``web`` with drift in a Secret and a pin, and a Secret that the uninstalled release ``gone`` kept."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}}
    stored = [
        {**secret, "stringData": {"a": f"{WORD}-stored", "b": f"{WORD}-stored"}},
        {**json.loads(in_yaml()), "metadata": {"name": "manifests"}},
    ]
    manifest = PINNED + "".join(f"---\n{json.dumps(each)}\n" for each in stored)
    payload: dict[str, Any] = {
        "config": {"password": f"{WORD}-config"},
        "chart": {"values": {"password": f"{WORD}-values"}},
        "hooks": [{"manifest": f"password: {WORD}-hook"}],
        "info": {"status": "deployed", "notes": f"your password is {WORD}-notes"},
    }
    server.put(SECRET, a_revision("web", 4, "deployed", manifest=manifest, **payload))
    server.put(SECRET, a_secret("token", "web"), a_secret("kept", "gone"), a_secret("foreign", "web"))
    live = json.loads(in_yaml().replace(WORD, f"{WORD}-live"))
    owned = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    metadata = {"labels": labels, "annotations": owned}
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "manifests", data=live["data"], metadata=metadata))
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata=metadata))
    put_back(server)


def says(*texts: str) -> str:
    """A server's objection that repeats what it was sent, as a webhook's may."""
    return " ".join([f"the value {WORD}-live is weak, so is {packed(WORD + '-live')}", *texts])


def denies(code: int) -> Callable[[Server], None]:
    """Writes of Secrets are refused, dry runs too, with the values in the message and its details."""
    failed = {"name": "kept", "kind": "Secret", "causes": [{"field": "data.a", "message": says(), "reason": says()}]}

    def behave(server: Server) -> None:
        body = json.loads(status(code, "Invalid", says('Secret "kept" is invalid:')).body)
        reply = status(code, "Invalid", "")
        server.behaviours.insert(
            0,
            lambda request: (
                type(reply)(code, json.dumps({**body, "details": failed}).encode())
                if request.method != "GET" and "/secrets" in request.path
                else None
            ),
        )

    return behave


def odd_answers(server: Server) -> None:
    """The Secrets cannot be read as what they are: a list for data, and a payload that decodes to nothing."""
    for path, body in list(server.objects.items()):
        if "/secrets/" in path and "sh.helm" not in path:
            server.objects[path] = {**body, "data": [f"{WORD}-list"], "metadata": {**body["metadata"], "labels": WORD}}


def undecodable(server: Server) -> None:
    """The release's payload is text that cannot be decoded."""
    (path,) = (each for each in server.objects if "sh.helm" in each)
    server.objects[path] = {**server.objects[path], "data": {"release": packed(f"{WORD}-payload")}}


ANSWERS: Mapping[str, Callable[[Server], None]] = {
    "as it should": lambda _: None,
    "denied by a rule": denies(422),
    "denied by a webhook": denies(403),
    "a conflict": denies(409),
    "a fault": denies(500),
    "odd objects": odd_answers,
    "an undecodable payload": undecodable,
}


@contextmanager
def records_shown() -> Iterator[set[str]]:
    """The ``repr`` of every record that lives whenever a command prints something or puts an error into words."""
    shown: set[str] = set()
    looking: list[bool] = []

    def profile(frame: Any, event: str, _: object) -> None:
        name = frame.f_code.co_name
        if event != "call" or looking or name not in ("write", "to_stderr", "message"):
            return
        if "/postrender/" in frame.f_code.co_filename:
            looking.append(True)
            shown.update(repr(each) for each in gc.get_objects() if isinstance(each, Record | PostrenderError))
            looking.clear()

    sys.setprofile(profile)
    try:
        yield shown
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_command_shows_one(answer: str, play: Play, tmp_path: Path) -> None:
    said: dict[str, Done] = {}

    def note(*arguments: str, stdin: bytes = b"") -> None:
        said[" ".join(arguments)] = play(*arguments, *where, stdin=stdin)

    with Server() as server, records_shown() as shown:
        fill(server)
        ANSWERS[answer](server)
        where = ("-n", "shop", "--kubeconfig", kubeconfig(tmp_path, server.url), "--request-timeout", "5")
        for output in FORMATS if answer == "as it should" else FORMATS[:1]:
            note("orphans", "-o", output)
            note("verify", "web", "-o", output)
            note("verify", "--all", "-o", output)
            note("adopt", "new", "secrets/kept", "--dry-run", "-o", output)
            note("adopt", "web", "--dry-run", "-o", output)
            note("adopt", "new", "secrets/foreign", "--dry-run", "-o", output)
        release = ("--release", "new", *AS_HELM, "--action", "install")
        for output in PLAN_FORMATS if answer == "as it should" else FORMATS[:1]:
            note("plan", "-", *release, "-o", output, "--adopt", "orphans", "--verbose", stdin=SHIRTS)
        note("doctor", "--release", "web", "-f", "-", stdin=SHIRTS)
        note("snapshot", "-", *release, stdin=SHIRTS)
        note("verify", "web", "--fix", "--yes")
        note("adopt", "new", "secrets/kept", "--yes", "--report", str(tmp_path / "adopted.json"))
        note("adopt", "--undo", str(tmp_path / "adopted.json"), "--yes")
        backup = tmp_path / "backup.json"
        note("unpin", "web", "--backup", str(backup))
        note("unserved", "web", "--fix", "-v")
        note("rename", "web", "next", "--dry-run", "-v", "--with-changes")
        note("forget", "web", "--dry-run", "-v")
        note("move", "--all", "--from", "web", "--to", "next", "--yes", "-v")
        listed = {"kind": "ResourceList", "apiVersion": "config.kubernetes.io/v1", "items": []}
        note("krm", *release, stdin=json.dumps(listed).encode())
        for flag in ("--adopt=orphans", "--on-drift=apply"):
            report = tmp_path / f"report{flag}.json"
            done = play(*where, *release, flag, "--report", str(report), stdin=SHIRTS)
            said[f"filter {flag}"] = Done(done.code, report.read_text(), done.err)
        asked = [each for each in server.asked() if "/secrets/" in each.path]
    files = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path != backup}
    assert asked
    assert {what: found for what, done in said.items() if (found := leaks(done.out, done.err))} == {}
    assert {name: found for name, text in files.items() if (found := leaks(text))} == {}
    assert len(shown) > 20
    assert {text.partition("(")[0]: leaks(text) for text in shown if leaks(text)} == {}
    if answer == "as it should":
        # There is no Helm on the path of this test, which doctor says.
        codes = {what: done.code for what, done in said.items() if not what.startswith("doctor")}
        assert {what: code for what, code in codes.items() if code not in (0, 4, 10)} == {}
