"""Which run it is, and how it ends: one that undoes itself, over a failed one, over a remembered one, with hooks."""

from __future__ import annotations

from dataclasses import replace

from postrender.helm.invocation import Action
from postrender.helm.versions import HelmVersion
from tests.e2e.kinds import CONFIG_MAP, ROLE_BINDING, SECRET, STABLE_FLAG, STABLE_SHIRT
from tests.e2e.matrix.steps import Flag, Run, Scenario, Thing, Touched, Uninstall, install, reinstall, upgrade

OLD = {"color": "blue", "size": "M"}
NEW = {"color": "red"}
KEPT, LOOSE = Thing(CONFIG_MAP, {"a": "1"}, keep=True), Thing(CONFIG_MAP, {"a": "2"})
SHIRT_OLD, SHIRT_NEW = Thing(STABLE_SHIRT, OLD, keep=True), Thing(STABLE_SHIRT, NEW, keep=True)
OTHERS = Thing(CONFIG_MAP, {"z": "1"}, name="other")
BAD = Thing(ROLE_BINDING, {"apiGroup": "rbac.authorization.k8s.io", "kind": "Nobody", "name": "x"}, name="bad")
ATOMIC = (Flag.ATOMIC,)
LEFT = (install(KEPT, OTHERS), upgrade(OTHERS))


def upgrade_install(*things: Thing) -> Run:
    """``helm upgrade --install``."""
    return replace(upgrade(*things), action=Action.UPGRADE_INSTALL)


SCENARIOS = (
    Scenario(
        "adopted, not kept, install fails, --atomic",
        "a kept ConfigMap comes back unkept, and the install fails and undoes itself",
        reinstall(KEPT),
        install(LOOSE, BAD, flags=ATOMIC),
    ),
    Scenario(
        "adopted and kept, install fails, --atomic",
        "the same, and the chart keeps it",
        reinstall(KEPT),
        install(KEPT, BAD, flags=ATOMIC),
    ),
    Scenario(
        "adopted, not kept, install fails",
        "the same, unkept, and the install does not undo itself",
        reinstall(KEPT),
        install(LOOSE, BAD),
    ),
    Scenario(
        "adopted by an upgrade that fails, --atomic",
        "a kept ConfigMap comes back unkept in an upgrade that fails and is rolled back",
        LEFT,
        upgrade(LOOSE, OTHERS, BAD, flags=ATOMIC),
    ),
    Scenario(
        "kept object leaves in an upgrade that fails, --atomic",
        "a kept Shirt left the chart in the upgrade that fails and is rolled back",
        (install(SHIRT_OLD, KEPT),),
        upgrade(KEPT, BAD, flags=ATOMIC),
    ),
    Scenario(
        "field conflict, --atomic",
        "an upgrade meets a conflict, and so does its rollback",
        (
            install(SHIRT_OLD, KEPT),
            upgrade(SHIRT_NEW, KEPT),
            Touched(SHIRT_OLD.ref, {"spec": {"color": "grey"}}),
        ),
        upgrade(Thing(STABLE_SHIRT, {"color": "black"}, keep=True), LOOSE, flags=ATOMIC),
    ),
    Scenario(
        "a map with another manager's field leaves, --atomic",
        "an upgrade removes a map with a field of another manager, meets a conflict elsewhere, and is rolled back",
        (
            install(Thing(STABLE_FLAG, {**OLD, "c": {"a": {"d": "1"}}}, keep=True), SHIRT_OLD),
            Touched(Thing(STABLE_FLAG, OLD).ref, {"spec": {"c": {"a": 0}}}),
            Touched(SHIRT_OLD.ref, {"spec": {"color": "grey"}}),
        ),
        upgrade(Thing(STABLE_FLAG, NEW, keep=True), Thing(STABLE_SHIRT, {"color": "black"}, keep=True), flags=ATOMIC),
    ),
    Scenario(
        "atomic, new ones",
        "an upgrade creates objects again, changes some, fails, and is rolled back",
        (install(KEPT), upgrade(LOOSE)),
        upgrade(Thing(CONFIG_MAP, {"c": "1"}), OTHERS, SHIRT_NEW, BAD, flags=ATOMIC),
    ),
    Scenario(
        "atomic",
        "a kept ConfigMap comes back in an install that succeeds",
        reinstall(KEPT),
        install(KEPT, flags=ATOMIC),
    ),
    Scenario(
        "keep only on the live object",
        "the live object alone says keep, and the chart goes on without",
        (install(LOOSE), Touched(LOOSE.ref, {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}})),
        upgrade(LOOSE, OTHERS),
    ),
    Scenario(
        "kept Secret with new values",
        "a kept Secret comes back with other values",
        reinstall(Thing(SECRET, {"password": "b2xk"}, keep=True)),
        install(Thing(SECRET, {"password": "bmV3"}, keep=True)),
    ),
    Scenario(
        "hook with the name of a kept object",
        "a hook has the name of a kept ConfigMap",
        reinstall(KEPT),
        install(Thing(CONFIG_MAP, {"a": "1"}, annotations={"helm.sh/hook": "pre-install"}), OTHERS),
        since=HelmVersion(4, 0, 0),
    ),
    Scenario(
        "hook again",
        "a hook finds what it left the last time",
        reinstall(Thing(CONFIG_MAP, {"a": "1"}, annotations={"helm.sh/hook": "pre-install"}), OTHERS),
        install(Thing(CONFIG_MAP, {"a": "1"}, annotations={"helm.sh/hook": "pre-install"}), OTHERS),
    ),
    Scenario(
        "over a failed install",
        "nothing but a failed revision is stored; an upgrade goes on from it",
        (install(LOOSE, BAD, may_fail=True),),
        upgrade(Thing(CONFIG_MAP, {"b": "3"}), SHIRT_NEW),
    ),
    Scenario(
        "over a failed upgrade",
        "the deployed revision is compared with, not the failed one",
        (install(Thing(CONFIG_MAP, {"a": "1", "b": "1"})), upgrade(LOOSE, BAD, may_fail=True)),
        upgrade(Thing(CONFIG_MAP, {"a": "3"})),
    ),
    Scenario(
        "replace",
        "uninstalled with its history, then installed with --replace",
        (install(SHIRT_OLD, KEPT), Uninstall(keep_history=True)),
        install(SHIRT_NEW, LOOSE, flags=(Flag.REPLACE,)),
    ),
    Scenario(
        "upgrade --install, nothing stored",
        "a kept Shirt and ConfigMap; the upgrade is an install",
        reinstall(SHIRT_OLD, KEPT),
        upgrade_install(SHIRT_NEW, KEPT),
    ),
    Scenario(
        "upgrade --install, stored",
        "the upgrade is one",
        (install(SHIRT_OLD, KEPT),),
        upgrade_install(SHIRT_NEW, KEPT),
    ),
    Scenario(
        "upgrade --install, uninstalled",
        "the release is remembered as uninstalled; the upgrade is an install, where Helm does not fail before it",
        (install(SHIRT_OLD, KEPT), Uninstall(keep_history=True)),
        upgrade_install(SHIRT_NEW, KEPT),
        since=HelmVersion(3, 15, 0),
    ),
)
