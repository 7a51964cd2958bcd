"""What a chart says, and whether that is what is live: told from the scenario alone, without the code under test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Json
from tests.e2e.api import Object
from tests.e2e.matrix.stage import Stage, State
from tests.e2e.matrix.steps import Applied, Place, Ref, Run, Scenario, Thing, Touched

Docs = Mapping[tuple[str, str, str, str], Object]
"""The documents of a stored manifest by group, kind, namespace (as written) and name."""


def wrong(stage: Stage, scenario: Scenario, run: Run, state: State, stored: Docs) -> list[str]:
    """Where what is live is not what the run's chart says.

    What somebody else set and the chart does not name may stay. What somebody else changed and the chart names with
    the value it had before (``stored``) may be either: Helm 3 leaves it, as an upgrade of its own would.
    """
    found = []
    last = {thing.ref: thing for thing in run.things}  # Of one that is there twice, which is to be announced.
    for thing in last.values():
        if thing.hook:
            continue
        body = state[thing.ref]
        if body is None:
            found.append(f"{thing.ref} is not there")
            continue
        wanted = thing.manifest(stage.place)
        theirs = foreign(scenario, thing.ref)
        was = stored.get(_key(stage, thing))
        places = [*_differences(_said(wanted), _said(body), theirs, _said(was) if was else None, ())]
        found += [f"{thing.ref} {place}" for place in places]
        found += [f"{thing.ref} {place}" for place in _ownership(stage, run, body)]
    return found


def stored(stage: Stage, release: str) -> Docs:
    """The manifest that an upgrade of the release would compare with; empty where the release is gone."""
    revisions = stage.releases(release)
    deployed = [revision for revision in revisions if revision.status == "deployed"] or revisions
    if not deployed:
        return {}
    found = {}
    for doc in yaml.safe_load_all(deployed[-1].manifest):
        if doc:
            metadata = doc["metadata"]
            group = doc["apiVersion"].rpartition("/")[0]
            found[group, doc["kind"], metadata.get("namespace", ""), metadata["name"]] = doc
    return found


def foreign(scenario: Scenario, ref: Ref) -> Json:
    """All that somebody else ever set on the object, as one tree."""
    tree: Json = {}
    for step in scenario.before:
        if isinstance(step, Touched) and step.ref == ref:
            tree = _joined(tree, dict(step.patch))
        elif isinstance(step, Applied) and step.thing.ref == ref:
            tree = _joined(tree, _said(step.thing.manifest(Place(""))))
    return tree


def _key(stage: Stage, thing: Thing) -> tuple[str, str, str, str]:
    namespace = stage.place.of(thing.kind, thing.namespace) if thing.namespace else ""
    return (thing.kind.group, thing.kind.kind, namespace, thing.ref.real_name(stage.place))


_UNSAID = ("apiVersion", "kind", "metadata", "status", "type")


def _said(body: Object) -> Object:
    """The part of an object that a chart decides, without names, what the server sets and Helm's ownership."""
    metadata = body.get("metadata") or {}
    annotations = {
        name: value
        for name, value in (metadata.get("annotations") or {}).items()
        if name not in (RELEASE_NAME, RELEASE_NAMESPACE, "kubectl.kubernetes.io/last-applied-configuration")
    }
    labels = {
        name: value
        for name, value in (metadata.get("labels") or {}).items()
        if name not in (MANAGED_BY, "postrender/group-kind")
    }
    return {
        **{name: value for name, value in body.items() if name not in _UNSAID},
        "metadata": {"labels": labels, "annotations": annotations},
    }


def _by_name(value: Json) -> Json:
    """A list of named elements, such as containers, as a map; everything else as it is."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        return {each["name"]: each for each in value}
    return value


def _differences(said: Json, live: Json, theirs: Json, was: Json, path: tuple[str, ...]) -> list[str]:
    said, live, theirs, was = map(_by_name, (said, live, theirs, was))
    if not (isinstance(said, dict) and isinstance(live, dict)):
        if without_null(said) == without_null(live) and type(said) is type(live):
            return []
        tolerated = theirs is not _NOTHING and was == said
        return [] if tolerated else [f"{'.'.join(path)} is {live!r}, not {said!r}"]
    found = []
    for name in sorted({*said, *live}):
        here = (*path, name)
        set_by_others = theirs.get(name, _NOTHING) if isinstance(theirs, dict) else theirs
        before = was.get(name) if isinstance(was, dict) else None
        if said.get(name) is None:
            if live.get(name) is not None and not _covered(live[name], set_by_others):
                found.append(f"{'.'.join(here)} is left behind: {live[name]!r}")
        elif name not in live:
            if path == () and said[name] == {}:
                continue  # A built-in kind keeps no empty map.
            if not (set_by_others is not _NOTHING and before == said[name]):
                found.append(f"{'.'.join(here)} is missing: {said[name]!r}")
        else:
            found += _differences(said[name], live[name], set_by_others, before, here)
    return found


def without_null(value: Json) -> Json:
    """A list without the null fields of its elements, which a JSON merge patch does not carry."""
    if isinstance(value, list):
        return [without_null(each) for each in value]
    if isinstance(value, dict):
        return {name: without_null(below) for name, below in value.items() if below is not None}
    return value


_NOTHING: Any = object()


def _covered(live: Json, theirs: Json) -> bool:
    """Whether somebody else set all of it, or made the empty map that is left."""
    live, theirs = _by_name(live), _by_name(theirs)
    if theirs is _NOTHING:
        return bool(live == {})
    if isinstance(live, dict) and isinstance(theirs, dict):
        return all(_covered(value, theirs.get(name, _NOTHING)) for name, value in live.items())
    return True


def _joined(one: Json, other: Json) -> Json:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _joined(one.get(name), other.get(name, one.get(name))) for name in {**one, **other}}
    return other


def _ownership(stage: Stage, run: Run, body: Object) -> list[str]:
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    owner = (annotations.get(RELEASE_NAMESPACE), annotations.get(RELEASE_NAME))
    if owner != (stage.place.namespace, run.release):
        return [f"names {'/'.join(str(part) for part in owner)} as its owner"]
    if (metadata.get("labels") or {}).get(MANAGED_BY) != "Helm":
        return ["lacks the label managed-by"]
    return []
