"""What a plan says about one object in a few words, the same in every format."""

from __future__ import annotations

from postrender.helm.ownership import Standing
from postrender.planner.verdict import Action
from postrender.planner.view import About, ObjectView, View
from postrender.report.plan_summary import DONE

_REQUESTS = {
    "create": ("creates it", "create it"),
    "patch": ("patches it", "patch it"),
    "replace": ("replaces it", "replace it"),
    "apply": ("applies it on the server", "apply it on the server"),
    "nothing": ("leaves it as it is", "leave it as it is"),
    "delete": ("deletes it", "delete it"),
    "hook": ("runs it as a hook", "run it as a hook"),
    "unknown": ("nobody looked what is live", "nobody looked what is live"),
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
        return "in no release, as every hook" if each.prediction.request == "hook" else "nobody looked"
    if found.standing == "absent":
        return "nobody: it is not live"
    standing = Standing[found.standing.upper().replace("-", "_")].value
    return f"{standing} ({found.release})" if found.release else standing


def helm(each: ObjectView) -> str:
    """What Helm does to it, or would do if the run were not refused."""
    does, would = _REQUESTS[each.prediction.request]
    if each.refused and each.ownership and each.ownership.standing in ("foreign", "orphan", "unmanaged"):
        return "would not import it, or take it with --take-ownership"
    if each.refused:
        return f"would {would}" if each.prediction.request != "unknown" else does
    if each.prediction.error:
        return f"fails: {each.prediction.error}"
    if each.leaving and each.prediction.request == "nothing":
        return "keeps it"
    if adopted(each):
        as_it_is = untouched(each) or each.prediction.request == "nothing"
        return "adopts it as it is" if as_it_is else f"adopts it and {does}"
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
    if each.leaving:
        return "no longer"
    if each.refused:
        return "nothing new"
    if each.prediction.request == "hook":
        return "as a hook"
    if "store-live" in each.actions:
        return "what is live, so that the next upgrade applies the chart"
    count = len(each.edits)
    return f"the chart's, {count} field{'s' * (count != 1)} edited" if count else "the chart's, as it is"


def verdict(each: ObjectView) -> str:
    """One word, to sort and colour by; ``adopted`` and ``stored`` leave the live object as it is."""
    request = each.prediction.request
    if each.refused:
        return "refused"
    if each.leaving:
        return "deleted" if request == "delete" else "kept"
    if not each.changing:
        return "hook" if request == "hook" else "unchanged"
    if untouched(each):
        return "adopted" if adopted(each) else "stored"
    return {"create": "created", "unknown": "edited"}.get(request, "changed")


def summary(view: View) -> str:
    """``3 objects: 1 created, 2 unchanged. Something will be done.``"""
    counts: dict[str, int] = {}
    for each in view.objects:
        counts[verdict(each)] = counts.get(verdict(each), 0) + 1
    total = len(view.objects)
    counted = ", ".join(f"{count} {name}" for name, count in counts.items())
    end = {
        "refused": "The run would be refused, and nothing done.",
        "something": "Nothing was done yet.",
        "nothing": "There is nothing to do.",
    }[view.outcome]
    return f"{total} object{'s' * (total != 1)}{': ' if counted else ''}{counted}. {end}"


def steps(view: View) -> tuple[str, ...]:
    """What to type where the run would be refused, each step once."""
    findings = [finding for each in view.objects if each.refused for finding in each.findings]
    errors = [finding for finding in findings if finding.severity.value == "error"]
    steps = dict.fromkeys(step for finding in errors for step in finding.next)
    codes = sorted({finding.code for finding in errors})
    return (*steps, f"postrender explain {' '.join(codes)}") if codes else tuple(steps)
