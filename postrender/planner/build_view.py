"""Builds the view of a plan, which every report format renders, from the plan and its facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from postrender import redact
from postrender._record import Record, replace
from postrender.helm.managed_fields import as_live
from postrender.helm.objects import build_object, with_helm_metadata, without_filename_annotation
from postrender.helm.ownership import OwnerStatus, classify
from postrender.helm.simulate import Prediction, Request
from postrender.manifest.json_diff import changes
from postrender.models import GroupVersionKind, Json, NotServed, ObjectKey
from postrender.planner.facts import DesiredObject, Facts
from postrender.planner.rewrite import with_edits
from postrender.planner.verdict import Action, Plan, Verdict
from postrender.planner.view import About, Held, Identity, ObjectView, Owner, Predicted, View
from postrender.redact import Digests

_PASSING = ("managedFields", "resourceVersion", "generation")
"""Metadata that every write changes; left out of what is shown."""


def view(plan: Plan, facts: Facts, about: About, digests: Digests) -> View:
    """The plan as it is shown, values of Secrets redacted. Raises ManifestError if a document cannot be read."""
    key = digests.name if digests.keyed else ""
    about = replace(about, notes=(*plan.notes, *about.notes), digest_key=key)
    return View(about, tuple(_Building(plan, facts, digests).all()))


class _Building:
    """Builds the objects of one view."""

    def __init__(self, plan: Plan, facts: Facts, digests: Digests) -> None:
        self.plan = plan
        self.facts = facts
        self.digests = digests
        self.release = facts.invocation.release
        self.stored: dict[tuple[GroupVersionKind, ObjectKey], Json] = {
            (entry.gvk, entry.key): entry.body for entry in facts.previous_objects
        }

    def all(self) -> Iterator[ObjectView]:
        """The objects of the stream in its order, then those that an upgrade removes from the release."""
        for verdict, item in zip(self.plan.verdicts, self.facts.items, strict=True):
            yield self._staying(verdict, item)
        leaving = {(item.ref.gvk, item.key): item for item in self.facts.removed}
        for verdict in self.plan.removed:
            yield self._leaving(verdict, leaving[verdict.ref.gvk, verdict.key])

    def _staying(self, verdict: Verdict, item: DesiredObject) -> ObjectView:
        desired = self.facts.desired(item.ref)
        emitted = None if Action.REFUSE in verdict.actions else with_edits(desired, verdict.edits)
        prediction = verdict.prediction or self._created(item, emitted)
        bodies = _Bodies(
            desired=desired,
            emitted=emitted,
            stored=self.stored.get((item.ref.gvk, item.key)),
            live=_plain(item.live.body if item.live else None),
            after=_plain(prediction.live if prediction else None),
            patch=prediction.patch if prediction else None,
        )
        return self._object(
            verdict,
            item,
            Predicted(prediction.request.value, prediction.error) if prediction else Predicted(_unpredicted(item)),
            bodies,
            changing=emitted is not None and self._changing(verdict, item, prediction, bodies),
        )

    def _leaving(self, verdict: Verdict, item: DesiredObject) -> ObjectView:
        prediction = verdict.prediction
        assert prediction is not None
        bodies = _Bodies(
            stored=self.stored.get((item.ref.gvk, item.key)),
            live=_plain(item.live.body if item.live else None),
            after=_plain(prediction.live),
        )
        assert item.observation is not None
        return replace(
            self._object(
                verdict,
                item,
                Predicted(prediction.request.value, prediction.error),
                bodies,
                changing=Action.REFUSE not in verdict.actions,
                leaving=True,
            ),
            ownership=None
            if isinstance(item.observation, NotServed)
            else _owner(classify(item.observation, self.release, stored=True, live_releases=self.facts.live_releases)),
        )

    def _changing(self, verdict: Verdict, item: DesiredObject, prediction: Prediction | None, bodies: _Bodies) -> bool:
        """Whether the cluster or the release will be different; a hook runs, and is neither.

        Ownership metadata in a stored manifest shows how the object came into the release; it is not a change.
        """
        if item.hook:
            return False
        if item.observation is None:
            return bool(verdict.edits)
        sent = build_object(item.ref.gvk, item.key, bodies.emitted).body
        if verdict.adopt is not None or verdict.apply is not None:
            return True
        if (
            bodies.live is None
            or bodies.stored is None
            or changes(*map(self._with_helm_metadata, (bodies.stored, sent)))
        ):
            return True
        return bool(changes(bodies.live, bodies.after) if prediction else changes(as_live(sent, bodies.live), sent))

    def _with_helm_metadata(self, body: Json) -> Json:
        return with_helm_metadata(body, self.release, self.facts.invocation.helm) if self.release else body

    def _created(self, item: DesiredObject, emitted: Json) -> Prediction | None:
        """The object that Helm creates; ``None`` if it exists already or was not looked up."""
        if item.hook or item.observation is None or item.live is not None or emitted is None:
            return None
        body = build_object(item.ref.gvk, item.key, emitted).body
        return Prediction(Request.CREATE, self._with_helm_metadata(body))

    def _object(
        self,
        verdict: Verdict,
        item: DesiredObject,
        predicted: Predicted,
        bodies: _Bodies,
        *,
        changing: bool,
        leaving: bool = False,
    ) -> ObjectView:
        gvk, key, live = verdict.ref.gvk, verdict.key, item.live
        known: frozenset[str] = frozenset().union(*(redact.values(body, key.group_kind) for body in _values(bodies)))
        safe = _Bodies(*(self._safe(body, key, known) for body in _values(bodies)))
        differences = changes(safe.live, safe.after) if safe.live is not None and safe.after is not None else ()
        return ObjectView(
            name=verdict.name,
            object=Identity(gvk.group, gvk.version, gvk.kind, verdict.resource.plural, key.namespace, key.name),
            line=verdict.ref.line,
            leaving=leaving,
            ownership=_owner(verdict.ownership),
            actions=tuple(action.value.replace(" ", "-") for action in verdict.actions),
            changing=changing,
            findings=verdict.findings,
            prediction=replace(predicted, patch=safe.patch, changes=differences),
            edits=() if safe.emitted is None else changes(safe.desired, safe.emitted),
            desired=safe.desired,
            emitted=safe.emitted,
            stored=safe.stored,
            live=safe.live,
            after=safe.after,
            kept_live=verdict.kept_live,
            held=Held(
                live.uid if live else "",
                live.resource_version if live else "",
                self._fingerprint(bodies.desired, key),
                self._fingerprint(bodies.emitted, key),
            ),
        )

    def _fingerprint(self, body: Json, key: ObjectKey) -> str:
        """A hash that two runs can compare: digests are left out unless they are made with the user's key."""
        if body is None:
            return ""
        safe = self._safe(without_filename_annotation(body), key)
        text = json.dumps(safe, sort_keys=True)
        return hashlib.sha256((text if self.digests.keyed else redact.masked(text)).encode()).hexdigest()

    def _safe(self, body: Json, key: ObjectKey, known: frozenset[str] = frozenset()) -> Json:
        if body is None:
            return None
        return redact.redacted(body, key.group_kind, f"{key.namespace}/{key.name}", self.digests, known)


class _Bodies(Record):
    """The values of one object, as in ``ObjectView``, and the patch that Helm sends."""

    desired: Json = None
    emitted: Json = None
    stored: Json = None
    live: Json = None
    after: Json = None
    patch: Json = None


def _values(bodies: _Bodies) -> tuple[Json, ...]:
    return (bodies.desired, bodies.emitted, bodies.stored, bodies.live, bodies.after, bodies.patch)


def _unpredicted(item: DesiredObject) -> str:
    if item.hook:
        return "hook"
    return "unknown" if item.live is None else Request.APPLY.value


def _plain(body: Json) -> Json:
    """A live object without metadata that every write changes."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        return body
    return {**body, "metadata": {key: value for key, value in metadata.items() if key not in _PASSING}}


def _owner(found: OwnerStatus | None) -> Owner | None:
    return None if found is None else Owner(found.ownership.name.lower().replace("_", "-"), found.release)
