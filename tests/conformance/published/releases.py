"""Helm's own tests of owners, hooks, and stored releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from postrender import manifest
from postrender.helm import objects
from postrender.helm.ownership import Ownership, classify
from postrender.helm.storage.revisions import sort_revisions
from postrender.helm.versions import NEWEST_TESTED
from postrender.models import Found, GroupKind, LiveObject, ObjectKey, ReleaseName, StoredRelease
from tests.conformance.published.result import NotCompared
from tests.fuzz.oracle import equal

_KEY = ObjectKey(GroupKind("", "Pod"), "default", "it")


def owners(major: int) -> Callable[[Any], str]:
    """Whether Helm takes an object for the release's, what it adds in memory, and which names of files it takes out."""

    def differs(call: Any) -> str:
        if "Stream" in call:
            return _without_filenames(call)
        if not call["Name"]:
            raise NotCompared("a release without a name: no command line has one")
        release = ReleaseName(call["Namespace"], call["Name"])
        if "Before" in call:
            if not call["Good"]:
                raise NotCompared("refused by the owner, which is compared where it is checked")
            found = objects.with_helm_metadata(call["Before"], release, NEWEST_TESTED[major])
            return "" if equal(found, call["After"]) else f"{found} instead of {call['After']}"
        live = LiveObject(_KEY, "v1", "", "", call["Labels"] or {}, call["Annotations"] or {})
        others = {live.owner: False} if live.owner and live.owner != release else {}
        found = classify(Found(live), release, stored=False, live_releases=others).ownership
        return "" if (found is Ownership.OURS_KEPT) is call["Good"] else f"{found} of {call}"

    return differs


def _without_filenames(call: Any) -> str:
    if not call["Good"]:
        raise NotCompared("a stream that Helm cannot read after the post-renderer")
    before, after = (_objects(text) for text in (call["Stream"], "\n---\n".join(call["Files"].values())))
    found = [objects.without_filename_annotation(body) for body in before]
    left = list(after)
    for body in found:
        if body not in left:
            return f"{body} is not in {after}"
        left.remove(body)
    return f"{left} is left" if left else ""


def _objects(text: str) -> list[Any]:
    found = manifest.read(text.encode())
    return [found.value(ref) for ref in found.objects]


def hooks(call: Any) -> str:
    """Which manifests are hooks, of which events, and when they are deleted."""
    if "Entries" not in call:
        raise NotCompared("splits templates before they reach a post-renderer, whose stream is split otherwise")
    if not call["Good"]:
        raise NotCompared("a manifest that Helm cannot read: nothing reaches a post-renderer")
    hooks = {hook["manifest"]: hook for hook in call["Hooks"]}
    generic = {each["Content"] for each in call["Generic"]}
    for text in call["Entries"].values():
        (ref,) = manifest.read(text.encode()).objects
        events = tuple("test" if event == "test-success" else event for event in objects.events(ref.annotations))
        skipped = bool(objects.unknown_events(ref.annotations))
        if (text in generic, text in hooks) != (not events, bool(events) and not skipped):
            return f"{ref} is {'generic' if text in generic else 'a hook' if text in hooks else 'left out'}"
        if text in hooks:
            policies = hooks[text].get("delete_policies") or []
            if list(events) != hooks[text]["events"]:
                return f"{events} instead of {hooks[text]['events']}"
            if objects.deleted_before(ref.annotations) is not (not policies or "before-hook-creation" in policies):
                return f"deleted before: {policies}"
            if objects.deleted_after(ref.annotations) is not ("hook-succeeded" in policies):
                return f"deleted after: {policies}"
    return ""


def revisions(call: Any) -> str:
    """Which revision is the last, and which the last that is deployed."""
    stored = [
        StoredRelease(ReleaseName("default", each["name"]), each["version"], each["info"]["status"])
        for each in call["All"] or []
    ]
    found = [each for each in sort_revisions(stored) if call["Operation"] == "Last" or each.status == "deployed"]
    if not call["Good"]:
        return f"{found[-1]} is found" if found else ""
    return "" if found and found[-1].revision == call["Found"]["version"] else f"{found[-1:]} of {call}"
