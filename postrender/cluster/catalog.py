"""All kinds that a server serves and whose objects can be made and listed: one question, or one for each version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from postrender.cluster.answer import Answer, NoAnswer, items_of
from postrender.cluster.discovery import AGGREGATED
from postrender.cluster.explain import Kubectl, misunderstood, unclear
from postrender.cluster.parallel import each
from postrender.cluster.transport import Transport, segment
from postrender.identity import GroupVersionKind, Resource
from postrender.live import Json, Unknown
from postrender.survey import Catalog, Named

_NEEDED = frozenset({"list", "create"})
"""What Helm must have been able to do with a kind, and we: ``metrics.k8s.io`` has pods that nobody can make."""

_Row: TypeAlias = "tuple[Resource, tuple[str, ...], str, frozenset[str]]"
"""A resource, its short names, its singular and its verbs."""

_Told: TypeAlias = "list[_Row] | Unknown"


def catalog(transport: Transport, kubectl: Kubectl) -> Catalog:
    """Every such kind once, in the first version of its group that serves it, and what could not be asked."""
    roots = ("/api", "/apis")
    answers = _ask(transport, roots, AGGREGATED)
    told: dict[str, _Told] = {}
    for root, answer in zip(roots, answers, strict=True):
        told.update(_versions(transport, root, answer, kubectl))
    found: dict[tuple[str, str], Named] = {}
    unknown: dict[str, Unknown] = {}
    for place, rows in told.items():
        if isinstance(rows, Unknown):
            unknown[place] = rows
            continue
        for resource, short, singular, verbs in rows:
            if verbs >= _NEEDED:
                found.setdefault((resource.gvk.group, resource.plural), Named(resource, singular, short))
    return Catalog(tuple(found.values()), unknown)


def _ask(transport: Transport, paths: tuple[str, ...], accept: str) -> list[Answer | NoAnswer]:
    late = NoAnswer(f"no answer within {transport.patience:g} s")
    return each(
        lambda path: transport.request("GET", path, accept=accept), paths, patience=transport.patience, given_up=late
    )


def _versions(transport: Transport, root: str, answer: Answer | NoAnswer, kubectl: Kubectl) -> Mapping[str, _Told]:
    """What each version of each group serves, by its path, the preferred version of a group first."""
    if isinstance(answer, NoAnswer) or answer.status != 200:
        return {root: unclear(answer, kubectl)}
    body = answer.json()
    try:
        if body["kind"] == "APIGroupDiscoveryList":
            return dict(_aggregated(root, body, kubectl))
        paths = tuple(_paths(root, body))
    except (KeyError, TypeError, AttributeError):
        return {root: misunderstood("it does not tell what is served", kubectl)}
    answers = _ask(transport, paths, "application/json")
    return {path: _listed(path, one, kubectl) for path, one in zip(paths, answers, strict=True)}


def _aggregated(root: str, body: Json, kubectl: Kubectl) -> Iterator[tuple[str, _Told]]:
    """Versions come in the order of preference (``APIGroupDiscovery``, k8s.io/api/apidiscovery/v2/types.go)."""
    for group in items_of(body["items"]):
        name = group["metadata"].get("name", "")
        for version in items_of(group["versions"]):
            path = "/".join(part for part in (root, name, version["version"]) if part)
            if version.get("freshness") == "Stale":
                yield (
                    path,
                    Unknown(
                        "what the server knows of it is stale: the API behind it does not answer",
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


def _listed(path: str, answer: Answer | NoAnswer, kubectl: Kubectl) -> _Told:
    if isinstance(answer, NoAnswer) or answer.status != 200:
        return unclear(answer, kubectl)
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
        return misunderstood(f"{path} is no list of resources", kubectl)
