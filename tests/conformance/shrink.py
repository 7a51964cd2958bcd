"""A case that goes wrong, made smaller as long as it goes wrong in the same way."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.conformance.cases import Case
from tests.conformance.changes import Place, at, places
from tests.conformance.play import Player, Result
from tests.conformance.server import Server
from tests.e2e.api import Object

ROUNDS = 8
AT_ONCE = 12


def shrunk(result: Result, player: Player, server: Server) -> Result:
    """The smallest case found in some rounds, played; each round leaves out what it can, the larger parts first."""
    apply = result.helm.startswith("4.")
    tried: set[Place] = set()
    for _ in range(ROUNDS):
        smaller = []
        for place in _places(result.case):
            case = without(result.case, [place])
            if place not in tried and case is not None and _taken(server, case, apply=apply):
                smaller.append((place, case))
            if len(smaller) == AT_ONCE:
                break
        if not smaller:
            break
        tried |= {place for place, _ in smaller}
        played = player.candidates([case for _, case in smaller])
        gone = [place for (place, _), each in zip(smaller, played, strict=True) if same(each, result)]
        for some in ([gone] if len(gone) > 1 else []) + [[place] for place in gone[:2]]:
            case = without(result.case, some)
            if case is not None and _taken(server, case, apply=apply):
                found = player.one(case)
                if same(found, result):
                    result = found
                    break
    return result


def same(one: Result, other: Result) -> bool:
    """Whether both went wrong in the same way: the verdict, and one of the fields in question."""
    if one.verdict is not other.verdict or bool(one.mispredicted) != bool(other.mispredicted):
        return False
    fields = [{each.fields for each in (*found.differs, *found.mispredicted)} for found in (one, other)]
    return not fields[1] or bool(fields[0] & fields[1])


def without(case: Case, gone: Sequence[Place]) -> Case | None:
    """The case without these places in any of its objects; ``None`` where that leaves nothing of the change."""
    old, between, new = (_without(body, gone) for body in (case.old, case.between, case.new))
    if (old == new) is not (case.old == case.new):
        return None
    return replace(case, old=old, between=between, new=new)


def _without(body: Object, gone: Sequence[Place]) -> Object:
    made = copy.deepcopy(body)
    for place in sorted(gone, key=lambda place: [(isinstance(step, str), step) for step in place], reverse=True):
        parent = _at(made, place[:-1])
        if isinstance(parent, dict):
            parent.pop(place[-1], None)
        elif isinstance(parent, list) and isinstance(place[-1], int) and place[-1] < len(parent):
            del parent[place[-1]]
    return made


def _places(case: Case) -> Iterator[Place]:
    """What may leave, the outer parts first; an entry of a list only where it is the same in both charts."""
    found = {**dict.fromkeys(places(case.new)), **dict.fromkeys(places(case.old))}
    for place in sorted(found, key=len):
        if isinstance(place[-1], str) or _at(case.old, place) == _at(case.new, place):
            yield place


def _at(body: Any, place: Place) -> Any:
    try:
        return at(body, place)
    except (KeyError, IndexError, TypeError):
        return None


def _taken(server: Server, case: Case, *, apply: bool) -> bool:
    kinds = ((server.kind(body), body) for body in (case.old, case.between, case.new))
    return all(kind is not None and server.takes(kind, body, apply=apply) for kind, body in kinds)
