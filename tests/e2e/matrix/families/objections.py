"""What the API server objects to: immutable fields, exported objects, fields of another manager."""

from __future__ import annotations

from postrender.planner.policy import Adopt, OnDrift
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, CUSTOM_CONFIG_MAP, ROLE_BINDING, STABLE_FLAG, STABLE_SHIRT
from tests.e2e.matrix.steps import Applied, Deleted, Flag, Scenario, Thing, Touched, install, reinstall, upgrade

EXPORTED = {
    "resourceVersion": "1",
    "uid": "11111111-1111-1111-1111-111111111111",
    "creationTimestamp": "2024-01-01T00:00:00Z",
}
SHIRT = Thing(STABLE_SHIRT, {"color": "blue"}, keep=True)
FLAG = Thing(STABLE_FLAG, {"color": "blue"}, keep=True)
CFG = Thing(CONFIG_MAP, {"a": "1"})
KEPT = Thing(CONFIG_MAP, {"a": "1"}, keep=True)


def binding(role: str) -> Thing:
    """A kept RoleBinding."""
    return Thing(
        ROLE_BINDING, {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}, name="rb", keep=True
    )


SCENARIOS = (
    Scenario(
        "immutable field changes",
        "a kept RoleBinding with another roleRef",
        reinstall(binding("a")),
        install(binding("b")),
    ),
    Scenario(
        "exported object, live",
        "an exported manifest over a kept Shirt",
        reinstall(SHIRT),
        install(Thing(STABLE_SHIRT, {"color": "blue"}, keep=True, more=EXPORTED)),
    ),
    Scenario(
        "exported object, new",
        "an exported manifest of a new object",
        (),
        install(Thing(STABLE_SHIRT, {"color": "blue"}, more=EXPORTED)),
    ),
    Scenario(
        "field conflict with another manager",
        "another manager set the field that an upgrade changes",
        (install(CFG), Touched(CFG.ref, {"data": {"a": "9"}})),
        upgrade(Thing(CONFIG_MAP, {"a": "2"})),
    ),
    Scenario(
        "field conflict on a kept custom resource",
        "another manager set the field that a reinstall changes",
        (*reinstall(SHIRT), Touched(SHIRT.ref, {"spec": {"color": "grey"}})),
        install(Thing(STABLE_SHIRT, {"color": "red"}, keep=True)),
    ),
    Scenario(
        "field conflict, --force-conflicts",
        "the same with --force-conflicts",
        (*reinstall(SHIRT), Touched(SHIRT.ref, {"spec": {"color": "grey"}})),
        install(Thing(STABLE_SHIRT, {"color": "red"}, keep=True), flags=(Flag.FORCE_CONFLICTS,)),
    ),
    Scenario(
        "twice, new",
        "a chart has one object twice, and it is new",
        (),
        install(CFG, Thing(CONFIG_MAP, {"b": "1"})),
    ),
    Scenario(
        "twice, new next to a kept one",
        "the same next to a kept Shirt",
        reinstall(SHIRT),
        install(SHIRT, CFG, Thing(CONFIG_MAP, {"b": "1"})),
    ),
    Scenario(
        "twice, a new Shirt next to a kept ConfigMap",
        "a chart has a Shirt twice, which is new",
        reinstall(KEPT),
        install(KEPT, Thing(STABLE_SHIRT, {"color": "blue"}), Thing(STABLE_SHIRT, {"color": "red"})),
    ),
    Scenario(
        "twice, live",
        "a chart has a kept object twice",
        reinstall(KEPT),
        install(KEPT, Thing(CONFIG_MAP, {"b": "1"}, keep=True)),
    ),
    Scenario(
        "twice, upgraded",
        "an upgrade has an object twice",
        (install(CFG),),
        upgrade(CFG, Thing(CONFIG_MAP, {"b": "1"})),
    ),
    Scenario(
        "twice, Shirt live",
        "a chart has a kept Shirt twice",
        reinstall(SHIRT),
        install(SHIRT, Thing(STABLE_SHIRT, {"color": "red"}, keep=True)),
    ),
    Scenario(
        "twice, adopted",
        "a chart has twice an object that kubectl applied",
        (Applied(CFG), Applied(SHIRT)),
        install(CFG, CFG, SHIRT, Thing(STABLE_SHIRT, {"color": "red"}, keep=True)),
        adopt=(Adopt.UNMANAGED,),
    ),
    Scenario(
        "twice, next to what the next upgrade applies",
        "a chart has a kept Flag twice, and a kept Shirt gets a label",
        reinstall(SHIRT, FLAG),
        install(
            Thing(STABLE_SHIRT, {"color": "blue"}, keep=True, labels={"a": "v"}),
            FLAG,
            Thing(STABLE_FLAG, {"color": "red", "size": "M"}, keep=True),
        ),
    ),
    Scenario(
        "twice, applied first",
        "a chart has a kept Shirt twice, with --on-drift apply",
        reinstall(SHIRT),
        install(SHIRT, Thing(STABLE_SHIRT, {"color": "red"}, keep=True)),
        on_drift=OnDrift.APPLY,
    ),
    Scenario(
        "twice, and the last one is as before",
        "an upgrade has a Shirt twice, and Helm sends nothing for the last one",
        (install(SHIRT),),
        upgrade(Thing(STABLE_SHIRT, {"color": "red"}, keep=True), SHIRT),
    ),
    Scenario(
        "twice, and the last one is as before, applied first",
        "the same with --on-drift apply",
        (install(SHIRT),),
        upgrade(Thing(STABLE_SHIRT, {"color": "red"}, keep=True), SHIRT),
        on_drift=OnDrift.APPLY,
    ),
    Scenario(
        "twice, new next to the object of the same name",
        "a ConfigMap is new and there twice, a custom one of its name is live",
        reinstall(Thing(CUSTOM_CONFIG_MAP, {"a": "1"}, keep=True)),
        install(Thing(CUSTOM_CONFIG_MAP, {"a": "1"}, keep=True), CFG, Thing(CONFIG_MAP, {"b": "1"})),
    ),
    Scenario(
        "twice, new next to a stored object of the same name",
        "an upgrade adds a Shirt, which is there twice, next to the object of the same name",
        (install(Thing(BETA_SHIRT, {"color": "blue", "size": "M"})),),
        upgrade(
            Thing(BETA_SHIRT, {"color": "blue", "size": "M"}),
            Thing(STABLE_SHIRT, {"color": "red", "c": {"a": None, "b": 1}}),
            Thing(STABLE_SHIRT, {"color": "red", "c": {"a": None, "b": 1}}),
        ),
    ),
    Scenario(
        "twice, stored and gone",
        "another manager deleted a ConfigMap and a Shirt, which come back and are there twice",
        (install(CFG, SHIRT), Deleted(CFG.ref), Deleted(SHIRT.ref)),
        upgrade(
            Thing(CONFIG_MAP, {"a": "2"}),
            CFG,
            Thing(STABLE_SHIRT, {"color": "red"}, keep=True),
            SHIRT,
        ),
    ),
    Scenario(
        "twice, both with a resourceVersion",
        "a kept custom ConfigMap is there twice, after a core one of its name",
        reinstall(KEPT, Thing(CUSTOM_CONFIG_MAP, {"a": "1"}, keep=True)),
        install(
            KEPT,
            Thing(CUSTOM_CONFIG_MAP, {"a": "2"}, keep=True),
            Thing(CUSTOM_CONFIG_MAP, {"b": "1"}, keep=True),
        ),
    ),
    Scenario(
        "twice, Shirt upgraded",
        "an upgrade has a Shirt twice",
        (install(SHIRT),),
        upgrade(SHIRT, Thing(STABLE_SHIRT, {"color": "red"}, keep=True)),
    ),
    Scenario(
        "new in an upgrade",
        "an upgrade added a ConfigMap, the next one changes it",
        (install(CFG), upgrade(CFG, Thing(CONFIG_MAP, {"a": "1"}, name="b"))),
        upgrade(CFG, Thing(CONFIG_MAP, {"a": "2"}, name="b")),
    ),
    Scenario(
        "new in an upgrade, a field leaves in the next",
        "an upgrade added a Shirt, the next one has a field and a label less",
        (install(CFG), upgrade(CFG, Thing(STABLE_SHIRT, {"color": "red", "b": 1}, labels={"a": "v"}))),
        upgrade(CFG, Thing(STABLE_SHIRT, {"color": "red"})),
    ),
)
