"""What a user is told, sentence by sentence: the code, the cause, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import Behaviour
from postrender.live import ReleaseName
from postrender.ownership import Ownership, Standing
from postrender.plan.rewriting import Outcome
from postrender.plan.verdict import Finding, Severity
from postrender.policy import OnDrift
from postrender.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.trial import Conflict, NotAsked

NEVER_ALLOWED = frozenset({"PR101"})
"""Codes that no ``--allow`` lets through: taking from a living owner."""


def of_owner(
    owner: Ownership, release: ReleaseName | None, name: str, invocation: Invocation, ways: Behaviour
) -> list[Finding]:
    """What the standing alone tells: a refusal, or that a kept object comes back."""
    if owner.standing is Standing.FOREIGN:
        return [foreign(owner, name)]
    if owner.standing is Standing.ORPHAN:
        return [_orphan(owner, release, invocation, ways)]
    if owner.standing is Standing.UNMANAGED:
        return [_unmanaged(owner, name, invocation, ways)]
    if owner.standing is Standing.TERMINATING:
        return [_terminating(name)]
    if owner.standing is Standing.OURS_KEPT:
        return [Finding("PR107", Severity.INFO, f"kept by an earlier run of release {release}; Helm adopts it")]
    return []


def foreign(owner: Ownership, name: str) -> Finding:
    """The object belongs to somebody else, who is alive."""
    other = owner.release
    assert other is not None
    return Finding(
        "PR101",
        Severity.ERROR,
        f"belongs to release {other}, which is alive, and is not taken from it",
        (f"helm get manifest {other.name} -n {other.namespace}", f"rename {name} in this chart, or remove it there"),
    )


def _orphan(owner: Ownership, release: ReleaseName | None, invocation: Invocation, ways: Behaviour) -> Finding:
    return Finding(
        "PR102",
        Severity.ERROR,
        f"was kept by release {owner.release}, which is gone; Helm will not import it into {release or 'a new one'}",
        (_adopt_flag("orphans", invocation), *_take_ownership(invocation, ways)),
    )


def _unmanaged(owner: Ownership, name: str, invocation: Invocation, ways: Behaviour) -> Finding:
    whose = f"names release {owner.release}, which is gone," if owner.release else "is live"
    return Finding(
        "PR103",
        Severity.ERROR,
        f"{whose} and has no complete Helm ownership metadata; Helm will not import it",
        (
            f"kubectl get {kubectl(name)} -o yaml --show-managed-fields",
            _adopt_flag("unmanaged", invocation),
            *_take_ownership(invocation, ways),
        ),
    )


def _terminating(name: str) -> Finding:
    return Finding(
        "PR106",
        Severity.ERROR,
        "is being deleted; Helm would report success and the object would then vanish",
        (f"kubectl wait --for=delete {kubectl(name)} --timeout=60s",),
    )


def kubectl(name: str) -> str:
    """``shirts.stable.example.com/shop/shirt`` as kubectl takes it: ``shirts.stable.example.com/shirt -n shop``."""
    parts = name.split("/")
    return f"{parts[0]}/{parts[-1]}" + (f" -n {parts[1]}" if len(parts) == 3 else "")


def _adopt_flag(what: str, invocation: Invocation) -> str:
    if invocation.helm is not None and invocation.helm.major == 3 and invocation.helm.minor < 9:
        return f"POSTRENDER_ADOPT={what} helm ..."
    return f"helm ... --post-renderer-args=--adopt={what}   (or POSTRENDER_ADOPT={what})"


def _take_ownership(invocation: Invocation, ways: Behaviour) -> tuple[str, ...]:
    if not ways.take_ownership or invocation.action is Action.TEMPLATE:
        return ()
    return ("helm ... --take-ownership",)


def not_applied(invocation: Invocation) -> Finding:
    """Helm 4.0.0 cannot adopt what it applies server-side, and hears no flag where an upgrade is an install."""
    words = "helm install" if invocation.action is Action.UPGRADE_INSTALL else "helm"
    return Finding(
        "PR304",
        Severity.ERROR,
        "is live already, and this Helm would fail to apply it: metadata.managedFields must be nil",
        ("use Helm 4.0.1 or later", f"{words} ... --server-side=false"),
    )


def adopted(owner: Ownership, release: ReleaseName | None) -> Finding:
    """``--adopt`` lets postrender stamp the live object."""
    before = f"was kept by release {owner.release}, which is gone" if owner.release else "had no owner"
    return Finding("PR104", Severity.INFO, f"{before}; its live ownership metadata is set to {release}")


def taken_by_helm(owner: Ownership) -> Finding:
    """Helm's own flag lets the object through."""
    before = f"was kept by release {owner.release}, which is gone" if owner.release else "had no owner"
    return Finding("PR105", Severity.INFO, f"{before}; Helm takes it (--take-ownership)")


def lookalikes(others: Sequence[str]) -> Finding:
    """Other documents of the stream share Kind, namespace and name."""
    return Finding("PR201", Severity.INFO, f"shares its Kind and name with {', '.join(others)}")


def stripped(paths: Sequence[str]) -> Finding:
    """Server-set fields are taken out."""
    return Finding("PR303", Severity.INFO, f"server-set fields taken out: {', '.join(paths)}")


def version_unknown() -> Finding:
    """Helm's versions would do different things."""
    return Finding(
        "PR901",
        Severity.ERROR,
        "what Helm does to it depends on Helm's version, which is not known",
        ("--helm-version 3.x.y   (or POSTRENDER_HELM_VERSION; helm version --short tells it)",),
    )


SHOWN = 5
"""How many of many a sentence names before it only counts the rest."""


def conflicts(found: Sequence[Conflict], name: str) -> Finding:
    """Server-side apply would end at fields of other field managers."""
    fields = some([f"{conflict.field.removeprefix('.')} ({conflict.manager})" for conflict in found])
    count = len(found)
    one = count == 1
    return Finding(
        "PR306",
        Severity.ERROR,
        f"{count} field{'' if one else 's'} that the chart sets belong{'s' * one} to another field manager, and Helm "
        f"would stop there: {fields}",
        (f"kubectl get {kubectl(name)} -o yaml --show-managed-fields", "helm ... --force-conflicts"),
    )


def rejected(message: str, name: str) -> Finding:
    """The API server says no to what Helm will send."""
    return Finding(
        "PR307",
        Severity.ERROR,
        f"the API server would refuse what this Helm sends: {message}",
        (
            "change the chart to what the server takes",
            f"kubectl delete {kubectl(name)}   (only where it may be made anew: what it holds is lost)",
        ),
    )


def dropped(paths: Sequence[Sequence[str]]) -> Finding:
    """The API server takes what is applied, but not all of it will be there."""
    return Finding(
        "PR308",
        Severity.WARNING,
        f"the API server leaves out, or empties, what the chart says in {some(['.'.join(path) for path in paths])}",
    )


def not_asked(unasked: Sequence[tuple[str, NotAsked]]) -> tuple[str, ...]:
    """A note on what could not be tried beforehand, for whatever reason; the first one is told."""
    if not unasked:
        return ()
    _, first = unasked[0]
    advice = "".join(f" ({each})" for each in first.next[:1])
    return (
        "whether the API server takes what Helm sends could not be asked beforehand for "
        f"{some([name for name, _ in unasked])}: {first.reason}{advice}",
    )


def some(names: Sequence[str]) -> str:
    """The first ``SHOWN`` of them, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def left_behind(name: str) -> Finding:
    """Helm takes what leaves the chart for its namesake."""
    return Finding(
        "PR401",
        Severity.WARNING,
        "leaves the chart, and this Helm leaves it behind: it takes it for its namesake in another group",
        (f"kubectl delete {kubectl(name)}",),
    )


def deleted_and_wanted(name: str) -> Finding:
    """Helm would delete what the chart still has, in another group or version."""
    return Finding(
        "PR402",
        Severity.ERROR,
        "is in the chart under another group or version, and this Helm would update it there and then delete it",
        (f"kubectl annotate {kubectl(name)} helm.sh/resource-policy=keep",),
    )


def misspelled(policy: str, name: str) -> Finding:
    """Meant to be kept, and not kept by an upgrade."""
    return Finding(
        "PR403",
        Severity.ERROR,
        f"leaves the chart, and Helm would delete it: an upgrade does not take {policy!r} for 'keep'",
        (f"kubectl annotate --overwrite {kubectl(name)} helm.sh/resource-policy=keep",),
    )


def deleted_from(owner: ReleaseName, name: str) -> Finding:
    """Helm would delete what another release has taken over."""
    return Finding(
        "PR404",
        Severity.ERROR,
        f"leaves the chart, and Helm would delete it, though it belongs to release {owner}, which is alive",
        (f"kubectl annotate --overwrite {kubectl(name)} helm.sh/resource-policy=keep",),
    )


def leaves(*, kept: bool) -> Finding:
    """What Helm does to an object that leaves the chart."""
    return Finding("PR405", Severity.INFO, f"leaves the chart; Helm {'keeps' if kept else 'deletes'} it")


def momentary(*, pin: bool) -> Finding:
    """A rewriting that is true for one moment only was asked for where it would stay."""
    what = "its live resourceVersion pinned" if pin else "what is live stored instead of the chart"
    return Finding(
        "PR311",
        Severity.ERROR,
        f"would need {what}, which is true for one moment only and has no place in Git",
        ("helm upgrade --install ... --post-renderer postrender   (once, by hand)",),
    )


def policy_ahead(policy: str, name: str) -> Finding:
    """The live object will not say what the chart says about its being kept."""
    return Finding(
        "PR305",
        Severity.WARNING,
        f"its live resource policy will not be the chart's ({policy}): an uninstall goes by what is stored, "
        "but an upgrade without it by what is live",
        (f"kubectl annotate --overwrite {kubectl(name)} helm.sh/resource-policy={policy}",),
    )


def of_outcome(outcome: Outcome, upgrade: bool, on_drift: OnDrift) -> list[Finding]:
    """What the simulation of Helm's update says."""
    told: list[Finding] = []
    prediction, pin = outcome.prediction, outcome.rewriting.pin
    if prediction.error:
        told.append(Finding("PR204", Severity.ERROR, f"this Helm would fail: {prediction.error}", _OTHER_HELM))
    elif pin:
        told.append(
            Finding("PR203", Severity.INFO, f"the stored resourceVersion is carried on ({pin})")
            if upgrade
            else Finding("PR202", Severity.INFO, f"pinned to its live resourceVersion ({pin})")
        )
    if outcome.apply is not None:
        told.append(_applied(outcome))
        outcome = replace(outcome, differing=())
    if outcome.differing or not outcome.mended:
        told.append(_not_right(outcome, on_drift))
    if outcome.withheld:
        told.append(
            Finding(
                "PR302",
                Severity.INFO,
                "Helm will not patch it now, so a label or stamp that is not live is left to the next upgrade",
            )
        )
    return told


_OTHER_DRIFT = (
    "helm ... --post-renderer-args=--on-drift=store   (and then helm upgrade)",
    "helm ... --post-renderer-args=--on-drift=apply   (writes to the live object)",
)

_SHOWN = 5
"""How many fields a sentence names before it only counts the rest."""

_OTHER_HELM = ("use Helm 3.17.1 or later", "helm ... --force   (Helm 3.11 and later; replaces the objects)")


def _applied(outcome: Outcome) -> Finding:
    paths = [".".join(path) for path in outcome.differing]
    shown = ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
    fields = f"{len(paths)} field{'s' * (len(paths) != 1)}"
    return Finding(
        "PR309", Severity.INFO, f"{fields} of the live object set to what the chart says, before Helm: {shown}"
    )


def _untrue(outcome: Outcome, fields: str) -> Finding:
    """The release says that it was applied, so that this Helm would never send it."""
    are = "is" if len(outcome.differing) == 1 else "are"
    told = f"{fields} of what the release stored {are} not live, which this Helm does not see"
    if outcome.rewriting.store is None:
        return Finding("PR310", Severity.ERROR, f"{told}: it would report success and change nothing", _OTHER_DRIFT)
    return Finding(
        "PR310",
        Severity.WARNING,
        f"{told}; stored as it is live, so that the next helm upgrade applies it",
        ("helm upgrade ...   (with the same chart and values)", _OTHER_DRIFT[1]),
    )


def _not_right(outcome: Outcome, on_drift: OnDrift) -> Finding:
    count = len(outcome.differing)
    fields = f"{count} field{'s' * (count != 1)}"
    if not outcome.mended:
        now = f"{fields} would be wrong afterwards" if count else "the next upgrade would leave fields behind"
        severity = Severity.ERROR if count else Severity.WARNING
        ways = (*_OTHER_HELM, *(_OTHER_DRIFT[1:] if outcome.appliable else ()))
        return Finding("PR205", severity, f"this Helm compares it with its namesake: {now}", ways)
    if outcome.untrue:
        return _untrue(outcome, fields)
    if outcome.rewriting.store is not None:
        return Finding(
            "PR301",
            Severity.WARNING,
            f"adopted as it is: {fields} differ{'s' * (count == 1)} from the chart; the next helm upgrade applies them",
            ("helm upgrade ...   (with the same chart and values)",),
        )
    return Finding(
        "PR301",
        Severity.ERROR,
        f"Helm would report success and leave {fields} of the chart unapplied",
        _OTHER_DRIFT
        if on_drift is OnDrift.FAIL
        else (*_OTHER_HELM[1:], *(_OTHER_DRIFT[1:] if outcome.appliable else ())),
    )
