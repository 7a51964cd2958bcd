"""What is advised after a failure is typed as it stands, with the real Helm and kubectl, and does what it promises.

``pytest -s`` prints the counts: hints printed, executed, worked, and those that no test can type, each with its reason.
"""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.charts import manifest
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.e2e.errors import Stage, another_role, config, shirt
from tests.e2e.helm import Helm, Run, executable
from tests.e2e.kinds import CONFIG_MAP, ROLE_BINDING, SECRET, STABLE_SHIRT
from tests.e2e.test_plan import postrender

LOOKS = re.compile(
    r"kubectl (?:get|auth|config|cluster-info|api-resources)|helm (?:get|history|list|status)|"
    r"postrender (?:explain|doctor|orphans|plan|--help|\w+ --help)"
)
"""Commands that only show something."""

CODES = {"postrender orphans": (0, 10), "kubectl auth can-i": (0, 1), "postrender verify": (0, 10)}
"""Exit codes that are answers."""

UNTYPED = {
    r".* --driver configmap$": "a flag for the same command, where the release is stored as a ConfigMap",
    r".* --(?:kubeconfig|kube-context|live|namespace|release|request-timeout|helm) [A-Z]+$": (
        "a flag for the same command: its value only the user knows"
    ),
}
"""Advice that is no command, and why."""


@dataclass
class Tally:
    """How many hints there were, and what became of them."""

    printed: int = 0
    executed: int = 0
    worked: int = 0
    untyped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        reasons = "".join(f"\n  not typed: {each}" for each in sorted(set(self.untyped)))
        return (
            f"hints: {self.printed} printed, {self.executed} executed, {self.worked} worked, "
            f"{len(self.untyped)} not typed{reasons}"
        )


TALLY = Tally()


@dataclass(frozen=True)
class Failed:
    """A run that failed: what it printed, and how it is tried again after a cure, if it is to succeed then."""

    said: str
    again: Callable[[], Run | subprocess.CompletedProcess[bytes]]
    helm: tuple[str, ...] = ()
    cured: bool = True

    @property
    def hints(self) -> list[str]:
        """What is advised, in order."""
        flat = re.sub(r" \\\n +", " ", self.said)
        return re.findall(r"^ *(?:- )?(?:next:|hint:|take back |adopt     |delete    ) +(.+)$", flat, re.MULTILINE)


Play = Callable[[Stage], Failed]


def helm_failed(stage: Stage, *arguments: str) -> Failed:
    """What a filtered Helm printed that failed."""
    run = stage.it.run(*arguments, filter=True)
    assert not run.ok, run.stdout
    return Failed(run.stderr, lambda: stage.it.run(*arguments, filter=True), arguments)


def ours_failed(stage: Stage, *arguments: str, cured: bool = True) -> Failed:
    """What a command of ours printed that did not end with 0."""
    done = postrender(stage.it, *arguments)
    assert done.returncode != 0, done.stdout
    return Failed((done.stderr + done.stdout).decode(), lambda: postrender(stage.it, *arguments), cured=cured)


def orphan(stage: Stage) -> Failed:
    place = stage.chart(config(keep=True))
    stage.it.install("old", place).expect_ok()
    stage.it.uninstall("old").expect_ok()
    return helm_failed(stage, "install", "shop", str(place))


def unmanaged(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return helm_failed(stage, "install", "shop", str(stage.chart(config())))


def foreign(stage: Stage) -> Failed:
    place = stage.chart(config())
    stage.it.install("old", place).expect_ok()
    return helm_failed(stage, "install", "shop", str(place))


def terminating(stage: Stage) -> Failed:
    body = shirt(STABLE_SHIRT)
    stage.namespace.create({**body, "metadata": {**body["metadata"], "finalizers": ["example.com/wait"]}}, STABLE_SHIRT)
    stage.namespace.delete(STABLE_SHIRT, "shirt")

    def release() -> None:
        time.sleep(20)
        stage.namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"finalizers": None}})

    threading.Thread(target=release, daemon=True).start()
    return helm_failed(stage, "install", "shop", str(stage.chart(body)))


def immutable(stage: Stage) -> Failed:
    another_role(stage)
    stage.it.uninstall("shop")
    binding = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "c"}
    return helm_failed(stage, "install", "shop", str(stage.chart(manifest(ROLE_BINDING, "shop", binding, keep=True))))


def drift(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.namespace.patch(CONFIG_MAP, "cfg", {"data": {"a": "9"}})
    return ours_failed(stage, "verify", "shop", "-n", stage.namespace.name, "--detailed-exitcode")


def not_installed(stage: Stage) -> Failed:
    return ours_failed(stage, "verify", "nowhere", "-n", stage.namespace.name, cured=False)


def left_over(stage: Stage) -> Failed:
    stage.it.install("old", stage.chart(config(keep=True))).expect_ok()
    stage.it.uninstall("old").expect_ok()
    return ours_failed(stage, "orphans", "-n", stage.namespace.name, "--detailed-exitcode")


def forged_record(stage: Stage) -> Failed:
    """A Secret of somebody else with the labels of a revision, which Helm counts as one."""
    stage.it.install("shop", stage.chart(config())).expect_ok()
    real = stage.namespace.found(SECRET, "sh.helm.release.v1.shop.v1")
    labels = {**real["metadata"]["labels"], "version": "7", "status": "uninstalled"}
    forged = manifest(SECRET, "forged", real["data"], labels=labels)
    stage.namespace.create(forged, SECRET)
    return ours_failed(stage, "verify", "shop", "-n", stage.namespace.name)


def misspelt(stage: Stage) -> Failed:
    return ours_failed(stage, "plna", cured=False)


SCENES: tuple[tuple[str, Play], ...] = (
    ("3.21.4", orphan),
    ("4.3.1", orphan),
    ("3.21.4", unmanaged),
    ("3.21.4", foreign),
    ("3.21.4", terminating),
    ("3.21.4", immutable),
    ("3.21.4", drift),
    ("3.21.4", not_installed),
    ("3.21.4", left_over),
    ("3.21.4", forged_record),
    ("3.21.4", misspelt),
)


@pytest.fixture
def stages(control_plane: ControlPlane, discovery_cache: Path, tmp_path: Path) -> Callable[[str], Stage]:
    """A new stage, in a namespace of its own, with ``helm``, ``kubectl`` and ``postrender`` on PATH."""

    def make(version: str) -> Stage:
        namespace: Namespace = control_plane.namespace(f"hints-{secrets.token_hex(3)}")
        folder = tmp_path / namespace.name
        folder.mkdir()
        binary = program(f"helm@{version}")
        it = Helm(binary, version, folder / "home", control_plane.kubeconfig, namespace.name, discovery_cache)
        tools = folder / "bin"
        tools.mkdir()
        for name, path in (("helm", binary), ("kubectl", program("kubectl")), ("postrender", executable(it.home))):
            (tools / name).symlink_to(path)
        it.env["PATH"] = f"{tools}:{it.env['PATH']}"
        return Stage(version, lambda _: it, namespace, folder, control_plane)

    return make


def reason(step: str) -> str | None:
    """Why a hint is not typed."""
    return next((why for pattern, why in UNTYPED.items() if re.match(pattern, step)), None)


def typed(step: str, failed: Failed, stage: Stage) -> str:
    """The command line: ``...`` is the rest of what was typed before, CHART and RELEASE what the reader has."""
    line = step
    if line.startswith("helm ") and " ... " in f"{line} ":
        head, _, flags = line.partition(" ...")
        verb, *rest = failed.helm
        said = head.split()[1:] or [verb]
        command, _ = stage.it.command(*said, *rest, filter=True)
        return f"{shlex.join(command)} {flags}"
    line = line.replace(" CHART ", f" {stage.chart(config(keep=True))} ").replace("adopt RELEASE", "adopt shop")
    if stage.it.major < 4:  # Helm 4 has a plugin of this name.
        line = line.replace("--post-renderer postrender", f"--post-renderer {executable(stage.it.home)}")
    writes = re.match(r"postrender (?:adopt|move|rename|verify .*--fix)", line)
    return f"{line} --yes" if writes else line


def run(line: str, stage: Stage) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        env=stage.it.env,
        cwd=stage.it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.mark.parametrize(("version", "play"), SCENES, ids=[f"{play.__name__}-{at}" for at, play in SCENES])
def test_what_is_advised_works(version: str, play: Play, stages: Callable[[str], Stage]) -> None:
    stage = stages(version)
    failed = play(stage)
    hints = failed.hints
    assert hints, failed.said
    for place, step in enumerate(hints):
        TALLY.printed += 1
        why = reason(step)
        if why is not None:
            TALLY.untyped.append(f"{step.replace(stage.namespace.name, 'shop')}: {why}")
            continue
        looks = LOOKS.match(step) is not None
        if not looks:
            # What changes something is tried from the start, not after another cure.
            stage = stages(version)
            failed = play(stage)
            step = failed.hints[place]
        line = typed(step, failed, stage)
        done = run(line, stage)
        TALLY.executed += 1
        codes = next((codes for head, codes in CODES.items() if step.startswith(head)), (0,))
        assert done.returncode in codes, f"{step}\n{line}\n{done.stdout}{done.stderr}"
        if not looks and failed.cured and not step.startswith(("helm ", "postrender adopt")):
            again = failed.again()
            code = again.exit_code if isinstance(again, Run) else again.returncode
            assert code == 0, f"after {line}\n{again.stdout!r}{again.stderr!r}"
        TALLY.worked += 1


def test_every_hint_was_typed_or_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{TALLY}")
    assert TALLY.printed == TALLY.executed + len(TALLY.untyped)
    assert TALLY.worked == TALLY.executed
