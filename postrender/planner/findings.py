"""Findings about ownership, names and removals: the code, the cause, and the next command to type."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.cluster.interface import CONTEXTS
from postrender.helm.invocation import Action, Invocation
from postrender.helm.ownership import Ownership, OwnerStatus
from postrender.helm.versions import Behaviour
from postrender.models import (
    RESOURCE_POLICY,
    GroupVersionKind,
    LiveObject,
    ReleaseName,
    StoredRelease,
    kubectl,
    unflagged,
)
from postrender.planner.verdict import Finding, error, note, warning
from postrender.text import Advice, Hint, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.planner.facts import DesiredObject

NEVER_ALLOWED = frozenset({"PR101"})
"""Codes that ``--allow`` does not downgrade: the object belongs to an installed release."""


def name_collision(others: Sequence[str]) -> Finding:
    """Finding for an object that shares Kind, namespace and name with other objects of the stream."""
    return note("PR201", f"shares its Kind and name with {', '.join(others)}")


def stripped(paths: Sequence[str]) -> Finding:
    """Finding for a document from which server-set fields are removed."""
    return note("PR303", f"server-set fields removed: {', '.join(paths)}")


def null_written(paths: Sequence[Sequence[str]]) -> Finding:
    """Finding for nulls of the chart that are written as the values that the API server makes of them."""
    shown = shorten([".".join(path) for path in paths])
    return note("PR319", f"null is written as the API server stores it in a new object: {shown}")


def name_and_prefix() -> Finding:
    """Finding for an object with a name and a generateName: Helm accepts only one of them."""
    return error(
        "PR207",
        "this Helm would fail: metadata.name and metadata.generateName cannot both be set",
        (Advice("in the chart, remove metadata.generateName"),),
    )


def version_unknown() -> Finding:
    """Finding for an object that Helm's versions treat differently, if the version is not known."""
    return error(
        "PR901",
        "what Helm does to it depends on Helm's version, which is not known",
        (Hint("helm version --short", "add --helm-version with this version"),),
    )


def annotated(name: str, policy: str = "keep") -> str:
    """The command that sets the resource policy of the live object."""
    return f"kubectl annotate --overwrite {kubectl(name)} {RESOURCE_POLICY}={policy}"


def left_behind(name: str) -> Finding:
    """Finding for a removed object that Helm mistakes for another object of the same Kind and name."""
    return warning(
        "PR401",
        "leaves the chart, but this Helm leaves it behind: it confuses it with the object of this name in "
        "another group",
        (f"kubectl delete {kubectl(name)}",),
    )


def deleted_and_wanted(name: str) -> Finding:
    """Finding for an object that Helm would delete although the chart has it in another group or version."""
    return error(
        "PR402",
        "is in the chart under another group or version, and this Helm would update it there and then delete it",
        (f"kubectl annotate {kubectl(name)} helm.sh/resource-policy=keep",),
    )


def misspelled(policy: str, name: str) -> Finding:
    """Finding for a misspelled resource policy, with which an upgrade does not keep the object."""
    return error(
        "PR403",
        f"leaves the chart, and Helm would delete it: an upgrade does not take {policy!r} for 'keep'",
        (annotated(name),),
    )


def deleted_from(owner: ReleaseName, name: str) -> Finding:
    """Finding for a removed object that another release has adopted: Helm would delete it."""
    return error(
        "PR404",
        f"leaves the chart, and Helm would delete it, though it is owned by installed release {owner}",
        (annotated(name),),
    )


def deleted_with_data(loss: str, name: str) -> Finding:
    """Finding for a removed object whose deletion takes data along; ``loss`` is the end of the sentence."""
    return error(
        "PR406",
        f"leaves the chart, and Helm would delete it with {loss}",
        (annotated(name), Hint("helm ... --post-renderer-args=--allow=PR406", "to delete it with its data")),
    )


def unserved(gvk: GroupVersionKind, base: StoredRelease) -> Finding:
    """Finding for a stored object that Helm cannot build, because the API server no longer serves its kind."""
    release = base.release
    return error(
        "PR508",
        f"revision {base.revision} stores it as {gvk.api_version}, which the API server no longer serves: Helm would "
        "fail to build kubernetes objects from the current release manifest",
        (unflagged(f"postrender unserved {release.name}", release.namespace) + " --fix",),
    )


def leaves(*, kept: bool) -> Finding:
    """Finding for an object that leaves the chart: Helm deletes or keeps it."""
    return note("PR405", f"leaves the chart; Helm {'keeps' if kept else 'deletes'} it")


def of_owner(
    owner: OwnerStatus, release: ReleaseName | None, item: DesiredObject, invocation: Invocation, behaviour: Behaviour
) -> list[Finding]:
    """Findings that follow from the owner alone: an error, or a note that a kept object is adopted again."""
    name = item.name
    if owner.ownership is Ownership.FOREIGN:
        return [foreign(owner, name, release)]
    if owner.ownership is Ownership.ORPHAN:
        return [_orphan(owner, release, invocation)]
    if owner.ownership is Ownership.UNMANAGED:
        return [_unmanaged(owner, name, invocation, behaviour)]
    if owner.ownership is Ownership.TERMINATING:
        return [_terminating(name)]
    if owner.ownership is Ownership.OURS_KEPT:
        return [_kept(release, item.live)]
    return []


def _kept(release: ReleaseName | None, live: LiveObject | None) -> Finding:
    """Finding for an object with this release's ownership metadata, while nothing of the release is stored."""
    application = live.argocd_application if live else ""
    before = f"applied by Argo CD Application {application} for" if application else "kept by an earlier run of"
    return note("PR107", f"{before} release {release}; Helm adopts it")


def not_looked_up(more: int, invocation: Invocation) -> Finding:
    """Finding for ownership metadata that is added without a lookup, to this object and ``more`` others."""
    action = "--action install " if invocation.action is Action.TEMPLATE else ""
    where = f"ownership metadata, here and in {more} more objects," if more > 1 else "ownership metadata"
    where = "ownership metadata, here and in 1 more object," if more == 1 else where
    return warning(
        "PR316",
        f"{where} is written without a lookup: applied by any tool but Helm, it removes the object from the "
        f"release that owns it"
        "",
        (
            Hint(CONTEXTS, f"to look live objects up, add {action}--kube-context with one of these"),
            Advice(f"or add {action}--live with a file that kubectl get -o yaml wrote"),
            "--stamp adopt",
        ),
    )


def foreign(owner: OwnerStatus, name: str, release: ReleaseName | None = None) -> Finding:
    """Finding for an object that belongs to another installed release or tool; it may be moved to ``release``."""
    other = owner.release
    assert other is not None
    elsewhere = f" --to-namespace {release.namespace}" if release and release.namespace != other.namespace else ""
    ends = f"--from {other.name} --to {release.name if release else ''}{elsewhere} -n {other.namespace}"
    return error(
        "PR101",
        f"owned by installed release {other}; not adopted",
        (
            f"helm get manifest {other.name} -n {other.namespace}",
            *([Hint(f"postrender move {name} {ends}", "to move it")] if release else []),
            Advice(f"rename {name} in this chart, or remove it from the other one"),
        ),
    )


def _orphan(owner: OwnerStatus, release: ReleaseName | None, invocation: Invocation) -> Finding:
    return error(
        "PR102",
        f"owned by uninstalled release {owner.release}; Helm won't adopt it into {release or 'a new release'}",
        (filter_flag("adopt", "orphans", invocation),),
    )


def _unmanaged(owner: OwnerStatus, name: str, invocation: Invocation, behaviour: Behaviour) -> Finding:
    broken = f"names uninstalled release {owner.release} but has incomplete ownership metadata"
    state = broken if owner.release else "exists and has no Helm owner"
    return error(
        "PR103",
        f"{state}; Helm won't adopt it",
        (
            f"kubectl get {kubectl(name)} -o yaml --show-managed-fields",
            filter_flag("adopt", "unmanaged", invocation),
            *_take_ownership(invocation, behaviour),
        ),
    )


def _terminating(name: str) -> Finding:
    return error(
        "PR106",
        "is being deleted: Helm would fail if its namespace is being deleted too, and otherwise report success for an "
        "object that then vanishes",
        (f"kubectl wait --for=delete {kubectl(name)} --timeout=60s",),
    )


def filter_flag(name: str, value: str, invocation: Invocation) -> str:
    """The command with a flag of the filter; with its variable for a Helm that passes no arguments on."""
    import shlex  # A run without findings need not import it.

    if invocation.helm is not None and invocation.helm.major == 3 and invocation.helm.minor < 9:
        return f"POSTRENDER_{name.upper().replace('-', '_')}={shlex.quote(value)} helm ..."
    return f"helm ... --post-renderer-args={shlex.quote(f'--{name}={value}')}"


def _take_ownership(invocation: Invocation, behaviour: Behaviour) -> tuple[str, ...]:
    if not behaviour.take_ownership or invocation.action is Action.TEMPLATE:
        return ()
    return ("helm ... --take-ownership",)


def not_applied(invocation: Invocation) -> Finding:
    """Helm 4.0.0 cannot adopt what it applies server-side, and hears no flag where an upgrade is an install."""
    words = "helm install" if invocation.action is Action.UPGRADE_INSTALL else "helm"
    return error(
        "PR304",
        "is live already, and this Helm would fail to apply it: metadata.managedFields must be nil",
        (Advice("use Helm 4.0.1 or later"), f"{words} ... --server-side=false"),
    )


def adopted(owner: OwnerStatus, release: ReleaseName | None) -> Finding:
    """Finding for an object to which postrender writes ownership metadata, as ``--adopt`` permits."""
    before = f"owned by uninstalled release {owner.release}" if owner.release else "had no owner"
    return note("PR104", f"{before}; ownership metadata updated to {release}")


def taken_by_helm(owner: OwnerStatus) -> Finding:
    """Finding for an object that Helm adopts because of ``--take-ownership``."""
    before = f"owned by uninstalled release {owner.release}" if owner.release else "had no owner"
    return note("PR105", f"{before}; Helm adopts it (--take-ownership)")
