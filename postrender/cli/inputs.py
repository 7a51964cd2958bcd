"""What every command that makes a plan shares: who called, what the user allows, where live objects are looked up."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from postrender._record import Record, replace
from postrender.cli.arguments import flags
from postrender.cluster.interface import CONTEXTS, LIVE, ClusterReader
from postrender.errors import UsageError
from postrender.helm.invocation import Action, DryRun
from postrender.operations.filter.pipeline import require_known
from postrender.planner.policy import DEFAULT_LABEL_KEY, Adopt, OnDrift, Policy, Stamp, is_label_key
from postrender.settings import SETTINGS, Caller, find
from postrender.settings.parse import Value
from postrender.text import Advice, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from types import SimpleNamespace

    from postrender.cluster.client import Cluster
    from postrender.operations.filter.execute import Writer


class Sources(Record):
    """Where live objects are looked up (``None``: nowhere), and what may write to them (``None``: nothing)."""

    source: ClusterReader | None = None
    writer: Writer | None = None


def stdin(awaited: str, next: str) -> bytes:
    """All bytes of stdin; raises UsageError where it is a terminal, is closed or cannot be read."""
    if sys.stdin is None:
        raise UsageError(f"{awaited} expected on stdin, and stdin is closed", next=next)
    if sys.stdin.isatty():
        raise UsageError(f"{awaited} expected on stdin, and stdin is a terminal", next=next)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where="stdin", next=next) from error


def caller_of(options: argparse.Namespace | SimpleNamespace) -> Caller:
    """Who called, by the flags of ``SETTINGS``, the environment and the Helm above us; raises UsageError, Refused."""
    caller = find(flags(options, SETTINGS), os.environ)
    require_known(caller.invocation.helm)
    return caller


def no_namespace(caller: Caller, flag: str = "--namespace") -> UsageError:
    """The error if the namespace of a release is not known, with why, and the flag that sets it."""
    return UsageError(
        "\n  ".join(["namespace required", *caller.notes]), next=Advice(f"add {flag} with the release's namespace")
    )


def policy_of(values: Mapping[str, Value | None]) -> Policy:
    """What the user allows and wants, by the values of ``FILTER_SETTINGS``; raises UsageError."""
    key = str(values["label_key"] or DEFAULT_LABEL_KEY)
    if values["label_key"] and not is_label_key(key):
        raise UsageError(f"{key!r} is not a label key", where="--label-key", next=f"--label-key {DEFAULT_LABEL_KEY}")
    adopt = values["adopt"] or ()
    allow = values["allow"] or ()
    assert isinstance(adopt, tuple)
    assert isinstance(allow, tuple)
    keep_live = values["keep_live"] or ()
    assert isinstance(keep_live, tuple)
    if keep_live:
        from postrender.planner.keep_live import selectors  # Few users name any.

        selectors(keep_live)
    return Policy(
        adopt=frozenset(Adopt(what) for what in adopt),
        stamp=Stamp(str(values["stamp"] or Stamp.ADOPT.value)),
        label_key="" if values["no_label"] else key,
        on_drift=OnDrift(str(values["on_drift"] or OnDrift.STORE.value)),
        allow=frozenset(code.upper() for code in allow),
        keep_live=keep_live,
    )


def drift_policy(policy: Policy, caller: Caller) -> Policy:
    """The policy for a run against a cluster if nobody chose one for drift.

    Drift is stored only if an upgrade may follow that applies it: a caller that runs none would report success, and
    leave the old spec for good.
    """
    from postrender.helm.process import here
    from postrender.settings.single_run import runs_once

    if not runs_once(os.getpid(), here(), helm=caller.parent is not None):
        return policy
    return replace(policy, on_drift=OnDrift.FAIL, single_run=True)


def sources_of(
    caller: Caller, values: Mapping[str, Value | None], policy: Policy, *, only_reads: bool = False
) -> Sources:
    """Where to look, by the values of ``FILTER_SETTINGS``; raises UsageError where nobody said, ClusterError.

    What only reads (``only_reads``) may look where Helm would if nobody said, and gets no stamper.

    An exec plugin of the kubeconfig runs here; nothing is asked of a server yet.
    """
    invocation = caller.invocation
    template = invocation.action is Action.TEMPLATE
    if values["offline"] or (template and not values["live"]):
        _named(caller, needed=policy.stamp is Stamp.ALL)
        return Sources()
    _named(caller, needed=True)
    if values["live"]:
        from postrender.cluster import snapshot_file

        return Sources(snapshot_file.load(str(values["live"]), os.environ))
    if not caller.cluster_named and not only_reads:
        raise UsageError("\n  ".join(["cluster required", *caller.notes]), next=(CONTEXTS, LIVE, "--offline"))
    from postrender.settings.connection import reached

    connected = reached(caller)
    return Sources(connected, None if only_reads else _writer(connected, caller, policy))


def _writer(connected: Cluster, caller: Caller, policy: Policy) -> Writer | None:
    """What may write to live objects: nothing in a dry run, and nothing where nobody said that Helm installs."""
    asked = [
        *(["--adopt"] if policy.adopt else []),
        *(["--on-drift=apply"] if policy.on_drift is OnDrift.APPLY else []),
    ]
    if not asked:
        return None
    if caller.invocation.dry_run is not DryRun.NO:
        _require_own_dry_run(caller, " and ".join(asked))
        return None
    if caller.origins["action"] == "default":
        raise UsageError(
            f"{' and '.join(asked)} write{'s' * (len(asked) == 1)} to live objects, "
            "and Helm's --dry-run could not be detected",
            next=Hint("--action install", "or upgrade, upgrade-install"),
        )
    return connected


def _require_own_dry_run(caller: Caller, asked: str) -> None:
    """Raise UsageError if a provider passes a dry run to each of its runs: what is asked would never be done."""
    provider = caller.invocation.field_manager
    if caller.origins["field_manager"].startswith("parent ") and caller.origins["dry_run"] != "default":
        raise UsageError(
            f"{asked} never write{'s' * (' and ' not in asked)} to live objects, since {provider} passes "
            f"{caller.origins['dry_run']} in every run",
            where=caller.origins["dry_run"],
            next=Advice(f"remove {asked}"),
        )


def _named(caller: Caller, *, needed: bool) -> None:
    invocation = caller.invocation
    if not needed or invocation.release is not None or invocation.generate_name:
        return
    advice = "--release with the release's name" if caller.namespace else "--namespace with the release's namespace"
    raise UsageError("release name required", next=Advice(f"add {advice}"))
