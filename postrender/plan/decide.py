"""The decision: from facts and policy to one verdict an object."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from postrender.collisions import label_value
from postrender.helm.invocation import Action as HelmAction
from postrender.helm.matching import identity, lookalikes
from postrender.helm.predict import Entry, Update, stamped
from postrender.helm.versions import DISTINCT, HelmVersion, Matching, behaviour
from postrender.identity import ObjectKey
from postrender.live import Json, LiveObject, ReleaseName
from postrender.ownership import Ownership, Standing, classify
from postrender.plan import findings
from postrender.plan.edits import edits_of
from postrender.plan.facts import Facts, Item, applies_server_side, upgraded_from
from postrender.plan.rewriting import Group, Member, Outcome, Rewriting
from postrender.plan.search import rewrite
from postrender.plan.verdict import Action, Finding, Plan, Severity, Verdict
from postrender.policy import Adopt, OnDrift, Policy, Stamp
from postrender.record import replace
from postrender.splice import Edit

_EXPORTED = frozenset(
    f"metadata.{name}" for name in ("resourceVersion", "uid", "creationTimestamp", "managedFields", "selfLink")
)
_TAKEN = {Standing.ORPHAN: Adopt.ORPHANS, Standing.UNMANAGED: Adopt.UNMANAGED}


def decide(facts: Facts, policy: Policy) -> Plan:
    """One verdict for every object of the stream, in its order.

    Where the version of Helm is not known, every version's plan is made: if all of them emit and refuse the same, that
    is the answer, and otherwise the objects they differ on are refused (PR901).
    """
    if facts.invocation.helm is not None:
        return _decide(facts, policy, facts.invocation.helm)
    plans = [_decide(facts, policy, version) for version in DISTINCT]
    return Plan(tuple(_agreed(verdicts) for verdicts in zip(*(plan.verdicts for plan in plans), strict=True)))


def bodies_wanted(facts: Facts) -> frozenset[ObjectKey]:
    """The live objects whose whole body a prediction needs; metadata is enough for the others.

    Helm's client-side update patches what it adopts and what it upgrades; a cluster that was not asked, a plain
    creation and a server-side apply need no body.
    """
    version = facts.invocation.helm
    if version is not None and applies_server_side(
        facts.invocation, facts.own, server_side=behaviour(version).server_side
    ):
        return frozenset()
    return frozenset(item.key for item in facts.items if item.live is not None)


def _agreed(verdicts: tuple[Verdict, ...]) -> Verdict:
    first = verdicts[0]
    if all((other.edits, _refusals(other)) == (first.edits, _refusals(first)) for other in verdicts):
        return first
    return replace(
        first, actions=(Action.REFUSE,), edits=(), adopt=None, prediction=None, findings=(findings.version_unknown(),)
    )


def _refusals(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR]


def _decide(facts: Facts, policy: Policy, version: HelmVersion) -> Plan:
    run = _Run(facts, policy, version)
    return Plan(tuple(run.verdict(index) for index in range(len(facts.items))))


class _Run:
    """The decision for one version of Helm: what the objects' verdicts share."""

    def __init__(self, facts: Facts, policy: Policy, helm: HelmVersion) -> None:
        self.facts = facts
        self.policy = policy
        self.helm = helm
        self.ways = ways = behaviour(helm)
        self.release = facts.invocation.release
        self.upgrade = upgraded_from(facts.invocation, facts.own) is not None
        self.server_side = applies_server_side(facts.invocation, facts.own, server_side=ways.server_side)
        self.stored = frozenset(entry.key for entry in facts.stored)
        self.owners = [self._ownership(item) for item in facts.items]
        plain = [index for index, item in enumerate(facts.items) if not item.hook and item.key.name]
        groups = lookalikes([(facts.items[index].ref.gvk, facts.items[index].key) for index in plain])
        self.twins: dict[int, tuple[int, ...]] = {
            plain[one]: tuple(plain[other] for other in group if other != one) for group in groups for one in group
        }
        self.outcomes = self._simulate()

    def verdict(self, index: int) -> Verdict:
        item, owner = self.facts.items[index], self.owners[index]
        told = [*self._about_owner(item, owner)]
        wish = self._wish(index)
        outcome = self.outcomes.get(index)
        done = outcome.rewriting if outcome else wish
        if index in self.twins:
            told.append(findings.lookalikes([self.facts.items[other].name for other in self.twins[index]]))
        if done.strip:
            told.append(findings.stripped(done.strip))
        if outcome:
            told.extend(findings.of_outcome(outcome, self.upgrade, self.policy.on_drift))
        told = [self._allowed(finding) for finding in told]
        refused = any(finding.severity is Severity.ERROR for finding in told)
        adopt = item.live if not refused and self._adopts(owner) else None
        actions = (Action.REFUSE,) if refused else _actions(done, adopt)
        return Verdict(
            ref=item.ref,
            key=item.key,
            resource=item.resource,
            ownership=owner,
            actions=actions,
            findings=tuple(told),
            edits=() if refused else self._edits(item, done),
            prediction=outcome.prediction if outcome else None,
            adopt=adopt,
        )

    def _edits(self, item: Item, done: Rewriting) -> tuple[Edit, ...]:
        return edits_of(item.ref, done, self.facts.manifest.value(item.ref) if done.store is not None else None)

    def _allowed(self, finding: Finding) -> Finding:
        allowed = finding.code in self.policy.allow and finding.code not in findings.NEVER_ALLOWED
        return replace(finding, severity=Severity.WARNING) if allowed else finding

    def _ownership(self, item: Item) -> Ownership | None:
        if item.observation is None:
            return None
        return classify(item.observation, self.release, stored=item.key in self.stored, living=self.facts.living)

    def _adopts(self, owner: Ownership | None) -> bool:
        """Whether postrender itself may stamp the live object: not where Helm's own flag lets it through."""
        return owner is not None and not self._taken_by_helm() and _TAKEN.get(owner.standing) in self.policy.adopt

    def _taken_by_helm(self) -> bool:
        return self.facts.invocation.take_ownership and self.ways.take_ownership

    def _about_owner(self, item: Item, owner: Ownership | None) -> list[Finding]:
        if owner is None:
            return []
        if owner.standing in _TAKEN:
            if self._taken_by_helm():
                return [findings.taken_by_helm(owner)]
            if self._adopts(owner):
                return [findings.adopted(owner, self.release)]
        return findings.of_owner(owner, self.release, item.name, self.facts.invocation, self.ways)

    def _wish(self, index: int) -> Rewriting:
        """What would be written into the document if Helm carried everything out."""
        item, owner = self.facts.items[index], self.owners[index]
        if item.hook:
            return Rewriting()
        adopted = owner is not None and owner.standing not in (Standing.ABSENT, Standing.OURS, Standing.UNKNOWN)
        stamp = self.policy.stamp is Stamp.ALL or (self.policy.stamp is Stamp.ADOPT and adopted)
        key = self.policy.label_key
        return Rewriting(
            strip=item.ref.server_set if _EXPORTED & set(item.ref.server_set) else (),
            label=(key, label_value(item.key.group_kind)) if key and index in self.twins else None,
            stamp=self.release if stamp else None,
        )

    def _simulate(self) -> dict[int, Outcome]:
        """The outcome for every object that Helm will update client-side, by index; each group of lookalikes apart."""
        if self.server_side or self.release is None or self.facts.invocation.action is HelmAction.TEMPLATE:
            return {}
        groups: dict[Hashable, list[int]] = {}
        for index, item in enumerate(self.facts.items):
            if not item.hook and item.observation is not None:
                groups.setdefault(identity(Matching.KIND, item.ref.gvk, item.key), []).append(index)
        stored: dict[Hashable, list[Entry]] = {}
        for entry in self.facts.stored:
            stored.setdefault(identity(Matching.KIND, entry.gvk, entry.key), []).append(entry)
        outcomes: dict[int, Outcome] = {}
        for same, indices in groups.items():
            if any(self.facts.items[index].live is not None for index in indices):
                group = self._group(indices, stored.get(same, []), self.release)
                outcomes.update(zip(indices, rewrite(group), strict=True))
        return outcomes

    def _group(self, indices: list[int], stored: list[Entry], release: ReleaseName) -> Group:
        items = [self.facts.items[index] for index in indices]
        live = {
            item.key: self._body(item.live, self.owners[index])
            for index, item in zip(indices, items, strict=True)
            if item.live is not None
        }
        held = {(entry.gvk, entry.key) for entry in stored}
        invocation = self.facts.invocation
        frame = Update(
            targets=(),
            stored=stored,
            adopted=[
                place
                for place, item in enumerate(items)
                if item.live is not None and (item.ref.gvk, item.key) not in held
            ],
            live=live,
            helm=self.helm,
            matching=self.ways.matching,
            shared=not self.ways.copies_adopted,
            force=invocation.force and (self.upgrade or self.ways.force_on_adoption),
            three_way=(self._taken_by_helm() and not self.upgrade and self.ways.three_way_on_take_ownership),
            status_apart=frozenset(item.ref.gvk for item in items if item.resource.status_apart),
        )
        members = [
            Member(Entry(item.ref.gvk, item.key, self.facts.manifest.value(item.ref)), self._wish(index))
            for index, item in zip(indices, items, strict=True)
        ]
        return Group(members, frame, release, store=self.policy.on_drift is OnDrift.STORE)

    def _body(self, live: LiveObject, owner: Ownership | None) -> Json:
        """The live body as Helm will find it: stamped where postrender is going to stamp it first."""
        if live.body is None:
            raise ValueError(f"no body was read for {live.key}")
        return stamped(live.body, self.release) if self.release and self._adopts(owner) else live.body


def _actions(done: Rewriting, adopt: LiveObject | None) -> tuple[Action, ...]:
    wanted: Mapping[Action, object] = {
        Action.ADOPT: adopt,
        Action.STAMP: done.stamp,
        Action.LABEL: done.label,
        Action.PIN: done.pin,
        Action.STORE: done.store is not None,
        Action.STRIP: done.strip,
    }
    return tuple(action for action, present in wanted.items() if present) or (Action.PASS,)
