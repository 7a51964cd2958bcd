"""The calling Helm, found above a real post-renderer that a real Helm started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tools import assets

PROBE = """\
#!{python}
import json, os, sys
from postrender._record import asdict, replace
sys.path.insert(0, {root!r})
from postrender.settings import Flags, find
if "PROBE_PSUTIL" in os.environ:
    from postrender.helm.process import Psutil as here
else:
    from postrender.helm.process import here
given = dict(argument[2:].replace("-", "_").split("=", 1) for argument in sys.argv[1:])
if "PROBE_DELETES" in os.environ:
    os.unlink(os.environ["PROBE_DELETES"])
caller = find(Flags(**given), os.environ, processes=here())
with open({out!r}, "w") as handle:
    json.dump({{
        "invocation": asdict(caller.invocation) | {{"helm": str(caller.invocation.helm)}},
        "connection": asdict(replace(caller.connection, token=None)),
        "token": len(caller.connection.token or ""),
        "cluster_named": caller.cluster_named,
        "parent": asdict(caller.parent) if caller.parent else None,
        "origins": dict(caller.origins),
        "notes": caller.notes,
        "repr": repr(caller),
    }}, handle, default=lambda value: value.value)
sys.stdout.buffer.write(sys.stdin.buffer.read())
"""


@dataclass(frozen=True)
class PageCursor:
    """A folder with a chart, a post-renderer that writes down what it finds, and nothing of the user's."""

    folder: Path

    @property
    def renderer(self) -> Path:
        return self.folder / "renderer"

    def script(self, name: str, body: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def run(
        self, helm: Path | str, *arguments: object, environ: Mapping[str, str] | None = None, argv0: str | None = None
    ) -> dict[str, Any]:
        """Run Helm in the folder; what the post-renderer found."""
        out = self.folder / "found.json"
        out.unlink(missing_ok=True)
        answer = subprocess.run(
            [argv0 or str(helm), *map(str, arguments)],
            executable=helm,
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"], **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert answer.returncode == 0, answer.stderr
        assert "kind: ConfigMap" in answer.stdout
        found: dict[str, Any] = json.loads(out.read_text())
        return found


@pytest.fixture
def place(tmp_path: Path) -> PageCursor:
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    (tmp_path / "chart" / "templates" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    made = PageCursor(tmp_path)
    root = str(Path(__file__).parents[2])
    made.renderer.write_text(PROBE.format(python=sys.executable, root=root, out=str(tmp_path / "found.json")))
    made.renderer.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def helm() -> Path:
    return assets.helm("3.12.3")


def release(found: Mapping[str, Any]) -> str | None:
    named = found["invocation"]["release"]
    return f"{named['namespace']}/{named['name']}" if named else None


@pytest.mark.parametrize("version", ["3.12.3", "3.17.3"])
def test_the_direct_parent(place: PageCursor, version: str) -> None:
    helm = assets.helm(version)
    found = place.run(helm, "template", "shop", "chart", "-nweb", "--post-renderer", place.renderer)
    assert release(found) == "web/shop"
    assert found["invocation"]["helm"] == version
    assert found["invocation"]["action"] == "template"
    assert found["invocation"]["dry_run"] == "client"
    assert found["parent"]["exe"] == str(helm)
    assert found["parent"]["up"] == 1
    assert found["parent"]["flags"] == ["--namespace=web"]
    assert not found["cluster_named"]
    assert found["notes"] == []
    for name in ("release", "namespace", "helm_version", "action"):
        assert found["origins"][name] == f"parent helm (pid {found['parent']['pid']})"


def test_a_parent_behind_scripts(place: PageCursor, helm: Path) -> None:
    inner = place.script("inner", f"{place.renderer}\nexit $?")
    outer = place.script("outer", f"cat | {inner} | cat")
    found = place.run(helm, "template", "shop", "chart", "--post-renderer", outer)
    assert release(found) == "default/shop"
    assert found["parent"]["up"] > 2


def test_psutil_finds_the_same(place: PageCursor, helm: Path) -> None:
    arguments = ("template", "shop", "chart", "-n", "web", "--post-renderer", place.renderer)
    found, by_psutil = (place.run(helm, *arguments, environ=extra) for extra in ({}, {"PROBE_PSUTIL": "1"}))
    for each in (found, by_psutil):
        each["pid"] = str(each["parent"].pop("pid"))
    assert json.dumps(found).replace(found["pid"], "") == json.dumps(by_psutil).replace(by_psutil["pid"], "")


def plugin(place: PageCursor) -> Mapping[str, str]:
    """Install the post-renderer as a plugin of Helm 4; the variables that name its folder."""
    folder = place.folder / "plugins" / "postrender"
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text(
        "apiVersion: v1\ntype: postrenderer/v1\nname: postrender\nversion: 0.1.0\nruntime: subprocess\n"
        f"runtimeConfig:\n  platformCommand:\n  - command: {place.renderer}\n"
    )
    return {"HELM_PLUGINS": str(folder.parent)}


@pytest.mark.parametrize(
    ("arguments", "action", "name", "generated"),
    [
        ("template shop chart", "template", "default/shop", False),
        ("template chart", "template", "default/release-name", False),
        ("install shop chart --dry-run=client", "install", "default/shop", False),
        ("install chart --dry-run=client -gn web", "install", None, True),
        ("install chart --dry-run=client --name-template fixed", "install", "default/fixed", False),
        ("--namespace web install --server-side=false --force-conflicts shop chart --dry-run=client", "install",
         "web/shop", False),
    ],
)  # fmt: skip
def test_helm_4(place: PageCursor, arguments: str, action: str, name: str | None, generated: bool) -> None:
    found = place.run(assets.helm("4.3.1"), *arguments.split(), "--post-renderer", "postrender", environ=plugin(place))
    invocation = found["invocation"]
    assert invocation["helm"] == "4.3.1"
    assert (invocation["action"], release(found), invocation["generate_name"]) == (action, name, generated)
    assert invocation["dry_run"] == "client"
    assert invocation["server_side"] == ("false" if "--server-side=false" in arguments else "auto")
    assert invocation["force_conflicts"] == ("--force-conflicts" in arguments)
    assert not found["cluster_named"]
    assert found["notes"] == []


def test_arguments_and_variables_win(place: PageCursor, helm: Path) -> None:
    found = place.run(
        helm,
        *("template", "shop", "chart", "-n", "web", "--post-renderer", place.renderer),
        *("--post-renderer-args", "--release=other", "--post-renderer-args=--kube-context=prod"),
        environ={"POSTRENDER_NAMESPACE": "there", "POSTRENDER_RELEASE": "third", "HELM_KUBECONTEXT": "test"},
    )
    assert release(found) == "there/other"
    assert found["connection"]["context"] == "prod"
    assert found["cluster_named"]
    pid = found["parent"]["pid"]
    assert found["notes"] == [
        f"--release says other, but parent helm (pid {pid}) says shop: --release is taken.",
        f"POSTRENDER_NAMESPACE says there, but parent helm (pid {pid}) says web: POSTRENDER_NAMESPACE is taken.",
    ]


def test_helms_variables_as_helm_sees_them(place: PageCursor, helm: Path) -> None:
    """A script in between changes the environment and the folder; Helm's own count."""
    (place.folder / "kube").mkdir()
    script = place.script("script", f"unset HELM_KUBEASUSER; export HELM_NAMESPACE=script; cd /; exec {place.renderer}")
    found = place.run(
        helm,
        *("template", "shop", "chart", "--kubeconfig", "kube/config", "--post-renderer", script),
        environ={"HELM_NAMESPACE": "helm", "HELM_KUBEASUSER": "ann", "HELM_KUBEASGROUPS": "a,b"},
    )
    assert release(found) == "helm/shop"
    assert found["connection"]["as_user"] == "ann"
    assert found["connection"]["as_groups"] == ["a", "b"]
    assert found["connection"]["kubeconfig"] == str(place.folder / "kube" / "config")
    assert found["origins"]["namespace"] == "HELM_NAMESPACE"


def test_nothing_secret_comes_out(place: PageCursor, helm: Path) -> None:
    secret = "pl4nted"
    values = place.folder / f"{secret}.yaml"
    values.write_text("a: 1\n")
    found = place.run(
        helm,
        *("template", "shop", "chart", "--kube-token", secret, "--password", secret, "--username", secret),
        *("--set", f"a={secret}", "--set-string", f"b={secret}", "-f", values, "--post-renderer", place.renderer),
        environ={"HELM_KUBEASUSER": "ann"},
    )
    assert found["token"] == len(secret)
    assert found["parent"]["flags"] == ["--kube-token=***"]
    assert secret not in json.dumps(found)


def test_a_program_that_was_deleted_while_it_runs(place: PageCursor, helm: Path) -> None:
    copy = place.folder / "bin" / "helm"
    copy.parent.mkdir()
    shutil.copy(helm, copy)
    found = place.run(
        copy, "template", "shop", "chart", "--post-renderer", place.renderer, environ={"PROBE_DELETES": str(copy)}
    )
    assert not copy.exists()
    assert found["invocation"]["helm"] == "3.12.3"
    assert found["parent"]["exe"] == str(copy)


def test_a_program_with_its_version_in_the_name(place: PageCursor, helm: Path) -> None:
    link = place.folder / "helm-v3.12.3"
    os.link(helm, link) if link.parent.stat().st_dev == helm.stat().st_dev else shutil.copy(helm, link)
    found = place.run(link, "template", "shop", "chart", "--post-renderer", place.renderer)
    assert found["invocation"]["helm"] == "3.12.3"
    assert found["parent"]["exe"] == str(link)


def test_a_program_of_another_name_is_not_run(place: PageCursor, helm: Path) -> None:
    copy = place.folder / "nothelm"
    shutil.copy(helm, copy)
    arguments = ("template", "shop", "chart", "--post-renderer", place.renderer)
    assert place.run(copy, *arguments)["parent"] is None
    found = place.run(copy, *arguments, argv0="helm")
    assert found["invocation"]["helm"] == "None"
    assert release(found) == "default/shop"
    assert found["notes"] == [
        f"Helm's version is unknown: process {found['parent']['pid']} runs as helm, but its program is {copy}; "
        "use --helm-version VERSION.",
    ]


def test_a_script_called_helm_is_not_run(place: PageCursor, helm: Path) -> None:
    """It runs the real one, which is nearer; if it were asked for its version, it would leave a mark."""
    mark = place.folder / "mark"
    script = place.script("bin/helm", f'[ "$1" = version ] && touch {mark}\n{helm} "$@"\nexit $?')
    found = place.run(script, "template", "shop", "chart", "--post-renderer", place.renderer)
    assert found["parent"]["exe"] == str(helm)
    assert found["invocation"]["helm"] == "3.12.3"
    assert not mark.exists()


def test_a_script_called_helm_alone_is_no_helm(place: PageCursor) -> None:
    script = place.script("bin/helm", f"cat chart/templates/a.yaml | {place.renderer}\nexit $?")
    found = place.run(script, "install", "shop", "chart")
    assert found["parent"] is None
    assert release(found) is None


def test_a_told_version_is_not_asked_for(place: PageCursor, helm: Path) -> None:
    found = place.run(
        helm, "template", "shop", "chart", "--post-renderer", place.renderer,
        environ={"POSTRENDER_HELM_VERSION": "3.17.0"},
    )  # fmt: skip
    assert found["invocation"]["helm"] == "3.17.0"
    assert found["origins"]["helm_version"] == "POSTRENDER_HELM_VERSION"


def test_a_helm_in_a_pipe_is_no_caller(place: PageCursor, helm: Path) -> None:
    """A sibling is not an ancestor: nothing is guessed."""
    script = place.script("pipe", f"{helm} template shop chart | {place.renderer} --release=shop")
    found = place.run(script)
    assert found["parent"] is None
    assert release(found) == "default/shop"
    assert found["invocation"]["action"] == "upgrade --install"
    assert found["origins"]["action"] == "default"
    assert found["notes"] == ["No parent Helm process found; use --helm-version VERSION."]
