"""Random scenarios, each made anew from its seed and number."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from postrender.planner.policy import Adopt, OnDrift
from tests.e2e.kinds import (
    BETA_FLAG,
    BETA_SHIRT,
    CONFIG_MAP,
    CUSTOM_CONFIG_MAP,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    GAMMA_SHIRT,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    STABLE_FLAG,
    STABLE_SHIRT,
    Kind,
)
from tests.e2e.matrix.steps import (
    OTHER,
    Applied,
    Column,
    Flag,
    Ref,
    Run,
    Scenario,
    Step,
    Thing,
    Touched,
    install,
    reinstall,
    upgrade,
)

KINDS = (STABLE_SHIRT, BETA_SHIRT, GAMMA_SHIRT, STABLE_FLAG, BETA_FLAG, CUSTOM_CONFIG_MAP, CONFIG_MAP)
BUILT_IN = (DEPLOYMENT, DISRUPTION_BUDGET, NETWORK_POLICY, ROLE, SERVICE)
"""Kinds that Helm 3 patches with the lists and keys of their Go types."""
OLDER = "3.21.4"
"""The Helm 3 that made what Helm 4 meets."""
KEEP: tuple[bool | str, ...] = (True, True, True, True, False, "Keep", "keep ", " KEEP", "delete")
FIELDS = ("a", "b", "c", "d")
REFUSED = Thing(ROLE_BINDING, {"apiGroup": "rbac.authorization.k8s.io", "kind": "Nobody", "name": "x"}, name="refused")
"""What the API server never makes; asked about beforehand only beside what is live."""
Things: TypeAlias = tuple[Thing, ...]
Start: TypeAlias = tuple[tuple[Step, ...], Run, Things]
"""Steps, the run that is looked at, and the objects that are live before it with every Helm."""


def draw(seed: int, number: int, columns: Sequence[Column]) -> tuple[Scenario, Column]:
    """The scenario of that number, and the Helm to play it with; the same ones whenever they are asked for."""
    chance = random.Random(f"{seed}:{number}")
    column = chance.choice(columns)
    old = tuple(_things(chance))
    new = _changed(chance, old)
    start = chance.choice(_STARTS)
    before, run, there = start(chance, old, new)
    if column.helm.major >= 4 and chance.random() < 0.2:
        before = tuple(
            replace(step, helm=OLDER) if isinstance(step, Run) and not step.flags else step for step in before
        )
    before = (*before, *_touches(chance, there))
    live = {thing.ref for thing in there} & {thing.ref for thing in run.things}
    if live and chance.random() < 0.08:
        run = replace(run, things=(*run.things, REFUSED))
    if chance.random() < 0.04:
        again = chance.choice(run.things)
        run = replace(run, things=(*run.things, replace(again, content=_mutated(chance, again, run.things))))
    flags = tuple(
        flag
        for flag, share in (
            (Flag.FORCE, 0.1),
            (Flag.TAKE_OWNERSHIP, 0.15),
            (Flag.FORCE_CONFLICTS, 0.2),
            (Flag.ATOMIC, 0.2),
        )
        if flag.exists(column, run.action) and chance.random() < share and _heeded(flag, before, run)
    )
    adopt = tuple(each for each in Adopt if chance.random() < 0.5)
    on_drift = OnDrift.APPLY if chance.random() < 0.2 else OnDrift.STORE
    about = f"{start.__name__.strip('_').replace('_', ' ')} of {len(old)} objects"
    return Scenario(f"{seed}:{number}", about, before, replace(run, flags=flags), adopt, on_drift), column


def _heeded(flag: Flag, before: Sequence[Step], run: Run) -> bool:
    """Whether Helm takes the flag there, and ends: no controller makes a Deployment ready."""
    if flag is Flag.ATOMIC:
        return all(thing.kind is not DEPLOYMENT for thing in run.things)
    # A release that Helm 3 made is upgraded client-side.
    return flag is not Flag.FORCE_CONFLICTS or not any(isinstance(step, Run) and step.helm for step in before)


def _reinstalled(_: random.Random, old: Things, new: Things) -> Start:
    return reinstall(*old), install(*new), _kept(old)


def _upgraded(_: random.Random, old: Things, new: Things) -> Start:
    return (install(*old),), upgrade(*new), old


def _upgraded_twice(chance: random.Random, old: Things, new: Things) -> Start:
    return (install(*old), upgrade(*_changed(chance, old, drop=0.0))), upgrade(*new), old


def _reinstalled_then_upgraded(chance: random.Random, old: Things, new: Things) -> Start:
    again = _changed(chance, old, drop=0.0)
    return (*reinstall(*old), install(*again, may_fail=True)), upgrade(*new), _kept(old)


def _orphaned(_: random.Random, old: Things, new: Things) -> Start:
    return reinstall(*old, release="old"), install(*new), _kept(old)


def _owned_by_another(chance: random.Random, old: Things, new: Things) -> Start:
    theirs = old[: chance.randint(1, len(old))]
    return (install(*theirs, release="old"),), install(*new), theirs


def _applied_by_hand(chance: random.Random, old: Things, new: Things) -> Start:
    theirs = old[: chance.randint(1, len(old))]
    return tuple(Applied(thing) for thing in theirs), install(*new), theirs


def _come_back_in_an_upgrade(chance: random.Random, old: Things, new: Things) -> Start:
    rest = Thing(CONFIG_MAP, {"z": "1"}, name="rest")
    some = chance.sample(old, chance.randint(0, len(old) - 1))
    return (install(*old, rest), upgrade(*some, rest)), upgrade(*new, rest), _kept(old)


_STARTS = (
    _reinstalled,
    _reinstalled,
    _upgraded,
    _upgraded_twice,
    _reinstalled_then_upgraded,
    _orphaned,
    _owned_by_another,
    _applied_by_hand,
    _come_back_in_an_upgrade,
)


def _things(chance: random.Random) -> list[Thing]:
    """One to four objects, most of one name."""
    found: dict[Ref, Thing] = {}
    for _ in range(chance.randint(1, 4)):
        thing = _thing(chance)
        found.setdefault(thing.ref, thing)
    return list(found.values())


def _thing(chance: random.Random) -> Thing:
    kind = chance.choice(KINDS if chance.random() < 0.7 else BUILT_IN)
    return Thing(
        kind,
        _content(chance, kind),
        name="shirt" if chance.random() < 0.85 else "other",
        keep=chance.choice(KEEP),
        namespace=OTHER if kind.namespaced and chance.random() < 0.15 else "",
        labels={"a": chance.choice("uv")} if chance.random() < 0.3 else {},
        annotations={"b": chance.choice("uv")} if chance.random() < 0.3 else {},
    )


def _content(chance: random.Random, kind: Kind) -> Any:
    if kind in BUILT_IN:
        return _CONTENTS[kind](chance)
    if kind is CONFIG_MAP:
        return {name: chance.choice("123") for name in FIELDS if chance.random() < 0.6}
    fields = {name: _value(chance, 2) for name in FIELDS if chance.random() < 0.5}
    return {"color": chance.choice(("red", "blue")), **fields}


def _rules(chance: random.Random) -> Any:
    verbs = [verb for verb in ("get", "list", "watch") if chance.random() < 0.6]
    resources = [{"apiGroups": [""], "resources": [name], "verbs": verbs or ["get"]} for name in ("pods", "secrets")]
    return resources[: chance.randint(0, 2)] or None


def _budget(chance: random.Random) -> Any:
    selector = {"selector": {"matchLabels": _labels(chance)}} if chance.random() < 0.8 else {}
    return {chance.choice(("minAvailable", "maxUnavailable")): chance.choice((1, "50%")), **selector}


def _network_policy(chance: random.Random) -> Any:
    rules = {"ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}], "egress": [{"to": [{"podSelector": {}}]}]}
    there = {name: rule for name, rule in rules.items() if chance.random() < 0.6}
    return {"podSelector": {"matchLabels": _labels(chance)}, "policyTypes": ["Ingress", "Egress"], **there}


def _service(chance: random.Random) -> Any:
    ports = [{"name": name, "port": port, "protocol": "TCP", "targetPort": port} for name, port in _PORTS]
    return {
        "clusterIP": "None",
        "clusterIPs": ["None"],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [port for port in ports if chance.random() < 0.7] or ports,
        "selector": _labels(chance),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


_PORTS = (("http", 80), ("https", 443), ("admin", 9000))


def _deployment(chance: random.Random) -> Any:
    """With all defaults of the API server, so that the chart's object is the whole object."""
    container: dict[str, Any] = {
        "name": "app",
        "image": chance.choice(("x:1", "x:2")),
        "imagePullPolicy": "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    env = [{"name": name, "value": chance.choice("123")} for name in "ABC" if chance.random() < 0.5]
    pod = {
        "containers": [{**container, **({"env": env} if env else {}), **_command(chance)}],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    return {
        "progressDeadlineSeconds": 600,
        "replicas": chance.choice((1, 2, 3)),
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {"app": "x"}},
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": pod},
    }


def _command(chance: random.Random) -> Any:
    return {"command": ["sh", "-c", chance.choice("12")]} if chance.random() < 0.4 else {}


def _labels(chance: random.Random) -> Any:
    return {"app": "x", **{name: chance.choice("12") for name in "ab" if chance.random() < 0.4}}


_CONTENTS: Mapping[Kind, Callable[[random.Random], Any]] = {
    DEPLOYMENT: _deployment,
    DISRUPTION_BUDGET: _budget,
    NETWORK_POLICY: _network_policy,
    ROLE: _rules,
    SERVICE: _service,
}


def _value(chance: random.Random, depth: int) -> Any:
    draw = chance.random()
    if depth and draw < 0.35:
        return {name: _value(chance, depth - 1) for name in FIELDS if chance.random() < 0.5}
    if depth and draw < 0.5:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 2))]
    return chance.choice((1, 2, True, False, "x", "", "1", None, 0, 1.5, {}, []))


def _changed(chance: random.Random, things: Things, drop: float = 0.15) -> Things:
    """The next version of the chart: objects leave, come, and change."""
    stay = [thing for thing in things if chance.random() >= drop]
    result = [
        replace(
            thing,
            content=_mutated(chance, thing, things),
            keep=chance.choice(KEEP) if chance.random() < 0.15 else thing.keep,
            labels={"a": chance.choice("uv")} if chance.random() < 0.2 else thing.labels,
        )
        for thing in stay
    ]
    if not result or chance.random() < 0.15:
        more = _thing(chance)
        if more.ref not in {thing.ref for thing in result}:
            result.append(more)
    if chance.random() < 0.1:
        chance.shuffle(result)
    return tuple(result)


def _mutated(chance: random.Random, thing: Thing, things: Things) -> Any:
    draw = chance.random()
    if draw < 0.35:
        return thing.content
    if thing.kind in BUILT_IN:
        return _content(chance, thing.kind)
    twins = [other.content for other in things if _shared(other.kind, thing.kind)]
    if draw < 0.5:
        return chance.choice(twins)
    fresh = _content(chance, thing.kind)
    return {
        name: fresh.get(name, thing.content.get(name))
        for name in {**thing.content, **fresh}
        if name == "color" or chance.random() < 0.7
    }


def _shared(one: Kind, other: Kind) -> bool:
    """Whether an object of one kind may have the content of one of the other."""
    return one.content == other.content and one not in BUILT_IN


def _kept(things: Things) -> Things:
    """Those that every Helm leaves."""
    return tuple(thing for thing in things if thing.keep is True)


def _touches(chance: random.Random, things: Things) -> list[Touched]:
    """What somebody else does to some objects."""
    return [
        Touched(thing.ref, {thing.kind.content: _content(chance, thing.kind)})
        for thing in things
        if chance.random() < 0.2 and thing.kind not in BUILT_IN
    ]
