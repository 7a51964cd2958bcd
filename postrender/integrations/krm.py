"""KRM functions: a ResourceList in and out, as kustomize and kpt hand it to a program.

The list is one document, and its items are edited where they stand: an item that needs no change comes out with the
bytes it came in with, comments and the orchestrator's annotations included. The protocol: ``functions-spec.md``,
cmd/config/docs/api-conventions of kustomize 5.8.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.errors import ManifestError, PostrenderError, UsageError
from postrender.manifest import Manifest, ObjectRef
from postrender.manifest.edit import Edit, Set, splice
from postrender.models import GroupVersionKind, Json, Severity
from postrender.planner.verdict import Plan, Verdict
from postrender.report.plan_summary import done
from postrender.text import hint_lines, in_command

KIND = "ResourceList"
VERSIONS = ("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1")
LOCAL = "config.kubernetes.io/local-config"
"""Annotation of an item that is never applied to a cluster: a Kptfile, another function's configuration."""

CALLS = ("kustomize build --enable-alpha-plugins --enable-exec .", 'kpt fn eval . --exec "postrender krm"')
_PATHS = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
_INDICES = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")
_FIELDS = {
    "PR202": "metadata.resourceVersion",
    "PR203": "metadata.resourceVersion",
    "PR305": "metadata.annotations[helm.sh/resource-policy]",
}
"""The field that a finding is about, where it is always the same one."""


class ResourceList(Record):
    """A list as it came. ``manifest`` holds the items that will be applied, ``head`` stands for the list itself.

    ``settings`` are those of its functionConfig: names of flags without dashes, and their texts.
    """

    manifest: Manifest
    head: ObjectRef
    settings: Mapping[str, str]


def read(data: bytes) -> ResourceList:
    """The list on stdin; raises ManifestError where it is none, or its functionConfig is no ConfigMap of texts."""
    whole = manifests.read(data)
    found = [document for document in whole.documents if document.skip_reason != "empty"]
    if len(found) != 1:
        raise ManifestError(f"one {KIND} is expected on stdin, not {len(found)} documents", next=CALLS)
    (document,) = found
    body = manifests.load(data)
    if not isinstance(body, dict) or body.get("kind") != KIND or body.get("apiVersion") not in VERSIONS:
        raise ManifestError(f"a {KIND} is expected on stdin, of {' or '.join(VERSIONS)}", next=CALLS)
    if document.skip_reason not in ("", "an empty list"):
        raise ManifestError(f"cannot be read: {document.skip_reason}", where=KIND)
    head = ObjectRef(
        document.index,
        (),
        GroupVersionKind.parse(body["apiVersion"], KIND),
        name="",
        namespace="",
        generate_name=False,
        labels={},
        annotations={},
        server_set=(),
        line=1,
    )
    # A list without items, as a generator gets it, reads as one object: it is none that is applied.
    applied = tuple(ref for ref in document.objects if ref.path and ref.annotations.get(LOCAL) != "true")
    listed = Manifest(
        data, tuple(replace(each, objects=applied) if each is document else each for each in whole.documents)
    )
    return ResourceList(listed, head, _settings(body.get("functionConfig")))


def written(found: ResourceList, plan: Plan, *, quiet: bool = False) -> bytes:
    """The list with the plan carried out, or as it came where the plan refuses, and what there is to tell.

    ``quiet`` leaves out what is neither a warning nor an error. Raises ManifestError.
    """
    edits: tuple[Edit, ...] = () if plan.errors else plan.edits
    results = [each for each in _results(plan) if not quiet or each["severity"] != Severity.INFO.value]
    return splice(found.manifest, [*edits, Set(found.head, ("results",), results)]).data


def failed(found: ResourceList, error: PostrenderError) -> bytes:
    """The list as it came, with the error among its results."""
    result = {"message": str(error), "severity": Severity.ERROR.value}
    return splice(found.manifest, [Set(found.head, ("results",), [result])]).data


def _settings(config: Json) -> dict[str, str]:
    """The data of a ConfigMap; a boolean counts as its text, since YAML reads ``true`` without quotes as one."""
    if config is None:
        return {}
    if not isinstance(config, dict) or config.get("kind") != "ConfigMap":
        raise UsageError("is not a ConfigMap, whose data would hold the settings", where="functionConfig")
    data = config.get("data") or {}
    texts = {
        key: ("true" if value else "false") if isinstance(value, bool) else value
        for key, value in (data.items() if isinstance(data, dict) else ())
    }
    odd = [key for key, text in texts.items() if not isinstance(text, str)]
    if odd or not isinstance(data, dict):
        raise UsageError(f"does not map text to text: {', '.join(odd)}", where="functionConfig.data")
    return texts


def _results(plan: Plan) -> Iterator[dict[str, Any]]:
    for verdict in (*plan.verdicts, *plan.removed):
        for finding in verdict.findings:
            steps = in_command(finding.next, f"postrender explain {finding.code}")
            message = "; ".join([f"{finding.text} ({finding.code})", *hint_lines(steps)])
            yield _about(verdict, message, finding.severity, _FIELDS.get(finding.code, ""))
        if verdict.edits and not plan.errors:
            yield _about(verdict, done(verdict), Severity.INFO, _common([edit.path for edit in verdict.edits]))


def _about(verdict: Verdict, text: str, severity: Severity, path: str) -> dict[str, Any]:
    ref = verdict.ref
    result: dict[str, Any] = {"message": f"{verdict.name}: {text}", "severity": severity.value}
    result["resourceRef"] = {"apiVersion": ref.gvk.api_version, "kind": ref.gvk.kind, "name": ref.name}
    if ref.namespace:
        result["resourceRef"]["namespace"] = ref.namespace
    if path:
        result["field"] = {"path": path}
    file = next((ref.annotations[each] for each in _PATHS if each in ref.annotations), "")
    if file:
        index = next((ref.annotations[each] for each in _INDICES if each in ref.annotations), "0")
        result["file"] = {"path": file, "index": int(index) if index.isdecimal() else 0}
    return result


def _common(paths: list[tuple[str | int, ...]]) -> str:
    """The path that all of them share: ``metadata`` or ``metadata.labels[app.kubernetes.io/managed-by]``."""
    shared: list[str | int] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    text = ""
    for part in shared:
        plain = isinstance(part, str) and "." not in part and "/" not in part
        text += f".{part}" if plain else f"[{part}]"
    return text.removeprefix(".")
