"""``postrender forget`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import stat
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.test_filter import run
from tests.cli.test_move import MANAGED, NAME, OTHER, POLICY, SETTINGS, SPACE, at, config, metadata, of, owned
from tests.cli.test_unpin import put_back
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision, an_object
from tests.wire.server import Reply, Request, Server, ok, status

REVISIONS = [SECRET.path("shop", f"sh.helm.release.v1.old.v{number}") for number in (1, 2)]


def take_deletions(server: Server) -> None:
    """The server deletes, and requires that the object is held by its uid and resourceVersion."""

    def delete(request: Request) -> Reply:
        held = json.loads(request.body)["preconditions"]
        stored = server.objects.pop(request.path)["metadata"]
        assert held == {"uid": stored["uid"], "resourceVersion": stored["resourceVersion"]}
        return ok({"kind": "Status", "status": "Success"})

    server.on("DELETE .*", delete)


@pytest.fixture
def live(server: Server) -> Server:
    """A release of two revisions, with an object that it keeps and one that it does not."""
    put_back(server)
    take_deletions(server)
    manifest = config("settings") + config("other")
    server.put(
        SECRET,
        a_revision("old", 1, "superseded", manifest=config("settings")),
        a_revision("old", 2, "deployed", manifest=manifest),
    )
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "1"}, metadata=owned("old")))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "other", metadata=owned("old", **{POLICY: "keep"})))
    return server


@pytest.fixture
def forget(cluster: tuple[str, str], tmp_path: Path) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        done = run("forget", *arguments, *cluster, stdin=b"", environ={"XDG_STATE_HOME": str(tmp_path / "state")})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


def writes(server: Server) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.asked("(PATCH|PUT|DELETE) .*|POST .*/secrets")]


def comparable(objects: dict[str, Any]) -> dict[str, Any]:
    left_out = ("resourceVersion", "uid", "creationTimestamp")
    return {
        path: {**each, "metadata": {key: value for key, value in each["metadata"].items() if key not in left_out}}
        for path, each in objects.items()
    }


def test_the_records_go_and_the_objects_stay(live: Server, forget: Any, tmp_path: Path) -> None:
    before = json.loads(json.dumps(live.objects))
    file = tmp_path / "record.json"
    code, out, err = forget("old", "--yes", "--record", str(file))
    assert (code, err) == (0, "")
    assert out == (
        f"forget release shop/old, context dev ({live.url})\n"
        "  configmaps/shop/settings\n"
        f"      - {MANAGED}: Helm\n      - {NAME}: old\n      - {SPACE}: shop\n"
        "  configmaps/shop/other\n"
        f"      - {MANAGED}: Helm\n      - {NAME}: old\n      - {SPACE}: shop\n"
        "  sh.helm.release.v1.old.v1: deleted\n"
        "  sh.helm.release.v1.old.v2: deleted\n"
        "2 revisions deleted, metadata of 2 objects removed\n"
        "note: to bring the release back\n"
        f"hint: postrender forget --undo {file} --kubeconfig {tmp_path / 'kubeconfig'}\n"
    )
    assert writes(live) == [f"PATCH {SETTINGS}", f"PATCH {OTHER}", *(f"DELETE {path}" for path in REVISIONS)]
    assert (metadata(live, SETTINGS), metadata(live, OTHER)) == ({}, {POLICY: "keep"})
    assert live.objects[SETTINGS]["data"] == {"a": "1"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    live.requests.clear()
    code, out, err = forget("--undo", str(file), "--yes")
    assert (code, err) == (0, "")
    assert out.endswith("2 revisions created, metadata of 2 objects restored\n")
    assert [json.loads(each.body)["metadata"]["name"] for each in live.asked("POST .*/secrets")] == [
        "sh.helm.release.v1.old.v2",
        "sh.helm.release.v1.old.v1",
    ]
    assert comparable(live.objects) == comparable(before)
    assert forget("--undo", str(file), "--yes")[1].endswith("nothing to be written\n")


def test_the_metadata_may_stay(live: Server, forget: Any) -> None:
    assert forget("old", "--yes", "--keep-metadata")[0] == 0
    assert writes(live) == [f"DELETE {path}" for path in REVISIONS]
    assert metadata(live, SETTINGS) == of("old")


def test_a_dry_run_writes_nothing_and_the_report_has_a_schema(live: Server, forget: Any, tmp_path: Path) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/forget.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    code, out, _ = forget("old", "--dry-run")
    assert (code, writes(live)) == (0, [])
    assert out.endswith("to do: 2 revisions deleted, metadata of 2 objects removed; nothing was written (--dry-run)\n")
    jsonschema.validate(json.loads(forget("old", "--dry-run", "-o", "json")[1]), schema)
    assert not list((tmp_path / "state" / "postrender" / "forget").glob("*.json"))


@pytest.mark.parametrize("place", range(4))
def test_interrupted_it_is_gone_on_with_or_undone(live: Server, forget: Any, tmp_path: Path, place: int) -> None:
    before = json.loads(json.dumps(live.objects))
    request = (f"PATCH {SETTINGS}", f"PATCH {OTHER}", *(f"DELETE {path}" for path in REVISIONS))[place]
    at(live, request, status(500, "InternalError", "out of order"), times=1)
    code, out, err = forget("old", "--yes")
    assert (code, out) == (5, "")
    assert "run the same command again to go on" in " ".join(err.split())
    between = json.loads(json.dumps(live.objects))
    assert forget("old", "--yes")[0] == 0
    assert not set(REVISIONS) & set(live.objects)
    assert (metadata(live, SETTINGS), metadata(live, OTHER)) == ({}, {POLICY: "keep"})
    (file,) = (tmp_path / "state" / "postrender" / "forget").glob("*.json")
    assert forget("--undo", str(file), "--yes")[0] == 0
    assert comparable(live.objects) == comparable(before)
    live.objects = between
    assert forget("--undo", str(file), "--yes")[0] == 0
    assert comparable(live.objects) == comparable(before)


def test_a_release_is_not_brought_back_over_another_one(
    live: Server, forget: Any, cluster: tuple[str, str], tmp_path: Path
) -> None:
    file = str(tmp_path / "record.json")
    assert forget("old", "--yes", "--record", file)[0] == 0
    live.objects[SETTINGS]["metadata"].update(owned("next"))
    live.put(SECRET, a_revision("next", 1, "deployed", manifest=config("settings")))
    live.put(SECRET, a_revision("old", 1, "deployed", manifest=config("other")))
    live.requests.clear()
    code, _, err = forget("--undo", file, "--yes")
    assert code == 4
    assert err == (
        "error: release shop/old: its revision 1 is another one by now\n"
        "configmaps/shop/settings: owned by release shop/next (PR101)\n"
        "configmaps/shop/settings: release shop/next has it in its stored manifest (PR101)\n"
        f"nothing was written\nhint: helm list --deployed --failed --pending -n shop {' '.join(cluster)}\n"
    )
    assert writes(live) == []


def test_a_release_at_which_a_helm_works_is_refused(live: Server, forget: Any) -> None:
    live.put(SECRET, a_revision("old", 3, "pending-upgrade"))
    code, _, err = forget("old", "--yes")
    assert code == 4
    assert (
        "release shop/old: has a pending operation (revision 3, pending-upgrade); another helm process may be "
        "running. Nothing was changed\n" in err
    )
    assert writes(live) == []


def test_rights_that_are_missing_are_named_before_the_first_write(live: Server, forget: Any) -> None:
    live.on("POST .*selfsubjectaccessreviews", ok({"status": {"allowed": False}}))
    code, _, err = forget("old", "--yes")
    assert code == 5
    assert (
        "no right to delete secrets in namespace shop, to patch configmaps in namespace shop; nothing was written"
        in err
    )
    assert writes(live) == []


@pytest.mark.parametrize("arguments", [(), ("old", "--undo", "x")])
def test_one_of_release_and_record_is_needed(forget: Any, arguments: tuple[str, ...]) -> None:
    code, _, err = forget(*arguments, "--yes")
    assert code == 2
    assert "name a release, or the record to be undone\nhint: postrender forget --help\n" in err
