"""Resource policy is not spelled `keep`.

An uninstall trims and lower-cases the value of `helm.sh/resource-policy`; an upgrade compares it exactly. `Keep`
survives an uninstall, but not an upgrade that removes the object from the chart. Any other value has no effect in an
upgrade, and an uninstall leaves such an object behind without reporting it (`filterManifestsToKeep`,
pkg/action/resource_policy.go, puts it on neither of its two lists). As a label, or under a similar key, it has no
effect at all.

Fix: Write the annotation `helm.sh/resource-policy: keep`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.models import KEEP, RESOURCE_POLICY

CODE = "PL102"
_NEARLY = re.compile(r"(?:(?:www\.)?helm\.(?:sh|io)/)?resource[-_.]?polic(?:y|ies)", re.IGNORECASE)


def check(facts: Facts) -> Iterator[Trouble]:
    """Every policy of the release's objects that is not ``keep``, and what looks like one in the wrong place."""
    for subject in facts.managed:
        annotations = subject.ref.annotations
        policy = annotations.get(RESOURCE_POLICY)
        if policy is not None and policy != KEEP:
            yield _misspelt(subject, policy)
        for field, entries in (("annotations", annotations), ("labels", subject.ref.labels)):
            for key in entries:
                if _NEARLY.fullmatch(key) and (field, key) != ("annotations", RESOURCE_POLICY):
                    yield _misplaced(subject, field, key)


def _misspelt(subject: Subject, policy: str) -> Trouble:
    if policy.strip().lower() == KEEP:
        text = f"its resource policy is {policy!r}: an uninstall keeps the object, an upgrade without it deletes it"
    else:
        text = (
            f"its resource policy is {policy!r}, which Helm does not know: "
            "an uninstall leaves the object without reporting it, an upgrade without it deletes it"
        )
    return Trouble(subject, Severity.ERROR, text, _next(), ("metadata", "annotations", RESOURCE_POLICY))


def _misplaced(subject: Subject, field: str, key: str) -> Trouble:
    text = f"{field.removesuffix('s')} {key} means nothing to Helm: only the annotation {RESOURCE_POLICY} does"
    return Trouble(subject, Severity.ERROR, text, _next(), ("metadata", field, key))


def _next() -> tuple[str, ...]:
    return (f"set metadata.annotations: {{{RESOURCE_POLICY}: {KEEP}}}",)
