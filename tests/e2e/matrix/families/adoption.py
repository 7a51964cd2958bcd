"""One object that is live and comes with another content."""

from __future__ import annotations

from postrender.planner.policy import OnDrift
from tests.e2e.kinds import CONFIG_MAP, STABLE_SHIRT
from tests.e2e.matrix.steps import Flag, Scenario, Thing, Touched, install, reinstall, upgrade

OLD = {"color": "blue", "size": "M"}
NEW = {"color": "red"}
OTHERS = Thing(CONFIG_MAP, {"z": "1"}, name="other")


def shirt(spec: object, keep: bool | str = True) -> Thing:
    """A Shirt."""
    return Thing(STABLE_SHIRT, spec, keep=keep)


def config(data: object) -> Thing:
    """A kept ConfigMap."""
    return Thing(CONFIG_MAP, data, keep=True)


START = reinstall(shirt(OLD))
DEEP_OLD = {"color": "blue", "a": {"b": {"c": 1, "d": [1, {"e": 2}]}, "f": {}}, "g": "x"}
DEEP_NEW = {"color": "blue", "a": {"b": {"c": 2, "d": [1, {"e": 3}]}, "h": {}}, "i": None}

SCENARIOS = (
    Scenario("kept custom resource, unchanged", "a kept Shirt, reinstalled", START, install(shirt(OLD))),
    Scenario("kept custom resource, changed", "a kept Shirt, one field changed, one gone", START, install(shirt(NEW))),
    Scenario(
        "kept custom resource, nested change",
        "nested maps, lists, a null and an empty map",
        reinstall(shirt(DEEP_OLD)),
        install(shirt(DEEP_NEW)),
    ),
    Scenario(
        "kept custom resource, applied server-side before",
        "with --on-drift apply",
        START,
        install(shirt(NEW)),
        on_drift=OnDrift.APPLY,
    ),
    Scenario(
        "kept custom resource, changed, --force",
        "reinstalled with --force",
        START,
        install(shirt(NEW), flags=(Flag.FORCE,)),
    ),
    Scenario(
        "kept custom resource, --take-ownership",
        "reinstalled with --take-ownership",
        START,
        install(shirt(NEW), flags=(Flag.TAKE_OWNERSHIP,)),
    ),
    Scenario(
        "kept custom resource, chart without keep",
        "the new chart does not keep it",
        START,
        install(shirt(NEW, keep=False)),
    ),
    Scenario(
        "kept built-in object, changed",
        "a kept ConfigMap, changed, one key gone",
        reinstall(config({"a": "1", "b": "2"})),
        install(config({"a": "3", "c": "4"})),
    ),
    Scenario(
        "kept custom resource, edited live",
        "another manager set a field, and changed one",
        (*START, Touched(shirt(OLD).ref, {"spec": {"size": "XL", "theirs": {"a": 1}}})),
        install(shirt({**NEW, "size": "L"})),
    ),
    Scenario(
        "kept custom resource returns in an upgrade",
        "a kept Shirt left the chart in an upgrade and comes back",
        (install(shirt(OLD), OTHERS), upgrade(OTHERS)),
        upgrade(shirt(NEW), OTHERS),
    ),
    Scenario(
        "kept custom resource returns in an upgrade, --force",
        "the same with --force",
        (install(shirt(OLD), OTHERS), upgrade(OTHERS)),
        upgrade(shirt(NEW), OTHERS, flags=(Flag.FORCE,)),
    ),
    Scenario(
        "kept custom resource, only nulls",
        "a kept Shirt, and a map of nothing but nulls where a value was",
        reinstall(shirt({"color": "blue", "a": True})),
        install(shirt({"color": "blue", "a": {"b": {"d": None}}})),
    ),
    Scenario(
        "kept custom resource, only nulls, applied server-side before",
        "the same with --on-drift apply",
        reinstall(shirt({"color": "blue", "a": True})),
        install(shirt({"color": "blue", "a": {"b": {"d": None}}})),
        on_drift=OnDrift.APPLY,
    ),
    Scenario(
        "kept custom resource, a null in the chart",
        "a kept Shirt, and a map that the chart has as null now",
        reinstall(shirt({"color": "blue", "a": {"b": 1}})),
        install(shirt({"color": "blue", "a": None})),
    ),
    Scenario(
        "emptied map",
        "an upgrade empties a map that had entries",
        (install(shirt({"color": "blue", "a": {"b": 1}})),),
        upgrade(shirt({"color": "blue", "a": {}})),
    ),
    Scenario(
        "empty data",
        "a ConfigMap without data gets a label",
        (install(Thing(CONFIG_MAP, {})),),
        upgrade(Thing(CONFIG_MAP, {}, labels={"a": "b"})),
    ),
    Scenario(
        "field removed by another manager",
        "another manager removed a field that an upgrade has as before",
        (install(shirt(OLD)), Touched(shirt(OLD).ref, {"spec": {"size": None}})),
        upgrade(shirt({**OLD, "color": "red"})),
    ),
    Scenario(
        "untrue release",
        "a reinstall that changed nothing stored what was not live; an upgrade goes on from that",
        (*START, install(shirt(NEW), may_fail=True)),
        upgrade(shirt({**NEW, "new": 1})),
    ),
    Scenario(
        "untrue release, applied first",
        "the same with --on-drift apply",
        (*START, install(shirt(NEW), may_fail=True)),
        upgrade(shirt({**NEW, "new": 1})),
        on_drift=OnDrift.APPLY,
    ),
    Scenario(
        "untrue release, emptied map",
        "the same, and a map comes back empty",
        (
            *reinstall(shirt({"color": "blue", "a": {"b": 1}})),
            install(shirt({"color": "blue", "a": "x"}), may_fail=True),
        ),
        upgrade(shirt({"color": "blue", "a": {}})),
    ),
    Scenario(
        "untrue release, only a remainder",
        "a reinstall left a field of a Shirt behind; all that it stored is live",
        (*START, install(shirt({"color": "blue"}), may_fail=True)),
        upgrade(shirt({"color": "red"})),
    ),
    Scenario(
        "untrue release, built in",
        "a reinstall left a key of a ConfigMap behind; an upgrade goes on from that",
        (*reinstall(config({"a": "1", "b": "2"})), install(config({"a": "1"}), may_fail=True)),
        upgrade(config({"a": "2"})),
    ),
    Scenario(
        "untrue release, built in, applied first",
        "the same with --on-drift apply",
        (*reinstall(config({"a": "1", "b": "2"})), install(config({"a": "1"}), may_fail=True)),
        upgrade(config({"a": "2"})),
        on_drift=OnDrift.APPLY,
    ),
    Scenario("upgrade", "a plain upgrade", (install(shirt(OLD)),), upgrade(shirt(NEW))),
    Scenario("upgrade deep", "a plain upgrade of nested fields", (install(shirt(DEEP_OLD)),), upgrade(shirt(DEEP_NEW))),
    Scenario(
        "upgrade after another manager's change",
        "another manager changed and added fields before the upgrade",
        (install(shirt(OLD)), Touched(shirt(OLD).ref, {"spec": {"size": "XL", "theirs": {"a": 1}}})),
        upgrade(shirt({**NEW, "size": "M"})),
    ),
)
