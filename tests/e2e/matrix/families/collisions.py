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
        "H1 null beside what comes back",
        "a kept Shirt comes back, and its new namesake has a null",
        (install(Thing(STABLE_SHIRT, {"color": "red", "d": {"b": "x"}}, keep=True), OTHERS), upgrade(OTHERS)),
        upgrade(
            Thing(STABLE_SHIRT, {"color": "blue"}, keep=True), Thing(BETA_SHIRT, {"color": "blue", "d": None}), OTHERS
        ),
    ),
    Scenario("H1 same", "two kept Shirts of one name, reinstalled", SAME, install(*kept(BLUE, GREEN))),
    Scenario("H1 changed", "the same, both changed", SAME, install(*kept(RED, BLACK))),
    Scenario("H1 swapped", "the same, each with the other's spec", SAME, install(*kept(GREEN, BLUE))),
    Scenario("H1 equal", "the same, both with one spec", SAME, install(*kept(RED, RED))),
    Scenario(
        "H1 then upgrade",
        "the reinstall fails or not, then an upgrade changes both",
        (*SAME, install(*kept(BLUE, GREEN), may_fail=True)),
        upgrade(*kept(RED, BLACK)),
    ),
    Scenario("H1 forced", "reinstalled with --force", SAME, install(*kept(RED, BLACK), flags=(Flag.FORCE,))),
    Scenario("P1 labelled", "a label that tells them apart", SAME, install(*kept(BLUE, GREEN, labels={"which": "x"}))),
    Scenario(
        "H2 upgrade pair",
        "an upgrade gives the second what the first has",
        (install(Thing(BETA_SHIRT, {**RED, "size": "M"}), Thing(STABLE_SHIRT, {**BLUE, "size": "L"})),),
        upgrade(Thing(BETA_SHIRT, {**RED, "size": "M"}), Thing(STABLE_SHIRT, {**RED, "size": "M"})),
    ),
    Scenario(
        "H2 other values",
        "an upgrade gives the second other values",
        (install(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLACK)),
    ),
    Scenario(
        "H2 a field leaves",
        "an upgrade takes a field from the second",
        (install(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, {**BLUE, "size": "L"})),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),
    ),
    Scenario(
        "H2 one is new",
        "an upgrade adds a namesake",
        (install(Thing(BETA_SHIRT, RED)),),
        upgrade(Thing(BETA_SHIRT, RED), Thing(STABLE_SHIRT, BLUE)),
    ),
    Scenario(
        "H2 touched",
        "somebody changed a field of one, and its kept namesake comes back",
        (
            install(Thing(STABLE_SHIRT, BLUE, keep=True), Thing(GAMMA_SHIRT, {**RED, "b": False})),
            upgrade(Thing(GAMMA_SHIRT, {**RED, "b": False})),
            Touched(Thing(GAMMA_SHIRT).ref, {"spec": {"b": "x"}}),
        ),
        upgrade(Thing(STABLE_SHIRT, RED, keep=True), Thing(GAMMA_SHIRT, {**RED, "b": False})),
    ),
    Scenario(
        "H1 one is new",
        "a kept Shirt, changed, and its namesake new",
        reinstall(Thing(BETA_SHIRT, BLUE, keep=True)),
        install(Thing(BETA_SHIRT, RED, keep=True), Thing(STABLE_SHIRT, GREEN)),
    ),
    Scenario(
        "H2 touched, not mended",
        "somebody set a field of one that its namesake has, which comes back without it",
        (
            install(Thing(BETA_SHIRT, {**RED, "c": 1}, keep=True), Thing(GAMMA_SHIRT, RED)),
            upgrade(Thing(GAMMA_SHIRT, RED)),
            Touched(Thing(GAMMA_SHIRT).ref, {"spec": {"c": 2}}),
        ),
        upgrade(Thing(BETA_SHIRT, RED, keep=True), Thing(GAMMA_SHIRT, RED)),
    ),
    Scenario("K1 built in first", "a kept ConfigMap and a custom one", reinstall(CORE, CUSTOM), install(CORE, CUSTOM)),
    Scenario("K1 custom first", "the same in the other order", reinstall(CUSTOM, CORE), install(CUSTOM, CORE)),
    Scenario(
        "K1 changed",
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
        "one name in two namespaces is no collision",
        reinstall(Thing(BETA_SHIRT, BLUE, keep=True), Thing(STABLE_SHIRT, GREEN, keep=True, namespace=OTHER)),
        install(Thing(BETA_SHIRT, BLUE, keep=True), Thing(STABLE_SHIRT, GREEN, keep=True, namespace=OTHER)),
    ),
)
