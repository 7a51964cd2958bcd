"""What the API server serves: kinds and their resources, its version, and what the user may do.

Aggregated discovery answers for all groups in one request; it is on since Kubernetes 1.27 (``v2beta1``; ``v2`` since
1.30). Otherwise each group version is one request. A kind that the aggregated answer does not name is requested once
more at ``/apis/GROUP/VERSION`` before it counts as not served. Access is checked by SelfSubjectAccessReview, which
stores nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from postrender._record import Record
from postrender.cluster.diagnose import Kubectl, RequestContext, describe_failure, unexpected_response
from postrender.cluster.http import RequestFailed, Response, Transport, items_of, segment
from postrender.cluster.interface import Catalog, NamedKind
from postrender.cluster.parallel import map_concurrently
from postrender.errors import ClusterError, UsageError
from postrender.models import GroupVersionKind, Json, NotServed, ObjectKey, Resource, Unknown
from postrender.text import Advice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""The parameters in this order, as client-go sends them (``acceptDiscoveryFormats``, discovery_client.go).

Client-go 0.37 leaves ``v2beta1`` out; to ask for it harms nothing, since a server answers in the first form it knows.
"""

Served: TypeAlias = "Resource | NotServed | Unknown"


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


def _ask(transport: Transport, paths: Sequence[str], accept: str) -> list[Response | RequestFailed]:
    late = RequestFailed.late(transport.total_timeout)
    return map_concurrently(
        lambda path: transport.request("GET", path, accept=accept),
        paths,
        total_timeout=transport.total_timeout,
        default=late,
    )


def _root(gvk: GroupVersionKind) -> str:
    return "/apis" if gvk.group else "/api"


def _path(gvk: GroupVersionKind) -> str:
    return "/".join([_root(gvk), *([segment(gvk.group)] if gvk.group else []), segment(gvk.version)])


def _catalog(outcome: Response | RequestFailed, kubectl: Kubectl) -> dict[str, list[Json]] | Unknown:
    """The versions of each group; of none where the server does not aggregate."""
    if isinstance(outcome, RequestFailed) or outcome.status != 200:
        return describe_failure(outcome, kubectl)
    body = outcome.json()
    if not isinstance(body, dict):
        return unexpected_response("it is not a JSON object", kubectl)
    if body.get("kind") != "APIGroupDiscoveryList":
        return {}
    try:
        return {group["metadata"].get("name", ""): items_of(group["versions"]) for group in items_of(body["items"])}
    except (KeyError, TypeError, AttributeError):
        return unexpected_response("it is not an APIGroupDiscoveryList", kubectl)


def _aggregated(catalog: dict[str, list[Json]], gvk: GroupVersionKind, kubectl: Kubectl) -> Served | None:
    """What the list of all groups says; ``None`` where it leaves the question open."""
    try:
        versions = {version["version"]: version for version in catalog.get(gvk.group, ())}
        stale = {name for name, version in versions.items() if version.get("freshness") == "Stale"}
        if gvk.version in stale or (stale and gvk.version not in versions):
            return Unknown(
                f"what the server knows of {gvk.api_version} is stale: its API server does not answer",
                (kubectl.call(f"get apiservices {gvk.version}.{gvk.group}"),),
            )
        return _chosen(_aggregated_rows(versions.get(gvk.version) or {}, gvk), gvk, kubectl)
    except (KeyError, TypeError, AttributeError):
        return unexpected_response("it is not an APIGroupDiscoveryList", kubectl)


def _aggregated_rows(version: Json, gvk: GroupVersionKind) -> Iterator[_Row]:
    for each_resource in items_of(version.get("resources", [])):
        kind = each_resource.get("responseKind") or {}
        if kind.get("kind") == gvk.kind:
            inner = {sub["subresource"] for sub in each_resource.get("subresources") or ()}
            namespaced = each_resource["scope"] == "Namespaced"
            resource = Resource(gvk, each_resource["resource"], namespaced, "status" in inner)
            yield _Row(resource, "get" in each_resource["verbs"])


def _single(outcome: Response | RequestFailed, gvk: GroupVersionKind, kubectl: Kubectl) -> Served:
    """What ``/apis/GROUP/VERSION`` says."""
    if isinstance(outcome, Response) and outcome.status == 404 and _unserved(outcome):
        return NotServed()
    if isinstance(outcome, RequestFailed) or outcome.status != 200:
        return describe_failure(outcome, kubectl, _path(gvk))
    body = outcome.json()
    named = (body.get("kind"), body.get("groupVersion")) if isinstance(body, dict) else None
    try:
        if named == ("APIResourceList", gvk.api_version):
            return _chosen(_rows(items_of(body["resources"]), gvk), gvk, kubectl) or NotServed()
    except (KeyError, TypeError, AttributeError):
        pass
    return unexpected_response(f"it is not an APIResourceList of {gvk.api_version}", kubectl, _path(gvk))


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


def _unserved(answer: Response) -> bool:
    """Whether a 404 is the API server's own: a Status, or the plain words of Go's ``http.NotFound``."""
    body = answer.json()
    if isinstance(body, dict):
        return body.get("kind") == "Status" and body.get("reason") == "NotFound"
    return answer.content_type.startswith("text/plain") and answer.body.strip() == b"404 page not found"


class Capabilities(Record):
    """``version`` is like ``v1.34.3``, ``""`` where the server does not say.

    ``kinds`` are its API versions and the kinds in them, ``apps/v1`` and ``apps/v1/Deployment``, sorted; none where the
    server does not tell all at once (before Kubernetes 1.27).
    """

    version: str = ""
    kinds: tuple[str, ...] = ()


def capabilities(transport: Transport) -> Capabilities:
    """As ``getCapabilities`` and ``GetVersionSet`` (pkg/action/action.go of Helm 3.21.4) collect them."""
    info = _object(transport.request("GET", "/version"))
    kinds: set[str] = set()
    for root in ("/api", "/apis"):
        body = _object(transport.request("GET", root, accept=AGGREGATED))
        if body.get("kind") == "APIGroupDiscoveryList":
            try:
                kinds.update(_kinds(body))
            except (TypeError, AttributeError):
                continue  # As of a server that does not tell all at once.
    version = info.get("gitVersion")
    return Capabilities(version if isinstance(version, str) else "", tuple(sorted(kinds)))


def _object(outcome: Response | RequestFailed) -> dict[str, Json]:
    body = outcome.json() if isinstance(outcome, Response) and outcome.status == 200 else None
    return body if isinstance(body, dict) else {}


def _kinds(body: dict[str, Json]) -> Iterator[str]:
    for group in body.get("items") or ():
        name = group.get("metadata", {}).get("name", "")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version.get('version')}" if name else str(version.get("version"))
            yield api_version
            for resource in version.get("resources") or ():
                kind = (resource.get("responseKind") or {}).get("kind")
                if kind:
                    yield f"{api_version}/{kind}"


_NEEDED = frozenset({"list", "create"})
"""What Helm must have been able to do with a kind, and we: ``metrics.k8s.io`` has pods that nobody can make."""

_CatalogRow: TypeAlias = "tuple[Resource, tuple[str, ...], str, frozenset[str]]"
"""A resource, its short names, its singular and its verbs."""

_CatalogRows: TypeAlias = "list[_CatalogRow] | Unknown"


def catalog(transport: Transport, kubectl: Kubectl) -> Catalog:
    """Each listable kind in the preferred version that serves it, and the groups that could not be read."""
    roots = ("/api", "/apis")
    answers = _ask(transport, roots, AGGREGATED)
    versions: dict[str, _CatalogRows] = {}
    for root, answer in zip(roots, answers, strict=True):
        versions.update(_versions(transport, root, answer, kubectl))
    found: dict[tuple[str, str], NamedKind] = {}
    unknown: dict[str, Unknown] = {}
    for place, rows in versions.items():
        if isinstance(rows, Unknown):
            unknown[place] = rows
            continue
        for resource, short, singular, verbs in rows:
            if verbs >= _NEEDED:
                found.setdefault((resource.gvk.group, resource.plural), NamedKind(resource, singular, short))
    return Catalog(tuple(found.values()), unknown)


def _versions(
    transport: Transport, root: str, answer: Response | RequestFailed, kubectl: Kubectl
) -> Mapping[str, _CatalogRows]:
    """What each version of each group serves, by its path, the preferred version of a group first."""
    if isinstance(answer, RequestFailed) or answer.status != 200:
        return {root: describe_failure(answer, kubectl, root)}
    body = answer.json()
    try:
        if body["kind"] == "APIGroupDiscoveryList":
            return dict(_aggregated_catalog(root, body, kubectl))
        paths = tuple(_paths(root, body))
    except (KeyError, TypeError, AttributeError):
        return {root: unexpected_response("it does not list the served resources", kubectl, root)}
    answers = _ask(transport, paths, "application/json")
    return {path: _listed(path, one, kubectl) for path, one in zip(paths, answers, strict=True)}


def _aggregated_catalog(root: str, body: Json, kubectl: Kubectl) -> Iterator[tuple[str, _CatalogRows]]:
    """Versions come in the order of preference (``APIGroupDiscovery``, k8s.io/api/apidiscovery/v2/types.go)."""
    for group in items_of(body["items"]):
        name = group["metadata"].get("name", "")
        for version in items_of(group["versions"]):
            path = "/".join(part for part in (root, name, version["version"]) if part)
            if version.get("freshness") == "Stale":
                yield (
                    path,
                    Unknown(
                        "what the server knows of it is stale: its API server does not answer",
                        (kubectl.call(f"get apiservices {version['version']}.{name}"),),
                    ),
                )
                continue
            yield (
                path,
                [
                    (
                        Resource(
                            GroupVersionKind(name, version["version"], each["responseKind"]["kind"]),
                            each["resource"],
                            each["scope"] == "Namespaced",
                            "status" in {sub["subresource"] for sub in each.get("subresources") or ()},
                        ),
                        tuple(each.get("shortNames") or ()),
                        each.get("singularResource") or "",
                        frozenset(each["verbs"]),
                    )
                    for each in items_of(version.get("resources", []))
                    if each.get("responseKind")
                ],
            )


def _paths(root: str, body: Json) -> Iterator[str]:
    if root == "/api":
        for version in body["versions"]:
            yield f"/api/{segment(version)}"
        return
    for group in items_of(body["groups"]):
        preferred = group["preferredVersion"]["version"]
        versions = [version["version"] for version in group["versions"]]
        for version in (preferred, *(other for other in versions if other != preferred)):
            yield f"/apis/{segment(group['name'])}/{segment(version)}"


def _listed(path: str, answer: Response | RequestFailed, kubectl: Kubectl) -> _CatalogRows:
    if isinstance(answer, RequestFailed) or answer.status != 200:
        return describe_failure(answer, kubectl, path)
    body = answer.json()
    try:
        resources = items_of(body["resources"])
        names = {each["name"] for each in resources}
        return [
            (
                Resource(
                    GroupVersionKind.parse(body["groupVersion"], each["kind"]),
                    each["name"],
                    each["namespaced"] is True,
                    f"{each['name']}/status" in names,
                ),
                tuple(each.get("shortNames") or ()),
                each.get("singularName") or "",
                frozenset(each["verbs"]),
            )
            for each in resources
            if "/" not in each["name"]
        ]
    except (KeyError, TypeError, AttributeError):
        return unexpected_response(f"{path} is not a list of resources", kubectl, path)


PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

_REVIEW = Resource(
    GroupVersionKind("authorization.k8s.io", "v1", "SelfSubjectAccessReview"),
    "selfsubjectaccessreviews",
    namespaced=False,
)


class AccessRule(Record):
    """Permission for ``verb`` on a resource (its plural name; ``*``: all) in a namespace (``""``: all).

    ``name`` is the one object that is meant, ``""`` for all.
    """

    verb: str
    group: str
    plural: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        """``get shirts.stable.example.com``."""
        what = "every kind" if self.plural == "*" else f"{self.plural}.{self.group}".rstrip(".")
        return f"{self.verb} {what}"


def allowed(transport: Transport, right: AccessRule, kubectl: Kubectl) -> bool | Unknown:
    """True if the user has a right; False too if the server does not say."""
    spec = {"verb": right.verb, "group": right.group, "resource": right.plural, "namespace": right.namespace}
    spec |= {"name": right.name} if right.name else {}
    outcome = transport.request(
        "POST",
        PATH,
        body=json.dumps(
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": spec},
            }
        ).encode(),
        content_type="application/json",
    )
    if isinstance(outcome, RequestFailed) or outcome.status not in (200, 201):
        return describe_failure(outcome, kubectl, RequestContext("create", _REVIEW, ""))
    body = outcome.json()
    status = body.get("status") if isinstance(body, dict) else None
    answer = status.get("allowed") if isinstance(status, dict) else None
    if not isinstance(answer, bool):
        return unexpected_response("it is not a review of a right", kubectl)
    return answer


_FORMS = "shirts.stable.example.com/shop/shirt, or shirt/shirt as for kubectl"


def named_object(
    text: str, namespace: str, catalog: Catalog, *, kubectl: Callable[[str], str]
) -> tuple[Resource, ObjectKey]:
    """``shirts.stable.example.com/shop/shirt``, ``shirt/shirt`` in ``namespace``; ``clusterroles/admin``.

    The kind may be called by its plural, singular, short name or Kind, with its group or without. ``kubectl``
    writes a command of kubectl for the cluster of ``catalog``. Raises UsageError
    where that is no name or fits several kinds, ClusterError where it may be one that could not be asked for.
    """
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"invalid object name: {_FORMS}", where=text)
    resource = _kind(text, parts[0], catalog, kubectl)
    if len(parts) == 3 and not resource.namespaced:
        raise UsageError(
            f"{resource.qualified} are in no namespace",
            where=text,
            next=Advice(f"write it as {resource.qualified}/{parts[2]}"),
        )
    within = (parts[1] if len(parts) == 3 else namespace) if resource.namespaced else ""
    return resource, ObjectKey(resource.gvk.group_kind, within, parts[-1])


def _kind(text: str, word: str, catalog: Catalog, kubectl: Callable[[str], str]) -> Resource:
    fitting = [named.resource for named in catalog.kinds if word.lower() in called(named)]
    exact = [resource for resource in fitting if resource.qualified == word]
    if len(exact) == 1 or len(fitting) == 1:
        return (exact or fitting)[0]
    if fitting:
        rest = text.partition("/")[2]
        raise UsageError(
            f"{word} are several kinds",
            where=text,
            next=[Advice(f"write it as {each.qualified}/{rest}") for each in fitting],
        )
    if catalog.unknown:
        where, why = next(iter(catalog.unknown.items()))
        raise ClusterError(
            f"the server shows no {word}, and cannot be read for {where}: {why.reason}", where=text, next=why.next
        )
    raise UsageError(f"the server has no kind {word}", where=text, next=kubectl("api-resources"))


def called(named: NamedKind) -> Iterable[str]:
    """Everything the kind may be called, in lower case."""
    resource = named.resource
    group, version = resource.gvk.group, resource.gvk.version
    for word in (resource.plural, named.singular, resource.gvk.kind.lower(), *named.short):
        if word:
            yield word
            if group:
                yield f"{word}.{group}"
                yield f"{word}.{version}.{group}"
