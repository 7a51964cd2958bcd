"""Patches into a HelmRelease's file, its comments kept, and as a file of their own.

Ours are one entry, the first one of ``spec.postRenderers``, so that they meet the objects as they were rendered and
checked. They are told by their first line, which they keep wherever somebody moves them; everybody else's stay.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from postrender import manifest as manifests
from postrender.errors import ManifestError
from postrender.integrations.flux.helm_release import HelmRelease
from postrender.integrations.flux.patches import MARKER, Patch
from postrender.manifest.edit.changes import flow, same
from postrender.models import Json
from postrender.text import Hint

_OFFSET = re.compile(r"^( *)[^ #\n-][^\n]*:[ ]*\n(?:[ ]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)
"""A key with a sequence below it: how far the dashes of this file are indented."""


def in_place(helm_release: HelmRelease, patches: Sequence[Patch]) -> bytes:
    """The file with these patches in place of those that are ours; every other document as it was, byte for byte.

    Raises ManifestError where it cannot be written so that it reads as meant.
    """
    manifest, ref = helm_release.manifest, helm_release.ref
    document = manifest.documents[ref.document]
    text = manifest.data[document.start : document.end].decode()
    newline = "\r\n" if "\r\n" in text else "\n"
    meant = with_patches(helm_release.body, patches)
    if same(meant, helm_release.body):
        return manifest.data
    try:
        written = _round_trip(text.replace("\r\n", "\n"), patches).replace("\n", newline)
    except YAMLError as error:
        raise _unwritable(helm_release, f"ruamel.yaml cannot read it: {type(error).__name__}") from None
    result = manifest.data[: document.start] + written.encode() + manifest.data[document.end :]
    if not _reads_as(result, helm_release, meant):
        raise _unwritable(helm_release, "what was written does not read as meant")
    return result


def _reads_as(result: bytes, helm_release: HelmRelease, meant: Json) -> bool:
    """Whether the new file holds the same documents, and the HelmRelease with the value that is meant."""
    try:
        again = manifests.read(result)
        (ref,) = again.documents[helm_release.ref.document].objects
        return len(again.documents) == len(helm_release.manifest.documents) and same(again.value(ref), meant)
    except (ManifestError, IndexError, ValueError):
        return False


def to_include(helm_release: HelmRelease, patches: Sequence[Patch], file: str) -> bytes:
    """A JSON 6902 patch of the HelmRelease for a kustomization, which puts ours in front of its post-renderers.

    A comment shows the entry of the kustomization: a JSON 6902 patch names no object, so the entry needs a target.
    """
    others = _others(helm_release.spec.get("postRenderers"))
    path = "/spec/postRenderers/0" if others else "/spec/postRenderers"
    entry = _entry(patches)
    operation = CommentedMap(op="add", path=path, value=entry if others else [entry])
    made = io.StringIO()
    _yaml(offset=0).dump([operation] if patches else [], made)
    ref = helm_release.ref
    target = {"group": ref.gvk.group, "kind": ref.gvk.kind, "name": ref.name}
    head = f"# in kustomization.yaml: {flow({'patches': [{'path': file, 'target': target}]}).decode()[1:-1]}"
    return f"{MARKER}\n{head}\n{made.getvalue()}".encode()


def with_patches(body: Json, patches: Sequence[Patch]) -> Json:
    """The HelmRelease's value with these patches in place of ours."""
    spec = dict(body.get("spec") or {})
    entries = [*([_plain(patches)] if patches else []), *_others(spec.get("postRenderers"))]
    if entries or spec.get("postRenderers") == []:
        spec["postRenderers"] = entries
    else:
        spec.pop("postRenderers", None)
    return {**body, "spec": spec}


def _others(entries: Json) -> list[Json]:
    """Every post-renderer without our patches; one that held nothing else is left out."""
    kept: list[Json] = []
    for entry in entries or []:
        patches = _patches(entry)
        theirs = [patch for patch in patches if not _ours(patch)]
        if len(theirs) == len(patches):
            kept.append(entry)
            continue
        kustomize = {**entry["kustomize"], "patches": theirs}
        if not theirs:
            del kustomize["patches"]
        if kustomize:
            kept.append({**entry, "kustomize": kustomize})
    return kept


def _patches(entry: Json) -> list[Json]:
    kustomize = entry.get("kustomize") if isinstance(entry, dict) else None
    found = kustomize.get("patches") if isinstance(kustomize, dict) else None
    return found if isinstance(found, list) else []


def _ours(patch: Json) -> bool:
    text = patch.get("patch") if isinstance(patch, dict) else None
    return isinstance(text, str) and text.startswith(MARKER)


def _round_trip(text: str, patches: Sequence[Patch]) -> str:
    offset = _OFFSET.search(text)
    yaml = _yaml(len(offset[2]) - len(offset[1]) if offset else 0)
    root: Any = yaml.load(text)
    spec = root.get("spec")
    if not isinstance(spec, CommentedMap):
        spec = root["spec"] = CommentedMap()
    entries = spec.get("postRenderers")
    empty = entries == []
    if not isinstance(entries, CommentedSeq):
        entries = CommentedSeq()
    for index in range(len(entries) - 1, -1, -1):
        _take_ours_out(entries, index)
    if patches:
        entries.insert(0, _entry(patches))
    if entries or empty:
        spec["postRenderers"] = entries
    else:
        spec.pop("postRenderers", None)
    made = io.StringIO()
    yaml.dump(root, made)
    return made.getvalue()


def _take_ours_out(entries: CommentedSeq, index: int) -> None:
    patches = _patches(entries[index])
    ours = [place for place, patch in enumerate(patches) if _ours(patch)]
    for place in reversed(ours):
        del patches[place]
    if ours and not patches:
        del entries[index]["kustomize"]["patches"]
        if not entries[index]["kustomize"]:
            del entries[index]


def _entry(patches: Sequence[Patch]) -> CommentedMap:
    made = [CommentedMap(target=_target(patch), patch=LiteralScalarString(patch.text)) for patch in patches]
    return CommentedMap(kustomize=CommentedMap(patches=CommentedSeq(made)))


def _plain(patches: Sequence[Patch]) -> Json:
    return {"kustomize": {"patches": [{"target": dict(_target(patch)), "patch": patch.text} for patch in patches]}}


def _target(patch: Patch) -> CommentedMap:
    target = patch.target
    fields = {field: getattr(target, field) for field in ("group", "version", "kind", "name", "namespace")}
    return CommentedMap({field: text for field, text in fields.items() if text})


def _yaml(offset: int) -> Any:
    """A round-trip writer that leaves quotes and long lines alone, its dashes indented as the file's are."""
    made = YAML()
    made.preserve_quotes = True
    made.width = 2**16
    made.indent(mapping=2, sequence=offset + 2, offset=offset)
    return made


def _unwritable(helm_release: HelmRelease, cause: str) -> ManifestError:
    ref = helm_release.ref
    return ManifestError(
        f"cannot be edited with its comments: {cause}",
        where=f"{helm_release.path}, line {ref.line}",
        next=Hint("--patch-file patch.yaml", "to write the patch into a file of its own"),
    )
