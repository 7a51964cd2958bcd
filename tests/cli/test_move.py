"""``postrender move`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from postrender.helm.storage import decode
from tests.cli.test_filter import run
from tests.cli.test_unpin import put_back
from tests.wire.kinds import BETA_SHIRT, CONFIG_MAP, NAMESPACE, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Reply, Request, Server, ok, status

Cluster = tuple[str, str]

MANAGED, NAME, SPACE = "app.kubernetes.io/managed-by", "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
POLICY, MOVING = "helm.sh/resource-policy", "postrender/moving"
SETTINGS, OTHER = CONFIG_MAP.path("shop", "settings"), CONFIG_MAP.path("shop", "other")
BLUE = SHIRT.path("shop", "blue")
REVISIONS = [SECRET.path("shop", f"sh.helm.release.v1.old.v{number}") for number in (1, 2)]


def config(name: str) -> str:
    return f"---\n# Source: old/templates/{name}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


SHIRTS = "---\napiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: blue}\n"


def owned(release: str, **annotations: str) -> dict[str, Any]:
    named = {NAME: release, SPACE: "shop", **annotations}
    return {"labels": {MANAGED: "Helm"}, "annotations": named}


@pytest.fixture
def live(server: Server) -> Server:
    """A release of two revisions, which has three objects."""
    put_back(server)
    first, second = config("settings") + config("other"), config("settings") + config("other") + SHIRTS
    server.put(
        SECRET, a_revision("old", 1, "superseded", manifest=first), a_revision("old", 2, "deployed", manifest=second)
    )
    for name in ("settings", "other"):
        server.put(CONFIG_MAP, an_object(CONFIG_MAP, name, data={"a": "1"}, metadata=owned("old")))
    server.put(SHIRT, an_object(SHIRT, "blue", metadata=owned("old")))
    return server


def at(server: Server, pattern: str, behave: Any, *, times: int = 10**9) -> None:
    """As ``server.on``, before what is done already."""
    server.on(pattern, behave, times=times)
    server.behaviours.insert(0, server.behaviours.pop())


class Moved:
    """What a call of ``move`` did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __iter__(self) -> Iterator[Any]:
        return iter((self.code, self.out, self.err))


@pytest.fixture
def move(cluster: Cluster, tmp_path: Path) -> Any:
    def call(*arguments: str) -> Moved:
        done = run("move", *arguments, *cluster, stdin=b"", environ={"XDG_STATE_HOME": str(tmp_path / "state")})
        return Moved(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


def metadata(server: Server, path: str) -> dict[str, str]:
    found = server.objects[path]["metadata"]
    return {**found.get("labels", {}), **found.get("annotations", {})}


def of(release: str) -> dict[str, str]:
    return {MANAGED: "Helm", NAME: release, SPACE: "shop"}


def stored(server: Server) -> list[str]:
    packed = [server.objects[path]["data"]["release"] for path in REVISIONS]
    return [str(decode(each, wrapped=True)["manifest"]) for each in packed]


def writes(server: Server) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.asked("(PATCH|PUT|DELETE) .*")]


FROM = ("--from", "old", "--to", "new", "--yes")


def test_the_order_of_the_writes_is_safe_at_every_moment(live: Server, move: Any, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    code, out, err = move("cm/settings", *FROM, "--record", str(file))
    assert (code, err) == (0, "")
    assert out == (
        f"move from release shop/old to release shop/new, context dev ({live.url})\n"
        "  configmaps/shop/settings: revisions 1, 2 of release shop/old\n"
        f"      - {NAME}: old\n"
        f"      + {NAME}: new\n"
        "  note: remove the objects from the chart of release shop/old before its next upgrade: with them, helm "
        "upgrade fails (invalid ownership metadata)\n"
        "  note: release shop/new is not installed: its installation adopts the objects that its chart has\n"
        "written: 2 revisions of release shop/old, metadata of 1 object\n"
        "note: to undo the move\n"
        f"hint: postrender move --undo {file} --kubeconfig {tmp_path / 'kubeconfig'}\n"
    )
    assert writes(live) == [f"PATCH {SETTINGS}", f"PUT {REVISIONS[1]}", f"PUT {REVISIONS[0]}", f"PATCH {SETTINGS}"]
    first, last = (json.loads(each.body)["metadata"] for each in live.asked(f"PATCH {SETTINGS}"))
    assert first == {
        "resourceVersion": "7", "annotations": {POLICY: "keep", MOVING: "shop/old to shop/new"}
    }  # fmt: skip
    assert last == {"resourceVersion": "8", "annotations": {NAME: "new", POLICY: None, MOVING: None}}
    assert metadata(live, SETTINGS) == of("new")
    assert stored(live) == [config("other"), config("other") + SHIRTS]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list((tmp_path / "state").rglob("*.unfinished"))
    code, out, _ = move("cm/settings", *FROM)
    assert (code, out.splitlines()[-1]) == (0, "1 object; nothing to be written")


def test_undone_everything_is_as_it_was(live: Server, move: Any, tmp_path: Path) -> None:
    live.objects[OTHER]["metadata"]["annotations"][POLICY] = "keep"
    before = json.loads(json.dumps(live.objects))
    file = str(tmp_path / "record.json")
    assert move("--all", *FROM, "--record", file).code == 0
    assert metadata(live, OTHER) == {**of("new"), POLICY: "keep"}
    assert stored(live) == ["", ""]
    live.requests.clear()
    code, out, err = move("--undo", file, "--yes")
    assert (code, err) == (0, "")
    assert out.endswith("written: 2 revisions of release shop/old, metadata of 3 objects\n")
    assert [each for each in writes(live) if each.startswith("PUT")] == [f"PUT {path}" for path in REVISIONS]
    assert unversioned(live.objects) == unversioned(before)
    assert move("--undo", file, "--yes").out.endswith("3 objects; nothing to be written\n")


def unversioned(objects: dict[str, Any]) -> dict[str, Any]:
    return {path: {**each, "metadata": {**each["metadata"], "resourceVersion": ""}} for path, each in objects.items()}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (("--all",), ["configmaps/shop/settings", "configmaps/shop/other", "shirts.stable.example.com/shop/blue"]),
        (("configmaps",), ["configmaps/shop/settings", "configmaps/shop/other"]),
        (("cm/s*",), ["configmaps/shop/settings"]),
        (("*/o*", "shirt/blue"), ["configmaps/shop/other", "shirts.stable.example.com/shop/blue"]),
        (("ConfigMap/settings",), None),
        (("--selector", "app=web"), ["configmaps/shop/settings"]),
    ],
    ids=str,
)
def test_objects_are_chosen_by_names_patterns_kinds_and_labels(
    live: Server, move: Any, chosen: tuple[str, ...], names: list[str] | None
) -> None:
    live.objects[SETTINGS]["metadata"]["labels"]["app"] = "web"
    code, out, err = move(*chosen, *FROM, "--dry-run", "-o", "name")
    assert (code, out.splitlines()) == (0, names or ["configmaps/shop/settings"]), err
    assert writes(live) == []


@pytest.mark.usefixtures("live")
def test_the_report_is_described_by_a_schema(move: Any, tmp_path: Path) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/move.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    planned = json.loads(move("cm/settings", *FROM, "--dry-run", "-o", "json").out)
    jsonschema.validate(planned, schema)
    assert (planned["written"], planned["revisions"]) == (False, [2, 1])
    assert yaml.safe_load(move("cm/settings", *FROM, "--dry-run", "-o", "yaml").out) == planned
    done = move("cm/settings", *FROM, "-o", "json", "--record", str(tmp_path / "r.json"))
    jsonschema.validate(json.loads(done.out), schema)
    assert json.loads(done.out)["written"] is True
    assert f"hint: postrender move --undo {tmp_path / 'r.json'}" in done.err


def test_only_the_newest_says_what_a_rollback_would_do(live: Server, move: Any) -> None:
    code, out, _ = move("cm/settings", *FROM, "--newest")
    assert code == 0
    assert stored(live)[0] == config("settings") + config("other")
    assert stored(live)[1] == config("other") + SHIRTS
    assert (
        "  note: revision 1 of release shop/old still has objects that are moved: a rollback to such a revision takes "
        "them back, and the next uninstall deletes them (--newest)\n"
    ) in out


def test_an_interrupted_move_is_gone_on_with(live: Server, move: Any, tmp_path: Path) -> None:
    at(live, f"PUT {REVISIONS[0]}", status(500, "InternalError", "out of order"), times=1)
    code, out, err = move("--all", *FROM)
    assert (code, out) == (5, "")
    (file,) = (tmp_path / "state" / "postrender" / "move").glob("*.json")
    assert "4 writes before it; run the same command again to go on" in " ".join(err.split())
    assert f"hint: postrender move --undo {file}" in err
    assert {path: metadata(live, path)[MOVING] for path in (SETTINGS, OTHER, BLUE)}
    # The release lost the shirt already, which only the record knows of.
    live.requests.clear()
    code, out, err = move("--all", *FROM)
    assert (code, err) == (0, "")
    assert "note: resuming an interrupted move of 3 objects\n" in out
    assert writes(live) == [f"PUT {REVISIONS[0]}", f"PATCH {SETTINGS}", f"PATCH {OTHER}", f"PATCH {BLUE}"]
    assert all(metadata(live, path) == of("new") for path in (SETTINGS, OTHER, BLUE))
    assert stored(live) == ["", ""]
    assert len(json.loads(file.read_text())["revisions"]) == 2
    assert move("--undo", str(file), "--yes").code == 0
    assert all(metadata(live, path) == of("old") for path in (SETTINGS, OTHER, BLUE))
    assert stored(live)[0] == config("settings") + config("other")


def test_a_pattern_goes_on_with_what_left_the_stored_manifests(live: Server, move: Any) -> None:
    at(live, f"PATCH {SETTINGS}", status(500, "InternalError", "out of order"), times=2)
    assert move("cm/*", *FROM).code == 5
    live.behaviours.pop(0)
    live.requests.clear()
    assert move("cm/*", *FROM).code == 0
    for done in ("cm/*", "cm"):
        assert metadata(live, SETTINGS) == metadata(live, OTHER) == of("new")
        code, _, err = move(done, *FROM)
        assert (code, f"{done}: no object in the stored manifests of the release fits" in err) == (2, True)


def test_an_interrupted_move_is_undone(live: Server, move: Any, tmp_path: Path) -> None:
    at(live, f"PUT {REVISIONS[0]}", status(500, "InternalError", "out of order"), times=1)
    assert move("--all", *FROM).code == 5
    (file,) = (tmp_path / "state" / "postrender" / "move").glob("*.json")
    assert move("--undo", str(file), "--yes").code == 0
    assert stored(live)[1] == config("settings") + config("other") + SHIRTS
    assert all(metadata(live, path) == of("old") for path in (SETTINGS, OTHER, BLUE))
    assert not list((tmp_path / "state").rglob("*.unfinished"))


def test_a_helm_that_comes_in_between_is_noticed_before_an_object_changes_hands(live: Server, move: Any) -> None:
    def meanwhile(_: Request) -> Reply | None:
        live.put(SECRET, a_revision("old", 3, "pending-upgrade"))
        return None

    at(live, f"PUT {REVISIONS[0]}", meanwhile)
    code, _, err = move("cm/settings", *FROM)
    assert code == 5
    said = " ".join(err.split())
    assert "release shop/old: a Helm worked on it meanwhile, so the objects still belong to it" in said
    assert "3 writes before it; run the same command again to go on" in said
    assert metadata(live, SETTINGS) == {**of("old"), POLICY: "keep", MOVING: "shop/old to shop/new"}


def test_two_who_write_at_once_do_not_overwrite_each_other(live: Server, move: Any) -> None:
    def meanwhile(_: Request) -> Reply | None:
        live.objects[SETTINGS]["metadata"]["resourceVersion"] = "9"
        return None

    at(live, f"PUT {REVISIONS[0]}", meanwhile)
    code, _, err = move("cm/settings", *FROM)
    assert code == 5
    assert "configmaps/shop/settings: it changed since it was read, so it was not given ownership metadata" in err


Prepare = Callable[[Server], None]
REFUSED: dict[str, tuple[Prepare, tuple[str, ...], int, str]] = {}


def refused(name: str, arguments: tuple[str, ...], code: int, message: str) -> Callable[[Prepare], Prepare]:
    def add(prepare: Prepare) -> Prepare:
        REFUSED[name] = (prepare, arguments, code, message)
        return prepare

    return add


@refused("third", ("cm/settings",), 4, "configmaps/shop/settings: owned by installed release shop/third (PR101)\n")
def _third(server: Server) -> None:
    server.put(SECRET, a_revision("third", 1, "deployed"))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", metadata=owned("third")))


@refused(
    "held",
    ("cm/settings",),
    4,
    "configmaps/shop/settings: release shop/third has it in its stored manifest (PR101)\n",
)
def _held(server: Server) -> None:
    server.put(SECRET, a_revision("third", 1, "deployed", manifest=config("settings")))


@refused(
    "pending",
    ("cm/settings",),
    4,
    "release shop/old: has a pending operation (revision 3, pending-upgrade); another helm process may be "
    "running. Nothing was changed\n",
)
def _pending(server: Server) -> None:
    server.put(SECRET, a_revision("old", 3, "pending-upgrade"))


@refused(
    "pending goal",
    ("cm/settings",),
    4,
    "release shop/new: has a pending operation (revision 1, pending-install); another helm process may be "
    "running. Nothing was changed\n",
)
def _pending_goal(server: Server) -> None:
    server.put(SECRET, a_revision("new", 1, "pending-install"))


@refused(
    "hook",
    ("cm/settings",),
    4,
    "configmaps/shop/settings: a hook of release shop/old has the same name, and would delete it (PR502)\n",
)
def _hook(server: Server) -> None:
    hooks = [{"name": "settings", "kind": "ConfigMap", "manifest": config("settings"), "events": ["pre-upgrade"]}]
    server.put(SECRET, a_revision("old", 2, "deployed", manifest=config("settings"), hooks=hooks))


@refused(
    "unmanaged",
    ("cm/by-hand",),
    4,
    "configmaps/shop/by-hand: not in a stored manifest of release shop/old, and without a Helm owner (PR103)\n",
)
def _unmanaged(server: Server) -> None:
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "by-hand"))


@refused("deleting", ("cm/settings",), 4, "configmaps/shop/settings: is being deleted, and will be gone (PR106)\n")
def _deleting(server: Server) -> None:
    server.objects[SETTINGS]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"


@refused("nothing", ("cm/nothing",), 4, "configmaps/shop/nothing: there is no such object\n")
def _nothing(_: Server) -> None:
    pass


@refused("no match", ("cm/x*",), 2, "cm/x*: no object in the stored manifests of the release fits\n")
def _no_match(_: Server) -> None:
    pass


@refused(
    "several kinds",
    ("shirt/blue",),
    2,
    "shirt/blue: shirt are several kinds: blouses.beta.example.com, shirts.stable.example.com\n"
    "note: write it as blouses.beta.example.com/blue\nnote: write it as shirts.stable.example.com/blue\n",
)
def _several(server: Server) -> None:
    both = SHIRTS + SHIRTS.replace("stable", "beta")
    server.put(SECRET, a_revision("old", 2, "deployed", manifest=both))
    server.put(BETA_SHIRT, an_object(BETA_SHIRT, "blue", metadata=owned("old")))


@refused("no release", ("--from", "gone", "cm/settings"), 2, "release shop/gone: no revision of it is stored in ")
def _gone(_: Server) -> None:
    pass


@refused("unreadable", ("cm/settings",), 5, "release shop/old: its stored revisions could not be read from ")
def _unreadable(server: Server) -> None:
    at(server, "GET .*/secrets", status(403, "Forbidden", "no"))


@refused(
    "sql",
    ("cm/settings", "--driver", "sql"),
    5,
    "HELM_DRIVER=sql keeps releases in a database, where they cannot be read\n",
)
def _sql(_: Server) -> None:
    pass


@refused(
    "rights",
    ("cm/settings",),
    5,
    "no right to update secrets in namespace shop, to patch configmaps in namespace shop; nothing was written\n"
    "hint: kubectl auth can-i update secrets",
)
def _rights(server: Server) -> None:
    def review(request: Request) -> Reply:
        asked = json.loads(request.body)["spec"]["resourceAttributes"]
        return ok({"status": {"allowed": asked["verb"] not in ("update", "patch")}})

    server.on("POST .*selfsubjectaccessreviews", review)


@refused("same", ("--to", "old", "cm/settings"), 2, "--to: the objects are in release shop/old already\n")
def _same(_: Server) -> None:
    pass


@refused("nothing named", (), 2, "name objects and both releases, or the record to be undone\n")
def _unnamed(_: Server) -> None:
    pass


@pytest.mark.parametrize("name", REFUSED)
def test_refused_nothing_is_written(live: Server, move: Any, name: str) -> None:
    prepare, arguments, code, message = REFUSED[name]
    prepare(live)
    done = move(*FROM, *arguments)
    assert done.code == code, done.err
    assert message in done.err
    assert writes(live) == []


def test_a_right_on_the_one_object_is_enough(live: Server, move: Any) -> None:
    def review(request: Request) -> Reply:
        asked = json.loads(request.body)["spec"]["resourceAttributes"]
        return ok({"status": {"allowed": asked.get("name") == "settings" or asked["verb"] == "update"}})

    live.on("POST .*selfsubjectaccessreviews", review)
    assert move("cm/settings", *FROM).code == 0


def test_an_object_kept_by_a_living_release_moves_by_its_metadata(live: Server, move: Any) -> None:
    live.put(CONFIG_MAP, an_object(CONFIG_MAP, "kept", metadata=owned("old", **{POLICY: "keep"})))
    code, out, _ = move("cm/kept", *FROM)
    assert code == 0
    assert "  configmaps/shop/kept: only its metadata changes\n" in out
    assert writes(live) == [f"PATCH {CONFIG_MAP.path('shop', 'kept')}"]
    assert metadata(live, CONFIG_MAP.path("shop", "kept")) == {**of("new"), POLICY: "keep"}


def test_an_object_that_is_not_there_leaves_the_stored_manifests(live: Server, move: Any) -> None:
    del live.objects[SETTINGS]
    code, out, _ = move("cm/settings", *FROM)
    assert code == 0
    assert "  configmaps/shop/settings: revisions 1, 2 of release shop/old; not in the cluster\n" in out
    assert stored(live) == [config("other"), config("other") + SHIRTS]


def test_a_cluster_scoped_object_and_another_namespace(live: Server, move: Any) -> None:
    space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n"
    live.put(SECRET, a_revision("old", 2, "deployed", manifest=space + config("settings")))
    live.put(NAMESPACE, an_object(NAMESPACE, "web", metadata=owned("old")))
    code, out, _ = move("ns/web", "cm/settings", *FROM, "--to-namespace", "prod")
    assert code == 0
    assert metadata(live, NAMESPACE.path("", "web")) == {MANAGED: "Helm", NAME: "new", SPACE: "prod"}
    assert (
        "  note: the chart of release prod/new has to set metadata.namespace to shop in configmaps/shop/settings\n"
        in out
    )


def test_an_undo_that_would_take_from_an_installed_release_is_refused(live: Server, move: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "record.json")
    assert move("cm/settings", *FROM, "--record", file).code == 0
    live.put(SECRET, a_revision("new", 1, "deployed", manifest=config("settings")))
    live.put(SECRET, a_revision("old", 3, "deployed", manifest=config("other")))
    live.requests.clear()
    code, _, err = move("--undo", file, "--yes")
    assert code == 4
    assert "release shop/old: its newest revision was 2, and is 3\n" in err
    assert (
        "configmaps/shop/settings: release shop/new has it in its stored manifest (PR101)\nnothing was written\n" in err
    )
    assert "hint: postrender move configmaps/shop/settings --from new --to old -n shop" in err
    assert writes(live) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "it is not a record of postrender move"),
        ("no", "it is not JSON"),
        ('{"kind": "Move", "schemaVersion": 9}', "it has schemaVersion 9, and this postrender reads 1"),
        ('{"kind": "Move", "schemaVersion": 1}', "it is incomplete"),
    ],
)
def test_what_is_no_record_cannot_be_undone(move: Any, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(text)
    code, _, err = move("--undo", str(file), "--yes")
    assert code == 2
    assert f"error: {file}: {said}\n" in err
