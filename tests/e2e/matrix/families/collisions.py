"""Objects of one Kind and name in several groups."""

from __future__ import annotations

from tests.e2e.kinds import BETA_FLAG, BETA_SHIRT, CONFIG_MAP, CUSTOM_CONFIG_MAP, GAMMA_SHIRT, STABLE_FLAG, STABLE_SHIRT
from tests.e2e.matrix.steps import OTHER, Flag, Scenario, Thing, Touched, install, reinstall, upgrade

BLUE = {"color": "blue"}
GREEN = {"color": "green"}
RED = {"color": "red"}
BLACK = {"color": "black"}


def kept(beta: dict[str, str], stable: dict[str, str], **more: dict[str, str]) -> tuple[Thing, Thing]:
    """Two kept Shirts of one name."""
    return (
        Thing(BETA_SHIRT, beta, keep=True, labels=more.get("labels", {})),
        Thing(STABLE_SHIRT, stable, keep=True, labels=more.get("labels", {})),
    )


SAME = reinstall(*kept(BLUE, GREEN))
OTHERS = Thing(CONFIG_MAP, {"z": "1"}, name="other")
CORE, CUSTOM = Thing(CONFIG_MAP, {"a": "1"}, keep=True), Thing(CUSTOM_CONFIG_MAP, BLUE, keep=True)

SCENARIOS = (
    Scenario(
        "both kept, a null in the chart",
        "a kept Shirt comes back, and a new object of the same name has a null",
        (install(Thing(STABLE_SHIRT, {"color": "red", "d": {"b": "x"}}, keep=True), OTHERS), upgrade(OTHERS)),
        upgrade(
            Thing(STABLE_SHIRT, {"color": "blue"}, keep=True), Thing(BETA_SHIRT, {"color": "blue", "d": None}), OTHERS
        ),
    ),
    Scenario("both kept, unchanged", "two kept Shirts of one name, reinstalled", SAME, install(*kept(BLUE, GREEN))),
    Scenario("both kept, chart changed", "the same, both changed", SAME, install(*kept(RED, BLACK))),
    Scenario("both kept, values swapped", "the same, each with the other's spec", SAME, install(*kept(GREEN, BLUE))),
    Scenario("both kept, equal specs", "the same, both with one spec", SAME, install(*kept(RED, RED))),
    Scenario(
        "both kept, failed install, then upgrade",
        "the reinstall fails or not, then an upgrade changes both",
        (*SAME, install(*kept(BLUE, GREEN), may_fail=True)),
        upgrade(*kept(RED, BLACK)),
    ),
    Scenario("both kept, --force", "reinstalled with --force", SAME, install(*kept(RED, BLACK), flags=(Flag.FORCE,))),
    Scenario(
        "both kept, labels added",
        "a label that distinguishes them",
        SAME,
        install(*kept(BLUE, GREEN, labels={"which": "x"})),
    ),
    Scenario(
        "upgrade gives the second the values of the first",
        "an upgrade gives the second what the first has",
        (install(Thing(BETA_SHIRT, {**RED, "size": "M"}), Thing(STABLE_SHIRT, {**BLUE, "size": "L"})),),
        upgrade(Thing(BETA_SHIRT, {**RED, "size": "M"}), Thing(STABLE_SHIRT, {**RED, "size": "M"})),
    ),
    Scenario(
        "upgrade of both, other values",
        "an upgrade gives the second other values",
        (install(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLACK)),
    ),
    Scenario(
        "upgrade of both, a field leaves",
        "an upgrade takes a field from the second",
        (install(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, {**BLUE, "size": "L"})),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),
    ),
    Scenario(
        "upgrade, one is new",
        "an upgrade adds an object of the same name",
        (install(Thing(BETA_SHIRT, RED)),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),
    ),
    Scenario(
        "upgrade of both, one edited live",
        "another manager changed a field of one, and the kept object of the same name comes back",
        (
            install(Thing(STABLE_SHIRT, BLUE, keep=True), Thing(GAMMA_SHIRT, {**RED, "b": False})),
            upgrade(Thing(GAMMA_SHIRT, {**RED, "b": False})),
            Touched(Thing(GAMMA_SHIRT).ref, {"spec": {"b": "x"}}),
        ),
        upgrade(Thing(STABLE_SHIRT, RED, keep=True), Thing(GAMMA_SHIRT, {**RED, "b": False})),
    ),
    Scenario(
        "one kept, one new",
        "a kept Shirt, changed, and the object of the same name new",
        reinstall(Thing(BETA_SHIRT, BLUE, keep=True)),
        install(Thing(BETA_SHIRT, RED, keep=True), Thing(STABLE_SHIRT, GREEN)),
    ),
    Scenario(
        "upgrade of both, one edited live, not corrected",
        "another manager set a field of one that the object of the same name has, which comes back without it",
        (
            install(Thing(BETA_SHIRT, {**RED, "c": 1}, keep=True), Thing(GAMMA_SHIRT, RED)),
            upgrade(Thing(GAMMA_SHIRT, RED)),
            Touched(Thing(GAMMA_SHIRT).ref, {"spec": {"c": 2}}),
        ),
        upgrade(Thing(BETA_SHIRT, RED, keep=True), Thing(GAMMA_SHIRT, RED)),
    ),
    Scenario(
        "built-in and custom kind, built-in first",
        "a kept ConfigMap and a custom one",
        reinstall(CORE, CUSTOM),
        install(CORE, CUSTOM),
    ),
    Scenario(
        "built-in and custom kind, custom first",
        "the same in the other order",
        reinstall(CUSTOM, CORE),
        install(CUSTOM, CORE),
    ),
    Scenario(
        "built-in and custom kind, changed",
        "the same, both changed",
        reinstall(CORE, CUSTOM),
        install(
            Thing(CONFIG_MAP, {"a": "2", "b": "3"}, keep=True),
            Thing(CUSTOM_CONFIG_MAP, {**RED, "m": {"a": 1}}, keep=True),
        ),
    ),
    Scenario(
        "three groups",
        "three kept Shirts of one name, all changed",
        reinstall(*kept(BLUE, GREEN), Thing(GAMMA_SHIRT, BLACK, keep=True)),
        install(*kept(RED, BLACK), Thing(GAMMA_SHIRT, BLUE, keep=True)),
    ),
    Scenario(
        "flags",
        "two kept cluster-scoped Flags of one name, one changed",
        reinstall(Thing(BETA_FLAG, BLUE, keep=True), Thing(STABLE_FLAG, GREEN, keep=True)),
        install(Thing(BETA_FLAG, BLUE, keep=True), Thing(STABLE_FLAG, RED, keep=True)),
    ),
    Scenario(
        "two namespaces",
        "one name in two namespaces is not a collision",
        reinstall(Thing(BETA_SHIRT, BLUE, keep=True), Thing(STABLE_SHIRT, GREEN, keep=True, namespace=OTHER)),
        install(Thing(BETA_SHIRT, BLUE, keep=True), Thing(STABLE_SHIRT, GREEN, keep=True, namespace=OTHER)),
    ),
)
