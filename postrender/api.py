"""The library: the functions ``plan`` and ``rewrite`` and the types that they take, return and raise.

There is no state between calls, so any number of threads may call at once. Lookups block: with asyncio, call from a
thread (``await asyncio.to_thread(postrender.rewrite, ...)``). The functions print nothing and read no environment;
only values that a ``Connection`` omits come from the kubeconfig.
"""

from __future__ import annotations

from postrender._record import Record
from postrender.cluster.interface import ClusterReader
from postrender.errors import ClusterError, ManifestError, PostrenderError, Refused, UsageError
from postrender.helm.invocation import Action as HelmAction
from postrender.helm.invocation import DryRun, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import Connection, ReleaseName, Severity
from postrender.operations.filter.pipeline import Result, filter_stream, plan_stream, require_known
from postrender.planner.policy import Adopt, OnDrift, Policy, Stamp, is_label_key
from postrender.planner.verdict import Action, Finding, Plan, Verdict
from postrender.settings.parse import from_text
from postrender.settings.table import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.operations.filter.execute import Writer

__all__ = [
    "Action",
    "Adopt",
    "ClusterError",
    "Connection",
    "DryRun",
    "Finding",
    "HelmAction",
    "HelmVersion",
    "Invocation",
    "LiveFile",
    "ManifestError",
    "OnDrift",
    "Plan",
    "Policy",
    "PostrenderError",
    "Refused",
    "ReleaseName",
    "Result",
    "Severity",
    "Stamp",
    "UsageError",
    "Verdict",
    "plan",
    "rewrite",
]

DEFAULT_POLICY = Policy()


class LiveFile(Record):
    """A file with the output of ``kubectl get ... -o yaml`` instead of a cluster: other objects do not exist."""

    path: str


def plan(
    data: bytes, invocation: Invocation, source: Connection | LiveFile | None = None, policy: Policy = DEFAULT_POLICY
) -> Plan:
    """Return a verdict for each object of a manifest stream, without changing anything; ``Plan.errors`` lists errors.

    ``data`` are the manifests as Helm passes them to a post-renderer, ``source`` the cluster or file with live objects
    (``None``: no lookup; an invocation of ``helm template`` has none either). Raises UsageError for invalid arguments,
    ManifestError for unreadable manifests, ClusterError for a failed lookup, and Refused for an unsupported major
    version of Helm.
    """
    _check(invocation, policy)
    return plan_stream(data, invocation, policy, _looked_up(source, invocation)[0]).plan


def rewrite(
    data: bytes, invocation: Invocation, source: Connection | LiveFile | None = None, policy: Policy = DEFAULT_POLICY
) -> Result:
    """Return the manifests for Helm (``Result.data``) and the executed plan.

    Takes the arguments of ``plan``. With a Connection, and if the run is not a dry run, it writes ownership metadata
    (``policy.adopt``) and the chart's values (``OnDrift.APPLY``) to live objects; ``Result.written`` names them. Raises
    UsageError, ManifestError, ClusterError and, with all errors in one message, Refused.
    """
    _check(invocation, policy)
    return filter_stream(data, invocation, policy, *_looked_up(source, invocation))


def _looked_up(
    source: Connection | LiveFile | None, invocation: Invocation
) -> tuple[ClusterReader | None, Writer | None]:
    """A cluster is connected to anew for each call: one that gave no answers is not asked any more."""
    if isinstance(source, LiveFile):
        from postrender.cluster import snapshot_file

        return snapshot_file.load(source.path), None
    if isinstance(source, Connection):
        from postrender.cluster.client import connect

        cluster = connect(source, field_manager=invocation.field_manager)
        return cluster, cluster
    return None, None


def _check(invocation: Invocation, policy: Policy) -> None:
    """Raises UsageError and Refused for what the command line refuses too."""
    require_known(invocation.helm)
    if policy.label_key and not is_label_key(policy.label_key):
        raise UsageError(f"{policy.label_key!r} is not a label key", where="Policy.label_key")
    if invocation.release is None:
        if policy.stamp is Stamp.ALL:
            raise UsageError("ownership metadata for every object needs a release", where="Invocation.release")
        return
    for setting in SETTINGS:
        if setting.name == "release":
            from_text(setting, invocation.release.name, "ReleaseName.name")
        elif setting.name == "namespace":
            from_text(setting, invocation.release.namespace, "ReleaseName.namespace")
