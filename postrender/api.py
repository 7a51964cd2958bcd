"""The library: the two functions that a program in Python calls, and the names they are used with.

No state is kept between calls, so that any number of threads may call at once; under asyncio call from a thread
(``await asyncio.to_thread(postrender.rewrite, ...)``), since look-ups wait for the network. Nothing is read from the
process's surroundings but what a ``Connection`` leaves to the kubeconfig, and nothing is printed.
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
from postrender.planner.labels import is_label_key
from postrender.planner.policy import Adopt, OnDrift, Policy, Stamp
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
    """What ``kubectl get ... -o yaml`` printed, instead of a cluster: what is not in the file does not exist."""

    path: str


def plan(
    data: bytes,
    invocation: Invocation,
    source: Connection | LiveFile | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> Plan:
    """What ``rewrite`` would do with a stream of manifests, object by object; refusals are in it (``Plan.errors``).

    ``source`` is where live objects are looked up, ``None`` for nowhere; ``helm template`` looks nothing up. Reads
    only. Raises UsageError, ManifestError, ClusterError, and Refused for a major version of Helm that is not known.
    """
    _check(invocation, policy)
    return plan_stream(data, invocation, policy, _looked_up(source)[0]).plan


def rewrite(
    data: bytes,
    invocation: Invocation,
    source: Connection | LiveFile | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> Result:
    """The stream as Helm shall install it (``Result.data``), with the plan that was carried out.

    Arguments as for ``plan``. Writes nothing, but what ``policy.adopt`` allows (the ownership metadata of live objects)
    and ``OnDrift.APPLY`` (what the chart says, to live objects), where ``source`` is a Connection and the run is no dry
    run; ``Result.written`` names the objects. Raises UsageError, ManifestError, ClusterError
    and, with every objection in one message, Refused.
    """
    _check(invocation, policy)
    return filter_stream(data, invocation, policy, *_looked_up(source))


def _looked_up(source: Connection | LiveFile | None) -> tuple[ClusterReader | None, Writer | None]:
    """A cluster is connected to anew for each call: one that gave no answers is not asked any more."""
    if isinstance(source, LiveFile):
        from postrender.cluster import snapshot_file

        return snapshot_file.load(source.path), None
    if isinstance(source, Connection):
        from postrender.cluster.client import connect

        cluster = connect(source)
        return cluster, cluster
    return None, None


def _check(invocation: Invocation, policy: Policy) -> None:
    """Raises UsageError and Refused for what the command line refuses too."""
    require_known(invocation.helm)
    if policy.label_key and not is_label_key(policy.label_key):
        raise UsageError(f"{policy.label_key!r} is no label key", where="Policy.label_key")
    if invocation.release is None:
        if policy.stamp is Stamp.ALL:
            raise UsageError("every object is to be stamped, and no release is named", where="Invocation.release")
        return
    for setting in SETTINGS:
        if setting.name == "release":
            from_text(setting, invocation.release.name, "ReleaseName.name")
        elif setting.name == "namespace":
            from_text(setting, invocation.release.namespace, "ReleaseName.namespace")
