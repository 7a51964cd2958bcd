"""The written scenarios, one module a family."""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.matrix.families import adoption, collisions, leaving, objections, owners, runs
from tests.e2e.matrix.steps import Scenario

FAMILIES: Mapping[str, tuple[Scenario, ...]] = {
    "Kinds that share a name": collisions.SCENARIOS,
    "One existing object": adoption.SCENARIOS,
    "Objects of other owners": owners.SCENARIOS,
    "Objects that leave the chart": leaving.SCENARIOS,
    "Requests that the API server rejects": objections.SCENARIOS,
    "Other runs": runs.SCENARIOS,
}
"""By what they have in common."""

SCENARIOS: tuple[Scenario, ...] = tuple(scenario for family in FAMILIES.values() for scenario in family)
