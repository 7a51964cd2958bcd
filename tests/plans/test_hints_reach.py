"""Every command that a plan advises reaches the cluster that the plan was made for, whatever its code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster import snapshot_file
from postrender.cluster.diagnose import Kubectl
from postrender.errors import PostrenderError
from postrender.models import Connection
from postrender.operations.filter.pipeline import filter_stream, plan_stream
from tests.plans.test_plans import NOTHING, _cases, _invocation, _policy, _secret

KUBECTL = Kubectl.of(Connection(kubeconfig="/my config", context="dev"), " --kube-context dev")
OF_KUBECTL = " --kubeconfig '/my config' --context dev"


class Reaching:
    """A snapshot that tells how a cluster is reached, as a cluster does."""

    def __init__(self, snapshot: Any) -> None:
        self._snapshot = snapshot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._snapshot, name)

    kubectl = staticmethod(KUBECTL.call)
    typed = staticmethod(KUBECTL.typed)
    completed = staticmethod(KUBECTL.completed)


def unflagged(step: str) -> bool:
    """Whether a command asks a cluster, and has no flag that says which; what ends in ``...`` is the user's own."""
    if " ..." in step or step.startswith("kubectl config"):
        return False
    if step.startswith("kubectl "):
        return OF_KUBECTL not in step
    ours = r"postrender (?:adopt|doctor|move|orphans|rename|unpin|unserved|verify)"
    asks = rf"helm (?:get|history|list|status|rollback|uninstall)|{ours}"
    return bool(re.match(rf"(?:{asks})\b", step)) and " --kube-context dev" not in step


def advised(case: dict[str, Any], version: str, folder: Path) -> dict[str, set[str]]:
    """All that a scenario's plan, its errors and its run advise, by code; by ``""`` what an error does."""
    live = folder / "live.yaml"
    secrets = [json.dumps(_secret(release)) for release in case.get("releases", [])]
    live.write_text("\n---\n".join([case.get("live", NOTHING), *secrets]))
    source: Any = Reaching(snapshot_file.load(str(live)))
    given = case["in"].encode(), _invocation(case, version), _policy(case), source
    found: dict[str, set[str]] = {}
    try:
        plan = plan_stream(*given).plan
        for verdict in (*plan.verdicts, *plan.removed):
            for finding in verdict.findings:
                found.setdefault(finding.code, set()).update(finding.next)
        filter_stream(*given)
    except PostrenderError as error:
        found.setdefault("", set()).update(error.next)
    return found


def test_every_command_of_every_scenario(tmp_path: Path) -> None:
    found: dict[str, set[str]] = {}
    for case in _cases():
        scenario, version = case.values
        if scenario.get("action") != "template":  # Nothing is asked then, so that no cluster is known.
            for code, steps in advised(scenario, version, tmp_path).items():
                found.setdefault(code, set()).update(steps)
    assert sorted(step for steps in found.values() for step in steps if unflagged(step)) == []
    flagged = {code for code, steps in found.items() if any(" --context dev" in step for step in steps)}
    assert {"", "PR103", "PR305", "PR401", "PR402"} <= flagged


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("kubectl get a/b -n shop", f"kubectl get a/b -n shop{OF_KUBECTL}"),
        ("kubectl delete a/b", f"kubectl delete a/b{OF_KUBECTL}"),
        ("kubectl config view", "kubectl config view --kubeconfig '/my config'"),
        ('kubectl patch a -p \'{"b": "c   (d)"}\'', f'kubectl patch a -p \'{{"b": "c   (d)"}}\'{OF_KUBECTL}'),
        ("helm get manifest r -n shop", "helm get manifest r -n shop --kube-context dev"),
        ("postrender orphans -n shop", "postrender orphans -n shop --kube-context dev"),
        ("helm ... --take-ownership", "helm ... --take-ownership"),
        ("kubectl annotate ... a=b", "kubectl annotate ... a=b"),
        ("postrender explain PR101", "postrender explain PR101"),
        ("--live FILE", "--live FILE"),
    ],
)
def test_flags_stand_behind_a_command(step: str, expected: str) -> None:
    assert KUBECTL.completed((step,)) == (expected,)
    assert KUBECTL.completed((expected,)) == (expected,), "they are added once"
