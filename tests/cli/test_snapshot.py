"""``postrender snapshot`` as a subprocess: a plan made from it is the plan that was made from the source."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.browser.scenario import PASSWORDS, packed, write
from tests.cli.test_filter import refused, run
from tests.cli.test_plan import CONFIG, KEY, live_file, ours, stored

RELEASE = ("--release", "shop", "-n", "shop", "--helm-version", "3.21.4", "--adopt", "orphans")


def snapshot(stream: Path, live: str, *further: str, **more: Any) -> bytes:
    done = run("snapshot", "--manifests", str(stream), "--live", live, *RELEASE, *further, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def planned(stream: Path, live: str, **more: Any) -> Any:
    done = run("plan", "--manifests", str(stream), "--live", live, *RELEASE, "-o", "json", **more)
    assert done.returncode in (0, 4), done.stderr.decode()
    report = json.loads(done.stdout)
    del report["about"]["source"]
    return report


@pytest.mark.parametrize("further", [(), ("--with-secrets",)])
@pytest.mark.parametrize("refused", [False, True])
def test_the_same_plan_comes_of_it(tmp_path: Path, further: tuple[str, ...], refused: bool) -> None:
    stream, live = write(tmp_path, refused=refused)
    taken = tmp_path / "taken.yaml"
    taken.write_bytes(snapshot(stream, str(live), *further, environ=KEY))
    assert planned(stream, str(taken), environ=KEY) == planned(stream, str(live), environ=KEY)


def test_a_snapshot_of_a_snapshot_is_the_same(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    taken = tmp_path / "taken.yaml"
    taken.write_bytes(snapshot(stream, str(live), environ=KEY))
    assert snapshot(stream, str(taken), environ=KEY) == taken.read_bytes()


def payloads(taken: bytes) -> list[Any]:
    """What the stored revisions in a snapshot unpack to."""
    found = [each for each in yaml.safe_load_all(taken) if each.get("type") == "helm.sh/release.v1"]
    return [
        json.loads(gzip.decompress(base64.b64decode(base64.b64decode(each["data"]["release"]))))
        for each in found
        if "data" in each
    ]


def test_secrets_are_digests_and_so_they_are_in_stored_manifests(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    taken = snapshot(stream, str(live))
    text = taken.decode() + json.dumps(payloads(taken))
    assert "digest:" in text
    for value in PASSWORDS:
        assert value not in text
        assert packed(value) not in text
    assert set(payloads(taken)[0]) == {"name", "namespace", "version", "info", "manifest", "apply_method"}


def test_with_secrets_they_are_there(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    taken = snapshot(stream, str(live), "--with-secrets").decode()
    assert packed("live-password") in taken
    assert "digest:" not in taken


def test_without_the_key_it_is_said_that_secrets_cannot_be_compared(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    taken = tmp_path / "taken.yaml"
    taken.write_bytes(snapshot(stream, str(live)))
    assert planned(stream, str(taken))["about"]["notes"] == [
        "checked the manifests of 1 other stored release for the objects to be adopted",
        f"{taken} holds digests for the values of Secrets, made with another key: whether they differ from the "
        "chart's is unknown (POSTRENDER_DIGEST_KEY)",
    ]


def test_the_filter_emits_no_digest(tmp_path: Path) -> None:
    """A field that left the chart stays in the release until the next upgrade removes it; the file has a digest."""
    fields = {"manager": "helm", "operation": "Update", "fieldsV1": {"f:data": {"f:more": {}, "f:password": {}}}}
    body = ours("Secret", "db", data={"password": packed("live-password"), "more": packed("left-over")})
    live = live_file(tmp_path, {**body, "metadata": {**body["metadata"], "managedFields": [fields]}})
    stream = tmp_path / "stream.yaml"
    stream.write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\ndata: {{password: {packed('live-password')}}}\n"
    )
    arguments = ("--release", "shop", "-n", "shop", "--helm-version", "3.12.3", "--action", "install")
    whole = run("--live", live, *arguments, stdin=stream.read_bytes())
    assert packed("left-over").encode() in whole.stdout
    taken = tmp_path / "taken.yaml"
    taken.write_bytes(run("snapshot", "--manifests", str(stream), "--live", live, *arguments).stdout)
    assert refused(run("--live", str(taken), *arguments, stdin=stream.read_bytes()), 4) == (
        f"error: secrets/shop/db: must be stored with its live spec, but file {taken} holds digests instead of its"
        " values\nhint: postrender snapshot shop CHART -n shop --with-secrets\n"
    )


def test_lines_of_the_stored_manifest_stay(tmp_path: Path) -> None:
    manifest = (
        "---\n# Source: shop/a.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n"
        "stringData:\n  a: live-password\n"
        f"---\n# Source: shop/b.yaml\n{CONFIG}"
    )
    live = live_file(tmp_path, stored(manifest), ours("ConfigMap", "a", data={"port": "8080"}))
    stream = tmp_path / "stream.yaml"
    stream.write_text(CONFIG)
    taken = tmp_path / "taken.yaml"
    taken.write_bytes(snapshot(stream, live, environ=KEY))
    (text,) = (each["manifest"] for each in payloads(taken.read_bytes()))
    assert "live-password" not in text
    assert text.count("\n") == manifest.count("\n")
    assert text.endswith(f"# Source: shop/b.yaml\n{CONFIG}")
    assert planned(stream, str(taken), environ=KEY) == planned(stream, live, environ=KEY)


def test_what_it_says(tmp_path: Path) -> None:
    stream, live = write(tmp_path)
    arguments = ("snapshot", "--manifests", str(stream), "--live", str(live), *RELEASE)
    assert run(*arguments).stderr.decode() == (
        f"postrender: shop/shop, file {live}\n  9 live objects, 2 stored revisions, values of Secrets as digests\n"
    )
    assert run(*arguments, "--quiet").stderr == b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("snapshot",),
            "specify either RELEASE and CHART, or rendered manifests\nhint: postrender snapshot --help\n",
        ),
        (
            ("snapshot", "-", "--offline", "--release", "a", "-n", "b"),
            "a snapshot needs a cluster\n"
            "note: to look live objects up, add --kube-context with one of these\n"
            "hint: kubectl config get-contexts\n",
        ),
    ],
)
def test_bad_calls(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run(*arguments), 2) == f"error: {message}"


def test_an_answer_that_cannot_be_read(tmp_path: Path) -> None:
    live = live_file(tmp_path, {"apiVersion": "snapshot.postrender/v1", "kind": "Answer", "metadata": {"name": "x"}})
    message = refused(run("--live", live, *RELEASE, stdin=CONFIG.encode()), 2)
    assert message.startswith(f"error: {live}: holds an answer that cannot be read: 'notAsked'\nnote: ")
