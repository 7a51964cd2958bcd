"""The written scenarios, one module a family."""

from __future__ import annotations

from tests.e2e.matrix.families import adoption, collisions, leaving, objections, owners, runs
from tests.e2e.matrix.steps import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *collisions.SCENARIOS,
    *adoption.SCENARIOS,
    *owners.SCENARIOS,
    *leaving.SCENARIOS,
    *objections.SCENARIOS,
    *runs.SCENARIOS,
)
