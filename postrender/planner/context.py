"""The input of one decision: the run as a whole (``PlanContext``) and each object of the stream (``PlannedObject``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from postrender._record import Record, replace
from postrender.helm.invocation import Action
from postrender.helm.objects import build_object, identity, name_collisions
from postrender.helm.ownership import Ownership, OwnerStatus, classify
from postrender.helm.versions import HelmVersion, behaviour_of
from postrender.models import CRD, NAMESPACE, SECRET, ObjectKey, Severity
from postrender.planner.facts import DesiredObject, Facts, applies_server_side, base_revision, ignores_apply_flags
from postrender.planner.findings import NEVER_ALLOWED
from postrender.planner.policy import Adopt, Policy, Stamp, kind_label
from postrender.planner.rewrite import DocumentRewrite, RewriteOutcome
from postrender.planner.verdict import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.helm.simulate import Prediction

ADOPTABLE = {Ownership.ORPHAN: Adopt.ORPHANS, Ownership.UNMANAGED: Adopt.UNMANAGED}
"""Standings of objects that Helm refuses to adopt, each with the ``--adopt`` value that permits it."""

_EXPORTED = frozenset(
    f"metadata.{name}" for name in ("resourceVersion", "uid", "creationTimestamp", "managedFields", "selfLink")
)
"""Fields that only an exported object has, never one that a chart renders."""


def allowed(finding: Finding, policy: Policy) -> Finding:
    """The finding, downgraded to a warning if the user allows its code."""
    if finding.severity is not Severity.ERROR or finding.code in NEVER_ALLOWED:
        return finding
    return replace(finding, severity=Severity.WARNING) if finding.code in policy.allow else finding


class PlannedObject(Record):
    """One object of the stream, as the decision sees it.

    ``owner`` is ``None`` if the object was not looked up. ``collisions`` are the objects that share its Kind,
    namespace and name in another group, ``documents`` all documents of this very object if the stream has more than
    one, in stream order. ``proposed`` is what would be written into the document if Helm applied everything;
    ``outcome`` what the simulation of Helm's update found, ``None`` if nothing was simulated.
    """

    context: PlanContext
    item: DesiredObject
    owner: OwnerStatus | None
    proposed: DocumentRewrite
    collisions: tuple[DesiredObject, ...] = ()
    documents: tuple[DesiredObject, ...] = ()
    outcome: RewriteOutcome | None = None

    @property
    def rewrite(self) -> DocumentRewrite:
        """What is written into the document."""
        return self.outcome.rewrite if self.outcome else self.proposed

    @property
    def prediction(self) -> Prediction | None:
        """What Helm's update makes of the object, if that was simulated."""
        return self.outcome.prediction if self.outcome else None

    @property
    def adopted(self) -> bool:
        """True if postrender itself writes the ownership metadata to the live object first."""
        return self.context.adopts(self.owner)

    @property
    def first_document(self) -> bool:
        """False if an earlier document of the stream is of the same object."""
        return not self.documents or self.item is self.documents[0]


class PlanContext:
    """One run, decided for one version of Helm.

    ``objects`` are the objects of the stream, in its order. ``touches_live`` is true if any of them exists already, so
    that a run that fails midway leaves something half done. ``owned_without_lookup`` are the objects that get ownership
    metadata without a lookup.
    """

    def __init__(self, facts: Facts, policy: Policy, helm: HelmVersion) -> None:
        self.facts = facts
        self.policy = policy
        self.helm = helm
        self.behaviour = behaviour_of(helm)
        self.release = facts.invocation.release
        self.upgrade = base_revision(facts.invocation, facts.revisions) is not None
        self.server_side = applies_server_side(facts.invocation, facts.revisions, self.behaviour)
        self.touches_live = any(item.live is not None for item in facts.items)
        self.owned_without_lookup = [
            item
            for item in facts.items
            if policy.stamp is Stamp.ALL
            and item.observation is None
            and item.key.name
            and not item.hook
            and item.ref.document not in facts.desired.outside_release
        ]
        self.objects = self._objects()

    @property
    def taken_by_helm(self) -> bool:
        """True if ``--take-ownership`` lets Helm adopt any object, and this Helm knows the flag."""
        return self.facts.invocation.take_ownership and self.behaviour.take_ownership

    @property
    def forces_conflicts(self) -> bool:
        """True if Helm takes fields from other field managers (``--force-conflicts``)."""
        return self.facts.invocation.force_conflicts and not ignores_apply_flags(
            self.facts.invocation, self.facts.revisions, self.behaviour
        )

    @property
    def upgrades_field_manager(self) -> bool:
        """True if Helm first migrates fields that it set client-side to its server-side field manager.

        ``performInstall`` (pkg/action/install.go of v4) always, ``releasingUpgrade`` (upgrade.go) where the revision it
        starts from was applied client-side.
        """
        before = base_revision(self.facts.invocation, self.facts.revisions)
        return self.server_side and (before is None or before.apply_method != "ssa")

    @property
    def cannot_adopt_server_side(self) -> bool:
        """True if this install fails for every live object: Helm 4.0.0 applies it with the live managedFields.

        An upgrade of the same Helm does adopt (``performInstall`` and ``performUpgrade``, pkg/action of v4.0.0). False
        for a Helm of unknown version: that fails by itself, with an error, before it changes anything.
        """
        known = self.facts.invocation.helm is not None
        return known and self.server_side and not self.upgrade and not self.behaviour.adopts_copies

    def refuses_names(self, item: DesiredObject) -> bool:
        """True if this Helm stops at an object that has both a name and a generateName.

        It looks at what the release does not hold yet (``existingResourceConflict``, pkg/action/validate.go of v4).
        False for a Helm of unknown version: that stops before it changes anything.
        """
        invocation = self.facts.invocation
        if (
            invocation.helm is None
            or invocation.action is Action.TEMPLATE
            or not self.behaviour.refuses_name_with_prefix
        ):
            return False
        both = bool(item.ref.name) and item.ref.generate_name and not item.hook
        return both and all((item.ref.gvk, item.key) != (entry.gvk, entry.key) for entry in self.facts.previous_objects)

    @property
    def updates(self) -> bool:
        """True if Helm updates the objects one by one; an install of only new objects creates them all at once.

        ``performInstall`` (pkg/action/install.go).
        """
        return self.upgrade or self.touches_live

    def has_original(self, item: DesiredObject) -> bool:
        """True if Helm's update finds a manifest to compare the object with: a stored one or an adopted one."""
        held = [(entry.gvk, entry.key) for entry in self.facts.previous_objects]
        held += [(other.ref.gvk, other.key) for other in self.facts.items if other.live is not None]
        wanted = identity(self.behaviour.matching, item.ref.gvk, item.key)
        return any(identity(self.behaviour.matching, *each) == wanted for each in held)

    def depends_on_stream(self, item: DesiredObject) -> bool:
        """True if the server accepts the object, or all of it, only after this run has changed another object.

        Its kind's definition, which Helm applies first (``InstallOrder``, pkg/release/v1/util/kind_sorter.go of v4),
        or the namespace it is in.
        """
        return item.key.group_kind.group in self._defines or item.key.namespace in self._opens

    @cached_property
    def _defines(self) -> frozenset[str]:
        """The API groups of CustomResourceDefinitions in the stream that differ from the stored ones."""
        stored = {entry.key: entry.body for entry in self.facts.previous_objects if entry.key.group_kind == CRD}
        definitions = [item for item in self.facts.items if item.key.group_kind == CRD]
        return frozenset(
            item.key.name.partition(".")[2]
            for item in definitions
            if build_object(item.ref.gvk, item.key, self.facts.desired(item.ref)).body != stored.get(item.key)
        )

    @cached_property
    def _opens(self) -> frozenset[str]:
        """The namespaces in the stream that do not exist yet."""
        return frozenset(
            item.key.name for item in self.facts.items if item.key.group_kind == NAMESPACE and item.live is None
        )

    def allowed(self, finding: Finding) -> Finding:
        """The finding, downgraded to a warning if the user allows its code."""
        return allowed(finding, self.policy)

    def applied_by_argocd(self, item: DesiredObject) -> bool:
        """True if the Argo CD Application that this run is for has applied the object already."""
        argocd = self.facts.invocation.argocd
        return argocd is not None and item.live is not None and item.live.argocd_application == argocd.application

    def adopts(self, owner: OwnerStatus | None) -> bool:
        """True if postrender may write ownership metadata to the live object; not if ``--take-ownership`` adopts it."""
        return owner is not None and not self.taken_by_helm and ADOPTABLE.get(owner.ownership) in self.policy.adopt

    def _objects(self) -> list[PlannedObject]:
        stored = frozenset(entry.key for entry in self.facts.previous_objects)
        plain = [item for item in self.facts.items if not item.hook and item.key.name]
        collisions = _name_collisions(plain)
        documents: dict[ObjectKey, list[DesiredObject]] = {}
        for item in plain:
            documents.setdefault(item.key, []).append(item)
        result = []
        for item in self.facts.items:
            owner = self._ownership(item, stored=item.key in stored)
            others = collisions.get(id(item), ())
            same = () if item.hook else documents.get(item.key, ())
            result.append(
                PlannedObject(
                    self,
                    item,
                    owner,
                    self._proposed(item, owner, collides=bool(others)),
                    others,
                    tuple(same) if len(same) > 1 else (),
                )
            )
        return result

    def _proposed(self, item: DesiredObject, owner: OwnerStatus | None, *, collides: bool) -> DocumentRewrite:
        if item.hook:
            return DocumentRewrite()
        standing = owner.ownership if owner else Ownership.ABSENT
        adopted = standing not in (Ownership.ABSENT, Ownership.OURS, Ownership.UNKNOWN)
        adopted = adopted and not (standing is Ownership.UNMANAGED and self.applied_by_argocd(item))
        marked = self.policy.stamp is Stamp.ALL or (self.policy.stamp is Stamp.ADOPT and adopted)
        marked = marked and item.ref.document not in self.facts.desired.outside_release
        key = self.policy.label_key
        return DocumentRewrite(
            strip=(*item.ref.server_set, *item.ref.server_set_empty) if _EXPORTED & set(item.ref.server_set) else (),
            label=(key, kind_label(item.key.group_kind)) if key and collides else None,
            owner=self.release if marked else None,
            empty=self._nulls_in_string_data(item),
        )

    def _nulls_in_string_data(self, item: DesiredObject) -> tuple[str, ...]:
        """The keys whose null a client-side patch would take for an order to remove what is not stored anyway."""
        if item.key.group_kind != SECRET or item.live is None or self.server_side:
            return ()
        plain = self.facts.desired.document(item.ref).get("stringData")
        return tuple(key for key, value in plain.items() if value is None) if isinstance(plain, dict) else ()

    def _ownership(self, item: DesiredObject, *, stored: bool) -> OwnerStatus | None:
        if item.observation is None:
            return None
        owner = classify(item.observation, self.release, stored=stored, live_releases=self.facts.live_releases)
        holder = self.facts.holders.get(item.key)
        return OwnerStatus(Ownership.FOREIGN, holder) if holder is not None and owner.ownership in ADOPTABLE else owner


def _name_collisions(items: Sequence[DesiredObject]) -> dict[int, tuple[DesiredObject, ...]]:
    """The other objects of each group of ``name_collisions``, by ``id`` of the object."""
    return {
        id(items[one]): tuple(items[other] for other in group if other != one)
        for group in name_collisions([(item.ref.gvk, item.key) for item in items])
        for one in group
    }
