"""Keys that left a Secret's ``stringData`` and that no server-side apply removes."""

from __future__ import annotations

from postrender.helm.fresh_install import keys_of_string_data
from postrender.models import SECRET, Json
from postrender.planner import simulation_findings
from postrender.planner.context import PlanContext
from postrender.planner.facts import DesiredObject
from postrender.planner.policy import OnDrift
from postrender.planner.verdict import Finding


def left(context: PlanContext, item: DesiredObject) -> list[str]:
    """The keys of the live Secret that the chart does not set and Helm's apply does not remove.

    The API server stores ``stringData`` in ``data``, and server-side apply records only ``stringData`` as Helm's.
    """
    if not context.server_side or item.hook or item.key.group_kind != SECRET or item.live is None or not item.live.body:
        return []
    wanted = context.facts.desired(item.ref).get("data") or {}
    return [key for key in keys_of_string_data(item.live.body) if key not in wanted]


def finding(context: PlanContext, item: DesiredObject, keys: list[str]) -> Finding:
    """What becomes of the keys: removed before Helm runs, refused, or announced."""
    paths = [("data", key) for key in keys]
    if context.policy.on_drift is OnDrift.APPLY:
        return simulation_findings.applied(paths)
    return simulation_findings.removed_fields_stay(paths, context.policy, simulation_findings.removal(item.name, paths))


def removal_patch(context: PlanContext, keys: list[str]) -> Json:
    """The merge patch that removes the keys; ``None`` if that is not asked for."""
    return {"data": dict.fromkeys(keys)} if keys and context.policy.on_drift is OnDrift.APPLY else None
