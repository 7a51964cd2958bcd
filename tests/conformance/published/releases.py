"""Helm's own tests of owners, hooks, and stored releases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from postrender import manifest
from postrender.errors import ManifestError
from postrender.helm import objects
from postrender.helm.ownership import Ownership, classify
from postrender.helm.storage.revisions import Undecodable, completed, decode, from_labels, sort_revisions, stored_name
from postrender.helm.versions import NEWEST_TESTED
from postrender.models import Found, GroupKind, LiveObject, ObjectKey, ReleaseName, StoredRelease
from tests.conformance.published.result import NotCompared
from tests.conformance.published.texts import values
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
        if "Before" not in call:
            return _owned_otherwise(call, call["Labels"], call["Annotations"], release)
        if not call["Good"]:
            metadata = call["Before"].get("metadata", {})
            return _owned_otherwise(call, metadata.get("labels"), metadata.get("annotations"), release)
        found = objects.with_helm_metadata(call["Before"], release, NEWEST_TESTED[major])
        return "" if equal(found, call["After"]) else f"{found} instead of {call['After']}"

    return differs


def _owned_otherwise(call: Any, labels: Any, annotations: Any, release: ReleaseName) -> str:
    live = LiveObject(_KEY, "v1", "", "", labels or {}, annotations or {})
    others = {live.owner: False} if live.owner and live.owner != release else {}
    found = classify(Found(live), release, stored=False, live_releases=others).ownership
    return "" if (found is Ownership.OURS_KEPT) is call["Good"] else f"{found} of {call}"


def _without_filenames(call: Any) -> str:
    try:
        before = values(call["Stream"].encode())
    except ManifestError as error:
        return f"cannot be read: {error}" if call["Good"] else ""
    if not call["Good"]:
        return f"read as {before}"
    left = values("\n---\n".join(call["Files"].values()).encode())
    for body in (objects.without_filename_annotation(each) for each in before):
        same = [index for index, each in enumerate(left) if equal(each, body)]
        if not same:
            return f"{body} is not in {left}"
        del left[same[0]]
    return f"{left} is left" if left else ""


def manifests(call: Any) -> str:
    """How a file is split; which manifests are hooks, of which events, and when they are deleted."""
    if "Text" in call:
        return _split_otherwise(call["Text"], call["Manifests"] or {})
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


def _split_otherwise(text: str, parts: dict[str, str]) -> str:
    ordered = sorted(parts, key=lambda name: int(name.rpartition("-")[2]))
    wanted = [value for name in ordered for value in values(parts[name].encode())]
    try:
        found = values(text.encode())
    except ManifestError:
        if re.search("^---[^ \t\r\n]", text, re.MULTILINE):
            raise NotCompared(
                "text after ---, which Helm splits in a template, but refuses of a post-renderer"
            ) from None
        raise
    return "" if equal(found, wanted) else f"split into {found} instead of {wanted}"


def records(call: Any) -> str:
    """A release as Helm stores it, read from its Secret or ConfigMap, or its payload alone."""
    release = call["Release"]
    if "Payload" in call:
        return _read_otherwise(call["Payload"], release if call["Good"] else None)
    name, status = ReleaseName("default", release["name"]), release["info"]["status"]
    wanted = StoredRelease(name, release["version"], status, release.get("manifest", ""))
    # The keys of these tests lack the prefix that Helm's storage gives them.
    key = ObjectKey(GroupKind("", call["Kind"]), "default", stored_name(wanted))
    labels, data = call["Made"]["metadata"]["labels"], call["Made"]["data"]
    revision = from_labels(LiveObject(key, "v1", "", "", labels, {}), name)
    found = completed(revision, data, wrapped=call["Kind"] == "Secret")
    return "" if found == wanted else f"{found} instead of {wanted}"


def _read_otherwise(payload: str, release: Any) -> str:
    try:
        found = decode(payload, wrapped=False)
    except Undecodable as error:
        return "" if release is None else f"fails: {error}"
    return "" if release is not None and equal(found, release) else f"{found} instead of {release}"


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
