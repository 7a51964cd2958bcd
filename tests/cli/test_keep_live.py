"""``--keep-live`` through the executable: its messages, its callers without a lookup, and no value in any output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_filter import refused, run
from tests.cli.test_krm import a_list
from tests.cli.test_plan import live_file, ours
from tests.cli.test_secrets_stay import FORMATS, WORD, leaks, packed

KEPT = "{helm.sh/resource-policy: keep}"
LOGIN = (
    f"apiVersion: v1\nkind: Secret\nmetadata: {{name: login, annotations: {KEPT}}}\n"
    f"stringData:\n  password: {WORD}-new # generated\n  user: {WORD}-user\n"
)
ANNOTATED = LOGIN.replace(": keep}", ": keep, postrender/keep-live: data.password}")
RELEASE = ("--release", "shop", "-n", "shop", "--helm-version", "3.21.4", "--action", "install")
PASSWORD = "--keep-live=secrets/login:data.password"


@pytest.fixture
def live(tmp_path: Path) -> str:
    return live_file(
        tmp_path, ours("Secret", "login", data={"password": packed(f"{WORD}-old"), "user": packed(f"{WORD}-user")})
    )


def warned(text: bytes) -> str:
    return " ".join(text.decode().split())


def test_the_summary_has_one_line_and_only_the_value_changes(live: str) -> None:
    done = run(*RELEASE, "--live", live, PASSWORD, "--stamp=none", stdin=LOGIN.encode())
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == LOGIN.replace(f"{WORD}-new", f'"{WORD}-old"')
    assert done.stderr.decode() == (
        f"postrender: helm 3.21.4 install, release shop/shop, file {live}: 1 of 1 object modified\n"
        "  kept as live: secrets/shop/login (data.password)\n"
    )


@pytest.mark.parametrize("name", ["secrets/login:data", "SECRET/shop/log?n", "*/*"])
def test_names(live: str, name: str) -> None:
    environ = {"POSTRENDER_KEEP_LIVE": name}
    done = run(*RELEASE, "--live", live, stdin=LOGIN.encode(), environ=environ)
    assert f'password: "{WORD}-old"' in done.stdout.decode(), done.stderr


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("login", "'login' is not KIND/NAME or KIND/NAME:FIELD"),
        ("secrets//login", "'secrets//login' is not KIND/NAME or KIND/NAME:FIELD"),
        ("secrets/login:", "'secrets/login:': the path of a field is missing"),
        ("secrets/login:data[0]", "'secrets/login:data[0]': 'data[0]' leads into a list; name the whole list"),
        ("secrets/login:status.x", "'secrets/login:status.x': status is not a value of the chart"),
        (
            "secrets/login:metadata.uid",
            "'secrets/login:metadata.uid': metadata.uid cannot be kept; of metadata only single labels and "
            "annotations can",
        ),
    ],
)
def test_a_value_that_names_nothing(live: str, value: str, message: str) -> None:
    done = run(*RELEASE, "--live", live, f"--keep-live={value}", stdin=LOGIN.encode())
    command = f"postrender {' '.join(RELEASE)} --live {live} --keep-live secrets/login:data.password"
    assert refused(done, 2) == f"error: --keep-live: {message}\nhint: {command}\n"


def test_an_object_that_is_not_in_the_chart(live: str) -> None:
    done = run(*RELEASE, "--live", live, "--keep-live=secrets/logn:data.password", stdin=LOGIN.encode())
    assert refused(done, 2) == (
        "error: --keep-live: 'secrets/logn:data.password' matches no object of the chart\n"
        "note: did you mean secrets/login:data.password?\n"
        "note: to let it match nothing, use a wildcard, as in secrets/*login\n"
    )
    done = run(*RELEASE, "--live", live, "--keep-live=secrets/logn*:data.password", stdin=LOGIN.encode())
    assert done.returncode == 0


@pytest.mark.parametrize(
    "flags", [("--offline",), ("--live", "{live}", "--dry-run=client")], ids=["offline", "dry run"]
)
def test_without_a_lookup_the_charts_value_comes_out_and_a_line_says_so(live: str, flags: tuple[str, ...]) -> None:
    for stream, named in ((ANNOTATED, ()), (LOGIN, (PASSWORD,))):
        done = run(*RELEASE, *(each.format(live=live) for each in flags), *named, stdin=stream.encode())
        assert done.returncode == 0, done.stderr
        assert f"password: {WORD}-new" in done.stdout.decode()
        reason = "no live object is looked up" if "--offline" in flags else "this is a client-side dry run"
        text = (
            f"warning: secrets/shop/login: has the chart's value of data.password, not the live one: {reason} (PR321)"
        )
        assert warned(done.stderr).count(text) == 1
        assert leaks(done.stderr) == []


def test_no_live_value_goes_in_git(live: str) -> None:
    item = "- " + ANNOTATED.replace("\n", "\n  ").rstrip() + "\n"
    config = f"{{release: shop, namespace: shop, helm-version: 3.21.4, action: install, live: {live}}}"
    done = run("krm", stdin=a_list(item, config))
    assert done.returncode == 0, done.stderr
    assert f"{WORD}-old" not in done.stdout.decode()
    assert "data.password, not the live one: the manifests go in Git" in warned(done.stdout)
    done = run("krm", PASSWORD, stdin=a_list(item, config))
    assert done.returncode == 2


def test_a_post_renderer_behind_may_not_put_the_charts_value_back(live: str, tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.write_text(f"#!/bin/sh\nexec sed s/{WORD}-old/{WORD}-back/\n")
    back.chmod(0o755)
    for stream, named in ((ANNOTATED, ()), (LOGIN, (PASSWORD,))):
        done = run(*RELEASE, "--live", live, *named, "--then", str(back), stdin=stream.encode())
        assert refused(done, 4) == (
            "error: --then: the program reverted required changes, or added objects that need them:\n"
            "  secrets/shop/login: stringData.password\n"
            "note: run it before postrender: give it with --first instead\n"
        )


def test_a_file_without_the_values_is_enough_for_a_plan_only(live: str, tmp_path: Path) -> None:
    done = run("snapshot", "-", *RELEASE, "--live", live, stdin=LOGIN.encode())
    file = tmp_path / "snapshot.yaml"
    file.write_bytes(done.stdout)
    planned = run("plan", "-", *RELEASE, "--live", str(file), PASSWORD, "-o", "json", stdin=LOGIN.encode())
    (found,) = json.loads(planned.stdout)["objects"]
    assert found["keptLive"] == ["data.password"]
    done = run(*RELEASE, "--live", str(file), PASSWORD, stdin=LOGIN.encode())
    assert refused(done, 4).startswith(
        f"error: secrets/shop/login: must be stored with its live spec, but file {file} holds digests instead of its "
        "values\n"
    )


def test_a_saved_plan_holds_the_run_to_it(live: str, tmp_path: Path) -> None:
    saved = str(tmp_path / "plan.json")
    done = run("plan", "-", *RELEASE, "--live", live, PASSWORD, "--save", saved, stdin=LOGIN.encode())
    assert f"--post-renderer-args={PASSWORD} --post-renderer-args=--plan={saved}" in done.stdout.decode()
    assert leaks(done.stdout, done.stderr, Path(saved).read_text()) == []
    assert run(*RELEASE, "--live", live, "--plan", saved, PASSWORD, stdin=LOGIN.encode()).returncode == 0
    message = refused(run(*RELEASE, "--live", live, "--plan", saved, stdin=LOGIN.encode()), 4)
    assert "secrets/shop/login: the filter's action is" in message
    assert leaks(message) == []


@pytest.mark.parametrize("output", FORMATS)
def test_no_format_shows_a_value(live: str, output: str) -> None:
    for flags in ((PASSWORD,), ("--keep-live=secrets/login",), ("--keep-live=secrets/login:data.pasword",)):
        done = run("plan", "-", *RELEASE, "--live", live, *flags, "-o", output, "--verbose", stdin=LOGIN.encode())
        assert done.returncode in (0, 4), done.stderr
        assert leaks(done.stdout, done.stderr) == []


def test_the_fields_of_a_plan(live: str) -> None:
    def found(*flags: str) -> Any:
        done = run("plan", "-", *RELEASE, "--live", live, *flags, "-o", "json", stdin=LOGIN.encode())
        return json.loads(done.stdout)["objects"][0]

    kept = found(PASSWORD)
    assert kept["keptLive"] == ["data.password"]
    assert "keep-live" in kept["actions"]
    assert [each["text"] for each in kept["findings"] if each["code"] == "PR320"] == ["kept as live: data.password"]
    assert kept["desired"]["data"] == kept["live"]["data"]
    assert found()["keptLive"] == []
