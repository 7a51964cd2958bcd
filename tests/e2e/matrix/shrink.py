"""A scenario that goes wrong, made smaller as long as it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.e2e.matrix.steps import Applied, Ref, Run, Scenario, Step, Thing, Touched

TRIALS = 60


def shrunk(scenario: Scenario, bad: Callable[[Scenario], bool]) -> Scenario:
    """The smallest one found in some trials; ``bad`` plays a scenario."""
    left = TRIALS
    smaller = True
    while smaller and left:
        smaller = False
        for request in _smaller(scenario):
            if not left:
                break
            left -= 1
            if bad(request):
                scenario, smaller = request, True
                break
    return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario without one object, flag, step or field, the larger parts first."""
    for ref in scenario.refs:
        yield _without(scenario, ref)
    for flag in scenario.run.flags:
        rest = tuple(each for each in scenario.run.flags if each is not flag)
        yield replace(scenario, run=replace(scenario.run, flags=rest))
    for place, step in enumerate(scenario.before):
        if isinstance(step, Touched):
            yield replace(scenario, before=(*scenario.before[:place], *scenario.before[place + 1 :]))
    for place, step in enumerate((*scenario.before, scenario.run)):
        for less in _less(step):
            steps = [*scenario.before, scenario.run]
            steps[place] = less
            run = steps.pop()
            assert isinstance(run, Run)
            yield replace(scenario, before=tuple(steps), run=run)


def _without(scenario: Scenario, ref: Ref) -> Scenario:
    before: list[Step] = []
    for step in scenario.before:
        if isinstance(step, Run):
            before.append(_left(step, ref))
        elif isinstance(step, Applied):
            before += [step] if step.thing.ref != ref else []
        elif not isinstance(step, Touched) or step.ref != ref:
            before.append(step)
    return replace(scenario, before=tuple(before), run=_left(scenario.run, ref))


def _left(run: Run, ref: Ref) -> Run:
    return replace(run, things=tuple(thing for thing in run.things if thing.ref != ref))


def _less(step: Step) -> Iterator[Step]:
    """The step with one field, label or spelling less in one of its objects."""
    if isinstance(step, Applied):
        for thing in _plainer(step.thing):
            yield Applied(thing)
    elif isinstance(step, Run):
        for place, one in enumerate(step.things):
            for thing in _plainer(one):
                yield replace(step, things=(*step.things[:place], thing, *step.things[place + 1 :]))


def _plainer(thing: Thing) -> Iterator[Thing]:
    if thing.labels:
        yield replace(thing, labels={})
    if thing.annotations:
        yield replace(thing, annotations={})
    for name in thing.content if isinstance(thing.content, dict) else ():
        if name != "color":
            yield replace(thing, content={key: value for key, value in thing.content.items() if key != name})
