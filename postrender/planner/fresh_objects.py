"""Dry-run creates that show which fields a new object of the chart would have, and what their results mean. Pure.

Asked for each object that Helm will patch client-side if it differs from the chart, or if Helm's field manager owns
fields that the chart does not set.
"""

from __future__ import annotations

import hashlib
from typing import Any

from postrender._record import replace
from postrender.cluster.interface import Accepted, DryRunRequest, DryRunResult, Rejected, Skipped, Verb
from postrender.helm.api_server import SERVER_KEPT
from postrender.helm.fresh_install import (
    Path,
    as_stored,
    differences,
    field_owners,
    has_unowned_fields,
    holds,
    may_hold_leftovers,
)
from postrender.helm.objects import build_object, sent, with_helm_metadata
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    GroupKind,
    Json,
    ObjectKey,
    ReleaseName,
    Resource,
)
from postrender.planner.evaluate import comparable
from postrender.planner.facts import DesiredObject, Facts

_OWNERSHIP = frozenset((MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE))
_SERVICE = GroupKind("", "Service")
_ALLOCATED = ("clusterIP", "clusterIPs", "healthCheckNodePort")
"""Fields of a Service whose values the live object holds already, so that a second one cannot be created with them."""


def charted_object(facts: Facts, item: DesiredObject, release: ReleaseName) -> Json:
    """The chart's object as Helm builds it, with the release's ownership metadata."""
    return with_helm_metadata(
        build_object(item.ref.gvk, item.key, facts.desired(item.ref)).body, release, facts.invocation.helm
    )


def dry_run_create(facts: Facts, item: DesiredObject) -> DryRunRequest | None:
    """The dry-run create for a live object; ``None`` if the live object has the chart's fields and no others."""
    live, release = item.live, facts.invocation.release
    if item.hook or live is None or live.body is None or release is None or not item.key.name:
        return None
    body = charted_object(facts, item, release)
    more = may_hold_leftovers(live.body, body, facts.invocation.field_manager) or has_unowned_fields(live.body, body)
    if holds(live.body, body) and not more:
        return None
    document = with_helm_metadata(sent(item.key, facts.desired.document(item.ref)), release, facts.invocation.helm)
    return create_request(item.resource, item.key, document)


def ignored(item: DesiredObject, facts: Facts, fresh: Json, predicted: Json, answered: Json) -> tuple[Path, ...]:
    """The paths at which the server's result of Helm's patch is not what the patch asks for.

    Some kinds take any update and keep their own fields, such as the spec of a CertificateSigningRequest. What
    the chart's object, as Helm sends it, leaves to the server does not count, nor does the ownership metadata.
    """
    assert item.live is not None
    body = facts.desired(item.ref)
    owners = field_owners(item.live.body, fresh, facts.invocation.field_manager)
    wanted, now = (as_stored(each, body, fresh, fresh, owners) for each in (predicted, answered))
    return tuple(
        path
        for path in differences(comparable(now), comparable(wanted), owners)
        if path[0] != "status" and path[-1] not in _OWNERSHIP
    )


def create_request(resource: Resource, key: ObjectKey, body: Json) -> DryRunRequest:
    """A dry-run create of ``body`` under an unused name, without what only one object can have."""
    server_set = (*SERVER_KEPT, "resourceVersion", "generateName")
    metadata = {name: value for name, value in body["metadata"].items() if name not in server_set}
    unused = unused_name(key)
    sent = {name: value for name, value in body.items() if name != "status"}
    sent["metadata"] = {**metadata, "name": unused}
    if key.group_kind == _SERVICE:
        sent["spec"] = _unallocated(sent.get("spec"))
    return DryRunRequest(Verb.CREATE, resource, replace(key, name=unused), sent, stands_for=key)


def unused_name(key: ObjectKey) -> str:
    """A name for the dry run: a DNS label, always the same for one object."""
    return f"postrender-{hashlib.sha256(str(key).encode()).hexdigest()[:16]}"


def fresh_object(request: DryRunRequest, result: DryRunResult) -> Json | str:
    """The object that a create would give, under its own name; or the reason why that is not known, or ``""``."""
    if isinstance(result, Accepted):
        return _renamed(result.live, request.key.name, request.about.name)
    if isinstance(result, Skipped):
        return result.reason
    return result.message if isinstance(result, Rejected) else "the API server reports a conflict"


def _renamed(value: Json, unused: str, name: str) -> Json:
    if isinstance(value, dict):
        return {key: _renamed(item, unused, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, unused, name) for item in value]
    return name if value == unused else value


def _unallocated(spec: Json) -> Json:
    if not isinstance(spec, dict):
        return spec
    result: dict[str, Any] = {
        name: value for name, value in spec.items() if name not in _ALLOCATED or value == "None" or value == ["None"]
    }
    if isinstance(spec.get("ports"), list):
        result["ports"] = [
            {name: value for name, value in port.items() if name != "nodePort"} if isinstance(port, dict) else port
            for port in spec["ports"]
        ]
    return result
