"""What becomes of each command of the documentation: the scene in which a test runs it, or why none does.

``tests/cli/test_pages.py`` sees to it that every command of every page is here, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from tests.tools import readmes, transcripts, typed
from tests.tools.typed import PAGES, Typed
from tools.pages import DOCS, EXAMPLES

HELM = "3.21.4"

NOT_RUN: Mapping[str, str] = {
    "bin/test": "runs this very test",
    "bin/test -m 'not e2e'": "runs the tests that this run runs anyway",
    "bin/test tests/plans -k orphan": "the same",
    ".ci/run": "the same, and more",
    "bin/docs --write": "writes into the tree; tests/cli/test_pages.py compares what it would write",
    "bin/matrix --write": "half an hour of two cores",
    "bin/fuzz 600": "ten minutes of two cores",
    "bin/attack": "minutes, and a test of its own has each fault once",
    "bin/kills": "minutes of two cores",
    "bin/test --whole": "runs this very test, and every case of the long ones",
    "bin/owners": "minutes of two cores, and a test of its own has a part of it",
    "bin/facts --helm v3.22.0": "the Go modules of a Helm; tests/repository/test_facts.py compares two",
    "bin/facts --accept v3.22.0": "writes into the tree",
    "bin/published": "tests/conformance/published runs each of the tables",
    "bin/nightly": "an hour of two cores",
    "bin/adopt-helm 3.22.0": "a quarter of an hour of two cores",
    "bin/adopt-kubernetes 1.37.2": "the same",
    "bin/adopt-kubernetes --tables": "writes into the tree; tests/repository/test_adopt_kubernetes.py reads the tables",
    "bin/facts --kubernetes v1.37.2": "the Go modules of Kubernetes; tests/repository/test_facts.py compares two",
    "bin/callers": "the programs of other callers, minutes each; tests/e2e/test_callers.py has those that are at hand",
    "bin/callers NAME --write": "the same, and writes into the tree",
    "bin/callers terraform": "the same, with a provider of which the registry is out of reach",
    "bin/bench rewriting": "measures, for which the machine must be quiet",
    "bin/bench --write": "the same, half an hour, and writes into the tree",
    "bin/picture": "writes into the tree; test_pages.py plays the same",
    "bin/test-range": "every Python that can be had, an environment of packages for each",
    "bin/release": "tests/release builds and checks the same files",
    "bin/release --check": "tests/release/test_release.py does the same",
    "python -m tools.completion": "writes into the tree; tests/cli/test_completion.py compares what it would write",
    "postrender completion powershell | Out-String | Invoke-Expression": "no PowerShell is to be had here",
    "python -m tools.measures": "tests/repository/test_measures.py reads the same numbers",
    "dist/postrender.pyz --version": "tests/release/test_pack.py runs it",
    "helm plugin install dist/postrender-0.1.0.tgz --verify=false": "the same, with verification",
    "gpg --export you@example.com >keyring.gpg": "tests/release/test_pack.py does the same with a key made for it",
    "helm plugin install dist/postrender-0.1.0.tgz --verify --keyring keyring.gpg": "the same",
    "sha256sum --check --ignore-missing SHA256SUMS": "tests/release/test_release.py checks such a file",
    "pipx run sigstore verify github --bundle postrender.pyz.sigstore.json --cert-identity IDENTITY postrender.pyz": (
        "needs a published release"
    ),
    "tar -xzf dist/postrender-0.1.0-linux-x86_64.tar.gz -C /opt": "tests/release/test_pack.py unpacks it elsewhere",
    "/opt/postrender/postrender --version": "the same",
    "docker build -t postrender -f Containerfile .": "needs images of a registry",
    "helm template shop ./chart | docker run --rm -i --read-only postrender --release shop --offline": "the same",
    "bin/pack onefile": "tests/release/test_pack.py builds and runs it",
    "bin/pack plugin": "tests/release/test_pack.py builds and installs it",
    "bin/pack plugin --key you@example.com": "tests/release/test_pack.py builds, signs and installs it",
    "bin/pack selfcontained": "tests/release/test_pack.py builds it and runs it in an empty root",
    "podman build -t localhost/postrender .": "needs images of a registry",
    "podman build -t registry.example.com/argocd-postrender:0.1.0 examples/argocd": "needs images of a registry",
    'kpt fn eval . --exec "postrender krm" --fn-config postrender.yaml': (
        "kpt can be had neither from Debian nor from Go's proxy, which lacks a module it needs"
    ),
    'kpt fn eval . --exec "postrender krm" -- release=shop namespace=prod': "the same",
}
"""Commands that no test runs as they stand, and why."""


class Scene(NamedTuple):
    """What the reader has, and what is typed then; the fields are described in ``typed.yaml``."""

    name: str
    run: list[Any]
    start: str = ""
    helm: str = HELM
    shell: str = "sh"
    environ: Mapping[str, str] = MappingProxyType({})
    clone: bool = False


SCENES = [Scene(**each) for each in yaml.safe_load(Path(__file__).with_name("typed.yaml").read_text())]
STEPS = [{"command": each} if isinstance(each, str) else each for scene in SCENES for each in scene.run]
RUN = {step["command"] for step in STEPS if "command" in step}


ELSEWHERE: Mapping[str, str] = {
    "bin/docs": "tests/browser/test_site.py",
    "pipx install .": "tests/release/test_release.py",
    **{
        step.command: "docs/five-minutes.md"
        for step in transcripts.steps(DOCS / "five-minutes.md")
        if step.command not in RUN and step.command in (DOCS / "zh" / "quick-start.md").read_text()
    },
    **{
        each.command: "docs/immutable-fields.md"
        for each in typed.on(DOCS / "immutable-fields.md")
        if each.info == "sh" and each.command not in RUN
    },
}
"""Commands that a test of their own runs, and where."""


def elsewhere(each: Typed) -> bool:
    """Whether another test runs this command, in its block: those of examples, and what pages show of a terminal."""
    if each.page.is_relative_to(EXAMPLES):
        return each.info in ("sh", readmes.WITH_CLUSTER)
    return each.info in typed.PLAYED and each.page in transcripts.PAGES


SHOWN = {each.command: each.shown for page in PAGES for each in typed.on(page) if each.shown and not elsewhere(each)}
