"""Object becomes a hook, or stops being one.

Helm does not write ownership metadata into hooks. If a hook that is still there is part of the release in the new
version, an upgrade fails with `invalid ownership metadata`. In the other direction the object left the release: an
upgrade runs the new hook first and then deletes the object of that name, which the hook has just created. Only a hook
of `post-upgrade` is created after that.

Fix: Give the object another name, or write into the upgrade notes how to adopt or delete it.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.helm.objects import deleted_after, events
from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.lint.rules.data_leaves import loss
from postrender.lint.upgrade import left, stays
from postrender.models import CRD, kubectl

CODE = "PL209"
_RUNS = frozenset({"pre-install", "post-install", "pre-upgrade", "post-upgrade"})
"""Events of which an installed release has run a hook."""


def check(facts: Facts) -> Iterator[Trouble]:
    """Every object that is a hook in one version only; where data is lost, that is another rule's."""
    if facts.before is None:
        return
    hooks = _hooks(facts.before)
    for subject in facts.managed:
        if subject.key in hooks and _remains(hooks[subject.key]):
            yield _to_release(subject)
    hooks = _hooks(facts)
    for subject in left(facts):
        new = hooks.get(subject.key)
        if new is None or stays(subject) or loss(facts, subject):
            continue
        if "post-upgrade" not in events(new.ref.annotations):
            yield _to_hook(new)


def _hooks(facts: Facts) -> dict[object, Subject]:
    managed = {subject.key for subject in facts.managed}
    return {subject.key: subject for subject in facts.subjects if subject.hook and subject.key not in managed}


def _remains(hook: Subject) -> bool:
    """Whether the hook's object is there after its run."""
    annotations = hook.ref.annotations
    return bool(_RUNS & set(events(annotations))) and not deleted_after(annotations)


def _to_release(new: Subject) -> Trouble:
    adopt = "upgrade with --post-renderer postrender --post-renderer-args=--adopt=unmanaged"
    return Trouble(
        new,
        Severity.ERROR,
        "is a hook in the old version: an upgrade fails with `invalid ownership metadata`",
        (
            "give the object another name",
            f"or write into the upgrade notes: {adopt}"
            + ("" if new.key.group_kind == CRD else f", or kubectl delete {kubectl(new.name)} before the upgrade"),
        ),
        ("metadata", "name"),
    )


def _to_hook(new: Subject) -> Trouble:
    return Trouble(
        new,
        Severity.WARNING,
        "is part of the release in the old version: the first upgrade deletes it after this hook has run",
        ("give the hook another name, or make it a hook of post-upgrade",),
        ("metadata", "annotations"),
    )
