"""Findings about what Helm or the API server will do: the code, the cause, and the next command to type."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence

from postrender._record import replace
from postrender.helm.fresh_install import keys_of_string_data
from postrender.helm.invocation import FIELD_MANAGER, Invocation
from postrender.helm.managed_fields import is_controller
from postrender.helm.versions import HelmVersion, Matching, behaviour_of
from postrender.models import SECRET, Json, Severity, kubectl
from postrender.planner.context import PlanContext
from postrender.planner.facts import DesiredObject
from postrender.planner.findings import annotated, null_written
from postrender.planner.policy import OnDrift, Policy
from postrender.planner.rewrite import RewriteOutcome
from postrender.planner.verdict import Finding, error, note, warning
from postrender.text import Advice, Hint, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.cluster.interface import Conflict, Skipped


def not_for_git(*, pin: bool) -> Finding:
    """Finding for manifests that go in Git: a change that depends on the cluster's present state is not made."""
    what = "its live resourceVersion" if pin else "its live spec stored instead of the chart's"
    return error(
        "PR311",
        f"needs {what}, which depends on the cluster's state and can't go in Git",
        (Hint("helm upgrade --install ... --post-renderer postrender", "once, by hand"),),
    )


def policy_ahead(policy: str, name: str) -> Finding:
    """Finding for a live object whose resource policy will not be the chart's."""
    return warning(
        "PR305",
        f"its live resource policy will differ from the chart's ({policy}): an uninstall reads the stored manifest, "
        "but an upgrade that removes the object reads the live annotation",
        (annotated(name, policy),),
    )


def of_outcome(outcome: RewriteOutcome, policy: Policy, helm: HelmVersion, *, upgrade: bool) -> list[Finding]:
    """Findings from the simulation of Helm's update; ``upgrade`` is False for an install."""
    findings: list[Finding] = []
    prediction, pin = outcome.prediction, outcome.rewrite.pin
    if prediction.error:
        findings.append(
            Finding(
                "PR204", Severity.ERROR, f"this Helm would fail: {prediction.error}", _other_helm(helm, upgrade=upgrade)
            )
        )
    elif pin:
        findings.append(
            note("PR203", f"stored resourceVersion ({pin}) kept in the manifest")
            if upgrade
            else note("PR202", f"live resourceVersion ({pin}) added to the manifest")
        )
    if outcome.apply is not None:
        findings.append(applied(outcome.differing))
        outcome = replace(outcome, differing=())
    if outcome.stays:
        findings.append(removed_fields_stay(outcome.stays, policy))
        outcome = replace(outcome, differing=tuple(path for path in outcome.differing if path not in outcome.stays))
    if outcome.differing or not outcome.fixed_by_next_upgrade:
        findings.append(_not_right(outcome, policy, helm, upgrade=upgrade))
    if outcome.nulls:
        findings.append(null_written(outcome.nulls))
    if outcome.withheld_metadata:
        findings.append(
            note("PR302", "Helm won't patch this object now; the next upgrade will add the missing metadata")
        )
    return findings


_OTHER_DRIFT = (
    Hint(
        "helm ... --post-renderer-args=--on-drift=store", "store the live spec; the next helm upgrade applies the chart"
    ),
    Hint("helm ... --post-renderer-args=--on-drift=apply", "update the live object before Helm runs"),
)


def _other_drift(policy: Policy) -> tuple[str, ...]:
    """The other choices for drift. A caller without a Helm command has a variable, and no upgrade that comes later."""
    return (
        (Hint("export POSTRENDER_ON_DRIFT=apply", "update the live object before Helm runs"),)
        if policy.single_run
        else _OTHER_DRIFT
    )


def _other_helm(helm: HelmVersion, *, upgrade: bool) -> tuple[str, ...]:
    """Hints: a Helm that distinguishes API groups, or this Helm's flag to replace objects."""
    other = (Advice("use Helm 3.17.1 or later"),) if behaviour_of(helm).matching is Matching.KIND else ()
    return (*other, *_replacing(helm, upgrade=upgrade))


def _replacing(helm: HelmVersion, *, upgrade: bool) -> tuple[str, ...]:
    if not (upgrade or behaviour_of(helm).force_on_adoption):
        return (Advice("use Helm 3.11 or later with --force, which replaces the objects"),)
    flags = "--force" if helm.major == 3 else "--force-replace --server-side=false"
    return (Hint(f"helm ... {flags}", "replaces the objects"),)


def applied(paths: Sequence[Sequence[str]]) -> Finding:
    """Finding for a live object that is updated to the chart before Helm runs."""
    shown = shorten([".".join(path) for path in paths])
    fields = f"{len(paths)} field{'s' * (len(paths) != 1)}"
    return Finding(
        "PR309", Severity.INFO, f"{fields} of the live object updated to the chart before Helm runs: {shown}"
    )


def _named(outcome: RewriteOutcome) -> str:
    return shorten([".".join(path) for path in outcome.differing])


def removed_fields_stay(paths: Sequence[Sequence[str]], policy: Policy, *next: str) -> Finding:
    """Finding for fields that left the chart and that no later upgrade removes; ``next`` are commands that do."""
    count = len(paths)
    return Finding(
        "PR313",
        Severity.ERROR if policy.on_drift is OnDrift.FAIL else Severity.WARNING,
        f"{count} field{'s' * (count != 1)} that left the chart stay{'s' * (count == 1)} live, and the next helm "
        f"upgrade does not remove {'it' if count == 1 else 'them'}: {shorten(['.'.join(path) for path in paths])}",
        (*next, *_other_drift(policy)[-1:]),
    )


def removal(name: str, paths: Sequence[Sequence[str]]) -> str:
    """The command that removes these fields of a live object."""
    removed = ", ".join(f'{{"op": "remove", "path": "/{"/".join(path)}"}}' for path in paths)
    return f"kubectl patch {kubectl(name)} --type=json -p='[{removed}]'"


def not_compared(reason: str) -> Finding:
    """Finding for a live object without a dry-run create to compare it with."""
    return warning("PR314", f"fields that left the chart may stay live without notice: {reason}")


def _release_is_stale(outcome: RewriteOutcome, fields: str, policy: Policy) -> Finding:
    """The release says that it was applied, so that this Helm would never send it."""
    are = "is" if len(outcome.differing) == 1 else "are"
    cause = f"{fields} {are} not live as the release stored it, which this Helm does not see: {_named(outcome)}"
    if outcome.rewrite.replacement is None:
        cause += "; it would report success and change nothing"
        return error("PR310", cause, _other_drift(policy))
    return warning(
        "PR310",
        f"{cause}; live spec stored, so the next helm upgrade applies it",
        ("helm upgrade ...", _other_drift(policy)[-1]),
    )


def _not_right(outcome: RewriteOutcome, policy: Policy, helm: HelmVersion, *, upgrade: bool) -> Finding:
    count = len(outcome.differing)
    fields = f"{count} field{'s' * (count != 1)}"
    if not outcome.fixed_by_next_upgrade:
        now = f"{fields} would be wrong afterwards" if count else "the next upgrade would leave fields behind"
        severity = Severity.ERROR if count else Severity.WARNING
        hints = (*_other_helm(helm, upgrade=upgrade), *(_other_drift(policy)[-1:] if outcome.fixable_by_apply else ()))
        by_kind = behaviour_of(helm).matching is Matching.KIND
        other = "the object of this name in another group" if by_kind else "another document of the same object"
        return Finding("PR205", severity, f"this Helm compares it with {other}: {now}", hints)
    if outcome.release_is_stale:
        return _release_is_stale(outcome, fields, policy)
    if outcome.rewrite.replacement is not None:
        return warning(
            "PR301",
            f"{fields} stay{'s' * (count == 1)} as live until the next helm upgrade: {_named(outcome)}",
            ("helm upgrade ...",),
        )
    return error(
        "PR301",
        f"Helm would report success and leave {fields} of the chart unapplied: {_named(outcome)}",
        _other_drift(policy)
        if policy.on_drift is OnDrift.FAIL
        else (*_replacing(helm, upgrade=upgrade), *(_other_drift(policy)[-1:] if outcome.fixable_by_apply else ())),
    )


def conflicts(found: Sequence[Conflict], name: str, run: Invocation | None) -> Finding:
    """Finding for a server-side apply that conflicts with other field managers."""
    managers = dict.fromkeys(conflict.manager for conflict in found)
    fields = shorten([f"{conflict.field.removeprefix('.')} ({conflict.manager})" for conflict in found])
    count = len(found)
    one = count == 1
    return error(
        "PR306",
        f"{count} field{'' if one else 's'} that the chart sets belong{'s' * one} to another field manager, and Helm "
        f"would stop there: {fields}",
        (
            f"kubectl get {kubectl(name)} -o yaml --show-managed-fields",
            *_taking(managers, name, run),
            "helm ... --force-conflicts",
        ),
    )


def rejected(message: str, name: str, *, creates: bool) -> Finding:
    """Finding for a request that the API server rejects; ``creates`` if there is no live object.

    A command that deletes the object is shown only if the rejected field is immutable and nothing is lost by it.
    """
    return error(
        "PR307",
        f"the API server would refuse what this Helm sends: {message}",
        () if creates else (f"kubectl get {kubectl(name)} -o yaml", *_recreation(message, name)),
    )


_IMMUTABLE = re.compile(
    "field is immutable|cannot change roleRef|may not change once set|updates to statefulset spec for fields other than"
)
"""How the API server words it (``ValidateImmutableField``, k8s.io/apimachinery 0.34, pkg/api/validation/objectmeta.go;
``ValidateRoleBindingUpdate``, ``validateServiceClusterIPsRelatedFields`` and ``ValidateStatefulSetUpdate``,
k8s.io/kubernetes 1.34, pkg/apis)."""

_RECREATED = {
    "deployments.apps": ("--cascade=orphan", "its Pods keep running"),
    "daemonsets.apps": ("--cascade=orphan", "its Pods keep running"),
    "replicasets.apps": ("--cascade=orphan", "its Pods keep running"),
    "statefulsets.apps": ("--cascade=orphan", "its Pods and claims stay"),
    "jobs.batch": ("--cascade=orphan", "its Pods stay, so wait until it is finished"),
    "services": ("", "it gets another cluster IP"),
    "rolebindings.rbac.authorization.k8s.io": ("", "its subjects lack the role until Helm has run"),
    "clusterrolebindings.rbac.authorization.k8s.io": ("", "its subjects lack the role until Helm has run"),
}
"""Kinds whose objects hold no data: how one is deleted, and what is to be known of it."""


def _recreation(message: str, name: str) -> tuple[str, ...]:
    """The command after which Helm creates an object again; none if it may hold data, or no field is immutable."""
    flag, remark = _RECREATED.get(name.partition("/")[0], ("", ""))
    if not remark or not _IMMUTABLE.search(message):
        return ()
    command = " ".join(part for part in ("kubectl delete", kubectl(name), flag) if part)
    return (Hint(command, f"for Helm to create it again; {remark}"),)


def dropped(paths: Sequence[Sequence[str]]) -> Finding:
    """Finding for fields that the API server drops although it accepts the object."""
    return warning("PR308", f"the API server drops {shorten(['.'.join(path) for path in paths])}")


def removed(paths: Sequence[str]) -> Finding:
    """Finding for fields that Helm's apply removes because Helm migrated their ownership first."""
    return warning(
        "PR315", f"Helm removes or resets {shorten(paths)}: an earlier Helm set this, and the chart does not"
    )


def client_side_fields_stay(paths: Sequence[str]) -> Finding:
    """Finding for fields that Helm set client-side and that no later apply removes."""
    return error(
        "PR312",
        f"{shorten(paths)} left the chart, and would stay: Helm set it client-side and now applies server-side",
        (Hint("helm upgrade ... --server-side=false", "needed once"),),
    )


def of_other_managers(
    fields: Sequence[str], managers: Sequence[str], name: str, run: Invocation | None, patch: Json, *, held: bool
) -> Finding:
    """Finding for other managers' fields that the chart does not set; ``held`` if a stored manifest has the object.

    With a run, the fields can become those of its server-side apply.
    """
    one = len(fields) == 1
    return Finding(
        "PR317",
        Severity.INFO if held else Severity.WARNING,
        f"{len(fields)} field{'s' * (not one)} that the chart does not set belong{'s' * one} to another field manager, "
        f"and Helm leaves {'it' if one else 'them'}: {shorten(fields)}",
        (*_taking(managers, name, run), *_patching(name, patch)),
    )


def _taking(managers: Iterable[str], name: str, run: Invocation | None) -> tuple[str, ...]:
    """The command that moves the fields of these managers to Helm's, before Helm's run; none for controllers."""
    taken = [shlex.quote(manager) for manager in managers if not is_controller(manager)]
    if run is None or run.release is None or not taken:
        return ()
    flags = "".join(f" --take-fields {manager}" for manager in taken)
    flags += f" --field-manager {shlex.quote(run.field_manager)}" if run.field_manager != FIELD_MANAGER else ""
    return (Hint(f"postrender adopt {run.release.name} -n {run.release.namespace} {name}{flags}", "before Helm"),)


def unlike_new(paths: Sequence[str], name: str, patch: Json, policy: Policy, *, recreate: bool = False) -> Finding:
    """Finding for fields without a manager that differ in a new object; ``recreate`` if no update can change them."""
    cause = f"no field manager owns {'it' if len(paths) == 1 else 'them'}: {shorten(paths)}"
    if recreate:
        delete = (f"kubectl delete {kubectl(name)}",)
        return _unlike_new(len(paths), f"{cause}; the server changes this in a new object only", policy, delete)
    return _unlike_new(len(paths), cause, policy, _patching(name, patch))


def nulls_removed(paths: Sequence[str], name: str, patch: Json, policy: Policy) -> Finding:
    """Finding for nulls that a new object would have: Helm's merge patch removes those fields instead (RFC 7386)."""
    return _unlike_new(len(paths), f"Helm's patch cannot set null: {shorten(paths)}", policy, _patching(name, patch))


def _unlike_new(count: int, cause: str, policy: Policy, hints: tuple[str, ...]) -> Finding:
    return Finding(
        "PR318",
        Severity.ERROR if policy.on_drift is OnDrift.FAIL else Severity.WARNING,
        f"{count} field{'s' * (count != 1)} will not be as in a fresh installation, since {cause}",
        hints,
    )


def _patching(name: str, patch: Json) -> tuple[str, ...]:
    """The command that sends a JSON patch after Helm's run."""
    if not patch:
        return ()
    text = json.dumps(patch, separators=(",", ":"), ensure_ascii=False)
    return (f"kubectl patch {kubectl(name)} --type=json -p {shlex.quote(text)}",)


def not_asked(unasked: Sequence[tuple[str, Skipped]]) -> tuple[str, ...]:
    """A note that objects could not be tested by a dry run, with the reason for the first one."""
    if not unasked:
        return ()
    _, first = unasked[0]
    advice = "".join(f"; run: {each}" for each in first.next[:1])
    return (
        "no dry run of Helm's requests was possible for "
        f"{shorten([name for name, _ in unasked])}: {first.reason}{advice}",
    )


def removed_string_data(context: PlanContext, item: DesiredObject) -> list[str]:
    """The keys of the live Secret that the chart does not set and Helm's apply does not remove.

    The API server stores ``stringData`` in ``data``, and server-side apply records only ``stringData`` as Helm's.
    """
    if not context.server_side or item.hook or item.key.group_kind != SECRET or item.live is None or not item.live.body:
        return []
    wanted = context.facts.desired(item.ref).get("data") or {}
    keys = keys_of_string_data(item.live.body, context.facts.invocation.field_manager)
    return [key for key in keys if key not in wanted]


def string_data_finding(context: PlanContext, item: DesiredObject, keys: list[str]) -> Finding:
    """Finding for the keys: they are removed before Helm runs, or stay."""
    paths = [("data", key) for key in keys]
    if context.policy.on_drift is OnDrift.APPLY:
        return applied(paths)
    return removed_fields_stay(paths, context.policy, removal(item.name, paths))


def removal_patch(context: PlanContext, keys: list[str]) -> Json:
    """The merge patch that removes the keys; ``None`` if that is not asked for."""
    return {"data": dict.fromkeys(keys)} if keys and context.policy.on_drift is OnDrift.APPLY else None
