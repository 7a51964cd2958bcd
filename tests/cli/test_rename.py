"""``postrender rename`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from postrender.helm.storage import decode
from tests.cli.test_filter import run
from tests.cli.test_forget import live, writes
from tests.cli.test_move import NAME, OTHER, POLICY, SETTINGS, at, config, metadata, of, owned
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision, an_object
from tests.wire.server import Reply, Request, Server, ok, status

__all__ = ["live"]

OLD, NEW = (
    [SECRET.path("shop", f"sh.helm.release.v1.{name}.v{number}") for number in (1, 2)] for name in ("old", "store")
)
POSTED = "POST /api/v1/namespaces/shop/secrets"


def chart(template: str, **more: Any) -> dict[str, Any]:
    data = base64.b64encode(template.encode()).decode()
    return {
        "metadata": {"name": "old", **more},
        "templates": [{"name": "templates/a.yaml", "data": data}],
        "values": {},
    }


@pytest.fixture
def rename(cluster: tuple[str, str], tmp_path: Path) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        done = run("rename", *arguments, *cluster, stdin=b"", environ={"XDG_STATE_HOME": str(tmp_path / "state")})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


def test_the_order_of_the_writes_never_shows_two_releases(
    live: Server, rename: Any, cluster: tuple[str, str], tmp_path: Path
) -> None:
    before = [live.objects[path] for path in OLD]
    file = tmp_path / "copy.json"
    code, out, err = rename("old", "store", "--yes", "--backup", str(file))
    assert (code, err) == (0, "")
    assert out == (
        f"rename release shop/old to shop/store, context dev ({live.url})\n"
        f"  configmaps/shop/settings\n      - {NAME}: old\n      + {NAME}: store\n"
        f"  configmaps/shop/other\n      - {NAME}: old\n      + {NAME}: store\n"
        "2 revisions renamed, metadata of 2 objects changed\n"
        f"note: to undo it\nhint: postrender rename store old -n shop {' '.join(cluster)}\n"
    )
    assert writes(live) == [
        *[POSTED] * 2,
        *(f"DELETE {path}" for path in OLD),
        *(f"PATCH {path}" for path in (SETTINGS, OTHER)),
        *(f"PATCH {path}" for path in reversed(NEW)),
    ]
    posted = [json.loads(each.body) for each in live.asked(POSTED)]
    assert {each["metadata"]["labels"]["owner"] for each in posted} == {"postrender"}
    assert (metadata(live, SETTINGS), metadata(live, OTHER)) == (of("store"), {**of("store"), POLICY: "keep"})
    for path, old in zip(NEW, before, strict=True):
        new = live.objects[path]
        assert new["metadata"]["labels"] == {**old["metadata"]["labels"], "name": "store"}
        payloads = [decode(each["data"]["release"], wrapped=True) for each in (old, new)]
        assert {**payloads[0], "name": "store"} == payloads[1]
    assert [each["metadata"]["name"] for each in json.loads(file.read_text())["items"]] == [
        path.rpartition("/")[2] for path in OLD
    ]
    assert "no revision of it is stored in" in rename("old", "store", "--yes")[2]


@pytest.mark.parametrize("place", range(8))
def test_interrupted_it_is_gone_on_with(live: Server, rename: Any, place: int) -> None:
    requests = [
        *[POSTED] * 2,
        *(f"DELETE {path}" for path in OLD),
        *(f"PATCH {path}" for path in (SETTINGS, OTHER)),
        *(f"PATCH {path}" for path in reversed(NEW)),
    ]
    left = [2 if place == 1 else 1]

    def broken(_: Request) -> Reply | None:
        left[0] -= 1
        return None if left[0] else status(500, "InternalError", "out of order")

    at(live, requests[place], broken)
    code, out, err = rename("old", "store", "--yes")
    assert (code, out) == (5, "")
    assert "run the same command again to go on" in " ".join(err.split())
    assert rename("old", "store", "--yes")[0] == 0
    assert not set(OLD) & set(live.objects)
    assert {live.objects[path]["metadata"]["labels"]["owner"] for path in NEW} == {"helm"}
    assert (metadata(live, SETTINGS), metadata(live, OTHER)) == (of("store"), {**of("store"), POLICY: "keep"})


def test_a_dry_run_writes_nothing_and_the_report_has_a_schema(live: Server, rename: Any) -> None:
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/rename.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(rename("old", "store", "--dry-run", "-o", "json")[1]), schema)
    assert rename("old", "store", "--dry-run")[1].endswith("; nothing was written (--dry-run)\n")
    assert writes(live) == []


@pytest.mark.parametrize(
    ("template", "more", "depends"),
    [
        ("name: old-a", {}, False),
        ("name: {{ .Release.Name }}-a", {}, True),
        ("namespace: {{ .Release.Namespace }}", {}, False),
        ("{{ toYaml .Release }}", {}, True),
        ("name: old-a", {"dependencies": [{"name": "redis"}]}, True),
    ],
)
def test_a_name_counts_if_the_chart_may_use_the_releases(
    live: Server, rename: Any, template: str, more: dict[str, Any], depends: bool
) -> None:
    stored = a_revision("old", 2, "deployed", manifest=config("old-a") + config("older"), chart=chart(template, **more))
    live.put(SECRET, stored)
    code, _, err = rename("old", "store", "--dry-run", "--with-changes")
    assert code == (4 if depends else 0)
    text = "release shop/old: configmaps/shop/old-a: its name has the release's name in it\nnothing was written\n"
    assert (text in err) == depends


def placed(name: str, namespace: str, data: str = "1") -> str:
    return f"{config(name).replace('}', f', namespace: {namespace}}}')}data: {{a: {data}}}\n"


NAMES = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop-x}\n"
NAME_USED, NAMESPACE_USED = "{{ .Release.Name }}", "{{ .Release.Namespace }}"
ELSEWHERE = ("old", "old", "--to-namespace", "prod")


@pytest.mark.parametrize(
    ("arguments", "first", "manifest", "stored", "said"),
    [
        (ELSEWHERE, "", placed("a", "infra"), chart(NAME_USED), ""),
        (ELSEWHERE, "", placed("a", "infra"), chart("", dependencies=[{"name": "redis"}]), ""),
        (
            ELSEWHERE,
            "",
            placed("a", "shop"),
            chart(NAMESPACE_USED),
            "configmaps/shop/a: its namespace has the release's namespace in it",
        ),
        (ELSEWHERE, "", NAMES, chart(NAMESPACE_USED), "namespaces/shop-x: its name has the release's namespace in it"),
        (ELSEWHERE, "", config("a"), chart(""), "configmaps/shop/a: its namespace is the release's"),
        (
            ELSEWHERE,
            config("a"),
            placed("a", "infra"),
            chart(""),
            "configmaps/shop/a: its namespace is the release's in revision 1",
        ),
        (
            ("old", "store"),
            "",
            placed("a", "old"),
            chart(NAME_USED),
            "configmaps/old/a: its namespace has the release's name in it",
        ),
    ],
)
def test_an_object_that_the_next_upgrade_would_put_elsewhere_is_refused(
    live: Server,
    rename: Any,
    arguments: tuple[str, ...],
    first: str,
    manifest: str,
    stored: dict[str, Any],
    said: str,
) -> None:
    live.put(SECRET, a_revision("old", 1, "superseded", manifest=first))
    live.put(SECRET, a_revision("old", 2, "deployed", manifest=manifest, chart=stored))
    code, _, err = rename(*arguments, "--dry-run", "--with-changes")
    assert code == (4 if said else 0), err
    assert err.startswith(f"error: release shop/old: {said}\nnothing was written\n" if said else "")


def test_a_field_that_has_the_namespace_is_a_change_of_the_next_upgrade(live: Server, rename: Any) -> None:
    live.put(SECRET, a_revision("old", 1, "superseded"))
    manifest = placed("a", "infra", "web.shop.svc")
    live.put(SECRET, a_revision("old", 2, "deployed", manifest=manifest, chart=chart(NAMESPACE_USED)))
    code, _, err = rename(*ELSEWHERE, "--yes")
    assert code == 4
    assert err.startswith(
        "error: release shop/old: configmaps/infra/a: data.a has the release's namespace in it\nnothing was written\n"
        "hint: postrender rename old old --to-namespace prod -n shop "
    )
    assert writes(live) == []
    assert rename(*ELSEWHERE, "--dry-run", "--with-changes")[0] == 0


REFUSED: dict[str, tuple[Callable[[Server], object], tuple[str, ...], int, str]] = {
    "taken": (
        lambda live: live.put(SECRET, a_revision("store", 3, "deployed")),
        (),
        4,
        "release shop/store: a release of that name has revision 3; nothing was written\n",
    ),
    "pending": (
        lambda live: live.put(SECRET, a_revision("old", 3, "pending-upgrade")),
        (),
        4,
        "release shop/old: has a pending operation (revision 3, pending-upgrade); another helm process may be running",
    ),
    "third": (
        lambda live: live.put(SECRET, a_revision("third", 1, "deployed", manifest=config("settings"))),
        (),
        4,
        "configmaps/shop/settings: release shop/third has it in its stored manifest (PR101)\nnothing was written\n",
    ),
    "owned": (
        lambda live: live.objects.update(
            {
                SECRET.path("shop", "sh.helm.release.v1.third.v1"): a_revision("third", 1, "deployed"),
                SETTINGS: an_object(CONFIG_MAP, "settings", metadata=owned("third")),
            }
        ),
        (),
        4,
        "configmaps/shop/settings: owned by installed release shop/third (PR101)\nnothing was written\n",
    ),
    "fields": (
        lambda live: live.put(
            SECRET,
            a_revision(
                "old", 2, "deployed", manifest=config("a") + "data: {a: old}\n", chart=chart("{{ .Release.Name }}")
            ),
        ),
        (),
        4,
        "release shop/old: configmaps/shop/a: data.a has the release's name in it\nnothing was written\n"
        "hint: postrender rename old store -n shop ",
    ),
    "namespace": (
        lambda _: None,
        ("--to-namespace", "prod"),
        4,
        "configmaps/shop/settings: its namespace is the release's\n",
    ),
    "rights": (
        lambda live: live.on("POST .*selfsubjectaccessreviews", ok({"status": {"allowed": False}})),
        (),
        5,
        "no right to create secrets in namespace shop, to delete secrets in namespace shop, to patch secrets in "
        "namespace shop, to patch configmaps in namespace shop; nothing was written\n",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_nothing_is_written(live: Server, rename: Any, name: str) -> None:
    prepare, arguments, code, message = REFUSED[name]
    prepare(live)
    done = rename("old", "store", "--yes", *arguments)
    assert done[0] == code, done[2]
    assert message in done[2]
    assert writes(live) == []


def test_the_name_that_it_has_is_no_new_one(rename: Any) -> None:
    code, _, err = rename("old", "old", "--yes")
    assert (code, err.splitlines()[0]) == (2, "error: release shop/old: the release has that name already")
