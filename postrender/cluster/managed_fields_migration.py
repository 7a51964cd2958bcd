"""The result of a server-side apply after Helm migrated the object's field ownership.

A dry run of the apply cannot show it, because a dry run of the migration leaves nothing behind. So the object is
computed, and sent as a patch in a dry run, for the server's defaults, validation and admission.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from threading import Lock

from postrender._record import Record, replace
from postrender.cluster.diagnose import Kubectl, RequestContext, describe_failure, unexpected_response
from postrender.cluster.http import RequestFailed, Response, Transport, segment
from postrender.cluster.interface import DryRunRequest, ObjectLookup
from postrender.cluster.reads import exact_path
from postrender.helm.field_set import FieldSet, Path, value_at
from postrender.helm.patch import PatchType, deep_equal, patch_type
from postrender.helm.server_side.field_managers import Owned, applied, migrated
from postrender.helm.server_side.typed import Typed
from postrender.helm.server_side.types import OpenApiSchema
from postrender.models import GroupVersionKind, Json, NotServed, Resource, Unknown


class Pruned(Record):
    """The effect of the apply on the ``live`` object: a JSON patch, and the paths that it removes."""

    live: Json
    patch: tuple[Json, ...]
    gone: tuple[Path, ...]


def after_migration(
    transport: Transport, schemas: Schemas, request: DryRunRequest, kubectl: Kubectl
) -> Pruned | str | Unknown | None:
    """The effect of the apply; ``None`` if the migration makes no difference.

    Text is the API server's error, without its last details; Unknown says why the result cannot be computed.
    """
    api_version, manager = request.resource.gvk.api_version, request.field_manager
    try:
        body, before = _without_managed_fields(_live(transport, request, request.resource, kubectl))
        converter = _Converter(transport, schemas, request, kubectl, body)
        live = converter.typed(body, request.resource.gvk)
        config = converter.typed(request.body, request.resource.gvk)
        config.validate()
        owned = _owned(migrated(before, manager, manager))
        applier = _identifier(manager, "Apply", "", "")
        result = applied(live, config, api_version, owned, applier, converter)
        alone = applied(live, config, api_version, _owned(before), applier, converter)
        gone = alone.named(alone.fields()).difference(result.named(result.fields())).top()
    except _Unforeseen as error:
        return error.why
    except ValueError as error:
        return f"failed to apply: {error}"
    except KeyError as error:
        return unexpected_response(f"its OpenAPI document lacks the type {error}", kubectl)
    if deep_equal(result.value, alone.value):
        return None
    if patch_type(request.resource.gvk) is PatchType.MERGE and (refusal := converter.null_error(result.value)):
        return refusal
    version = body["metadata"].get("resourceVersion")
    guard = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]
    after = result.value if isinstance(result.value, dict) else {}
    return Pruned(body, (*guard, *_operations(body, after)), tuple(gone))


def changed(paths: Sequence[Path], before: Json, after: Json) -> tuple[Path, ...]:
    """The paths at which two objects differ: at others a default or an admission leaves the value as it was."""
    return tuple(path for path in paths if not deep_equal(value_at(before, path), value_at(after, path)))


class _Unforeseen(Exception):
    def __init__(self, why: Unknown) -> None:
        super().__init__(why.reason)
        self.why = why


class _Converter:
    """Conversion between the apiVersions of the object's kind.

    The server alone can convert. If it shows the live object alike in both versions, so is the result of an apply.
    """

    def __init__(
        self, transport: Transport, schemas: Schemas, request: DryRunRequest, kubectl: Kubectl, live: Json
    ) -> None:
        self._live = live
        self._transport = transport
        self._schemas = schemas
        self._trial = request
        self._kubectl = kubectl
        self._alike: set[str] = {request.resource.gvk.api_version}

    def typed(self, value: Json, gvk: GroupVersionKind) -> Typed:
        found = self._served(gvk, value)
        if found is None:
            raise _Unforeseen(Unknown(f"the server describes no {gvk.kind} of {gvk.api_version}"))
        return found

    def null_error(self, value: Json) -> str:
        schema = self._schemas.of(self._trial.resource.gvk)
        type_ = schema.type_of(self._trial.resource.gvk) if isinstance(schema, OpenApiSchema) else None
        return schema.null_error(type_, value) if isinstance(schema, OpenApiSchema) and type_ else ""

    def converted(self, value: Typed, api_version: str) -> Typed | None:
        if value.value is None or value.value.get("apiVersion") == api_version:
            return value
        gvk = GroupVersionKind.parse(api_version, self._trial.resource.gvk.kind)
        found = self._served(gvk, {**value.value, "apiVersion": api_version})
        if found is not None:
            self._check(gvk)
            found.validate()
        return found

    def _served(self, gvk: GroupVersionKind, value: Json) -> Typed | None:
        schema = self._schemas.of(gvk)
        if isinstance(schema, Unknown):
            raise _Unforeseen(schema)
        type_ = None if isinstance(schema, NotServed) else schema.type_of(gvk)
        if isinstance(schema, NotServed) or type_ is None:
            return None
        return Typed(value, schema, type_, keeps_empty=self._schemas.keeps_empty())

    def _check(self, gvk: GroupVersionKind) -> None:
        if gvk.api_version in self._alike:
            return
        resource, key = replace(self._trial.resource, gvk=gvk), self._trial.key
        other, _ = _without_managed_fields(_live(self._transport, self._trial, resource, self._kubectl))
        if not deep_equal({**other, "apiVersion": ""}, {**self._live, "apiVersion": ""}):
            mine = self._trial.resource.gvk.api_version
            raise _Unforeseen(
                Unknown(
                    f"Helm wrote it as {gvk.api_version} before, and only the server can convert that to {mine}",
                    (self._kubectl.call(f"get {resource.qualified} {key.name} -o yaml", key.namespace),),
                )
            )
        self._alike.add(gvk.api_version)


def _live(transport: Transport, request: DryRunRequest, resource: Resource, kubectl: Kubectl) -> Json:
    """The live object as ``resource`` serves it."""
    key = request.key
    outcome = transport.request("GET", exact_path(ObjectLookup(resource, key.namespace, key.name, body=True)))
    asked = RequestContext("get", resource, key.namespace, key.name)
    if isinstance(outcome, RequestFailed) or outcome.status != 200:
        raise _Unforeseen(describe_failure(outcome, kubectl, asked))
    body = outcome.json()
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise _Unforeseen(unexpected_response("it is not an object", kubectl, asked))
    return body


def _without_managed_fields(body: Json) -> tuple[Json, list[Json]]:
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}, body["metadata"].get("managedFields") or []


def _owned(managed_fields: Sequence[Json]) -> dict[str, Owned]:
    """Fields by manager, as the server tells managers apart."""
    return {
        _identifier(
            str(entry.get("manager")),
            str(entry.get("operation")),
            str(entry.get("apiVersion")),
            str(entry.get("subresource") or ""),
        ): Owned(FieldSet.parse(entry.get("fieldsV1") or {}), str(entry.get("apiVersion")))
        for entry in managed_fields
    }


def _identifier(manager: str, operation: str, api_version: str, subresource: str) -> str:
    """An applier has one set (``BuildManagerIdentifier``, k8s.io/apimachinery 0.34, pkg/util/managedfields)."""
    return json.dumps([manager, operation, "" if operation == "Apply" else api_version, subresource])


def _operations(before: Json, after: Json) -> list[Json]:
    """Operations of a JSON patch for each field that differs, those of the metadata one by one."""
    found = _changes("", {**before, "metadata": {}}, {**after, "metadata": {}})
    return found + _changes("/metadata", before["metadata"], after.get("metadata") or {})


def _changes(path: str, before: Json, after: Json) -> list[Json]:
    found: list[Json] = []
    for key in {**before, **after}:
        at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in after:
            found.append({"op": "remove", "path": at})
        elif key not in before or not deep_equal(before[key], after[key]):
            found.append({"op": "replace" if key in before else "add", "path": at, "value": after[key]})
    return found


def keeps_empty(version: str) -> bool:
    """True if an API server of this version leaves ``{}`` of a map that loses all it has, False if it leaves null.

    Kubernetes 1.36.0 to 1.36.2 do, which are built with structured-merge-diff 6.3.2 (``doMap``, typed/remove.go).
    """
    return re.match(r"v1\.36\.[0-2](?!\d)", version) is not None


class Schemas:
    """Answers of ``/openapi/v3`` and ``/version``; may be used by several threads."""

    def __init__(self, transport: Transport, kubectl: Kubectl) -> None:
        self._transport = transport
        self._kubectl = kubectl
        self._lock = Lock()
        self._known: dict[tuple[str, str], OpenApiSchema | NotServed | Unknown] = {}
        self._keeps_empty: bool | None = None

    def of(self, gvk: GroupVersionKind) -> OpenApiSchema | NotServed | Unknown:
        """The types of a kind's group version."""
        place = (gvk.group, gvk.version)
        with self._lock:
            if place not in self._known:
                self._known[place] = self._asked(gvk)
            return self._known[place]

    def keeps_empty(self) -> bool:
        """True if a map that loses all it has stays as ``{}``, False if it becomes null."""
        with self._lock:
            if self._keeps_empty is None:
                self._keeps_empty = keeps_empty(self._version())
            return self._keeps_empty

    def _asked(self, gvk: GroupVersionKind) -> OpenApiSchema | NotServed | Unknown:
        group = f"apis/{segment(gvk.group)}" if gvk.group else "api"
        outcome = self._transport.request("GET", f"/openapi/v3/{group}/{segment(gvk.version)}")
        if isinstance(outcome, Response) and outcome.status == 404:
            return NotServed()
        if isinstance(outcome, RequestFailed) or outcome.status != 200:
            return describe_failure(outcome, self._kubectl)
        body = outcome.json()
        models = body.get("components", {}).get("schemas") if isinstance(body, dict) else None
        if not isinstance(models, dict):
            return unexpected_response("it is not an OpenAPI document", self._kubectl)
        return OpenApiSchema(models)

    def _version(self) -> str:
        outcome = self._transport.request("GET", "/version")
        body = outcome.json() if isinstance(outcome, Response) and outcome.status == 200 else None
        return str(body.get("gitVersion", "")) if isinstance(body, dict) else ""
