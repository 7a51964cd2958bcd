"""``postrender krm``: a KRM function, a ResourceList on stdin and on stdout."""

from __future__ import annotations

import argparse
import difflib
import os
import re
from collections.abc import Mapping, Sequence

from postrender._record import replace
from postrender.cli.arguments import FILTER_SETTINGS, add_arguments, add_caller, chosen
from postrender.cli.hints import in_findings
from postrender.cli.inputs import caller_of, policy_of, sources_of, stdin
from postrender.cli.parsers import command_parser
from postrender.cli.stdout import write
from postrender.errors import PostrenderError, UsageError
from postrender.integrations import krm
from postrender.operations.filter.pipeline import check, plan_manifest
from postrender.planner.policy import OnDrift
from postrender.planner.verdict import Plan
from postrender.settings import SETTINGS
from postrender.text import Advice, finished, in_command, parts

DESCRIPTION = """\
A KRM function: reads a ResourceList on stdin and prints it with its items
edited and checked as by the filter, and with messages in results. If an item
is refused, the list is unchanged, the reasons are in results, and the exit code
is not 0.

Settings are the flags below, or keys of the same name in functionConfig, a
ConfigMap (release, namespace, stamp, ...). A cluster is only read, and only
with kube-context, or a file with live. Edits that depend on the cluster's
current state are refused, since the list is kept.

  kustomize build --enable-alpha-plugins --enable-exec .
  kpt fn eval . --exec "postrender krm" -- release=shop namespace=prod
  postrender krm --release shop -n prod < list.yaml
"""

# A function may not write to a cluster, so that nothing can be adopted from here, and no live value goes in Git.
KRM_SETTINGS = tuple(setting for setting in FILTER_SETTINGS if setting.name not in ("adopt", "keep_live"))


def main(arguments: list[str]) -> int:
    """Print the list; where it fails too, but with the error in it. Raises PostrenderError."""
    parser().parse_args(arguments)
    found = krm.read(stdin("a ResourceList is", "postrender krm --help"))
    try:
        options = parser().parse_args([*_as_flags(found.settings), *arguments])
        quiet, plan = _planned(found, options)
        plan = replace(plan, verdicts=in_findings(plan.verdicts, _as_keys))
        output = krm.written(found, plan, quiet=quiet)
    except PostrenderError as error:
        error.next = in_command(_as_keys(error.next), *krm.CALLS)
        write(krm.failed(found, error))
        raise
    write(output)
    check(plan)
    return 0


def parser() -> argparse.ArgumentParser:
    """Every setting that functionConfig may hold."""
    made = command_parser("krm", DESCRIPTION)
    add_arguments(made, "options of the filter", KRM_SETTINGS)
    add_caller(made, positional=False)
    return made


def _as_keys(steps: Sequence[str]) -> tuple[str, ...]:
    """Hints that are about flags as keys of functionConfig."""
    return tuple(map(_as_key, steps))


def _as_key(step: str) -> str:
    step = finished(step)
    _, note = parts(step)
    found = re.search(r"\b(add|leave out)(?: --action \w+)? --([a-z-]+)", note)
    if not found:
        return step
    return Advice(
        f"set {found[2]} in data of the functionConfig"
        if found[1] == "add"
        else f"remove {found[2]} from data of the functionConfig"
    )


def _planned(found: krm.ResourceList, options: argparse.Namespace) -> tuple[bool, Plan]:
    values = {**chosen(options, KRM_SETTINGS, os.environ), "adopt": None, "keep_live": None}
    policy = replace(policy_of(values), for_git=True, applied_elsewhere=True)
    if policy.on_drift is OnDrift.APPLY:
        raise UsageError("'apply' writes to live objects, which a function may not", where="--on-drift")
    caller = caller_of(options)
    explicit = caller.origins["namespace"].startswith(("--", "POSTRENDER_", "HELM_", "parent "))
    if caller.invocation.release and not explicit:
        raise UsageError(
            "the release's namespace is required; it is not read from a kubeconfig",
            where="functionConfig.data",
            next=Advice("set namespace in data of the functionConfig"),
        )
    if not (values["live"] or caller.cluster_named):
        values["offline"] = True
    source = sources_of(caller, values, policy).source
    return bool(values["quiet"]), plan_manifest(found.manifest, caller.invocation, policy, source).plan


def _as_flags(settings: Mapping[str, str]) -> list[str]:
    """Turn functionConfig into our own flags; raises UsageError for a key that is none of them."""
    names = {setting.flags[0].removeprefix("--") for setting in (*KRM_SETTINGS, *SETTINGS)}
    for key in settings:
        if key not in names:
            near = [Advice(f"did you mean {each}?") for each in difflib.get_close_matches(key, names)]
            raise UsageError(
                f"unknown setting {key}", where="functionConfig.data", next=(*near, "postrender krm --help")
            )
    return [f"--{key}={text}" for key, text in settings.items()]
