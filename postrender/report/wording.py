"""What a plan says about one object in a few words, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.helm.ownership import Ownership
from postrender.manifest.json_diff import Change
from postrender.models import MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE, Severity
from postrender.planner.verdict import Action, Finding
from postrender.planner.view import About, ObjectView, View
from postrender.report.plan_summary import DONE

_REQUESTS = {
    "create": ("creates it", "create it"),
    "patch": ("patches it", "patch it"),
    "replace": ("replaces it", "replace it"),
    "apply": ("applies it on the server", "apply it on the server"),
    "nothing": ("leaves it unchanged", "leave it unchanged"),
    "delete": ("deletes it", "delete it"),
    "hook": ("runs it as a hook", "run it as a hook"),
    "unknown": ("not looked up", "not looked up"),
}


def heading(about: About) -> str:
    """``helm 3.12.3 install, release default/shirts, file live.yaml``."""
    helm = f"helm {about.helm}" if about.helm else "helm of unknown version"
    action = f" {about.action}" if about.action else ""
    dry = "" if about.dry_run == "no" or about.action == "template" else ", dry run"
    release = f"release {about.release}" if about.release else "a release without a name yet"
    return f"{helm}{action}{dry}, {release}, {about.source}"


def owner(each: ObjectView) -> str:
    """Whose the live object is."""
    found = each.ownership
    if found is None:
        return "none (hook)" if each.prediction.request == "hook" else "not looked up"
    if found.standing == "absent":
        return "none (new object)"
    standing = Ownership[found.standing.upper().replace("-", "_")].value
    return f"{standing} ({found.release})" if found.release else standing


def helm(each: ObjectView) -> str:
    """What Helm does to it, or would do if the run were not refused."""
    does, would = _REQUESTS[each.prediction.request]
    if each.refused and each.ownership and each.ownership.standing in ("foreign", "orphan", "unmanaged"):
        return "fails (invalid ownership metadata), or adopts it with --take-ownership"
    if each.leaving and each.prediction.error:
        return f"fails: {each.prediction.error}"
    if each.refused:
        return f"would {would}" if each.prediction.request != "unknown" else does
    if each.prediction.error:
        return f"fails: {each.prediction.error}"
    if each.leaving and each.prediction.request == "nothing":
        return "keeps it"
    if adopted(each):
        as_it_is = untouched(each) or each.prediction.request == "nothing"
        return "adopts it unchanged" if as_it_is else f"adopts it and {does}"
    return does if not untouched(each) else _REQUESTS["nothing"][0]


def adopted(each: ObjectView) -> bool:
    """Whether the release takes in what is live already."""
    return each.ownership is not None and each.ownership.standing in ("ours-kept", "orphan", "unmanaged")


def untouched(each: ObjectView) -> bool:
    """Whether the live object will be as it is, whatever Helm sends."""
    return each.live is not None and each.after is not None and not each.prediction.changes


def filter(each: ObjectView) -> str:
    """What the filter does to its document, or to the object."""
    return ", ".join(DONE[Action(action.replace("-", " "))] for action in each.actions)


def stored(each: ObjectView) -> str:
    """What the release will keep of it."""
    if each.refused and (not each.leaving or each.prediction.error):
        return "unchanged"
    if each.leaving:
        return "removed"
    if each.prediction.request == "hook":
        return "as a hook"
    if "store-live" in each.actions:
        return "the live spec, so that the next upgrade applies the chart"
    count = len(each.edits) + len(each.kept_live)
    return f"the chart's manifest, {_count(count, 'field')} edited" if count else "the chart's manifest"


RANKS = ("blocked", "delete", "change", "edit", "adopt", "create", "store", "keep", "hook", "unchanged")
"""What is planned for an object in one word, problems first."""

_SUMMARY = {
    "delete": "to delete",
    "change": "to change",
    "edit": "to edit",
    "adopt": "to adopt",
    "create": "to create",
    "keep": "to keep",
    "store": "to store",
}


def verdict(each: ObjectView) -> str:
    """One of ``RANKS``; ``adopt`` and ``store`` leave the live object as it is, but for its ownership metadata."""
    request = each.prediction.request
    if each.refused:
        return "blocked"
    if each.leaving:
        return "delete" if request == "delete" else "keep"
    if not each.changing:
        return "hook" if request == "hook" else "unchanged"
    if untouched(each):
        return "adopt" if adopted(each) else "store"
    if adopted(each) and all(map(_ownership, each.prediction.changes)) and each.after is not None:
        return "adopt"
    return {"create": "create", "unknown": "edit"}.get(request, "change")


def rank(each: ObjectView) -> tuple[int, int]:
    """What an object is sorted by: what is blocked, then what is warned about, then by ``RANKS``."""
    word = verdict(each)
    return (0 if each.refused else 1 if warnings(each) else 2), RANKS.index(word)


def warnings(each: ObjectView) -> list[Finding]:
    """The warnings about an object."""
    return [finding for finding in each.findings if finding.severity is Severity.WARNING]


def errors(each: ObjectView) -> list[Finding]:
    """The errors about an object, for which the run is refused."""
    return [finding for finding in each.findings if finding.severity is Severity.ERROR]


def effect(each: ObjectView) -> str:
    """What will happen to an object, in a few words behind its name."""
    word = verdict(each)
    if word == "blocked":
        found = errors(each)
        return f"{found[0].text} ({found[0].code})" if found else owner(each)
    if word == "change":
        adopts, error = "adopted, " if adopted(each) else "", each.prediction.error
        return adopts + (_fields(each.prediction.changes) or (f"fails: {error}" if error else helm(each)))
    return {
        "delete": "no longer in the chart",
        "keep": "no longer in the chart; stays in the cluster",
        "adopt": adopting(each),
        "create": "new object",
        "store": "only the stored manifest changes",
        "edit": f"not looked up; {_count(len(each.edits), 'field')} added to the manifest",
        "hook": "hook",
        "unchanged": "",
    }[word]


def adopting(each: ObjectView) -> str:
    """What becomes of an object that the release takes in as it is."""
    return f"existing object, {'only its ownership metadata changes' if each.prediction.changes else 'unchanged'}"


def _fields(found: Sequence[Change]) -> str:
    """``2 fields: spec.replicas, data.color``."""
    names = [".".join(str(step) for step in change.path) for change in found]
    more = f" and {len(names) - FIELDS} more" if len(names) > FIELDS else ""
    return f"{_count(len(names), 'field')}: {', '.join(names[:FIELDS])}{more}" if names else ""


FIELDS = 3
"""How many changed fields the line of an object names."""


def _ownership(change: Change) -> bool:
    """Whether a change is one of Helm's ownership metadata alone."""
    if len(change.path) == 3:
        return change.path[2] in (MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE)
    known = {MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE}
    whole = change.path in (("metadata", "labels"), ("metadata", "annotations"))
    return whole and change.op == "add" and isinstance(change.after, dict) and known.issuperset(change.after)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def summary(view: View) -> str:
    """``31 objects: 1 to create, 30 unchanged.``"""
    words = [verdict(each) for each in view.objects]
    found = [(words.count(word), word) for word in RANKS if word in words]
    counts = [_count(count, word) if word == "hook" else f"{count} {_SUMMARY.get(word, word)}" for count, word in found]
    end = " Nothing is changed as long as an object is blocked." if view.outcome == "blocked" else ""
    return f"{_count(len(words), 'object')}{': ' if counts else ''}{', '.join(counts)}.{end}"


def steps(view: View) -> tuple[str, ...]:
    """What to type if the run would be refused, each step once."""
    found = [finding for each in view.objects if each.refused for finding in errors(each)]
    steps = dict.fromkeys(step for finding in found for step in finding.next)
    codes = sorted({finding.code for finding in found})
    return (*steps, f"postrender explain {' '.join(codes)}") if codes else tuple(steps)
