"""How kinds are served: one question for all groups where the server can answer it, else one for each version.

Aggregated discovery is on since Kubernetes 1.27 (``v2beta1``; ``v2`` since 1.30). What it does not name is asked for
once more at ``/apis/GROUP/VERSION`` before it counts as not served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from postrender.cluster.answer import Answer, NoAnswer, items_of
from postrender.cluster.explain import Kubectl, misunderstood, unclear
from postrender.cluster.parallel import each
from postrender.cluster.transport import Transport, segment
from postrender.identity import GroupVersionKind, Resource
from postrender.live import Json, NotServed, Unknown
from postrender.record import Record

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""The parameters in this order, as client-go sends them (``acceptDiscoveryFormats``, discovery_client.go)."""

Served: TypeAlias = Resource | NotServed | Unknown


class _Row(Record):
    """One resource of one version of a group; ``readable`` where its objects can be read one by one."""

    resource: Resource
    readable: bool


def discover(
    transport: Transport, gvks: Iterable[GroupVersionKind], kubectl: Kubectl
) -> dict[GroupVersionKind, Served]:
    """How each kind is served; only what the kinds need is asked."""
    wanted = list(dict.fromkeys(gvks))
    roots = sorted({_root(gvk) for gvk in wanted})
    catalogs = {
        root: _catalog(answer, kubectl) for root, answer in zip(roots, _ask(transport, roots, AGGREGATED), strict=True)
    }
    found: dict[GroupVersionKind, Served] = {}
    for gvk in wanted:
        catalog = catalogs[_root(gvk)]
        answer = catalog if isinstance(catalog, Unknown) else _aggregated(catalog, gvk, kubectl)
        if answer is not None:
            found[gvk] = answer
    left = [gvk for gvk in wanted if gvk not in found]
    paths = list(dict.fromkeys(_path(gvk) for gvk in left))
    single = dict(zip(paths, _ask(transport, paths, "application/json"), strict=True))
    found.update((gvk, _single(single[_path(gvk)], gvk, kubectl)) for gvk in left)
    return {gvk: found[gvk] for gvk in wanted}


def _ask(transport: Transport, paths: Sequence[str], accept: str) -> list[Answer | NoAnswer]:
    late = NoAnswer(f"no answer within {transport.patience:g} s")
    return each(
        lambda path: transport.request("GET", path, accept=accept), paths, patience=transport.patience, given_up=late
    )


def _root(gvk: GroupVersionKind) -> str:
    return "/apis" if gvk.group else "/api"


def _path(gvk: GroupVersionKind) -> str:
    return "/".join([_root(gvk), *([segment(gvk.group)] if gvk.group else []), segment(gvk.version)])


def _catalog(outcome: Answer | NoAnswer, kubectl: Kubectl) -> dict[str, list[Json]] | Unknown:
    """The versions of each group; of none where the server does not aggregate."""
    if isinstance(outcome, NoAnswer) or outcome.status != 200:
        return unclear(outcome, kubectl)
    body = outcome.json()
    if not isinstance(body, dict):
        return misunderstood("it is no JSON object", kubectl)
    if body.get("kind") != "APIGroupDiscoveryList":
        return {}
    try:
        return {group["metadata"].get("name", ""): items_of(group["versions"]) for group in items_of(body["items"])}
    except (KeyError, TypeError, AttributeError):
        return misunderstood("it is no APIGroupDiscoveryList", kubectl)


def _aggregated(catalog: dict[str, list[Json]], gvk: GroupVersionKind, kubectl: Kubectl) -> Served | None:
    """What the list of all groups says; ``None`` where it leaves the question open."""
    try:
        versions = {version["version"]: version for version in catalog.get(gvk.group, ())}
        stale = {name for name, version in versions.items() if version.get("freshness") == "Stale"}
        if gvk.version in stale or (stale and gvk.version not in versions):
            return Unknown(
                f"what the server knows of {gvk.api_version} is stale: the API behind it does not answer",
                (kubectl.call(f"get apiservices {gvk.version}.{gvk.group}"),),
            )
        return _chosen(_aggregated_rows(versions.get(gvk.version) or {}, gvk), gvk, kubectl)
    except (KeyError, TypeError, AttributeError):
        return misunderstood("it is no APIGroupDiscoveryList", kubectl)


def _aggregated_rows(version: Json, gvk: GroupVersionKind) -> Iterator[_Row]:
    for each_resource in items_of(version.get("resources", [])):
        kind = each_resource.get("responseKind") or {}
        if kind.get("kind") == gvk.kind:
            inner = {sub["subresource"] for sub in each_resource.get("subresources") or ()}
            namespaced = each_resource["scope"] == "Namespaced"
            resource = Resource(gvk, each_resource["resource"], namespaced, "status" in inner)
            yield _Row(resource, "get" in each_resource["verbs"])


def _single(outcome: Answer | NoAnswer, gvk: GroupVersionKind, kubectl: Kubectl) -> Served:
    """What ``/apis/GROUP/VERSION`` says."""
    if isinstance(outcome, Answer) and outcome.status == 404 and _unserved(outcome):
        return NotServed()
    if isinstance(outcome, NoAnswer) or outcome.status != 200:
        return unclear(outcome, kubectl)
    body = outcome.json()
    named = (body.get("kind"), body.get("groupVersion")) if isinstance(body, dict) else None
    try:
        if named == ("APIResourceList", gvk.api_version):
            return _chosen(_rows(items_of(body["resources"]), gvk), gvk, kubectl) or NotServed()
    except (KeyError, TypeError, AttributeError):
        pass
    return misunderstood(f"it is no APIResourceList of {gvk.api_version}", kubectl)


def _rows(resources: Json, gvk: GroupVersionKind) -> Iterator[_Row]:
    names = {each_resource["name"] for each_resource in resources}
    for each_resource in resources:
        plural = each_resource["name"]
        if each_resource["kind"] == gvk.kind and "/" not in plural:
            resource = Resource(gvk, plural, each_resource["namespaced"] is True, f"{plural}/status" in names)
            yield _Row(resource, "get" in each_resource["verbs"])


def _chosen(rows: Iterable[_Row], gvk: GroupVersionKind, kubectl: Kubectl) -> Resource | Unknown | None:
    """The one resource of the kind; ``None`` where there is none."""
    found = list(rows)
    readable = [row.resource for row in found if row.readable]
    if len(readable) == 1 or not found:
        return readable[0] if readable else None
    names = ", ".join(row.resource.qualified for row in found)
    why = "more than one resource" if readable else "only a resource that cannot be read"
    return Unknown(f"the server has {why} for {gvk}: {names}", (kubectl.call("api-resources"),))


def _unserved(answer: Answer) -> bool:
    """Whether a 404 is the API server's own: a Status, or the plain words of Go's ``http.NotFound``."""
    body = answer.json()
    if isinstance(body, dict):
        return body.get("kind") == "Status" and body.get("reason") == "NotFound"
    return answer.content_type.startswith("text/plain") and answer.body.strip() == b"404 page not found"
