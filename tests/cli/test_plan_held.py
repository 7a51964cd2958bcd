"""``postrender plan --save`` and the filter that is held to it, as subprocesses."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.test_filter import refused, run
from tests.cli.test_plan import CONFIG, KEY, live_file, ours, stored
from tests.plans.test_views import SCHEMA

RELEASE = ("--release", "shop", "-n", "shop", "--helm-version", "3.21.4")
NEW = CONFIG.replace("8080", "9090")
SECRET = '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "%s"}}'


def saved(tmp_path: Path, stream: str, live: str, *further: str, **more: Any) -> str:
    """The path of a plan of the stream."""
    path = str(tmp_path / "plan.json")
    done = run("plan", "-", "--live", live, *RELEASE, "--save", path, *further, stdin=stream.encode(), **more)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert f"--post-renderer-args=--plan={path}".encode() in done.stdout
    return path


def held(path: str, stream: str, live: str, *further: str, **more: Any) -> Any:
    return run("--plan", path, "--live", live, *RELEASE, "--action", "upgrade", *further, stdin=stream.encode(), **more)


@pytest.fixture
def live(tmp_path: Path) -> str:
    return live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}, status={"seen": 1}), stored(CONFIG))


def test_the_file_is_the_plan_and_the_users_own(tmp_path: Path, live: str) -> None:
    path = saved(tmp_path, NEW, live)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(Path(path).read_text()))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_nothing_changed(tmp_path: Path, live: str) -> None:
    path = saved(tmp_path, NEW, live)
    done = held(path, NEW, live)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == NEW.encode()


def test_a_status_alone_is_no_change(tmp_path: Path, live: str) -> None:
    path = saved(tmp_path, NEW, live)
    body = ours("ConfigMap", "a", data={"port": "8080"}, status={"seen": 2})
    body["metadata"]["resourceVersion"] = "8"
    assert held(path, NEW, live_file(tmp_path, body, stored(CONFIG))).returncode == 0


def changed(**metadata: Any) -> dict[str, Any]:
    body = ours("ConfigMap", "a", data={"port": "1", "more": "2"})
    return {**body, "metadata": {**body["metadata"], **metadata}}


THIRD = stored(CONFIG, revision=4)


@pytest.mark.parametrize(
    ("stream", "documents", "lines"),
    [
        (CONFIG, None, ["configmaps/shop/a: the chart has changed"]),
        (
            NEW,
            [changed(resourceVersion="8"), stored(CONFIG)],
            ["configmaps/shop/a: was changed since: data.port, data.more"],
        ),
        (NEW, [changed(uid="other"), stored(CONFIG)], ["configmaps/shop/a: is another object now"]),
        (NEW, [stored(CONFIG)], ["configmaps/shop/a: is not live any more"]),
        (
            f"{NEW}---\n{CONFIG.replace('name: a', 'name: b')}",
            None,
            ["configmaps/shop/b: is in the stream, and not in the plan"],
        ),
        ("", None, ["configmaps/shop/a: leaves the release now"]),
        (
            NEW,
            [ours("ConfigMap", "a", data={"port": "8080"}, status={"seen": 1}), stored(CONFIG), THIRD],
            ["release shop/shop: revision 4 is stored now, and the plan starts from revision 3"],
        ),
    ],
)
def test_what_departs_is_named(
    tmp_path: Path, live: str, stream: str, documents: list[Any] | None, lines: list[str]
) -> None:
    path = saved(tmp_path, NEW, live)
    now = live if documents is None else live_file(tmp_path, *documents)
    told = "".join(f"  {line}\n" for line in lines)
    assert refused(held(path, stream, now), 4) == (
        f"error: {path}: the result differs from the saved plan\n{told}"
        f"note: plan again, and review the new plan\nhint: postrender plan shop CHART -n shop --save {path}\n"
    )


def test_other_settings_make_another_thing_of_it(tmp_path: Path, live: str) -> None:
    path = saved(tmp_path, NEW, live)
    message = refused(held(path, NEW, live, "--stamp", "all"), 4)
    assert "configmaps/shop/a: the filter's action is stamp now, and was pass\n" in message


def test_another_helm(tmp_path: Path, live: str) -> None:
    path = saved(tmp_path, NEW, live)
    message = refused(held(path, NEW, live, "--helm-version", "3.12.3"), 4)
    assert "  helm 3.12.3: the plan is one for helm 3.21.4\n" in message


def test_a_secret_is_held_to_by_its_fields_unless_there_is_a_key(tmp_path: Path) -> None:
    empty = live_file(tmp_path, stored(CONFIG), ours("ConfigMap", "a", data={"port": "8080"}))
    one, other = (f"{CONFIG}---\n{SECRET % value}\n" for value in ("one", "other"))
    path = saved(tmp_path, one, empty)
    assert held(path, other, empty).returncode == 0
    path = saved(tmp_path, one, empty, environ=KEY)
    assert held(path, one, empty, environ=KEY).returncode == 0
    message = refused(held(path, other, empty, environ=KEY), 4)
    assert "secrets/shop/db: the chart has changed\n" in message
    assert refused(held(path, one, empty), 2) == (
        f"error: {path}: its digests of Secret values were made with another key\n"
        "note: set POSTRENDER_DIGEST_KEY to the key with which the plan was saved\n"
    )


def test_a_plan_that_is_refused_is_not_kept(tmp_path: Path) -> None:
    body = ours("ConfigMap", "a", data={"port": "1"})
    body["metadata"]["annotations"]["meta.helm.sh/release-name"] = "gone"
    path = tmp_path / "plan.json"
    done = run(
        *("plan", "-", "--live", live_file(tmp_path, body), *RELEASE, "--save", str(path)), stdin=CONFIG.encode()
    )
    assert done.returncode == 4
    assert done.stderr.decode() == f"postrender: no plan is kept in {path}, since an object is blocked\n"
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not a saved plan: it is not JSON"),
        ("[]", "is not a saved plan: it is not a plan that postrender wrote"),
        (
            '{"kind": "Plan", "schemaVersion": 1}',
            "is not a saved plan: it has schemaVersion 1, and this postrender reads 2",
        ),
        ('{"kind": "Plan", "schemaVersion": 2}', "is not a saved plan: missing field: 'about'"),
    ],
)
def test_a_file_that_is_no_plan(tmp_path: Path, live: str, content: str | None, cause: str) -> None:
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)
    assert refused(held(str(path), NEW, live), 2) == (
        f"error: {path}: {cause}\nhint: postrender plan shop CHART -n shop --save {path}\n"
    )


@pytest.mark.parametrize("further", [("--offline",), ("--action", "template")])
def test_a_run_that_looks_nothing_up_cannot_be_held_to_a_plan(
    tmp_path: Path, live: str, further: tuple[str, ...]
) -> None:
    path = saved(tmp_path, NEW, live)
    assert refused(run("--plan", path, *RELEASE, *further, stdin=NEW.encode()), 2) == (
        f"error: {path}: a saved plan needs a run that looks up live objects\n"
        "note: use helm install or helm upgrade, not helm template\n"
        "note: to look live objects up, add --kube-context with one of these\n"
        "hint: kubectl config get-contexts\n"
    )
