"""An example for the page of each code: from the scenarios in ``tests/plans``, and from a file for lint."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from postrender.cluster import snapshot_file
from postrender.errors import PostrenderError
from postrender.operations.filter.pipeline import plan_stream
from postrender.planner.verdict import Finding
from tests.plans.test_plans import NOTHING, _cases, _invocation, _policy, _secret

LINT: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("lint_examples.yaml").read_text())
"""For a rule's code: ``before``, in which the rule finds something, and ``after``, in which it does not.

``old`` is the older version, if the rule compares two.
"""


class Example(NamedTuple):
    """A scenario that reports a code. ``after`` is ``None`` if the run fails, and ``before`` if nothing changes."""

    helm: str
    command: str
    object: str
    finding: Finding
    before: str
    after: str | None


def examples() -> dict[str, Example]:
    """For each code the example that shows most: manifests that change first, then failures; the shortest of those."""
    best: dict[str, Example] = {}
    for example in _reported():
        code = example.finding.code
        if code not in best or _rank(example) < _rank(best[code]):
            best[code] = example
    return best


def severities() -> dict[str, set[str]]:
    """The severities with which the scenarios report each code."""
    seen: dict[str, set[str]] = {}
    for example in _reported():
        seen.setdefault(example.finding.code, set()).add(example.finding.severity.value)
    return seen


@cache
def _reported() -> list[Example]:
    cases = (parameter.values for parameter in _cases())
    named = ((case, version) for case, version in cases if not case.get("flags", {}).get("generate_name"))
    return [example for case, version in named for example in _of_case(case, version)]


def _rank(example: Example) -> tuple[bool, bool, int]:
    return (example.after == example.before, example.after is None, len(example.before))


def _of_case(case: dict[str, Any], version: str) -> Iterator[Example]:
    with tempfile.TemporaryDirectory() as folder:
        live = Path(folder) / "live.yaml"
        secrets = [json.dumps(_secret(release)) for release in case.get("releases", [])]
        live.write_text("\n---\n".join([case.get("live", NOTHING), *secrets]))
        source = None if case.get("action") == "template" else snapshot_file.load(str(live))
        try:
            plan = plan_stream(case["in"].encode(), _invocation(case, version), _policy(case), source).plan
        except PostrenderError:
            return  # Nothing was planned: no cluster, or manifests that cannot be read.
    after = None if "error" in case else case["in"] if case.get("same") else case["out"]
    for verdict in (*plan.verdicts, *plan.removed):
        for finding in verdict.findings:
            yield Example(version, case.get("action", "install"), verdict.name, finding, case["in"], after)
