"""What the API server said to a dry run of what Helm will send."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from postrender.live import Json
from postrender.plan.findings.words import kubectl, some
from postrender.plan.verdict import Finding, Severity
from postrender.policy import OnDrift, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.trial import Conflict, NotAsked


def conflicts(found: Sequence[Conflict], name: str) -> Finding:
    """Server-side apply would end at fields of other field managers."""
    fields = some([f"{conflict.field.removeprefix('.')} ({conflict.manager})" for conflict in found])
    count = len(found)
    one = count == 1
    return Finding(
        "PR306",
        Severity.ERROR,
        f"{count} field{'' if one else 's'} that the chart sets belong{'s' * one} to another field manager, and Helm "
        f"would stop there: {fields}",
        (f"kubectl get {kubectl(name)} -o yaml --show-managed-fields", "helm ... --force-conflicts"),
    )


def rejected(message: str, name: str, *, new: bool) -> Finding:
    """The API server says no to what Helm will send; ``new`` where nothing is live there."""
    anew = f"kubectl delete {kubectl(name)}   (only where it may be made anew: what it holds is lost)"
    return Finding(
        "PR307",
        Severity.ERROR,
        f"the API server would refuse what this Helm sends: {message}",
        ("change the chart to what the server takes", *(() if new else (anew,))),
    )


def dropped(paths: Sequence[Sequence[str]]) -> Finding:
    """The API server takes what is applied, but not all of it will be there."""
    return Finding(
        "PR308",
        Severity.WARNING,
        f"the API server leaves out, or empties, what the chart says in {some(['.'.join(path) for path in paths])}",
    )


def removed(paths: Sequence[str]) -> Finding:
    """Helm's migration of field ownership lets its apply remove what the chart lacks."""
    return Finding(
        "PR315",
        Severity.WARNING,
        f"Helm removes or resets {some(paths)}: an earlier Helm set this, and the chart does not",
    )


def stays(paths: Sequence[str]) -> Finding:
    """What Helm itself set client-side, and applies no longer, is nobody's to take out."""
    return Finding(
        "PR312",
        Severity.ERROR,
        f"{some(paths)} left the chart, and would stay: Helm set it client-side and now applies server-side",
        ("helm upgrade ... --server-side=false   (this once)",),
    )


def of_other_managers(fields: Sequence[str], name: str, patch: Json, *, held: bool) -> Finding:
    """Fields that the chart lacks and other field managers set; ``held`` if a stored manifest has the object."""
    one = len(fields) == 1
    return Finding(
        "PR317",
        Severity.INFO if held else Severity.WARNING,
        f"{len(fields)} field{'s' * (not one)} that the chart does not set belong{'s' * one} to another field manager, "
        f"and Helm leaves {'it' if one else 'them'}: {some(fields)}",
        _patching(name, patch),
    )


def unlike_new(paths: Sequence[str], name: str, patch: Json, policy: Policy) -> Finding:
    """Fields that no manager owns, and that a new object of the chart has otherwise."""
    one = len(paths) == 1
    return Finding(
        "PR318",
        Severity.ERROR if policy.on_drift is OnDrift.FAIL else Severity.WARNING,
        f"{len(paths)} field{'s' * (not one)} will not be as in a fresh installation, since no field manager owns "
        f"{'it' if one else 'them'}: {some(paths)}",
        _patching(name, patch),
    )


def _patching(name: str, patch: Json) -> tuple[str, ...]:
    """The command that sends a JSON patch after Helm's run."""
    if not patch:
        return ()
    text = json.dumps(patch, separators=(",", ":"), ensure_ascii=False)
    return (f"kubectl patch {kubectl(name)} --type=json -p {shlex.quote(text)}",)


def not_asked(unasked: Sequence[tuple[str, NotAsked]]) -> tuple[str, ...]:
    """A note on what could not be tried beforehand, for whatever reason; the first one is told."""
    if not unasked:
        return ()
    _, first = unasked[0]
    advice = "".join(f" ({each})" for each in first.next[:1])
    return (
        "whether the API server takes what Helm sends could not be asked beforehand for "
        f"{some([name for name, _ in unasked])}: {first.reason}{advice}",
    )
