"""A rewriting as edits of the document's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postrender.helm.objects import stamped
from postrender.manifest import ObjectRef
from postrender.manifest.edit import Edit, Remove, Set
from postrender.manifest.edit.changes import Changes, DeleteValue, SetValue, add, applied
from postrender.models import Json, LiveObject
from postrender.planner.rewrite import SYNC_OPTIONS, DocumentRewrite
from postrender.planner.verdict import Action

VERSION = ("metadata", "resourceVersion")


def edits_of(ref: ObjectRef, rewrite: DocumentRewrite, body: Json) -> tuple[Edit, ...]:
    """The edits that turn the document into what the rewriting emits; ``body`` is only needed for ``replacement``."""
    taken_out = [
        Remove(ref, path)
        for path in (tuple(dotted.split(".")) for dotted in rewrite.strip)
        if not (rewrite.pin and path == VERSION)
    ]
    if rewrite.replacement is not None:
        return (*taken_out, *_towards(ref, rewrite.stripped(body), rewrite.emitted(body), ()))
    edits: list[Edit] = [*taken_out]
    if rewrite.pin:
        edits.append(Set(ref, VERSION, rewrite.pin))
    if rewrite.label:
        edits.append(Set(ref, ("metadata", "labels", rewrite.label[0]), rewrite.label[1]))
    if rewrite.options:
        edits.append(Set(ref, ("metadata", "annotations", SYNC_OPTIONS), rewrite.options))
    if rewrite.stamp:
        metadata = stamped({}, rewrite.stamp)["metadata"]
        edits.extend(
            Set(ref, ("metadata", place, name), value)
            for place in ("labels", "annotations")
            for name, value in metadata[place].items()
        )
    return tuple(edits)


def actions_of(rewrite: DocumentRewrite, adopt: LiveObject | None = None, apply: Json = None) -> tuple[Action, ...]:
    """A rewriting in words, with what is written to the live object first."""
    wanted: Mapping[Action, object] = {
        Action.ADOPT: adopt,
        Action.APPLY: apply,
        Action.STAMP: rewrite.stamp,
        Action.LABEL: rewrite.label,
        Action.PIN: rewrite.pin,
        Action.STORE: rewrite.replacement is not None,
        Action.STRIP: rewrite.strip,
        Action.OPTION: rewrite.options,
    }
    return tuple(action for action, present in wanted.items() if present) or (Action.PASS,)


def carried_out(body: Json, edits: Sequence[Edit]) -> Json:
    """The object's value with edits of its document in it; the given one is left alone."""
    tree: Changes = {}
    for edit in edits:
        add(tree, edit.path, SetValue(edit.value) if isinstance(edit, Set) else DeleteValue())
    return applied(body, tree)


def _towards(ref: ObjectRef, before: Json, after: Json, path: tuple[str, ...]) -> list[Edit]:
    """The smallest edits from one object to the other; a list is set as a whole."""
    from postrender.helm.patch import differs

    edits: list[Edit] = []
    for key, value in before.items():
        if key not in after:
            edits.append(Remove(ref, (*path, key)))
        elif isinstance(value, dict) and isinstance(after[key], dict) and value and after[key]:
            edits.extend(_towards(ref, value, after[key], (*path, key)))
        elif differs(value, after[key]):
            edits.append(Set(ref, (*path, key), after[key]))
    edits.extend(Set(ref, (*path, key), value) for key, value in after.items() if key not in before)
    return edits
