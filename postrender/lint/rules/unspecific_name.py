"""Kept object has a fixed name.

Two releases of the chart in one namespace conflict: the second installation fails, or adopts the object of the first.
An object kept by one release also blocks the next release with another name. The rule renders the chart for a second
release name, or, for a stream, uses `--release`. Kinds with prescribed names, CustomResourceDefinitions and
APIServices, are not checked.

Fix: Put the release name into the object's name.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Trouble
from postrender.models import CRD, GroupKind

CODE = "PL106"
_PRESCRIBED = (CRD, GroupKind("apiregistration.k8s.io", "APIService"))


def check(facts: Facts) -> Iterator[Trouble]:
    """Every kept object that is called the same in another release."""
    renamed = {subject.key for subject in facts.renamed.subjects} if facts.renamed else None
    for subject in facts.kept:
        if subject.key.group_kind in _PRESCRIBED or not subject.key.name:
            continue
        if renamed is None:
            same = bool(facts.release) and facts.release not in subject.key.name
        else:
            same = subject.key in renamed
        if same:
            scope = "namespace" if subject.key.namespace else "cluster"
            yield Trouble(
                subject,
                Severity.WARNING,
                f"is kept under a name that is the same in every release: two in one {scope} claim one object",
                ('set metadata.name: "{{ .Release.Name }}-..."',),
                ("metadata", "name"),
            )
