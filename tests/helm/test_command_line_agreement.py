"""Our reading of Helm's command line against Helm's own, on command lines that nobody wrote by hand."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from postrender.errors import UsageError
from postrender.helm.process import Process
from postrender.settings import Flags, find
from tests.helm.processes import Chain
from tests.tools import assets

ROUNDS = 40
_SAID = re.compile(r"release: (\S*) (\S*)")

ANYWHERE = [
    *(["-n", "web"], ["-nweb"], ["-n=web"], ["--namespace", "web"], ["--namespace=web"], ["-n", "upgrade"], ["-n", ""]),
    *(["--debug"], ["--debug=false"], ["-v", "1"], ["-v1"], ["--v=1"], ["--kube-token", "install"]),
    *(["--kube-context", "a"], ["--kube-context="], ["--burst-limit", "5"], ["--kube-insecure-skip-tls-verify"]),
]
BEHIND = [
    *(["--atomic"], ["--wait"], ["--wait=true"], ["--dry-run"], ["--force=false"], ["--timeout", "5s"], ["-g"]),
    *(["--set", "a=b"], ["--set=a=b"], ["--generate-name"], ["--generate-name=false"], ["--name-template", "fixed"]),
    *(["--description", "template"], ["--version", "1.0.0"], ["--create-namespace"], ["-g=false"], ["--replace"]),
    *(["--include-crds"], ["-s", "templates/a.yaml"], ["-stemplates/a.yaml"], ["-a", "v1"], ["-av1"], ["--is-upgrade"]),
    *(["-gn", "web"], ["-gnweb"], ["-gav1"], ["--skip-tests"], ["--username", "chart"], ["--post-renderer-args", "x"]),
]


def command_line(rng: random.Random) -> list[str]:
    """Flags and arguments of ``helm template`` in any order; not every one of them makes sense."""
    front = [word for flag in rng.sample(ANYWHERE, rng.choice([0, 0, 1, 2])) for word in flag]
    flags = rng.sample(ANYWHERE, rng.choice([0, 1, 2])) + rng.sample(BEHIND, rng.randint(0, 4))
    arguments = rng.choice([[["shop"], ["chart"]], [["shop"], ["chart"]], [["chart"]], [["template"], ["chart"]]])
    parts = list(flags)
    for argument in arguments:
        first = 1 + max((index for index, part in enumerate(parts) if part in arguments), default=-1)
        parts.insert(rng.randint(first, len(parts)), argument)
    words = [word for part in parts for word in part]
    if rng.random() < 0.2:
        last = max(index for index, word in enumerate(words) if word == "chart")
        words.insert(rng.choice([last, last + 1]), "--")
    return [*front, "template", *words]


def by_helm(helm: Path, words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and namespace of the release as the chart sees them; ``None`` where Helm refuses."""
    answer = subprocess.run(
        [str(helm), *words], cwd=folder, env=dict(environ), capture_output=True, text=True, check=False, timeout=60
    )
    found = _SAID.search(answer.stdout)
    return (found[1], found[2]) if answer.returncode == 0 and found else None


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_helm_renders_the_release_that_we_read(version: str, tmp_path: Path) -> None:
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    template = "release: {{ .Release.Name }} {{ .Release.Namespace }}\n"
    (tmp_path / "chart" / "templates" / "a.yaml").write_text(template)
    (tmp_path / "kubeconfig").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: b\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n"
        "contexts: [{name: a, context: {cluster: c, user: u, namespace: of-a}}, "
        "{name: b, context: {cluster: c, user: u, namespace: of-b}}]\n"
    )
    environ = {"HOME": "/nonexistent", "KUBECONFIG": str(tmp_path / "kubeconfig"), "PATH": os.environ["PATH"]}
    rng = random.Random(version)
    accepted = 0
    for _ in range(ROUNDS):
        words = command_line(rng)
        expected = by_helm(assets.helm(version), words, tmp_path, environ)
        if expected is None:
            continue
        accepted += 1
        above = Process(7, 1, "/usr/bin/helm", ("helm", *words), whole=True, ours=True)
        try:
            caller = find(Flags(helm_version=version), environ, pid=0, processes=Chain((above,)))
        except UsageError as error:
            pytest.fail(f"{words}: {error}")
        named = caller.invocation.release
        assert named is not None, (words, caller.notes)
        assert (named.name, named.namespace) == expected, words
    assert accepted > ROUNDS / 3
