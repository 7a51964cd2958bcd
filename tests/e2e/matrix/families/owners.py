"""Objects of another manager, of a release that is gone, and of one that lives."""

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
        "unowned custom resource, --take-ownership",
        "a Shirt of kubectl's, --take-ownership",
        (Applied(SHIRT_OLD),),
        install(SHIRT_NEW, flags=TAKE),
    ),
    Scenario(
        "unowned custom resource, unchanged, --take-ownership",
        "the same, with the same spec",
        (Applied(SHIRT_OLD),),
        install(SHIRT_OLD, flags=TAKE),
    ),
    Scenario(
        "unowned custom resource in an upgrade, --take-ownership",
        "a Shirt of kubectl's, upgrade --take-ownership",
        (install(OTHERS), Applied(SHIRT_OLD)),
        upgrade(SHIRT_NEW, OTHERS, flags=TAKE),
    ),
    Scenario("no Helm owner", "a ConfigMap of kubectl's", (Applied(MAP_OLD),), install(MAP_NEW)),
    Scenario(
        "no Helm owner, --adopt unmanaged",
        "the same with --adopt unmanaged",
        (Applied(MAP_OLD),),
        install(MAP_NEW),
        (Adopt.UNMANAGED,),
    ),
    Scenario(
        "owned by an uninstalled release",
        "kept by release old, which is gone",
        reinstall(MAP_OLD, release="old"),
        install(MAP_NEW),
    ),
    Scenario(
        "owned by an uninstalled release, --adopt orphans",
        "the same with --adopt orphans",
        reinstall(MAP_OLD, release="old"),
        install(MAP_NEW),
        (Adopt.ORPHANS,),
    ),
    Scenario(
        "custom resource of an uninstalled release, --adopt orphans",
        "a Shirt kept by release old, --adopt orphans",
        reinstall(SHIRT_OLD, release="old"),
        install(SHIRT_NEW),
        (Adopt.ORPHANS,),
    ),
    Scenario(
        "custom resource without an owner, --adopt unmanaged",
        "a Shirt of kubectl's, --adopt unmanaged",
        (Applied(SHIRT_OLD),),
        install(SHIRT_NEW),
        (Adopt.UNMANAGED,),
    ),
    Scenario(
        "owned by another installed release",
        "a ConfigMap of installed release old",
        (install(MAP_OLD, release="old"),),
        install(MAP_NEW),
    ),
    Scenario(
        "owned by another installed release, --take-ownership",
        "the same with --take-ownership",
        (install(MAP_OLD, release="old"),),
        install(MAP_NEW, flags=TAKE),
    ),
    Scenario(
        "adopted by another release, then upgrade of the first",
        "new took a ConfigMap of old's; old is upgraded",
        (install(LOOSE, release="old"), install(MAP_NEW, release="new", flags=TAKE, may_fail=True)),
        upgrade(LOOSE, release="old"),
    ),
    Scenario(
        "adopted from a release that is uninstalled",
        "new took a ConfigMap of old's, old was uninstalled, new is upgraded",
        (
            install(LOOSE, release="old"),
            install(MAP_NEW, release="new", flags=TAKE, may_fail=True),
            Uninstall("old"),
        ),
        upgrade(MAP_NEW, release="new"),
    ),
    Scenario(
        "object is being deleted",
        "a kept Shirt that is being deleted",
        (*reinstall(SHIRT_OLD), Deleted(SHIRT_OLD.ref, finalizer=True)),
        install(SHIRT_OLD),
    ),
)
