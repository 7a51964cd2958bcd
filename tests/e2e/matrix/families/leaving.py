"""What leaves a chart in an upgrade: deleted, kept, or left behind because of an object of the same name."""

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
    Scenario(
        "one of two with one name leaves", "the object of the same name stays", (install(BETA, STABLE),), upgrade(BETA)
    ),
    Scenario(
        "the first of two with one name leaves",
        "the object of the same name stays",
        (install(BETA, STABLE),),
        upgrade(STABLE),
    ),
    Scenario(
        "version in apiVersion changes",
        "v1 becomes v2",
        (install(STABLE),),
        upgrade(Thing(STABLE_SHIRT_V2, {"color": "red"})),
    ),
    Scenario(
        "version in apiVersion changes, kept",
        "v1 becomes v2, kept",
        (install(Thing(STABLE_SHIRT, {"color": "blue"}, keep=True)),),
        upgrade(Thing(STABLE_SHIRT_V2, {"color": "red"}, keep=True)),
    ),
    leaves("leaves", "a Shirt that is not kept leaves the chart", False),
    leaves("leaves, kept", "a kept Shirt leaves the chart", True),
    leaves("policy spelled Keep", "one kept as `Keep` leaves the chart", "Keep"),
    leaves("policy keep with a trailing space", "one kept as `keep ` leaves the chart", "keep "),
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
