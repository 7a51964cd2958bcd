"""What leaves a chart in an upgrade: deleted, kept, or left behind because of a namesake."""

from __future__ import annotations

from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT, STABLE_SHIRT_V2
from tests.e2e.matrix.steps import Scenario, Thing, Touched, install, upgrade

BETA, STABLE = Thing(BETA_SHIRT, {"color": "red"}), Thing(STABLE_SHIRT, {"color": "blue"})
OTHERS = Thing(CONFIG_MAP, {"z": "1"}, name="other")


def leaves(name: str, about: str, keep: bool | str) -> Scenario:
    """A Shirt leaves the chart."""
    shirt = Thing(STABLE_SHIRT, {"color": "blue"}, keep=keep)
    return Scenario(name, about, (install(shirt, OTHERS),), upgrade(OTHERS))


SCENARIOS = (
    Scenario("H3 one of a pair leaves", "its namesake stays", (install(BETA, STABLE),), upgrade(BETA)),
    Scenario("H3 the first leaves", "its namesake stays", (install(BETA, STABLE),), upgrade(STABLE)),
    Scenario("H5 version", "v1 becomes v2", (install(STABLE),), upgrade(Thing(STABLE_SHIRT_V2, {"color": "red"}))),
    Scenario(
        "H5 version, kept",
        "v1 becomes v2, kept",
        (install(Thing(STABLE_SHIRT, {"color": "blue"}, keep=True)),),
        upgrade(Thing(STABLE_SHIRT_V2, {"color": "red"}, keep=True)),
    ),
    leaves("leaves", "a Shirt that is not kept leaves the chart", False),
    leaves("leaves, kept", "a kept Shirt leaves the chart", True),
    leaves("H15 Keep", "one kept as `Keep` leaves the chart", "Keep"),
    leaves("H15 keep and a blank", "one kept as `keep ` leaves the chart", "keep "),
    Scenario(
        "kept by hand",
        "the live object alone says keep",
        (
            install(STABLE, OTHERS),
            Touched(STABLE.ref, {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}}),
        ),
        upgrade(OTHERS),
    ),
)
