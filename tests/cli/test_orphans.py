"""``postrender orphans`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import re
import time
from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.terminal import on_a_terminal
from tests.cli.test_filter import refused, run
from tests.wire.kinds import CONFIG_MAP, NAMESPACE, SECRET, SHIRT, a_revision
from tests.wire.server import Server, status
from tests.wire.test_orphans import left

Cluster = tuple[str, str]

KEEP = {"helm.sh/resource-policy": "keep"}
MADE = "2026-09-14T10:00:00Z"


@pytest.fixture
def kept(server: Server) -> None:
    """What two releases left behind, and one that lives."""
    server.put(SECRET, a_revision("alive", 1, "deployed"))
    server.put(SHIRT, left(SHIRT, "shirt", annotations=KEEP, creationTimestamp=MADE))
    server.put(SHIRT, left(SHIRT, "of-alive", "alive", annotations=KEEP, creationTimestamp=MADE))
    server.put(CONFIG_MAP, left(CONFIG_MAP, "settings", annotations=KEEP, creationTimestamp=MADE))
    server.put(CONFIG_MAP, left(CONFIG_MAP, "scratch", "other", creationTimestamp=MADE))


@pytest.mark.usefixtures("kept")
def test_the_table(server: Server, cluster: Cluster) -> None:
    done = run("orphans", *cluster, "--detailed-exitcode", stdin=b"")
    flag = " ".join(cluster)
    assert (done.returncode, done.stderr) == (10, b"")
    assert done.stdout.decode() == (
        "OBJECT                                RELEASE     CREATED     NOTE\n"
        "configmaps/shop/settings              shop/old    2026-09-14\n"
        "shirts.stable.example.com/shop/shirt  shop/old    2026-09-14\n"
        "configmaps/shop/scratch               shop/other  2026-09-14  not marked keep\n"
        f"3 orphans of 2 releases (4 objects, 6 kinds searched; namespace shop, context dev ({server.url}))\n"
        f"hint: postrender orphans -n shop {flag} --verbose\n"
    )
    assert run("orphans", *cluster, stdin=b"").returncode == 0


@pytest.mark.usefixtures("kept")
def test_formats_as_of_kubectl(cluster: Cluster) -> None:
    said = {each: run("orphans", *cluster, "-o", each, stdin=b"").stdout.decode() for each in ("table", "wide", "name")}
    assert said["table"] == run("orphans", *cluster, stdin=b"").stdout.decode()
    assert said["name"] == run("orphans", *cluster, "-q", stdin=b"").stdout.decode()
    assert said["wide"].splitlines()[0].split() == ["OBJECT", "RELEASE", "CREATED", "NOTE", "APIVERSION", "UID"]


@pytest.mark.usefixtures("kept")
def test_what_can_be_done_about_each(server: Server, cluster: Cluster) -> None:
    done = run("orphans", *cluster, "--verbose", stdin=b"")
    flag = " ".join(cluster)
    assert done.stdout.decode() == (
        "release shop/old is uninstalled: 2 objects left\n"
        "  configmaps/shop/settings              2026-09-14\n"
        "  shirts.stable.example.com/shop/shirt  2026-09-14\n"
        f"    take back  helm install old CHART -n shop {flag} --post-renderer postrender\n"
        f"    adopt      postrender adopt RELEASE -n shop {flag} configmaps/shop/settings "
        "shirts.stable.example.com/shop/shirt\n"
        f"    delete     kubectl delete configmaps/settings shirts.stable.example.com/shirt -n shop {flag}\n"
        "\n"
        "release shop/other is uninstalled: 1 object left\n"
        "  configmaps/shop/scratch  2026-09-14  not marked keep\n"
        f"    take back  helm install other CHART -n shop {flag} --post-renderer postrender\n"
        f"    adopt      postrender adopt RELEASE -n shop {flag} configmaps/shop/scratch\n"
        f"    delete     kubectl delete configmaps/scratch -n shop {flag}\n"
        "\n"
        f"3 orphans of 2 releases (4 objects, 6 kinds searched; namespace shop, context dev ({server.url}))\n"
    )


def test_lines_fit_a_terminal_where_names_allow_it(server: Server, cluster: Cluster) -> None:
    server.put(SHIRT, *(left(SHIRT, "x" * length, creationTimestamp=MADE) for length in range(1, 60, 3)))
    _, seen = on_a_terminal("orphans", "-v", *cluster, environ={"NO_COLOR": "1"})
    lines = [line.rpartition("\x1b[K")[2] for line in seen.decode().splitlines()]
    longer = [line for line in lines if len(line) > 80]
    words = [[word for word in line.removesuffix(" \\").split() if not word.startswith("-")] for line in longer]
    assert {len(each) for each in words} == {1}, "more than one long word"
    assert len(lines) > len(longer) + 40


def test_nothing_found(server: Server, cluster: Cluster) -> None:
    done = run("orphans", "--all-namespaces", *cluster, stdin=b"")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        f"No orphans (0 objects, 6 kinds searched; all namespaces, context dev ({server.url}))\n"
    )


@pytest.mark.usefixtures("kept")
def test_quiet_prints_names_alone(cluster: Cluster) -> None:
    done = run("orphans", "--quiet", *cluster, stdin=b"")
    assert done.returncode == 0
    assert done.stdout.decode() == (
        "configmaps/shop/settings\nshirts.stable.example.com/shop/shirt\nconfigmaps/shop/scratch\n"
    )


@pytest.mark.usefixtures("kept")
def test_json_and_yaml_hold_the_same_and_are_as_the_schema_says(server: Server, cluster: Cluster) -> None:
    server.on("GET /apis/apps/v1/.*", status(403, "Forbidden", "no"))
    server.on("GET .*/blouses", status(410, "Gone", "no"))
    done = run("orphans", "-o", "json", *cluster, stdin=b"")
    assert (done.returncode, done.stderr) == (5, b"")
    data = json.loads(done.stdout)
    assert yaml.safe_load(run("orphans", "-o", "yaml", *cluster, stdin=b"").stdout) == data
    valid(data)
    assert [each["object"] for each in data["orphans"]] == [
        "configmaps/shop/settings",
        "shirts.stable.example.com/shop/shirt",
        "configmaps/shop/scratch",
    ]
    assert data["orphans"][0]["release"] == {"namespace": "shop", "name": "old"}
    assert [each["keep"] for each in data["orphans"]] == [True, True, False]
    assert data["orphans"][1]["commands"]["delete"].startswith("kubectl delete shirts.stable.example.com/shirt -n shop")
    assert data["forbidden"] == ["deployments.apps"]
    assert [each["name"] for each in data["failed"]] == ["blouses.beta.example.com"]


def valid(data: Any) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/orphans.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.usefixtures("kept")
def test_what_could_not_be_told_is_said_with_what_to_type(server: Server, cluster: Cluster) -> None:
    server.on("GET .*/secrets", status(403, "Forbidden", "no"))
    done = run("orphans", *cluster, stdin=b"")
    flag = " ".join(cluster)
    assert done.returncode == 5
    text = done.stdout.decode()
    assert text.partition("\nhint:")[0] == (
        "release shop/alive, named by 1 object: its release could not be looked up: secrets in shop: no right to "
        "list secrets (403): no"
    )
    assert f"hint: kubectl auth can-i list secrets -n shop {flag}\n" in text
    assert "no permission to list, not searched: secrets\n" in text
    assert "No orphans (4 objects, 5 kinds searched; " in text


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_no_value_of_a_secret_is_shown(server: Server, cluster: Cluster, output: str) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"kind":"Secret","data":{"a":"planted-4711"}}'}
    server.put(SECRET, {**left(SECRET, "token", annotations=applied), "data": {"a": "planted-4711"}})
    done = run("orphans", "-o", output, *cluster, stdin=b"")
    assert b"secrets/shop/token" in done.stdout
    assert b"planted" not in done.stdout + done.stderr


def test_kinds_that_may_not_be_listed_do_not_count_as_a_failure(server: Server, cluster: Cluster) -> None:
    server.on("GET /apis/apps/v1/.*", status(403, "Forbidden", "no"))
    done = run("orphans", *cluster, stdin=b"")
    assert done.returncode == 0
    assert b"no permission to list, not searched: deployments.apps\n" in done.stdout


def test_what_holds_others_or_is_applied_by_others_is_not_offered_for_deletion(
    server: Server, cluster: Cluster
) -> None:
    server.put(NAMESPACE, left(NAMESPACE, "ours", annotations=KEEP))
    server.put(SHIRT, left(SHIRT, "shirt", annotations={"argocd.argoproj.io/tracking-id": "x"}))
    text = run("orphans", "-v", *cluster, stdin=b"").stdout.decode()
    assert "holds others" in text
    assert "applied by Argo CD" in text
    assert "delete" not in text


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("arguments", "environ", "coloured"),
    [((), {}, False), (("--color", "always"), {"NO_COLOR": "1"}, True), (("--color", "never"), {}, False)],
)
def test_colours_where_no_terminal_is(
    cluster: Cluster, arguments: tuple[str, ...], environ: dict[str, str], coloured: bool
) -> None:
    done = run("orphans", *cluster, *arguments, stdin=b"", environ=environ)
    assert (b"\033[1mOBJECT " in done.stdout) is coloured
    assert (b"\033" in done.stdout) is coloured


@pytest.mark.usefixtures("kept")
def test_colours_and_progress_on_a_terminal(server: Server, cluster: Cluster) -> None:
    server.on("GET .*/shirts", lambda _: time.sleep(1.5))
    code, seen = on_a_terminal("orphans", *cluster)
    assert code == 0
    assert b"\033[1mOBJECT " in seen
    assert re.search(rb"\r\x1b\[Kpostrender: \d+ objects looked at, kinds to go: 1 \.\.\.\r\x1b\[K", seen)
    code, seen = on_a_terminal("orphans", *cluster, environ={"NO_COLOR": "1"})
    assert b"\033[1m" not in seen


def test_releases_that_no_cluster_can_tell_of(server: Server, cluster: Cluster) -> None:
    server.put(SHIRT, left(SHIRT, "shirt"))
    done = run("orphans", "--driver", "sql", *cluster, stdin=b"")
    assert done.returncode == 5
    told = " ".join(done.stdout.decode().split())
    assert "HELM_DRIVER=sql keeps releases in a database, where they cannot be read" in told
    assert "shirts.stable.example.com/shop/shirt" not in told


@pytest.mark.parametrize("driver", ["secret", "configmap"])
def test_an_owner_is_looked_for_under_every_driver(server: Server, cluster: Cluster, driver: str) -> None:
    server.put(SHIRT, left(SHIRT, "shirt"))
    server.put(CONFIG_MAP, a_revision("old", 1, "deployed", driver="configmap"))
    assert run("orphans", "--driver", driver, *cluster, stdin=b"").returncode == 0
    stored = [each.path for each in server.asked() if each.query.get("labelSelector") == "owner=helm"]
    assert set(stored) == {"/api/v1/namespaces/shop/configmaps", "/api/v1/namespaces/shop/secrets"}


def test_a_cluster_that_cannot_be_reached() -> None:
    message = refused(run("orphans", "-A", "--kube-apiserver", "https://127.0.0.1:9", stdin=b""), 5)
    assert message.startswith("error: ")
    assert "127.0.0.1:9" in message


def test_a_bad_format() -> None:
    message = refused(run("orphans", "-o", "xml", stdin=b""), 2)
    assert "argument -o/--output: invalid choice: 'xml'" in message
