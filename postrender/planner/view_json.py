"""A plan as JSON, and back. ``report/schemas/plan.schema.json`` describes it (JSON Schema, draft 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postrender._record import Record, asdict
from postrender.manifest.json_diff import Change
from postrender.models import Json, ReleaseName, Severity
from postrender.planner.verdict import Finding
from postrender.planner.view import About, Held, Identity, ObjectView, Owner, Predicted, View
from postrender.text import hint_data, hints_from

VERSION = 2
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

KIND = "Plan"


class NoPlan(Exception):
    """The JSON is not a plan; the message is one sentence without a full stop."""


def plan_json(view: View) -> dict[str, Json]:
    """The plan as JSON values; fields are called as in ``planner.view``, in camel case, but for ``_NAMES``."""
    objects = view.objects
    return {
        "schemaVersion": VERSION,
        "kind": KIND,
        "outcome": view.outcome,
        "summary": {
            "objects": sum(not each.leaving for each in objects),
            "removed": sum(each.leaving for each in objects),
            "changing": sum(each.changing for each in objects),
            "edited": sum(bool(each.edits) for each in objects),
            "blocked": sum(each.refused for each in objects),
        },
        "about": _renamed(_camel(asdict(view.about))),
        "objects": [_object(each) for each in objects],
    }


def plan_from_json(data: Json) -> View:
    """The plan that ``plan_json`` gave; raises NoPlan."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise NoPlan("it is not a plan that postrender wrote")
    if data.get("schemaVersion") != VERSION:
        raise NoPlan(f"it has schemaVersion {data.get('schemaVersion')!r}, and this postrender reads {VERSION}")
    try:
        found = View(_about(data["about"]), tuple(_view(each) for each in data["objects"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoPlan(f"missing field: {error}") from error
    _check(found)
    return found


_PLAIN = {"str": (str, "text"), "int": (int, "number"), "bool": (bool, "boolean")}


def _check(record: Record) -> None:
    """Raise NoPlan where a field of the record, or of a record in it, is not of its kind; bodies are maps."""
    for name, annotation in type(record).__annotations__.items():
        value = getattr(record, name)
        if annotation in _PLAIN:
            kind, word = _PLAIN[annotation]
            if type(value) is not kind:
                raise NoPlan(f"its {name} is not a {word}")
        elif annotation == "tuple[str, ...]" and not all(isinstance(each, str) for each in value):
            raise NoPlan(f"its {name} holds something that is not a text")
        elif isinstance(record, ObjectView) and annotation == "Json" and not isinstance(value, (dict, type(None))):
            raise NoPlan(f"its {name} is not a map")
        for each in value if isinstance(value, tuple) else [value]:
            if isinstance(each, Record) and not isinstance(each, Change):
                _check(each)


def _object(each: ObjectView) -> dict[str, Json]:
    shown = _camel(
        {
            name: asdict(getattr(each, name))
            for name in ("name", "object", "line", "leaving", "ownership", "actions", "changing")
        }
    )
    return {
        **_renamed(shown),
        "findings": [_finding(finding) for finding in each.findings],
        "prediction": {
            "request": each.prediction.request,
            "error": each.prediction.error,
            "patch": each.prediction.patch,
            "changes": [_change(change) for change in each.prediction.changes],
        },
        "edits": [_change(change) for change in each.edits],
        "keptLive": list(each.kept_live),
        "desired": each.desired,
        "emitted": each.emitted,
        "stored": each.stored,
        "live": each.live,
        "after": each.after,
        "held": _camel(asdict(each.held)),
    }


def _finding(finding: Finding) -> dict[str, Json]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "text": finding.text,
        "hints": hint_data(finding.next),
    }


def _change(change: Change) -> dict[str, Json]:
    sides = {"add": ("after",), "remove": ("before",)}.get(change.op, ("before", "after"))
    return {"op": change.op, "path": list(change.path), **{side: getattr(change, side) for side in sides}}


def _camel(value: Mapping[str, Json]) -> dict[str, Json]:
    """Field names as JSON's are written: ``dry_run`` is ``dryRun``; values that are records are no deeper."""
    return {_name(key): each for key, each in value.items()}


_NAMES = {"told": "settingsFrom", "leaving": "removed"}
"""Fields that are called otherwise in JSON."""


def _renamed(value: Mapping[str, Json]) -> dict[str, Json]:
    return {_NAMES.get(key, key): each for key, each in value.items()}


def _name(field: str) -> str:
    if field == "setting_origins":
        return "told"  # The key in the published schema.
    first, *rest = field.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _about(data: Mapping[str, Any]) -> About:
    return About(
        data["helm"],
        data["action"],
        data["dryRun"],
        _release(data["release"]),
        data["revision"],
        data["source"],
        tuple(data["settingsFrom"]),
        tuple(data["notes"]),
        data["digestKey"],
    )


def _view(data: Mapping[str, Any]) -> ObjectView:
    owner, predicted, held = data["ownership"], data["prediction"], data["held"]
    return ObjectView(
        name=data["name"],
        object=Identity(**data["object"]),
        line=data["line"],
        leaving=data["removed"],
        ownership=None if owner is None else Owner(owner["standing"], _release(owner["release"])),
        actions=tuple(data["actions"]),
        changing=data["changing"],
        findings=tuple(
            Finding(each["code"], Severity(each["severity"]), each["text"], hints_from(each["hints"]))
            for each in data["findings"]
        ),
        prediction=Predicted(
            predicted["request"], predicted["error"], predicted["patch"], _changes(predicted["changes"])
        ),
        edits=_changes(data["edits"]),
        desired=data["desired"],
        emitted=data["emitted"],
        stored=data["stored"],
        live=data["live"],
        after=data["after"],
        held=Held(held["uid"], held["resourceVersion"], held["desired"], held["emitted"]),
        kept_live=tuple(data.get("keptLive", ())),  # Plans of older versions have none.
    )


def _changes(data: Any) -> tuple[Change, ...]:
    return tuple(Change(each["op"], tuple(each["path"]), each.get("before"), each.get("after")) for each in data)


def _release(data: Mapping[str, str] | None) -> ReleaseName | None:
    return None if data is None else ReleaseName(data["namespace"], data["name"])
