"""What the verdicts of one decision share: whose each object is, who collides, what is wished for each document."""

from __future__ import annotations

from functools import cached_property

from postrender._record import replace
from postrender.helm.invocation import Action
from postrender.helm.matching import identity, name_collisions
from postrender.helm.objects import build_object
from postrender.helm.ownership import Ownership, Standing, classify
from postrender.helm.versions import HelmVersion, behaviour_of
from postrender.models import CRD, NAMESPACE, ObjectKey, Severity
from postrender.planner.facts import DesiredObject, Facts, applies_server_side, base_revision, ignores_apply_flags
from postrender.planner.findings import NEVER_ALLOWED
from postrender.planner.labels import kind_label
from postrender.planner.policy import Adopt, Policy, Stamp
from postrender.planner.rewrite import DocumentRewrite
from postrender.planner.verdict import Finding

ADOPTABLE = {Standing.ORPHAN: Adopt.ORPHANS, Standing.UNMANAGED: Adopt.UNMANAGED}
"""Standings of objects that Helm refuses, and what the user allows to have them stamped."""

_EXPORTED = frozenset(
    f"metadata.{name}" for name in ("resourceVersion", "uid", "creationTimestamp", "managedFields", "selfLink")
)
"""Fields of which any one tells an exported object from a chart's."""


def allowed(finding: Finding, policy: Policy) -> Finding:
    """The finding; as a warning where the user allows it by its code."""
    if finding.severity is not Severity.ERROR or finding.code in NEVER_ALLOWED:
        return finding
    return replace(finding, severity=Severity.WARNING) if finding.code in policy.allow else finding


class PlanContext:
    """One decision for one version of Helm.

    ``owners`` holds each object's ownership by index (``None`` if it was not looked up), ``name_collisions`` the
    indices of the objects that share an object's Kind, namespace and name in another group. ``touches_live`` is true
    if any object of the stream exists already, so that a run that fails midway leaves something half done.
    ``stamped_unseen`` are the indices of objects that get ownership metadata without a lookup.
    """

    def __init__(self, facts: Facts, policy: Policy, helm: HelmVersion) -> None:
        self.facts = facts
        self.policy = policy
        self.helm = helm
        self.behaviour = behaviour_of(helm)
        self.release = facts.invocation.release
        self.upgrade = base_revision(facts.invocation, facts.revisions) is not None
        self.server_side = applies_server_side(facts.invocation, facts.revisions, self.behaviour)
        stored = frozenset(entry.key for entry in facts.previous_objects)
        self.owners = [self._ownership(item, item.key in stored) for item in facts.items]
        self.name_collisions = self._name_collisions()
        self.touches_live = any(item.live is not None for item in facts.items)
        self.stamped_unseen = [
            index
            for index, item in enumerate(facts.items)
            if policy.stamp is Stamp.ALL and item.observation is None and item.key.name and not item.hook
        ]

    @property
    def taken_by_helm(self) -> bool:
        """Whether Helm's own flag lets it take whatever it finds."""
        return self.facts.invocation.take_ownership and self.behaviour.take_ownership

    @property
    def forces_conflicts(self) -> bool:
        """Whether fields of other field managers are taken (``--force-conflicts``)."""
        return self.facts.invocation.force_conflicts and not ignores_apply_flags(
            self.facts.invocation, self.facts.revisions, self.behaviour
        )

    @property
    def upgrades_field_manager(self) -> bool:
        """Whether Helm first makes its own what an older run set client-side, before it applies server-side.

        ``performInstall`` (pkg/action/install.go of v4) always, ``releasingUpgrade`` (upgrade.go) where the revision it
        starts from was applied client-side.
        """
        before = base_revision(self.facts.invocation, self.facts.revisions)
        return self.server_side and (before is None or before.apply_method != "ssa")

    @property
    def cannot_adopt_server_side(self) -> bool:
        """Whether this install fails for whatever is live: applied server-side with the live object's managedFields.

        An upgrade of the same Helm does adopt (``performInstall`` and ``performUpgrade``, pkg/action of v4.0.0). Of a
        Helm of unknown version it is not said: it fails by itself, loudly, and nothing is lost.
        """
        known = self.facts.invocation.helm is not None
        return known and self.server_side and not self.upgrade and not self.behaviour.adopts_copies

    def refuses_names(self, item: DesiredObject) -> bool:
        """Whether this Helm ends at an object that has both a name and a generateName.

        It looks at what the release does not hold yet (``existingResourceConflict``, pkg/action/validate.go of v4). Of
        a Helm of unknown version it is not said: it ends before it changes anything.
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
        """Whether Helm goes through the stream by an update; an install of nothing but new objects makes them at once.

        ``performInstall`` (pkg/action/install.go).
        """
        return self.upgrade or self.touches_live

    def has_original(self, item: DesiredObject) -> bool:
        """Whether an update finds a manifest to compare the object with: a stored one, or one that is adopted."""
        held = [(entry.gvk, entry.key) for entry in self.facts.previous_objects]
        held += [(other.ref.gvk, other.key) for other in self.facts.items if other.live is not None]
        wanted = identity(self.behaviour.matching, item.ref.gvk, item.key)
        return any(identity(self.behaviour.matching, *each) == wanted for each in held)

    def depends_on_stream(self, item: DesiredObject) -> bool:
        """Whether the server can take the object, or all of it, only once this run has made or changed another.

        Its kind's definition, which Helm applies first (``InstallOrder``, pkg/release/v1/util/kind_sorter.go of v4),
        or the namespace it is in.
        """
        return item.key.group_kind.group in self._defines or item.key.namespace in self._opens

    @cached_property
    def _defines(self) -> frozenset[str]:
        """The groups of the definitions in the stream that are not as the release stored them."""
        stored = {entry.key: entry.body for entry in self.facts.previous_objects if entry.key.group_kind == CRD}
        definitions = [item for item in self.facts.items if item.key.group_kind == CRD]
        return frozenset(
            item.key.name.partition(".")[2]
            for item in definitions
            if build_object(item.ref.gvk, item.key, self.facts.desired(item.ref)).body != stored.get(item.key)
        )

    @cached_property
    def _opens(self) -> frozenset[str]:
        """The namespaces of the stream that are not there yet."""
        return frozenset(
            item.key.name for item in self.facts.items if item.key.group_kind == NAMESPACE and item.live is None
        )

    @cached_property
    def duplicates(self) -> dict[int, tuple[int, ...]]:
        """For each object that the stream has more than once the indices of all its documents, ascending."""
        places: dict[ObjectKey, list[int]] = {}
        for index, item in enumerate(self.facts.items):
            if item.key.name and not item.hook:
                places.setdefault(item.key, []).append(index)
        return {index: tuple(same) for same in places.values() if len(same) > 1 for index in same}

    def allowed(self, finding: Finding) -> Finding:
        """The finding; as a warning where the user allows it by its code."""
        return allowed(finding, self.policy)

    def adopts(self, owner: Ownership | None) -> bool:
        """Whether postrender itself may stamp the live object: not where Helm's own flag lets it through."""
        return owner is not None and not self.taken_by_helm and ADOPTABLE.get(owner.standing) in self.policy.adopt

    def proposed_rewrite(self, index: int) -> DocumentRewrite:
        """What would be written into the document if Helm carried everything out."""
        item, owner = self.facts.items[index], self.owners[index]
        if item.hook:
            return DocumentRewrite()
        adopted = owner is not None and owner.standing not in (Standing.ABSENT, Standing.OURS, Standing.UNKNOWN)
        stamp = self.policy.stamp is Stamp.ALL or (self.policy.stamp is Stamp.ADOPT and adopted)
        key = self.policy.label_key
        return DocumentRewrite(
            strip=(*item.ref.server_set, *item.ref.server_set_empty) if _EXPORTED & set(item.ref.server_set) else (),
            label=(key, kind_label(item.key.group_kind)) if key and index in self.name_collisions else None,
            stamp=self.release if stamp else None,
        )

    def _ownership(self, item: DesiredObject, stored: bool) -> Ownership | None:
        if item.observation is None:
            return None
        owner = classify(item.observation, self.release, stored=stored, living=self.facts.live_releases)
        holder = self.facts.holders.get(item.key)
        return Ownership(Standing.FOREIGN, holder) if holder is not None and owner.standing in ADOPTABLE else owner

    def _name_collisions(self) -> dict[int, tuple[int, ...]]:
        items = self.facts.items
        plain = [index for index, item in enumerate(items) if not item.hook and item.key.name]
        return {
            plain[one]: tuple(plain[other] for other in group if other != one)
            for group in name_collisions([(items[index].ref.gvk, items[index].key) for index in plain])
            for one in group
        }
