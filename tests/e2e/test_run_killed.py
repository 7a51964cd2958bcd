"""``postrender run`` killed at its own requests, or at those of its Helm, and called again; ``bin/kills`` has all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.api import Namespace
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import HelmFactory
from tests.e2e.killing import (
    PAIR,
    REVISIONS,
    SCENES,
    Kill,
    Scene,
    Stage,
    Who,
    interrupted,
    kills,
    revision,
    whole,
)
from tests.e2e.kinds import SECRET
from tests.e2e.proxy import Point
from tests.e2e.test_run import finished, ok, start

CHOSEN = (
    "pair-run-GET-secrets-1-after",  # before anything is noted
    "pair-run-GET-secrets-2-after",  # the first step is over: pins are looked for
    "pair-run-PUT-v1-1-before",
    "pair-run-PUT-v1-1-after",
    "pair-run-GET-v2-1-after",  # the second step is over, and looked into for pins
    "pair-run-GET-secrets-4-before",  # what came of it is looked at
    "pair-run-GET-stable-shirt-1-after",
    "pair-helm-PUT-v2-1-before",  # its Helm has taken the deployed revision back, and put no other in its place
    "pinned-run-PUT-v2-1-before",  # of two revisions one has no pin any more
    "pinned-helm-PUT-v1-1-after",  # --replace has given the old one up
    "pinned-helm-POST-secrets-1-after",  # and the new one is pending
    "pending-run-DELETE-v1-1-before",
    "pending-run-DELETE-v1-1-after",
    "shirt-run-GET-stable-shirt-1-after",
)
"""Every write of the run itself, the first and the last read of each phase, and the worst moments of its Helm."""

pytestmark = pytest.mark.one_in(4)

KILLS = {str(kill): kill for scene in SCENES for kill in kills(scene)}


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_what_a_run_asks_and_its_helm_writes(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, scene: Scene
) -> None:
    """So that none is left out where each is killed."""
    with Stage(helm(scene.version), namespace, control_plane, tmp_path) as stage:
        whole(stage, scene)


@pytest.mark.parametrize("kill", [KILLS[name] for name in CHOSEN], ids=str)
def test_killed_and_called_again_it_ends_the_same(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path, kill: Kill
) -> None:
    with Stage(helm(kill.scene.version), namespace, control_plane, tmp_path) as stage:
        interrupted(stage, kill)


@pytest.mark.parametrize(
    ("who", "point", "verb", "statuses"),
    [
        # between its steps the run has no Helm at work
        ("run", Point(f"PUT {revision(1)}", 1, "before"), "upgrade", ["deployed", "pending-upgrade"]),
        # its Helm has looked for releases of that name, and not yet run the filter
        ("helm", Point(REVISIONS, 1, "after"), "install", ["pending-install"]),
    ],
)
def test_a_pending_record_of_another_helm_is_left_alone(
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
    who: Who,
    point: Point,
    verb: str,
    statuses: list[str],
) -> None:
    with Stage(helm("3.12.3"), namespace, control_plane, tmp_path) as stage:
        arguments = PAIR.prepare(stage)
        stage.kill(arguments, who, point)
        _killed_as_it_begins(stage, verb, *arguments[1:])
        assert [each.status for each in namespace.releases("r")] == statuses
        refused = stage.call(arguments)
        assert refused.returncode == 4
        record = f"sh.helm.release.v1.r.v{len(statuses)}"
        where = f"-n {namespace.name} --kubeconfig {stage.run.kubeconfig}"
        assert refused.stderr == (
            f"error: release {namespace.name}/r: has a pending operation (revision {len(statuses)}, {statuses[-1]}) "
            "that this run did not start; another helm process may be running. Nothing was changed\n"
            f"hint: helm history r -n {namespace.name}\n"
            f"note: if no helm process is running\nhint: kubectl delete secrets {record} {where}\n"
        )
        assert [each.status for each in namespace.releases("r")] == statuses
        namespace.delete(SECRET, record)
        ok(stage.call(arguments))
        finished(namespace)


def test_a_record_that_was_pending_before_is_told(
    helm: HelmFactory, namespace: Namespace, control_plane: ControlPlane, tmp_path: Path
) -> None:
    with Stage(helm("3.12.3"), namespace, control_plane, tmp_path) as stage:
        arguments = PAIR.prepare(stage)
        _killed_as_it_begins(stage, *arguments)
        failed = stage.call([*arguments, "--kube-context", "test"])
        assert failed.returncode == 1
        told = " ".join(failed.stderr.split())
        assert "Helm failed (exit code 1): the release is unchanged: revision 1, pending-install" in told
        where = f"-n {namespace.name} --kubeconfig {stage.run.kubeconfig} --context test"
        assert failed.stderr.endswith(
            f"hint: helm history r -n {namespace.name} --kube-context test\n"
            f"note: if no helm process is running\nhint: kubectl delete secrets sh.helm.release.v1.r.v1 {where}\n"
        )


def _killed_as_it_begins(stage: Stage, *arguments: str) -> None:
    """A Helm that nobody's run has started, dead: its record stays pending."""
    it = stage.it
    stage.helm.kill(
        lambda: start(
            [str(it.binary), *arguments, "--namespace", it.namespace], it, {"KUBECONFIG": str(stage.helm.kubeconfig)}
        ),
        Point(f"POST /api/v1/namespaces/{it.namespace}/secrets", 1, "after"),
    )
