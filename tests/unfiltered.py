"""What Helm alone would do with a stream, by the planner's model."""

from __future__ import annotations

from postrender.helm.simulate import Prediction
from postrender.planner.collision_groups import groups
from postrender.planner.context import PlanContext
from postrender.planner.evaluate import simulate_group
from postrender.planner.facts import Facts
from postrender.planner.policy import Policy
from postrender.planner.rewrite import DocumentRewrite


def predict_unfiltered(facts: Facts) -> tuple[Prediction | None, ...]:
    """What Helm would make of each object without postrender, as if every live object were its release's own.

    ``None`` for what is not predicted: a hook, an object that was not looked up, and every object if Helm applies
    server-side or its version or the release is not known.
    """
    found: dict[int, Prediction] = {}
    invocation = facts.invocation
    if invocation.helm is not None and invocation.release is not None:
        context = PlanContext(facts, Policy(), invocation.helm)
        for members, group in () if context.server_side else groups(context, invocation.release, live=False):
            predictions = simulate_group(group, [DocumentRewrite()] * len(members))
            found.update(zip((id(planned.item) for planned in members), predictions, strict=True))
    return tuple(found.get(id(item)) for item in facts.items)
