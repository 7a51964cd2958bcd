"""What an operator does with postrender: everything but kopf, so that it can be tried and tested without a cluster.

    python examples/operator/reconcile.py RELEASE NAMESPACE LIVE.yaml < RENDERED.yaml

prints the status that the operator would write.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple

import postrender


class Reconciled(NamedTuple):
    """The manifests to hand to Helm (``None``: go no further), and the ``status`` of the custom resource."""

    manifests: bytes | None
    status: dict[str, Any]


def reconcile(
    rendered: bytes,
    release: postrender.ReleaseName,
    helm: postrender.HelmVersion,
    source: postrender.Connection | postrender.LiveFile,
) -> Reconciled:
    """Ask what Helm would do, and go on only where that is right; never raises for what a user can cause."""
    run = postrender.Invocation(helm, postrender.HelmAction.UPGRADE_INSTALL, release)
    try:
        plan = postrender.plan(rendered, run, source)
        told = [condition(verdict, finding) for verdict in plan.verdicts for finding in verdict.findings]
        if plan.errors:
            return Reconciled(None, {"ready": False, "reason": "Refused", "objects": told})
        return Reconciled(
            postrender.rewrite(rendered, run, source).data, {"ready": True, "reason": "Planned", "objects": told}
        )
    except postrender.ClusterError as error:
        # Unknown is not absent: try again later, and change nothing until then.
        return Reconciled(None, {"ready": False, "reason": "Unknown", "message": str(error), "retry": True})
    except postrender.PostrenderError as error:
        return Reconciled(None, {"ready": False, "reason": type(error).__name__, "message": str(error)})


def condition(verdict: postrender.Verdict, finding: postrender.Finding) -> dict[str, Any]:
    """One thing to be told about one object, as it stands in the status."""
    return {
        "object": verdict.name,
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.text,
        "next": list(finding.next),
    }


if __name__ == "__main__":
    name, namespace, live = sys.argv[1:]
    found = reconcile(
        sys.stdin.buffer.read(),
        postrender.ReleaseName(namespace, name),
        postrender.HelmVersion(3, 21, 4),
        postrender.LiveFile(live),
    )
    print(json.dumps(found.status, indent=2))
