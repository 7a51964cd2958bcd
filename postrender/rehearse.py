"""The plan, held against what the API server says, as a dry run, to all that Helm will send to live objects."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.plan.facts import Facts
from postrender.plan.verdict import Plan
from postrender.policy import Policy
from postrender.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.trial import Trial, TrialAnswer


def rehearsed(plan: Plan, facts: Facts, policy: Policy, source: Source | None) -> Plan:
    """The plan with the server's objections; as it was where nothing is sent or nobody can be asked."""
    if source is None or all(verdict.trial is None for verdict in plan.verdicts):
        return plan
    from postrender.plan.trying import answered, trials  # The model of patches: not for new objects.

    return answered(plan, facts, policy, attempted(trials(plan), source))


def attempted(trials: Sequence[Trial], source: Source) -> list[TrialAnswer]:
    """The answers in order; where conflicts that Helm will not meet hid the rest, it is asked again without them."""
    from postrender.plan.trying import again

    answers = source.attempt(trials)
    more = {place: trial for place, first in enumerate(trials) if (trial := again(first, answers[place])) is not None}
    for place, answer in zip(more, source.attempt(list(more.values())), strict=True):
        answers[place] = answer
    return answers
