"""A plan's edits as kustomize patches, each target checked against the stream it was made from.

A strategic merge patch says what is added and nothing else, so that a later version of the chart may bring labels of
its own. But kustomize then takes every field out of the object that is null, so that an object with one gets a JSON
6902 patch. That one has to add the map of labels where it is missing, and first tests that it is: where a later chart
brings labels it fails, loudly, instead of wiping them. It is not taken for all, since with it kustomize also mends
references to the object: a RoleBinding's subject without a namespace gets one.

Which streams kustomize gets depends on the HelmRelease's strategy: hooks among the other objects, hooks by themselves,
or no hooks. The same patches are applied to each stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from postrender._record import Record
from postrender.errors import Refused
from postrender.integrations.flux.controllers import Strategy
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit, Set
from postrender.manifest.edit.changes import block, flow
from postrender.models import GroupVersionKind, Json
from postrender.operations.filter.pipeline import Planned
from postrender.planner.facts import DesiredObject
from postrender.planner.verdict import Verdict
from postrender.text import Advice

MARKER = "# made by postrender flux; run it again to update"
"""First line of every patch that is ours: it stays with the patch wherever it is copied to."""

_DEFAULT = "default"
"""What kustomize takes an object without a namespace to be in (``EffectiveNamespace``, kyaml/resid of 0.21.1)."""

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


_ANNOTATIONS = ("metadata", "annotations")
"""A map that is there whatever the chart says: kustomize notes in it what it is about to patch (``StorePreviousId`` in
``transformJson6902``, api/internal/builtins of 0.21.1), and takes its notes out in the end."""


class Target(Record):
    """What one patch is applied to; each a pattern that kustomize anchors, ``""`` to leave it out."""

    group: str
    version: str
    kind: str
    name: str
    namespace: str = ""

    def selects(self, ref: ObjectRef) -> bool:
        """Whether kustomize applies a patch with this target to the object (``Select``, api/resmap of 0.21.1)."""
        return (
            _fits(self.group, ref.gvk.group)
            and _fits(self.version, ref.gvk.version)
            and _fits(self.kind, ref.gvk.kind)
            and _fits(self.name, ref.name)
            and _fits(self.namespace, ref.namespace or _DEFAULT)
        )


class Patch(Record):
    """One patch of one object; ``text`` is YAML, with our marker in its first line."""

    target: Target
    text: str


def patches(planned: Planned, strategy: Strategy = Strategy.COMBINED) -> tuple[Patch, ...]:
    """The edits of a plan that refuses nothing, a patch for each object, in the order of the stream.

    Raises Refused for a stream that kustomize would not take, or an object that no target can single out.
    """
    pairs = list(zip(planned.facts.items, planned.plan.verdicts, strict=True))
    streams = [pairs]
    if strategy is not Strategy.COMBINED:
        streams = [[pair for pair in pairs if pair[0].hook is hooks] for hooks in (False, True)]
    if strategy is Strategy.NO_HOOKS:
        del streams[1]
    for stream in streams:
        _distinct(stream)
    items = [item for stream in streams for item, _ in stream]
    return tuple(
        _patch(item, verdict, planned.manifest.value(item.ref), items, apart=strategy is Strategy.SEPARATE)
        for stream in streams
        for item, verdict in stream
        if verdict.edits
    )


def _distinct(stream: Iterable[tuple[DesiredObject, Verdict]]) -> None:
    """Raises Refused where kustomize fails: it takes no object twice, and none without a name."""
    seen: dict[tuple[GroupVersionKind, str, str], DesiredObject] = {}
    for item, verdict in stream:
        ref = item.ref
        if not ref.name:
            raise Refused(
                "has no name, and kustomize takes no such object",
                where=verdict.name,
                next=Advice("in the chart, give it a name"),
            )
        key = (ref.gvk, ref.namespace or _DEFAULT, ref.name)
        if key in seen:
            other = seen[key]
            raise Refused(
                f"is in the stream twice, in lines {other.ref.line} and {ref.line}, which kustomize does not take",
                where=verdict.name,
                next=Advice("in the chart, rename one of them") if item.hook is other.hook else _WITHOUT_HOOKS,
            )
        seen[key] = item


_WITHOUT_HOOKS = Advice("set spec.postRenderStrategy of the HelmRelease to nohooks (helm-controller 1.6 and later)")


def _patch(item: DesiredObject, verdict: Verdict, body: Json, items: Sequence[DesiredObject], *, apart: bool) -> Patch:
    """The patch of one object. ``apart`` says that kustomize gets hooks by themselves, with the same patches."""
    ref = item.ref
    plain = Target(_quoted(ref.gvk.group) or "^$", ref.gvk.version, ref.gvk.kind, _quoted(ref.name))
    # Without a namespace where none is needed: kustomize has its own mind which kinds live in namespaces.
    near = [other for other in items if other is not item and plain.selects(other.ref)]
    target = (
        plain if not near else Target(plain.group, plain.version, plain.kind, plain.name, ref.namespace or _DEFAULT)
    )
    found = [other for other in near if target.selects(other.ref)]
    if not target.selects(ref) or any(not (apart and other.hook) for other in found):
        raise Refused(
            "no target of a kustomize patch distinguishes it from objects with the same name", where=verdict.name
        )
    if found and _has_null(body):
        # Its operations are about this body, and may fail on that of the hook.
        raise Refused(
            "has the name of a hook, and kustomize would apply its patch to both",
            where=verdict.name,
            next=_WITHOUT_HOOKS,
        )
    lines = _operations(body, verdict.edits) if _has_null(body) else _merged(ref, verdict.edits)
    return Patch(target, f"{MARKER}\n{''.join(lines)}")


def _has_null(body: Json) -> bool:
    if isinstance(body, dict):
        return any(map(_has_null, body.values()))
    return body is None or (isinstance(body, list) and any(map(_has_null, body)))


def _merged(ref: ObjectRef, edits: Iterable[Edit]) -> Iterator[str]:
    """The lines of a strategic merge patch; a field that goes is null in it."""
    body: dict[str, Json] = {"apiVersion": ref.gvk.api_version, "kind": ref.gvk.kind, "metadata": {"name": ref.name}}
    for edit in edits:
        _put(body, edit.path, edit.value if isinstance(edit, Set) else None)
    return (block(key, value, 0, b"\n").decode() for key, value in body.items())


def _operations(body: Json, edits: Iterable[Edit]) -> Iterator[str]:
    """The lines of a JSON 6902 patch of this object."""
    return (f"- {flow(operation).decode()}\n" for operation in _steps(body, edits))


def _steps(body: Json, edits: Iterable[Edit]) -> Iterator[dict[str, Json]]:
    missing: dict[tuple[str | int, ...], dict[str, Json]] = {}
    for edit in edits:
        there, found = _walk(body, edit.path)
        if not isinstance(edit, Set):
            if found:
                yield {"op": "remove", "path": _pointer(edit.path)}
        elif len(there) == len(edit.path) - 1 or (edit.path[:2] == _ANNOTATIONS and len(edit.path) == 3):
            yield {"op": "add", "path": _pointer(edit.path), "value": edit.value}
        else:
            _put(missing.setdefault(edit.path[: len(there) + 1], {}), edit.path[len(there) + 1 :], edit.value)
    for path, value in missing.items():
        yield {"op": "test", "path": _pointer(path), "value": None}
        yield {"op": "add", "path": _pointer(path), "value": value}


def _walk(body: Json, path: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], bool]:
    """How far a path leads through collections that are there, short of its last part, and whether that is there."""
    inner = body
    for depth, part in enumerate(path):
        there = part in inner if isinstance(inner, dict) else isinstance(part, int) and part < len(inner)
        last = depth == len(path) - 1
        if last or not there or not isinstance(inner[part], (dict, list)):
            return path[:depth], there and last
        inner = inner[part]
    return (), False


def _put(made: dict[str, Json], path: tuple[str | int, ...], value: Json) -> None:
    *way, last = map(str, path)
    for key in way:
        made = made.setdefault(key, {})
    made[last] = value


def _pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _quoted(text: str) -> str:
    """A pattern that only this text fits (``regexp.QuoteMeta`` of Go)."""
    return _SPECIAL.sub(r"\\\1", text)


def _fits(pattern: str, text: str) -> bool:
    return not pattern or re.fullmatch(pattern, text) is not None
