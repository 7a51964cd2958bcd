"""``postrender adopt`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import stat
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.terminal import on_a_terminal
from tests.cli.test_filter import refused, run
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Server, status

Cluster = tuple[str, str]

MANAGED, NAME, NAMESPACE = "app.kubernetes.io/managed-by", "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
SETTINGS = CONFIG_MAP.path("shop", "settings")
BLUE = SHIRT.path("shop", "blue")


def owned(release: str, **more: Any) -> dict[str, Any]:
    return {"labels": {MANAGED: "Helm"}, "annotations": {NAME: release, NAMESPACE: "shop"}} | more


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "report.json"


@pytest.fixture
def live(server: Server) -> None:
    """What a release that is gone kept, and what is nobody's."""
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "1"}, metadata=owned("old")))
    server.put(SHIRT, an_object(SHIRT, "blue", metadata={"labels": {"app": "x"}}))
    server.put(SECRET, a_revision("alive", 1, "deployed"))
    server.put(SHIRT, an_object(SHIRT, "red", metadata=owned("alive")))


def values(server: Server, path: str) -> tuple[str | None, str | None, str | None]:
    metadata = server.objects[path]["metadata"]
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    return labels.get(MANAGED), annotations.get(NAME), annotations.get(NAMESPACE)


@pytest.mark.usefixtures("live")
def test_stamps_and_back(server: Server, cluster: Cluster, report: Path) -> None:
    before = json.loads(json.dumps(server.objects))
    names = ("configmaps/shop/settings", "shirts/blue")
    done = run("adopt", "new", *cluster, "--yes", "--report", str(report), *names, stdin=b"")
    flag = " ".join(cluster)
    assert (done.returncode, done.stderr) == (0, b"")
    heading = f"release shop/new, context dev ({server.url})\n"
    assert done.stdout.decode() == (
        f"{heading}"
        "  configmaps/shop/settings: kept by release shop/old, which is gone\n"
        f"      - {NAME}: old\n"
        f"      + {NAME}: new\n"
        "  shirts.stable.example.com/shop/blue: without a Helm owner\n"
        f"      + {MANAGED}: Helm\n"
        f"      + {NAME}: new\n"
        f"      + {NAMESPACE}: shop\n"
        "  note: checked the manifests of 1 other stored release for the objects to be adopted\n"
        "2 objects to be written (ownership metadata only)\n"
        "configmaps/shop/settings: written\n"
        "shirts.stable.example.com/shop/blue: written\n"
        "note: to restore the old metadata\n"
        f"hint: postrender adopt --undo {report} {flag}\n"
    )
    assert values(server, SETTINGS) == values(server, BLUE) == ("Helm", "new", "shop")
    assert server.objects[SETTINGS]["data"] == {"a": "1"}
    assert server.objects[BLUE]["metadata"]["labels"]["app"] == "x"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    valid(json.loads(report.read_text()))
    done = run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b"")
    assert done.returncode == 0, done.stderr.decode()
    for path in (SETTINGS, BLUE):
        server.objects[path]["metadata"]["resourceVersion"] = "7"
    assert without_empty(server.objects) == without_empty(before)
    done = run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b"")
    assert done.returncode == 0
    assert b"0 objects to be written" in done.stdout


def without_empty(objects: dict[str, Any]) -> dict[str, Any]:
    """A merge patch that takes the last annotation out leaves an empty map, which a real server does not keep."""
    result = json.loads(json.dumps(objects))
    for each in result.values():
        each["metadata"] = {key: value for key, value in each["metadata"].items() if value != {}}
    return dict(result)


def valid(data: Any) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/adoption.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.usefixtures("live")
def test_what_a_living_release_owns_is_refused_and_nothing_is_written(server: Server, cluster: Cluster) -> None:
    done = run("adopt", "new", "shirts/red", "configmaps/settings", "--yes", *cluster, stdin=b"")
    assert refused(done, 4) == (
        "error: shirts.stable.example.com/shop/red: owned by installed release shop/alive; not adopted"
        " (PR101)\nnothing was written\nhint: postrender explain PR101\n"
    )
    assert server.asked("PATCH .*") == []


@pytest.mark.usefixtures("live")
def test_what_flux_installed_is_a_living_releases(server: Server, cluster: Cluster) -> None:
    labels = {MANAGED: "Helm", "helm.toolkit.fluxcd.io/namespace": "flux"}
    server.put(SHIRT, an_object(SHIRT, "green", metadata=owned("old", labels=labels)))
    stored = a_revision("old", 1, "deployed")
    stored["metadata"]["namespace"] = "flux"
    server.put(SECRET, stored)
    message = refused(run("adopt", "new", "shirts/green", "--yes", *cluster, stdin=b""), 4)
    assert message.startswith(
        "error: shirts.stable.example.com/shop/green: owned by installed release shop/old; not adopted (PR101)\n"
    )
    assert server.asked("PATCH .*") == []


@pytest.mark.usefixtures("live")
def test_what_is_being_deleted_or_not_there_is_refused(server: Server, cluster: Cluster) -> None:
    server.put(SHIRT, an_object(SHIRT, "going", metadata={"deletionTimestamp": "2026-09-14T10:00:00Z"}))
    done = run("adopt", "new", "shirts/going", "shirts/nothing", "shirts/blue", "--yes", *cluster, stdin=b"")
    assert refused(done, 4) == (
        "error: shirts.stable.example.com/shop/going: is being deleted (PR106)\n"
        "shirts.stable.example.com/shop/nothing: there is no such object\n"
        "nothing was written\nhint: postrender explain PR106\n"
    )
    assert server.asked("PATCH .*") == []


@pytest.mark.usefixtures("live")
def test_a_dry_run_writes_nothing_not_even_a_report(server: Server, cluster: Cluster, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = run("adopt", "new", "shirts/blue", "--dry-run", *cluster, stdin=b"", environ=environ)
    assert done.returncode == 0
    assert b"1 object to be written" in done.stdout
    assert not (tmp_path / "state").exists()
    data = run("adopt", "new", "shirts/blue", "--dry-run", "-o", "json", *cluster, stdin=b"").stdout
    valid(json.loads(data))
    as_yaml = run("adopt", "new", "shirts/blue", "--dry-run", "-o", "yaml", *cluster, stdin=b"").stdout
    assert yaml.safe_load(as_yaml) == json.loads(data)
    assert server.asked("PATCH .*") == []


@pytest.mark.usefixtures("live")
def test_the_report_on_stdout_and_how_to_undo_it_on_stderr(server: Server, cluster: Cluster, report: Path) -> None:
    arguments = ("adopt", "new", "shirts/blue", "--yes", "-o", "json", "--report", str(report))
    done = run(*arguments, *cluster, stdin=b"")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads(report.read_text())
    assert done.stderr.decode() == (
        f"note: to restore the old metadata\nhint: postrender adopt --undo {report} {' '.join(cluster)}\n"
    )
    assert values(server, BLUE) == ("Helm", "new", "shop")


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_no_value_of_a_secret_is_shown_or_kept(server: Server, cluster: Cluster, report: Path, output: str) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"kind":"Secret","data":{"a":"planted-4711"}}'}
    server.put(SECRET, an_object(SECRET, "token", data={"a": "planted-4711"}, metadata={"annotations": applied}))
    arguments = ("adopt", "new", "secrets/token", "--yes", "-o", output, "--report", str(report))
    done = run(*arguments, *cluster, stdin=b"")
    assert done.returncode == 0
    assert b"secrets/shop/token" in done.stdout
    assert b"planted" not in done.stdout + done.stderr + report.read_bytes()


@pytest.mark.usefixtures("live")
def test_it_asks_first(server: Server, cluster: Cluster, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert refused(run("adopt", "new", "shirts/blue", *cluster, stdin=b""), 2) == (
        "error: cannot prompt for confirmation: stdin is not a terminal\n"
        f"hint: postrender adopt new shirts/blue {' '.join(cluster)} --yes\n"
    )
    code, seen = on_a_terminal("adopt", "new", "shirts/blue", *cluster, typed=b"\n", environ=environ)
    assert code == 4
    assert b"write to 1 object of context dev" in seen
    assert server.asked("PATCH .*") == []
    code, seen = on_a_terminal("adopt", "new", "shirts/blue", *cluster, typed=b"yes\n", environ=environ)
    assert code == 0
    (report,) = (tmp_path / "state" / "postrender" / "adopt").iterdir()
    assert report.name.startswith("shop-new-")
    assert values(server, BLUE) == ("Helm", "new", "shop")


@pytest.mark.usefixtures("live")
def test_without_objects_those_of_the_stored_manifest_are_meant(server: Server, cluster: Cluster, report: Path) -> None:
    manifest = "".join(
        f"---\napiVersion: {kind.gvk.api_version}\nkind: {kind.gvk.kind}\nmetadata: {{name: {name}}}\n"
        for kind, name in ((SHIRT, "blue"), (SHIRT, "nowhere"), (CONFIG_MAP, "mine"))
    )
    server.put(SECRET, a_revision("web", 1, "deployed", manifest=manifest))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "mine", metadata=owned("web")))
    done = run("adopt", "web", "--yes", "--report", str(report), *cluster, stdin=b"")
    assert done.returncode == 0
    assert "1 object to be written (ownership metadata only); 1 in this release already\n" in done.stdout.decode()
    shown = run("adopt", "web", "--dry-run", "-v", *cluster, stdin=b"").stdout.decode()
    assert "  configmaps/shop/mine: in this release already\n" in shown
    assert [each.path for each in server.asked("PATCH .*")] == [BLUE]
    message = refused(run("adopt", "new", "--yes", *cluster, stdin=b""), 2)
    flag = " ".join(cluster)
    assert message == (
        "error: release shop/new: no stored revision lists its objects\n"
        f"hint: postrender orphans -n shop {flag}\n"
        "note: name the objects, such as configmaps/shop/settings\n"
    )


@pytest.mark.usefixtures("live")
def test_nothing_to_do(server: Server, cluster: Cluster) -> None:
    done = run("adopt", "alive", "shirts/red", "--yes", *cluster, stdin=b"")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "0 objects to be written" in done.stdout.decode()
    assert server.asked("PATCH .*") == []
    assert run("adopt", "alive", "shirts/red", "--yes", "--quiet", *cluster, stdin=b"").stdout == b""


@pytest.mark.usefixtures("live")
def test_an_object_that_changed_meanwhile_is_not_written(server: Server, cluster: Cluster, report: Path) -> None:
    server.on("PATCH .*/shirts/.*", status(409, "Conflict", "the object has been modified"))
    names = ("configmaps/settings", "shirts/blue")
    done = run("adopt", "new", *names, "--yes", "--report", str(report), *cluster, stdin=b"")
    assert done.returncode == 5
    assert done.stderr.decode() == (
        "error: shirts.stable.example.com/shop/blue: it changed since it was read, so it was not given "
        "ownership metadata for release"
        " shop/new: the object has been modified; written before it: configmaps/shop/settings; what was there "
        f"is in {report}\n"
        f"hint: postrender adopt new {' '.join(names)} --yes {' '.join(cluster)} "
        f"--report {report.with_name('report-2.json')}\n"
        f"hint: kubectl get shirts.stable.example.com blue -o yaml -n shop {' '.join(cluster)}\n"
    )
    assert run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b"").returncode == 0
    assert values(server, SETTINGS) == ("Helm", "old", "shop")


@pytest.mark.usefixtures("live")
def test_a_report_that_cannot_be_kept(server: Server, cluster: Cluster, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("mine")
    done = run("adopt", "new", "shirts/blue", "--yes", "--report", str(there), *cluster, stdin=b"")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"error: {there}: cannot write the report, so nothing was changed: File exists\n"
        f"hint: postrender adopt new shirts/blue --yes {' '.join(cluster)} --report there.json\n"
    )
    assert there.read_text() == "mine"
    assert server.asked("PATCH .*") == []


@pytest.mark.usefixtures("live")
def test_an_undo_of_what_is_not_as_it_was_left(server: Server, cluster: Cluster, report: Path) -> None:
    names = ("configmaps/settings", "shirts/blue")
    assert run("adopt", "new", *names, "--yes", "--report", str(report), *cluster, stdin=b"").returncode == 0
    changed = json.loads(json.dumps(server.objects[SETTINGS]))
    changed["metadata"]["annotations"][NAME] = "third"
    server.objects[SETTINGS] = changed
    del server.objects[BLUE]
    before = len(server.asked("PATCH .*"))
    assert refused(run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b""), 4) == (
        "error: configmaps/shop/settings: its ownership metadata is no longer what was written\n"
        "shirts.stable.example.com/shop/blue: the adopted object no longer exists\n"
        "nothing was written\nhint: postrender adopt --help\n"
    )
    assert len(server.asked("PATCH .*")) == before


@pytest.mark.usefixtures("live")
def test_an_undo_after_the_release_was_installed(server: Server, cluster: Cluster, report: Path) -> None:
    assert run("adopt", "new", "shirts/blue", "--yes", "--report", str(report), *cluster, stdin=b"").returncode == 0
    manifest = "apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: blue}\n"
    server.put(SECRET, a_revision("new", 1, "deployed", manifest=manifest))
    assert refused(run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b""), 4) == (
        "error: shirts.stable.example.com/shop/blue: installed release shop/new has it in its stored manifest"
        " (PR101)\nnothing was written\n"
        "hint: postrender adopt --help\n"
    )


NEXT = "hint: postrender adopt --help\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it cannot be read: No such file or directory\nhint: postrender adopt --help\n"),
        ("x", f"it is not JSON\n{NEXT}"),
        ("{}", f"it is not a report of postrender adopt\n{NEXT}"),
        (
            '{"kind": "Adoption", "schemaVersion": 9}',
            f"it has schemaVersion 9, and this postrender reads 1\n{NEXT}",
        ),
        (
            '{"kind": "Adoption", "schemaVersion": 1, "cluster": "x", "release": {}}',
            f"it is incomplete\n{NEXT}",
        ),
    ],
)
def test_a_report_that_is_none(cluster: Cluster, report: Path, content: str | None, message: str) -> None:
    if content is not None:
        report.parent.mkdir()
        report.write_text(content)
    assert refused(run("adopt", "--undo", str(report), "--yes", *cluster, stdin=b""), 2) == (
        f"error: {report}: {message}"
    )


@pytest.mark.usefixtures("live")
def test_an_owner_that_cannot_be_told_is_not_gone(server: Server, cluster: Cluster) -> None:
    server.on("GET .*/secrets", status(403, "Forbidden", "no"))
    message = refused(run("adopt", "new", "configmaps/settings", "--yes", *cluster, stdin=b""), 5)
    assert message.startswith(
        "error: configmaps/shop/settings: its owner is release shop/old, and whether it is installed is unknown"
        ": no right to list secrets (403): no\nhint: kubectl auth can-i list secrets -n shop"
    )
    assert server.asked("PATCH .*") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "name a release, or the report to be undone\nhint: postrender adopt --help\n",
        ),
        (("web", "shirts"), "shirts: invalid object name: "),
        (("web", "trousers/a"), "trousers/a: the server has no kind trousers\n"),
        (
            ("--undo", "report.json", "--take-fields", "kubectl"),
            "--take-fields: the report names the fields\nhint: postrender adopt --help\n",
        ),
    ],
)
def test_bad_usage(cluster: Cluster, arguments: tuple[str, ...], message: str) -> None:
    said = refused(run("adopt", *arguments, "--yes", *cluster, stdin=b""), 2)
    assert said.startswith(f"error: {message}")
