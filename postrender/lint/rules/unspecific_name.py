"""The name of a kept object does not depend on the release.

Two releases of the chart then claim one object: the second installation is refused, or takes it. And what one release
kept stands in the way of the next one with another name, which Helm will not import. Told by rendering the chart under
another release's name, or, for a stream, by `--release`. Kinds whose names are prescribed, CustomResourceDefinitions
and APIServices, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from postrender.lint.facts import Facts
from postrender.lint.findings import Severity, Trouble
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
                ('metadata.name: "{{ .Release.Name }}-..."',),
                ("metadata", "name"),
            )
