"""A secret planted wherever it could leak from, and looked for in all that is said.

What is printed as manifests (the filter's stdout, and that of its wrappers) is the chart's own and not searched.
"""

from __future__ import annotations

import base64
import gc
import gzip
import json
import pprint
from pathlib import Path
from typing import Any

import pytest

from postrender import HelmAction, HelmVersion, Invocation, LiveFile, Refused, ReleaseName, plan, rewrite
from postrender._record import Record, replace
from postrender.report import lint, plan_formats
from tests.cli.test_filter import run
from tests.cli.test_plan import live_file, ours
from tests.plans.test_plans import _secret as a_revision

WORD = "hunter2"
"""Every planted value begins with it, and so does the base64 of each with ``PACKED``."""

PACKED = "aHVudGVyM"
RELEASE = ("--release", "shop", "-n", "shop")
HEAD = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n"

BROKEN = {
    "data that is a text": f"{HEAD}data: {WORD}-a\n",
    "labels that are a text": f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  labels: {WORD}-a\n",
    "metadata that are a text": f"apiVersion: v1\nkind: Secret\nmetadata: {WORD}-a\n",
    "a quote that does not end": f'{HEAD}stringData:\n  a: "{WORD}-a\n',
    "a tag that does not fit": f"{HEAD}stringData:\n  a: !!int {WORD}-a\n",
    "another tag that does not fit": f"{HEAD}stringData:\n  a: !!timestamp {WORD}-a\n",
    "a tag of its own": f"{HEAD}stringData:\n  a: !{WORD}-a b\n",
    "binary that is none": f"{HEAD}stringData:\n  a: !!binary {WORD}-a=\n",
    "an alias": f"{HEAD}stringData:\n  a: *{WORD}-a\n",
    "an anchor in itself": f"{HEAD}stringData:\n  a: &{WORD}-a [*{WORD}-a]\n",
    "an at sign": f"{HEAD}stringData:\n  a: @{WORD}-a\n",
    "a colon too many": f"{HEAD}stringData:\n  a: {WORD}-a: b\n",
    "a brace that does not end": f"{HEAD}stringData: {{a: {WORD}-a\n",
    "a key twice": f"{HEAD}stringData:\n  a: {WORD}-a\n  a: {WORD}-b\n",
    "a tab": f"{HEAD}stringData:\n\ta: {WORD}-a\n",
    "an escape that is none": f'{HEAD}stringData:\n  a: "{WORD}-a\\q"\n',
    "a merge of a text": f"{HEAD}stringData:\n  <<: {WORD}-a\n",
    "a control character": f'{HEAD}stringData:\n  a: "{WORD}-a\x01"\n',
    "JSON that does not end": f'{{"apiVersion": "v1", "kind": "Secret", "stringData": {{"a": "{WORD}-a"',
    "JSON with a bare word": f'{{"apiVersion": "v1", "kind": "Secret", "stringData": {{"a": {WORD}-a}}}}',
    "a misspelled field": f"{HEAD}stringdata:\n  a: {WORD}-a\n",
    "a list of Secrets": (
        f"apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {{name: db}}\n  stringData: {{a: {WORD}}}\n"
    ),
    "a key of a directive": f"{HEAD}data:\n  $patch: {WORD}-a\n",
}


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def leaks(*texts: bytes | str) -> list[str]:
    """Every line that has a planted value in it."""
    joined = "\n".join(text if isinstance(text, str) else text.decode(errors="replace") for text in texts)
    return [line for line in joined.splitlines() if WORD in line or PACKED in line]


@pytest.mark.parametrize("stream", BROKEN.values(), ids=BROKEN)
def test_what_is_said_of_a_stream_that_cannot_be_read(stream: str, tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("Secret", "db", data={"a": packed(f"{WORD}-live"), "$patch": packed(WORD)}))
    data = stream.encode()
    found: list[str] = []
    for source in (("--offline", "--stamp", "all"), ("--live", live, "--helm-version", "3.12.3")):
        found += leaks(run(*RELEASE, *source, stdin=data).stderr)
        done = run("plan", "-", *RELEASE, *source, stdin=data)
        found += leaks(done.stdout, done.stderr)
    for name, further in (("lint", ("-",)), ("krm", ()), ("snapshot", ("-", *RELEASE, "--live", live))):
        done = run(name, *further, stdin=data)
        found += leaks(done.stderr, b"" if name == "krm" else done.stdout)
    assert found == []


def documents() -> tuple[str, list[Any]]:
    """A stream, and what is live and stored, each with values of its own."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}
    nested = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": f"{WORD}-nested"}}
    chart = [
        {**secret, "data": {"a": packed(f"{WORD}-chart")}, "stringData": {"b": f"{WORD}-text"}},
        {
            "apiVersion": "template.example.com/v1",
            "kind": "Template",
            "metadata": {"name": "t"},
            "objects": [nested],
            "json": json.dumps(nested),
        },
        {"apiVersion": "v1", "kind": "List", "items": [{**nested, "metadata": {"name": "listed"}}]},
    ]
    body = ours("Secret", "db", data={"a": packed(f"{WORD}-live"), "c": packed(f"{WORD}-more")})
    applied = json.dumps({**secret, "stringData": {"a": f"{WORD}-applied"}})
    notes = {
        **body["metadata"]["annotations"],
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "someone.example.com/copy": f"the value is {WORD}-live",
    }
    gone = ours("Secret", "gone", stringData={"a": f"{WORD}-gone"})
    revision = a_revision(
        {
            "name": "shop",
            "namespace": "shop",
            "revision": 3,
            "manifest": "\n---\n".join(
                [
                    json.dumps({**secret, "stringData": {"a": f"{WORD}-stored"}}),
                    json.dumps({**secret, "metadata": {"name": "gone"}, "stringData": {"a": f"{WORD}-left"}}),
                ]
            ),
        }
    )
    whole = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(revision["data"]["release"]))))
    whole |= {
        "config": {"password": f"{WORD}-config"},
        "chart": {"values": {"password": f"{WORD}-values"}},
        "hooks": [{"manifest": f"password: {WORD}-hook"}],
    }
    whole["info"]["notes"] = f"your password is {WORD}-notes"
    revision["data"]["release"] = packed(base64.b64encode(gzip.compress(json.dumps(whole).encode())).decode())
    return (
        "\n---\n".join(map(json.dumps, chart)),
        [{**body, "metadata": {**body["metadata"], "annotations": notes}}, gone, revision],
    )


FORMATS = tuple(plan_formats.FORMATS)
LINT_FORMATS = tuple(lint.FORMATS)


def test_no_repr_of_the_library_shows_one(tmp_path: Path) -> None:
    """Of a plan, its errors, an exception, and every record that they rest on."""
    stream, found = documents()
    where = LiveFile(live_file(tmp_path, *found))
    install = Invocation(HelmVersion(3, 21, 4), HelmAction.INSTALL, ReleaseName("shop", "shop"))
    before = {id(each) for each in gc.get_objects() if isinstance(each, Record)}
    kept: list[Any] = []
    for invocation in (install, replace(install, action=HelmAction.UPGRADE)):
        planned = plan(stream.encode(), invocation, where)
        kept += [planned, planned.errors]
        try:
            kept.append(rewrite(stream.encode(), invocation, where))
        except Refused as error:
            kept += [error, error.args, str(error)]
    records = [each for each in gc.get_objects() if isinstance(each, Record) and id(each) not in before]
    assert len(records) > 50
    shown = [repr(each) for each in [*kept, *records]]
    assert sorted({text.partition("(")[0] for text in shown if leaks(text)}) == []
    assert leaks(*map(pprint.pformat, kept)) == []


def in_yaml() -> str:
    """A ConfigMap of manifests, with Secrets in every way that YAML can be written."""
    texts = {
        "block": f"kind: Secret\napiVersion: v1\nmetadata: {{name: a}}\nstringData:\n  a: {WORD}-block\n",
        "flow": f"{{kind: Secret, apiVersion: v1, stringData: {{a: {WORD}-flow}}}}",
        "second": f"a: b\n---\n# the next\n'kind': \"Secret\"\napiVersion: v1\nstringData: {{a: {WORD}-second}}\n",
        "list": f"kind: List\napiVersion: v1\nitems:\n- kind: Secret\n  apiVersion: v1\n  data: {{a: {WORD}-l}}\n",
        "of": f"kind: SecretList\napiVersion: v1\nitems:\n- stringData: {{a: {WORD}-of}}\n",
        "template": f"kind: Secret\napiVersion: v1\nstringData:\n  a: {WORD}-t\n  b: {{{{ x }}}}\n  {{{{ end }}}}\n",
        "json": json.dumps({"kind": "Secret", "apiVersion": "v1", "stringData": {"a": f"{WORD}-json"}}),
    }
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "manifests"}, "data": texts})


def test_a_secret_in_the_text_of_a_config_map_is_not_shown(tmp_path: Path) -> None:
    live = ours(
        "ConfigMap",
        "manifests",
        data={key: value.replace(WORD, f"{WORD}-live") for key, value in json.loads(in_yaml())["data"].items()},
    )
    where = ("--live", live_file(tmp_path, live), "--helm-version", "3.21.4")
    for output in FORMATS:
        done = run("plan", "-", *RELEASE, *where, "-o", output, "--verbose", stdin=in_yaml().encode())
        assert done.returncode in (0, 4), done.stderr.decode()
        assert leaks(done.stdout, done.stderr) == []
        assert output in ("text", "github", "junit") or b"digest:" in done.stdout


ONE_LINE = {
    "JSON": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {"helm.sh/resource-policy": "keep "}},
            "stringData": {"a": f"{WORD}-json"},
        }
    ),
    "flow style": (
        "{apiVersion: v1, kind: Secret, metadata: {name: db, annotations: {helm.sh/resource-policy: Keep}}, "
        f"stringData: {{a: {WORD}-flow}}}}\n"
    ),
    "in a list": (
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: "
        f"{{helm.sh/resource-policy: Keep}}}}, data: {{a: b}}}}\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: db, "
        f"annotations: {{helm.sh/resource-policy: Keep}}}}, data: {{a: {PACKED}g}}}}\n"
    ),
    "metadata in flow style": (
        "apiVersion: v1\nkind: Secret\nstringData: {b: " + WORD + "-b}\nmetadata: {name: db, annotations: "
        "{note: " + WORD + "-b, helm.sh/resource-policy: Keep}}\n"
    ),
    "in a text": in_yaml().replace(
        '"name": "manifests"', '"name": "m", "annotations": {"helm.sh/resource-policy": "Keep"}'
    ),
}


@pytest.mark.parametrize("output", LINT_FORMATS)
@pytest.mark.parametrize("stream", ONE_LINE.values(), ids=ONE_LINE)
def test_a_linter_shows_no_line_with_one(stream: str, output: str) -> None:
    done = run("lint", "-", "-o", output, *RELEASE, stdin=stream.encode())
    assert done.returncode == 1, "there is something to find"
    assert leaks(done.stdout, done.stderr) == []


COMMANDS_WITH_FLAGS = [
    ("--offline",),
    ("plan", "-"),
    ("lint", "-"),
    ("orphans",),
    ("verify", "r"),
    ("adopt", "r", "secrets/a"),
    ("unpin", "r"),
    ("unserved", "r"),
    ("rename", "r", "s", "--dry-run"),
    ("forget", "r", "--dry-run"),
    ("move", "--all", "--from", "r", "--to", "s", "--dry-run"),
    ("doctor",),
    ("snapshot", "-"),
    ("flux", "-"),
    ("krm",),
    ("argocd", "generate"),
    ("run", "helm", "install"),
]


@pytest.mark.parametrize("arguments", COMMANDS_WITH_FLAGS, ids=" ".join)
@pytest.mark.parametrize(
    "flag", [(f"--kube-tokn={WORD}",), ("--kube-tokn", WORD), (f"--kube-tokn:{WORD}=x",), (f"-Z{WORD}",)], ids=" ".join
)
def test_the_value_of_a_flag_that_is_not_known_is_not_repeated(
    arguments: tuple[str, ...], flag: tuple[str, ...], tmp_path: Path
) -> None:
    done = run(*arguments[:1], *flag, *arguments[1:], stdin=b"", environ={"HOME": str(tmp_path), "PATH": ""})
    assert done.returncode != 0
    assert leaks(done.stdout, done.stderr) == []


@pytest.mark.parametrize("version", ["3.12.3", "3.21.4", "4.3.1"])
def test_no_view_of_a_plan_shows_one(tmp_path: Path, version: str) -> None:
    stream, found = documents()
    where = ("--live", live_file(tmp_path, *found), "--helm-version", version)
    for output in FORMATS:
        for detail in ((), ("--verbose",)) if output == "text" else ((),):
            done = run("plan", "-", *RELEASE, *where, "-o", output, *detail, stdin=stream.encode())
            assert done.returncode in (0, 4), done.stderr.decode()
            assert leaks(done.stdout, done.stderr) == []
            assert output in ("text", "github", "junit") or b"digest:" in done.stdout


def test_no_file_that_is_written_holds_one(tmp_path: Path) -> None:
    stream, found = documents()
    where = ("--live", live_file(tmp_path, *found), "--helm-version", "3.21.4", "--action", "upgrade")
    data = stream.encode()
    saved, report, text = (tmp_path / name for name in ("plan.json", "report.json", "report.txt"))
    done = run("plan", "-", *RELEASE, *where, "--save", str(saved), stdin=data)
    assert leaks(done.stdout, done.stderr, saved.read_text()) == []
    for path in (report, text):
        done = run(*RELEASE, *where, "--report", str(path), "--plan", str(saved), stdin=data)
        assert done.returncode == 0, done.stderr.decode()
        assert leaks(done.stderr, path.read_text()) == []
    other = stream.replace(f"{WORD}-text", f"{WORD}-else").replace("db", "dc")
    done = run(*RELEASE, *where, "--report", str(report), "--plan", str(saved), stdin=other.encode())
    assert done.returncode == 4
    assert leaks(done.stderr, report.read_text()) == []


def test_no_snapshot_holds_one(tmp_path: Path) -> None:
    stream, found = documents()
    done = run(
        *("snapshot", "-", *RELEASE, "--live", live_file(tmp_path, *found), "--helm-version", "3.21.4"),
        stdin=stream.encode(),
    )
    assert done.returncode == 0, done.stderr.decode()
    assert leaks(done.stdout, done.stderr) == []
    from tests.cli.test_snapshot import payloads

    assert leaks(json.dumps(payloads(done.stdout))) == []
    assert payloads(done.stdout)[0]["version"] == 3


def test_a_linter_shows_none() -> None:
    stream, _ = documents()
    for output in LINT_FORMATS:
        done = run("lint", "-", "-o", output, *RELEASE, stdin=stream.encode())
        assert leaks(done.stdout, done.stderr) == []


def test_values_of_a_chart_are_not_in_what_to_type(tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.12.3\nexit 0\n')
    helm.chmod(0o755)
    live = live_file(tmp_path)
    for output in FORMATS:
        done = run(
            *("plan", "./shop", "--helm", str(helm), *RELEASE, "--live", live, "-o", output),
            *("--set", f"password={WORD}-set", "--kube-token", f"{WORD}-token"),
        )
        assert leaks(done.stdout, done.stderr) == []


def test_a_fault_of_our_own_shows_none(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from postrender.planner import build_view as build\n"
        "def broken(*_):\n"
        f"    raise KeyError('{WORD}-fault')\n"
        "build.view = broken\n"
    )
    stream, found = documents()
    from tests.cli.test_filter import ROOT

    done = run(
        *("plan", "-", *RELEASE, "--live", live_file(tmp_path, *found), "--helm-version", "3.21.4"),
        stdin=stream.encode(),
        environ={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    assert done.returncode == 1
    assert leaks(done.stdout, done.stderr) == []
    assert b"internal error: KeyError" in done.stderr
