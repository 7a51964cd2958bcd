"""What a run was about: the calling Helm, the release, the cluster, and where each setting came from."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.cluster.interface import ClusterReader
from postrender.helm.invocation import Action, DryRun
from postrender.helm.versions import NEWEST_TESTED
from postrender.manifest import LIBYAML
from postrender.planner.facts import Facts, base_revision
from postrender.planner.verdict import Plan
from postrender.report.plan_summary import SummaryHeading, plan_summary
from postrender.settings import Caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.planner.view import About


def run_summary(
    plan: Plan,
    caller: Caller,
    source: ClusterReader | None,
    rewritten: Sequence[tuple[int, str]] = (),
    *,
    verbose: bool = False,
    width: int = 0,
) -> str:
    """What was done or will be, for a reader; ``rewritten`` as in ``pipeline.Result``, the rest as for ``account``."""
    invocation = caller.invocation
    version = f"helm {invocation.helm}" if invocation.helm else "helm of unknown version"
    action = "" if caller.origins["action"] == "default" else f" {invocation.action.value}"
    dry = "" if invocation.dry_run is DryRun.NO or invocation.action is Action.TEMPLATE else ", dry run"
    release = f"release {invocation.release}" if invocation.release else "a release without a name yet"
    looked = source.description if source else "no cluster was asked"
    heading = SummaryHeading(f"{version}{action}{dry}", release, looked, setting_origins(caller), caller.notes)
    note = [source.warning] if source and source.warning else []
    return plan_summary(plan, heading, [*note, *notes_of(caller, rewritten)], verbose=verbose, width=width)


def notes_of(caller: Caller, rewritten: Sequence[tuple[int, str]] = ()) -> list[str]:
    """Sentences about the run as a whole; ``rewritten`` as in ``pipeline.Result``."""
    helm = caller.invocation.helm
    newest = NEWEST_TESTED[helm.major] if helm else None
    notes = []
    if newest is not None and helm is not None and helm > newest:
        notes.append(f"Helm {helm} is newer than {newest}, the newest one known; taken to behave like it")
    if not LIBYAML:
        notes.append("PyYAML was built without libyaml, so reading is slow; pip install --force-reinstall pyyaml")
    return notes + [f"document {index + 1} was re-serialised as a whole: {why}" for index, why in rewritten]


def setting_origins(caller: Caller) -> tuple[str, ...]:
    """Where each setting came from, each origin once: ``--release``, ``helm (pid 123): release, namespace``."""
    by_origin: dict[str, list[str]] = {}
    for name, origin in caller.origins.items():
        if origin != "default":
            by_origin.setdefault(origin, []).append(name.replace("_", " "))
    return tuple(
        origin if origin.startswith(("--", "POSTRENDER_")) else f"{origin} ({', '.join(names)})"
        for origin, names in by_origin.items()
    )


def about_of(caller: Caller, facts: Facts, source: ClusterReader | None) -> About:
    """The fields of the heading of every view of a plan."""
    from postrender.planner.view import About  # the filter alone has no view

    invocation = caller.invocation
    before = base_revision(invocation, facts.revisions)
    return About(
        helm=str(invocation.helm or ""),
        action="" if caller.origins["action"] == "default" else invocation.action.value,
        dry_run=invocation.dry_run.value,
        release=invocation.release,
        revision=before.revision if before else 0,
        source=source.description if source else "no cluster was asked",
        setting_origins=setting_origins(caller),
        notes=(*([source.warning] if source and source.warning else []), *notes_of(caller), *caller.notes),
    )
