"""Each hint of the code is printed by a scene, and typed there as it stands: it does what it promises.

``hints.yaml`` says which templates of the code each scene types, so that each is typed once. What only looks is typed
in the scene as it is; what changes something from the start, not after another cure.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from postrender.text import AGAIN
from tests.e2e.api import Namespace
from tests.e2e.charts import chart
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.errors import Stage, config
from tests.e2e.helm import Helm, executable
from tests.e2e.hint_scenes import SCENES, Failed, Play, typed
from tests.hints import IN_FAULTS, made_of, templates

LOOKS = re.compile(
    r"(?:KUBECONFIG=\S+ )?kubectl (?:get|auth|config|cluster-info|api-resources)|"
    r"helm (?:get|history|list|status|template|version)|ls |df |command -v |\S+ plugin list|"
    r"postrender (?:explain|doctor|orphans|plan|helm-plugin status|argocd params|--help|\w+(?:-\w+)? --help)"
)
"""Commands that only show something."""

CODES = {
    r"postrender verify --all": (0, 5, 10),  # the namespaces of other scenes are in a bad way
    r"postrender (?:orphans|plan|verify)": (0, 10),
    r"postrender helm-plugin status": (0, 4),
    r"kubectl auth can-i": (0, 1),
    r"postrender doctor": (0, 2, 4, 5),
    r"\S+ plugin list": (0, 1),
}
"""Exit codes that are answers."""

UNTYPED = {
    "pip install --force-reinstall pyyaml": "it downloads a package",
    "pipx install .": "it installs this program for the user",
    "kustomize build --enable-alpha-plugins --enable-exec .": "it needs a kustomization; tests/e2e/test_examples.py",
    'kpt fn eval . --exec "postrender krm"': "kpt is not built here",
    "argocd app manifests …": "it needs a server of Argo CD",
    "export …=$(openssl rand -hex 32)": "it changes the shell it is typed in",
    "export POSTRENDER_ON_DRIFT=apply": "it changes the environment of a caller that runs Helm once",
    "helm upgrade --install ... --post-renderer postrender": "it is printed in words: a manifest in Git names no chart",
    "export HELM_DRIVER=secret": "it changes the shell it is typed in",
    "postrender snapshot ... --with-secrets": "tests/cli/test_snapshot.py plans with what it takes",
    "env | grep -i proxy": "it looks at the environment of the caller, where no proxy is set",
    "kubectl get apiservices ….…": "an API whose server is gone would disturb the other scenes",
    "kubectl get … -l owner=helm,name=…": "it is printed for more than 100 forged records of one release",
}
"""Hints that no test types, and why."""


RECORD = Path(__file__).with_name("hints.yaml")
TYPED_IN: Mapping[str, Sequence[str]] = yaml.safe_load(RECORD.read_text(encoding="utf-8"))
"""The templates that each scene types."""
TYPED = {template for each in TYPED_IN.values() for template in each}


@pytest.fixture
def stages(control_plane: ControlPlane, discovery_cache: Path, tmp_path: Path) -> Callable[[str], Stage]:
    """A new stage, in a namespace of its own, with ``helm``, ``kubectl`` and ``postrender`` on PATH."""

    def make(version: str) -> Stage:
        namespace: Namespace = control_plane.namespace(f"hints-{secrets.token_hex(3)}")
        folder = tmp_path / namespace.name
        folder.mkdir()
        home = folder / "home"

        def of_version(wanted: str) -> Helm:
            path = program(f"helm@{wanted}")
            made = Helm(path, wanted, home, control_plane.kubeconfig, namespace.name, discovery_cache)
            made.env["PATH"] = f"{tools}:{made.env['PATH']}"
            return made

        tools = folder / "bin"
        tools.mkdir()
        it = of_version(version)
        for name, path in (("helm", it.binary), ("kubectl", program("kubectl")), ("postrender", executable(home))):
            (tools / name).symlink_to(path)
        return Stage(
            version, lambda wanted: it if wanted == version else of_version(wanted), namespace, folder, control_plane
        )

    return make


def completed(hint: str, stage: Stage) -> str:
    """The command line: CHART and RELEASE are what the reader has, and a question is answered with yes."""
    place = chart(stage.folder, {"0": config(keep=True)}) if " CHART " in hint else ""
    line = hint.replace(" CHART ", f" {place} ").replace("adopt RELEASE", "adopt shop")
    if stage.it.major < 4:  # Helm 4 has a plugin of this name.
        line = line.replace("--post-renderer postrender", f"--post-renderer {executable(stage.it.home)}")
    if line.startswith("openssl pkey "):
        return f"{line} -passin pass:geheim"
    writes = re.match(r"postrender (?:adopt|move|forget|rename|verify .*--fix)(?!.*(?:--yes|--help))", line)
    return f"{line} --yes" if writes else line


def codes(hint: str) -> tuple[int, ...]:
    """The exit codes with which a hint did what it says."""
    return next((codes for head, codes in CODES.items() if re.match(head, hint)), (0,))


NAMES = [f"{play.__name__}-{version}" for version, play in SCENES]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "version", "play"), [(name, *scene) for name, scene in zip(NAMES, SCENES, strict=True)], ids=NAMES
)
def test_what_is_advised_works(name: str, version: str, play: Play, stages: Callable[[str], Stage]) -> None:
    stage = stages(version)
    failed: Failed = play(stage)
    assert failed.hints, failed.said
    here, known = set(TYPED_IN.get(name, ())), {*TYPED, *UNTYPED}
    seen: set[str] = set()
    changed = False
    for place, hint in enumerate(failed.hints):
        made = made_of(hint, failed.ran)
        assert made, f"no hint in the code is {hint}"
        seen |= made
        if not made & here and made <= known:
            continue
        looks = LOOKS.match(hint) is not None
        if changed:
            stage = stages(version)
            failed = play(stage)
            hint = failed.hints[place]
        changed = not looks
        if failed.fix and made == {AGAIN}:
            failed.fix()
        line = completed(hint, stage)
        code, said = typed(stage, line, failed.stdin, folder=failed.folder)
        assert code in codes(hint), f"{hint}\n{line}\nexit code {code}\n{said}"
        if not looks and failed.cured and not re.match(r"(?:\S*helm|postrender (?:run|adopt)) ", hint):
            again = failed.again()
            assert again in {0, *codes(failed.ran)}, f"after {line}\n{failed.ran}\nexit code {again}"
    new = sorted(seen - known)
    assert not new, f"typed here for the first time; write into {RECORD.name} below {name!r}: {new}"
    assert here <= seen, f"not printed by this scene any more; take it out of {RECORD.name}, or mend the scene"


def test_every_hint_of_the_code_is_typed_or_has_a_reason() -> None:
    known = {*TYPED, *UNTYPED, *IN_FAULTS}
    missing = [f"{module}: {template}" for template, module in templates().items() if template not in known]
    assert missing == [], f"write a scene into hint_scenes.py, and the template into {RECORD.name}"
    assert known - set(templates()) == set(), "no hint of the code any more: take it off the list"
    assert set(UNTYPED) & TYPED == set(), "typed after all: take it off the list"
    assert set(TYPED_IN) - set(NAMES) == set(), "no scene: take it off the list"
