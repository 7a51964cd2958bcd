"""The written scenarios, one module a family."""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.matrix.families import adoption, collisions, leaving, objections, owners, runs
from tests.e2e.matrix.steps import Scenario

FAMILIES: Mapping[str, tuple[Scenario, ...]] = {
    "Kinds that share a name": collisions.SCENARIOS,
    "One object that is live already": adoption.SCENARIOS,
    "Objects of somebody else": owners.SCENARIOS,
    "What leaves a chart": leaving.SCENARIOS,
    "What the API server objects to": objections.SCENARIOS,
    "Runs of other kinds, and how they end": runs.SCENARIOS,
}
"""By what they have in common."""

SCENARIOS: tuple[Scenario, ...] = tuple(scenario for family in FAMILIES.values() for scenario in family)
