"""Objects of somebody else, of a release that is gone, and of one that lives."""

from __future__ import annotations

from postrender.planner.policy import Adopt
from tests.e2e.kinds import CONFIG_MAP, STABLE_SHIRT
from tests.e2e.matrix.steps import Applied, Deleted, Flag, Scenario, Thing, Uninstall, install, reinstall, upgrade

OLD = {"color": "blue", "size": "M"}
NEW = {"color": "red"}
SHIRT_OLD, SHIRT_NEW = Thing(STABLE_SHIRT, OLD, keep=True), Thing(STABLE_SHIRT, NEW, keep=True)
MAP_OLD, MAP_NEW = Thing(CONFIG_MAP, {"a": "1"}, keep=True), Thing(CONFIG_MAP, {"a": "2"}, keep=True)
LOOSE = Thing(CONFIG_MAP, {"a": "1"})
OTHERS = Thing(CONFIG_MAP, {"z": "1"}, name="other")
TAKE = (Flag.TAKE_OWNERSHIP,)

SCENARIOS = (
    Scenario(
        "H7 taken", "a Shirt of kubectl's, --take-ownership", (Applied(SHIRT_OLD),), install(SHIRT_NEW, flags=TAKE)
    ),
    Scenario(
        "H7 taken, same",
        "the same, with the very spec",
        (Applied(SHIRT_OLD),),
        install(SHIRT_OLD, flags=TAKE),
    ),
    Scenario(
        "H8 taken in an upgrade",
        "a Shirt of kubectl's, upgrade --take-ownership",
        (install(OTHERS), Applied(SHIRT_OLD)),
        upgrade(SHIRT_NEW, OTHERS, flags=TAKE),
    ),
    Scenario("H9 unmanaged", "a ConfigMap of kubectl's", (Applied(MAP_OLD),), install(MAP_NEW)),
    Scenario(
        "H9 unmanaged, adopted",
        "the same with --adopt unmanaged",
        (Applied(MAP_OLD),),
        install(MAP_NEW),
        (Adopt.UNMANAGED,),
    ),
    Scenario("H9 orphan", "kept by release old, which is gone", reinstall(MAP_OLD, release="old"), install(MAP_NEW)),
    Scenario(
        "H9 orphan, adopted",
        "the same with --adopt orphans",
        reinstall(MAP_OLD, release="old"),
        install(MAP_NEW),
        (Adopt.ORPHANS,),
    ),
    Scenario(
        "H9 orphan Shirt, adopted",
        "a Shirt kept by release old, --adopt orphans",
        reinstall(SHIRT_OLD, release="old"),
        install(SHIRT_NEW),
        (Adopt.ORPHANS,),
    ),
    Scenario(
        "H9 unmanaged Shirt, adopted",
        "a Shirt of kubectl's, --adopt unmanaged",
        (Applied(SHIRT_OLD),),
        install(SHIRT_NEW),
        (Adopt.UNMANAGED,),
    ),
    Scenario("H10 living", "a ConfigMap of living release old", (install(MAP_OLD, release="old"),), install(MAP_NEW)),
    Scenario(
        "H10 living, taken",
        "the same with --take-ownership",
        (install(MAP_OLD, release="old"),),
        install(MAP_NEW, flags=TAKE),
    ),
    Scenario(
        "H12 stolen before",
        "new took a ConfigMap of old's; old is upgraded",
        (install(LOOSE, release="old"), install(MAP_NEW, release="new", flags=TAKE, may_fail=True)),
        upgrade(LOOSE, release="old"),
    ),
    Scenario(
        "H12 old owner is gone",
        "new took a ConfigMap of old's, old was uninstalled, new is upgraded",
        (
            install(LOOSE, release="old"),
            install(MAP_NEW, release="new", flags=TAKE, may_fail=True),
            Uninstall("old"),
        ),
        upgrade(MAP_NEW, release="new"),
    ),
    Scenario(
        "H20 terminating",
        "a kept Shirt that is being deleted",
        (*reinstall(SHIRT_OLD), Deleted(SHIRT_OLD.ref, finalizer=True)),
        install(SHIRT_OLD),
    ),
)
