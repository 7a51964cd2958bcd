"""Every string of ``hostile.yaml`` in every field that comes from outside, through every command and every format."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from postrender.cli.commands import COMMANDS
from postrender.cli.main import main
from postrender.errors import message
from postrender.models import GroupVersionKind, Resource
from postrender.report import lint, plan_formats
from tests.cli.junit import faults
from tests.cli.test_hostile_text import ODD, objects, stream_of
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import Reply, Server, status

CORPUS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).with_name("hostile.yaml")).read_text())
STRINGS = {name: entry["text"] * entry.get("repeat", 1) for name, entry in CORPUS.items()}
ARGUMENTS = {name: STRINGS[name] for name, entry in CORPUS.items() if entry.get("argument", True)}

FORGED = re.compile(
    r"^\s*(?:::|(?:hint|next|note|report): curl|(?:error|postrender): (?:all is well|forged))"
    r"|##(?:\[|vso\[|teamcity\[)",
    re.MULTILINE,
)
SURROGATE = re.compile("[\ud800-\udfff]")
RELEASE = ("--release", "shop", "-n", "shop")
AS_HELM = ("--helm-version", "3.21.4")
PLAN_FORMATS = tuple(plan_formats.FORMATS)
LINT_FORMATS = tuple(lint.FORMATS)
FORMATS = ("text", "json", "yaml")


class Done(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Play = Callable[..., Done]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Play:
    """A command in this process, as its entry runs it: hundreds of processes would take minutes."""
    for name in list(os.environ):
        if name.startswith(("POSTRENDER_", "HELM_", "KUBE", "GITHUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)

    def played(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setattr(sys, "argv", ["postrender", *arguments])
        try:
            code = main(list(arguments))
        except SystemExit as error:
            code = int(error.code or 0)
        except Exception as error:  # As ``run`` ends.
            sys.stderr.write(message(error))
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        found = capfd.readouterr()
        return Done(code, found.out, found.err)

    return played


def wrong(done: Done, output: str = "text", *, manifests: bool = False) -> list[str]:
    """What a run printed that only a string from outside can have brought in; ``manifests`` are the chart's own."""
    found = [f"{done.err}"] if done.code == 1 and "a fault of its own" in done.err else []
    shown = done.err if manifests else f"{done.out}\n{done.err}"
    if output == "github":
        shown = re.sub(r"^::(?:notice|warning|error) (?:file|title)=", "", shown, flags=re.MULTILINE)
    found += [repr(each) for each in ODD.findall(shown) + SURROGATE.findall(shown) + FORGED.findall(shown)]
    if output in ("json", "sarif") and done.out:
        json.loads(done.out)
    if output == "yaml" and done.out:
        list(yaml.safe_load_all(done.out))
    if output == "junit" and done.out:
        found += faults(done.out)
    if output in ("markdown", "html"):
        text = outside_of_code(done.out) if output == "markdown" else done.out
        found += re.findall(r"(?<!\\)<(?:script>alert|img |/testcase>)", text)
    if output == "markdown":
        # In a block of HTML, as ``<details>`` begins one, nothing is Markdown up to the next empty line (4.6).
        lines = [each for each in outside_of_code(done.out).splitlines() if not each.startswith("<summary>")]
        found += re.findall(r"(?<!\\)\]\(https://evil", "\n".join(lines))
    return found


def outside_of_code(markdown: str) -> str:
    """A page without its code blocks and code spans (CommonMark 0.31.2, 4.5 and 6.1)."""
    kept: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        begins = re.match(r" {0,3}(`{3,}|~{3,})([^`]*)$", line)
        if fence:
            if begins and begins[1][0] == fence[0] and len(begins[1]) >= len(fence) and not begins[2].strip():
                fence = ""
        elif begins:
            fence = begins[1]
        else:
            kept.append(re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line))
    assert not fence, "a code block is left open"
    return "\n".join(kept)


def chart(text: str) -> tuple[bytes, list[Any]]:
    """A stream, and live objects, with the text as name, annotation, label, key, value, kind and owner."""
    stream, live = objects(text, text)
    stream[-1]["metadata"]["annotations"] = {"helm.sh/resource-policy": text, "helm.sh/hook": text, text: text}
    stream.append({"apiVersion": f"{text}/v1", "kind": text, "metadata": {"name": "a", "namespace": text}})
    stream.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": text}, "stringData": {text: text}})
    return stream_of(stream), live


def kubeconfig(folder: Path, url: str, text: str = "dev") -> str:
    """A kubeconfig whose every name is the text."""
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": text,
        "contexts": [{"name": text, "context": {"cluster": text, "user": text, "namespace": "shop"}}],
        "clusters": [{"name": text, "cluster": {"server": url}}],
        "users": [{"name": text, "user": {}}],
    }
    path.write_text(json.dumps(config))
    return str(path)


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_in_manifests_and_what_is_live(text: str, play: Play, tmp_path: Path) -> None:
    stream, live = chart(text)
    (tmp_path / "live.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": live}))
    where = (*RELEASE, *AS_HELM, "--live", "live.json")
    report, plan_report, saved = (tmp_path / name for name in ("report.txt", "report.json", "saved.json"))
    for further in ((), ("--adopt", "orphans,unmanaged"), ("--action", "upgrade")):
        assert wrong(play(*where, *further, "--report", str(report), stdin=stream), manifests=True) == []
        assert wrong(Done(0, report.read_text(), "")) == []
        assert wrong(play(*where, *further, "--report", str(plan_report), stdin=stream), manifests=True) == []
        assert wrong(Done(0, plan_report.read_text(), ""), "json") == []
        for output in PLAN_FORMATS:
            done = play("plan", "-", *where, *further, "-o", output, "--verbose", stdin=stream)
            assert wrong(done, output) == []
    play("plan", "-", *where, "--save", str(saved), stdin=stream)
    if saved.exists():
        assert wrong(Done(0, saved.read_text(), ""), "json") == []
    assert wrong(play("snapshot", "-", *where, stdin=stream), "yaml") == []
    for output in LINT_FORMATS:
        assert wrong(play("lint", "-", "-o", output, stdin=stream), output) == []


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_in_what_other_programs_hand_over(
    text: str, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = chart(text)
    function = {"apiVersion": "v1", "kind": text, "metadata": {"name": text}, "data": {"release": text, text: text}}
    listed = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "functionConfig": function}
    for items in ([], [text], [json.loads(each) for each in stream.decode().split("\n---\n")]):
        assert wrong(play("krm", stdin=json.dumps({**listed, "items": items}).encode()), manifests=True) == []
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": text, "namespace": text},
        "spec": {"releaseName": text, "targetNamespace": text, "chart": {"spec": {"chart": text}}, text: text},
    }
    (tmp_path / "stream.yaml").write_bytes(stream)
    for body in (
        release,
        {**release, "metadata": {"name": "shop", "namespace": "shop"}, "spec": {"valuesFrom": [text]}},
    ):
        for further in ((), ("--stream", "stream.yaml"), ("--check", "--stream", "stream.yaml")):
            (tmp_path / "release.yaml").write_text(json.dumps(body))
            assert wrong(play("flux", "release.yaml", *further), manifests=True) == []
    for value in (
        text,
        json.dumps([{"name": text, "string": text}]),
        json.dumps([{"name": "values", "map": {text: 1}}]),
    ):
        if "\0" not in value:
            monkeypatch.setenv("ARGOCD_APP_PARAMETERS", value.encode("utf-8", "replace").decode()[:100_000])
            monkeypatch.setenv("ARGOCD_APP_NAME", text.encode("utf-8", "replace").decode().replace("\0", "")[:100_000])
            for step in ("init", "generate", "params"):
                assert wrong(play("argocd", step), manifests=True) == []
    bodies: tuple[Any, ...] = (
        text,
        {"kind": text, "apiVersion": text},
        {"kind": "Plan", "schemaVersion": text},
        [text],
        {text: text},
    )
    for body in bodies:
        (tmp_path / "file").write_text(json.dumps(body))
        for command in (("--live",), ("--plan",), ("plan", "-", "--live"), ("adopt", "--yes", "--undo")):
            assert wrong(play(*command, "file", *(() if command[0] == "adopt" else RELEASE), stdin=stream)) == []


@pytest.mark.parametrize("text", ARGUMENTS.values(), ids=ARGUMENTS)
def test_in_arguments_and_names_of_files(text: str, play: Play, tmp_path: Path) -> None:
    stream, live = chart("a")
    assert wrong(play(text)) == []
    for name in COMMANDS:
        if name != "filter":
            assert wrong(play(name, text, stdin=stream), manifests=name in ("krm", "argocd")) == []
            assert wrong(play(name, f"--{text}", stdin=stream)) == []
    for flag in (
        *("--adopt", "--on-drift", "--allow", "--stamp", "--label-key", "--helm-version", "--action", "--live"),
        *("--report", "--plan", "--namespace", "--release", "--driver", "--kubeconfig", "--kube-context", "--then"),
        *("--kube-apiserver", "--kube-token", "--kube-as-user", "--kube-ca-file", "--request-timeout", "--first"),
    ):
        assert wrong(play(flag, text, stdin=stream), manifests=True) == [], flag
        assert wrong(play("plan", "-", flag, text, stdin=stream)) == [], flag
    for further in (("-o", text), ("--select", text), ("--ignore", text), ("--kube-version", text), ("-f", text)):
        assert wrong(play("lint", "-", *further, stdin=stream)) == [], further
    folder = tmp_path / re.sub("[/\0]", "_", text)[:80]
    try:
        folder.mkdir()
    except (OSError, UnicodeError):
        return
    (folder / "live.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": live}))
    (folder / "stream.yaml").write_bytes(stream)
    (folder / "Chart.yaml").write_text("no chart: [")
    saved = str(folder / "saved.json")
    where = (*RELEASE, *AS_HELM, "--live", str(folder / "live.json"))
    for output in PLAN_FORMATS:
        shown = ("-f", str(folder / "stream.yaml"), *where, "-o", output, "--save", saved)
        assert wrong(play("plan", *shown), output) == []
        assert wrong(play("plan", *shown, "--adopt", "orphans,unmanaged"), output) == []
    for output in LINT_FORMATS:
        assert wrong(play("lint", "-f", str(folder / "stream.yaml"), "-o", output), output) == []
        assert wrong(play("lint", str(folder), "-o", output), output) == []
    for report in (str(folder / "r.txt"), str(folder)):
        assert wrong(play(*where, "--report", report, "--plan", saved, stdin=stream), manifests=True) == []


def programs(folder: Path, text: str) -> Iterator[str]:
    """Helms that print the text where they fail, where they warn, and as their version; chains' programs as well."""
    (folder / "text").write_bytes(text.encode("utf-8", "surrogatepass"))
    bodies = {
        "fails": '[ "$1" = version ] && { echo v3.21.4; exit 0; }; cat text >&2; exit 1',
        "warns": '[ "$1" = version ] && { echo v3.21.4; exit 0; }; cat text >&2; cat stream.yaml',
        "prints": '[ "$1" = version ] && { echo v3.21.4; exit 0; }; cat text',
        "versions": "cat text; cat text >&2",
    }
    for name, body in bodies.items():
        path = folder / f"helm-{name}"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        yield str(path)


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_in_what_helm_and_other_programs_print(text: str, play: Play, tmp_path: Path) -> None:
    stream, live = chart("a")
    (tmp_path / "stream.yaml").write_bytes(stream)
    (tmp_path / "live.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": live}))
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": text, "version": text}))
    where = (*RELEASE, "--live", "live.json")
    for helm in programs(tmp_path, text):
        for output in ("text", "json", "markdown"):
            assert wrong(play("plan", "chart", "--helm", helm, *where, "-o", output), output) == []
        assert wrong(play("lint", "chart", "--helm", helm)) == []
        assert wrong(play("snapshot", "chart", "--helm", helm, *where)) == []
        assert wrong(play("doctor", "--helm", helm)) == []
        assert wrong(play("helm-plugin", "install", "--helm", helm)) == []
        for flag in ("--first", "--then"):
            done = play(*where, *AS_HELM, flag, helm, stdin=stream)
            assert wrong(done, manifests=True) == []
    assert wrong(play("run", "--", str(tmp_path / "helm-versions"), "install", "r", "chart")) == []


def odd_kinds(text: str) -> Resource:
    return Resource(GroupVersionKind("stable.example.com", "v1", text), text, True, False)


def fill(server: Server, text: str) -> None:
    """A release with drift, orphans of one that is gone, and records of nobody, all with the text in them."""
    owned = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}
    other = {"meta.helm.sh/release-name": text, "meta.helm.sh/release-namespace": "shop", text: text}
    labels = {"app.kubernetes.io/managed-by": "Helm", "text": text}
    pin = "apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: shirt, resourceVersion: '7'}\n"
    stored = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {text: text}}
    odd = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd", "annotations": {text: text}}}
    manifest = f"---\n{pin}---\n{json.dumps(stored)}\n---\n{json.dumps(odd)}\n"
    server.put(SECRET, a_revision("web", 4, "deployed", manifest=manifest))
    server.put(SECRET, an_object(SECRET, "odd", metadata={"labels": {"owner": "helm", "name": "web", "version": text}}))
    server.put(SHIRT, an_object(SHIRT, "shirt", metadata={"labels": labels, "annotations": owned}))
    live = {text: f"{text}!", "b": text}
    server.put(
        CONFIG_MAP, an_object(CONFIG_MAP, "settings", data=live, metadata={"labels": labels, "annotations": owned})
    )
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "odd", metadata={"labels": labels, "annotations": other}))
    kept = {"labels": labels, "annotations": {**other, "helm.sh/resource-policy": "keep"}, "creationTimestamp": text}
    server.put(SHIRT, an_object(SHIRT, "kept", metadata=kept))
    server.objects["/apis/stable.example.com/v1/namespaces/shop/shirts/named"] = an_object(SHIRT, text, metadata=kept)


def answers(text: str) -> dict[str, Callable[[Server], None]]:
    """Ways in which a server puts a text into what it says."""
    failed = {"causes": [{"field": text, "reason": text, "message": text}], "name": text, "kind": text}

    def says(code: int) -> Callable[[Server], None]:
        def behave(server: Server) -> None:
            body = json.loads(status(code, "Fault", text).body)
            server.on(".*", Reply(code, json.dumps({**body, "details": failed}).encode()))

        return behave

    def denies_writes(server: Server) -> None:
        server.on("(PATCH|PUT|POST|DELETE) .*", status(422, "Invalid", text))

    def kinds(server: Server) -> None:
        server.served = [*server.served, odd_kinds(text)]

    def pages(server: Server) -> None:
        server.on("GET .*", Reply(200, text.encode("utf-8", "replace"), "text/html"))

    return {
        "objects": lambda _: None,
        "forbidden": says(403),
        "failed": says(500),
        "invalid": says(422),
        "denied": denies_writes,
        "kinds": kinds,
        "pages": pages,
    }


AT_ONCE = "\n".join(STRINGS[name] for name in ("lines", "workflow", "terminal", "bidi", "separators", "own colours"))
"""Several strings in one: bin/attack tries every string in every answer by itself."""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param(AT_ONCE, "objects", id="several-objects"),
        *(
            pytest.param(STRINGS["hint at once"], answer, id=f"hint at once-{answer}")
            for answer in answers("")
            if answer != "objects"
        ),
    ],
)
def test_in_what_a_server_says(text: str, answer: str, play: Play, tmp_path: Path) -> None:
    formats = FORMATS if answer == "objects" else FORMATS[:1]
    said = what_a_server_says(text, answer, play, tmp_path, formats)
    assert {what: found for what, (done, output) in said.items() if (found := wrong_of(what, done, output))} == {}


def wrong_of(what: str, done: Done, output: str) -> list[str]:
    """As ``wrong``; stdout of some commands holds manifests, which are the chart's own."""
    return wrong(done, output, manifests=what.startswith(("filter", "krm", "flux", "run")))


def what_a_server_says(
    text: str, answer: str, play: Play, folder: Path, formats: tuple[str, ...] = FORMATS
) -> dict[str, tuple[Done, str]]:
    """What each command prints in each format against a server that answers so, and reports; each with its format."""
    shirt = b"apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {name: kept}\nspec: {color: red}\n"
    said: dict[str, tuple[Done, str]] = {}

    def note(what: str, *arguments: str, output: str = "text", stdin: bytes = b"") -> None:
        said[f"{what} {output}"] = play(*arguments, stdin=stdin), output

    with Server() as server:
        fill(server, text)
        answers(text)[answer](server)
        where = ("--kubeconfig", kubeconfig(folder, server.url, text), "-n", "shop", "--request-timeout", "5")
        release = ("--release", "new", *AS_HELM, "--action", "install")
        for output in formats:
            given = (*where, "-o", output)
            note("orphans", "orphans", *given, output=output)
            note("verify", "verify", "web", *given, output=output)
            note("verify --all", "verify", "--all", *given, output=output)
            note("adopt", "adopt", "web", "configmaps/odd", "shirts/kept", "--dry-run", *given, output=output)
            note("adopt of what is not there", "adopt", "web", "odd/x", *given, output=output)
        note("doctor", "doctor", *where, "--release", "web")
        note("snapshot", "snapshot", "-", *where, *release, output="yaml", stdin=shirt)
        for output in PLAN_FORMATS if formats == FORMATS else formats:
            note("plan --verbose", "plan", "-", *where, *release, "-o", output, "--verbose", output=output, stdin=shirt)
        listed = {"kind": "ResourceList", "apiVersion": "config.kubernetes.io/v1", "items": [yaml.safe_load(shirt)]}
        note("krm", "krm", *where, *release, stdin=json.dumps(listed).encode())
        note("flux", "flux", flux_release(folder), "--stream", "-", *where[:2], stdin=shirt)
        helm = ("--helm", next(programs(folder, text)))
        note("plan of a chart", "plan", "chart", *helm, *where, "--release", "new")
        note("adopt --yes", "adopt", "new", "shirts/kept", *where, "--yes")
        note("unpin", "unpin", "web", *where)
        note("unserved", "unserved", "web", *where)
        note("rename", "rename", "web", "next", *where, "--dry-run")
        note("forget", "forget", "web", *where, "--dry-run")
        note("move", "move", "--all", "--from", "web", "--to", "next", *where, "--dry-run")
        note("verify --fix", "verify", "web", *where, "--fix", "--yes")
        for flag in ((), ("--adopt=orphans",), ("--on-drift=apply",)):
            for output in ("text", "json") if formats == FORMATS else ("text",):
                path = "report.json" if output == "json" else "report.txt"
                report = folder / path
                done = play(*where, *release, *flag, "--report", str(report), stdin=shirt)
                said[f"filter {flag} {path}"] = done, "text"
                said[f"report {flag} {path}"] = Done(0, report.read_text(), ""), output
    return said


def flux_release(folder: Path) -> str:
    """The path of a HelmRelease for the release ``new``."""
    path = folder / "release.yaml"
    body = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "new", "namespace": "shop"},
        "spec": {"chart": {"spec": {"chart": "x"}}},
    }
    path.write_text(json.dumps(body))
    return str(path)
