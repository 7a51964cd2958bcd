"""A source that notes all that was asked of it and answered, and what that is as a file for ``--live``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from postrender import manifest as manifests
from postrender._record import replace
from postrender.cluster import builtin_kinds, snapshot_file
from postrender.cluster.interface import Catalog, ClusterReader, DryRunRequest, DryRunResult, Listing, ObjectLookup
from postrender.helm import storage
from postrender.helm.storage.revisions import Packing, pack
from postrender.manifest import Document, Manifest
from postrender.manifest.edit.changes import flow
from postrender.models import (
    CRD,
    Found,
    GroupVersionKind,
    Json,
    LiveObject,
    NotServed,
    ObjectKey,
    Observation,
    ReleaseName,
    Resource,
    StoredRelease,
    Unknown,
)
from postrender.redact import Digests, redacted


class RecordingReader:
    """A ClusterReader that records the answers of another one for a snapshot file."""

    def __init__(self, source: ClusterReader) -> None:
        self._source = source
        self.served: dict[GroupVersionKind, Resource] = {}
        self.live: dict[tuple[ObjectKey, str], LiveObject] = {}
        self.revisions: dict[tuple[ReleaseName, int], tuple[str, StoredRelease]] = {}
        self.answers: list[tuple[DryRunRequest, DryRunResult]] = []

    @property
    def description(self) -> str:
        """The other one's."""
        return self._source.description

    @property
    def warning(self) -> str:
        """The other one's."""
        return self._source.warning

    def normalize(self, key: ObjectKey, body: Json) -> Json:
        """As the other one does."""
        return self._source.normalize(key, body)

    def resolve_kinds(
        self, gvks: Iterable[GroupVersionKind]
    ) -> Mapping[GroupVersionKind, Resource | NotServed | Unknown]:
        """The other one's answer, noted."""
        found = self._source.resolve_kinds(gvks)
        self.served.update((gvk, each) for gvk, each in found.items() if isinstance(each, Resource))
        return found

    def get_objects(self, wanted: Sequence[ObjectLookup]) -> list[Observation]:
        """The other one's answer, recorded with bodies: a partial object in a file would pass for a whole one."""
        found = self._source.get_objects([replace(each, body=True) for each in wanted])
        for each in found:
            if isinstance(each, Found):
                self.live[each.live.key, each.live.api_version] = each.live
        return found

    def dry_run(self, requests: Sequence[DryRunRequest]) -> list[DryRunResult]:
        """The other one's answer, noted."""
        found = self._source.dry_run(requests)
        self.answers += zip(requests, found, strict=True)
        return found

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> tuple[StoredRelease, ...] | Unknown:
        """The other one's answer, noted."""
        found = self._source.get_revisions(name, manifest=manifest, driver=driver)
        self._note(name, driver, found)
        return found

    def histories(self, names: Sequence[tuple[ReleaseName, str]]) -> list[tuple[StoredRelease, ...] | Unknown]:
        """The other one's answers, noted."""
        found = self._source.histories(names)
        for (name, driver), revisions in zip(names, found, strict=True):
            self._note(name, driver, revisions)
        return found

    def _note(self, name: ReleaseName, driver: str, found: tuple[StoredRelease, ...] | Unknown) -> None:
        for each in () if isinstance(found, Unknown) else found:
            if each.manifest is not None or (name, each.revision) not in self.revisions:
                self.revisions[name, each.revision] = driver, each

    def list_objects(self, listings: Sequence[Listing]) -> list[tuple[Any, ...] | Unknown]:
        """The other one's answer; a file does not tell what was listed."""
        return self._source.list_objects(listings)

    def catalog(self) -> Catalog:
        """The other one's answer."""
        return self._source.catalog()

    def stored_in(self, namespace: str) -> tuple[tuple[ReleaseName, str], ...] | Unknown:
        """The other one's answer; the later requests for each release are recorded."""
        return self._source.stored_in(namespace)

    def kubectl(self, command: str, namespace: str = "") -> str:
        """As the other one types it."""
        return self._source.kubectl(command, namespace)

    def typed(self, command: str, namespace: str) -> str:
        """As the other one types it."""
        return self._source.typed(command, namespace)

    def completed(self, steps: Sequence[str]) -> tuple[str, ...]:
        """As the other one completes it."""
        return self._source.completed(steps)


def documents(recording: RecordingReader, hide: Digests | None) -> Iterator[Json]:
    """The recorded answers as documents for ``--live``; ``hide`` replaces Secret values by digests.

    Of a stored revision only what a plan needs is taken: its manifest, not the chart, its values, notes or hooks.
    """
    yield snapshot_file.header_document(hide)
    found = {key.name for key, _ in recording.live if key.group_kind == CRD}
    yield from (each for each in _definitions(recording.served.values()) if each["metadata"]["name"] not in found)
    for (key, _), live in recording.live.items():
        yield _safe(live.body, key, hide)
    for driver, revision in recording.revisions.values():
        yield _revision(revision, driver, hide)
    bodies = {key: live.body for (key, _), live in recording.live.items()}
    for request, answer in recording.answers:
        yield snapshot_file.document(request, answer, hide, bodies.get(request.about))


def _safe(body: Json, key: ObjectKey, hide: Digests | None) -> Json:
    return body if hide is None else redacted(body, key.group_kind, f"{key.namespace}/{key.name}", hide)


def _definitions(served: Iterable[Resource]) -> Iterator[Json]:
    """As much of a CustomResourceDefinition as discovery tells: the plural, scope and versions of each foreign kind."""
    kinds: dict[tuple[str, str, str, bool], list[Resource]] = {}
    for each in served:
        if builtin_kinds.builtin_resource(each.gvk) != each:
            kinds.setdefault((each.gvk.group, each.gvk.kind, each.plural, each.namespaced), []).append(each)
    for (group, kind, plural, namespaced), versions in sorted(kinds.items()):
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}" if group else plural},
            "spec": {
                "group": group,
                "names": {"kind": kind, "plural": plural},
                "scope": "Namespaced" if namespaced else "Cluster",
                "versions": [
                    {
                        "name": each.gvk.version,
                        "served": True,
                        **({"subresources": {"status": {}}} if each.status_apart else {}),
                    }
                    for each in sorted(versions, key=lambda each: each.gvk.version)
                ],
            },
        }


def _revision(revision: StoredRelease, driver: str, hide: Digests | None) -> Json:
    """The Secret or ConfigMap of a revision, with no more in it than was read."""
    kept = storage.storage(driver)
    assert not isinstance(kept, Unknown)
    release = revision.release
    labels = {"owner": "helm", "name": release.name, "status": revision.status, "version": str(revision.revision)}
    body: dict[str, Json] = {
        "apiVersion": kept.resource.gvk.api_version,
        "kind": kept.resource.gvk.kind,
        "metadata": {"name": storage.stored_name(revision), "namespace": release.namespace, "labels": labels},
    }
    if kept == storage.SECRETS:
        body["type"] = storage.RELEASE_TYPE
    if revision.manifest is not None or revision.status == "uninstalled":
        payload = {
            "name": release.name,
            "namespace": release.namespace,
            "version": revision.revision,
            "info": {"status": revision.status},
            "manifest": _manifest(revision, hide),
            "apply_method": revision.apply_method,
        }
        body["data"] = {"release": pack(json.dumps(payload).encode(), Packing(kept.wrapped))}
    return body


def _manifest(revision: StoredRelease, hide: Digests | None) -> str:
    text = revision.manifest or ""
    return text if hide is None else safe_manifest(text, revision.release, hide)


def safe_manifest(text: str, release: ReleaseName, hide: Digests) -> str:
    """A stored manifest with digests for the values of Secrets; every other document as it was, in the same lines."""
    manifest = manifests.read(text.encode())
    parts, position = [], 0
    for document in manifest.documents:
        parts.append(manifest.data[position : document.start])
        parts.append(_safe_document(manifest, document, release, hide))
        position = document.end
    parts.append(manifest.data[position:])
    return b"".join(parts).decode()


def _safe_document(manifest: Manifest, document: Document, release: ReleaseName, hide: Digests) -> bytes:
    written = manifest.data[document.start : document.end]
    if not document.objects:
        return written
    whole = manifest.value(replace(document.objects[0], path=()))
    safe = whole
    for ref in document.objects:
        key = ObjectKey(ref.gvk.group_kind, ref.namespace or release.namespace, ref.name)
        safe = _replaced(safe, ref.path, _safe(manifest.value(ref), key, hide))
    if safe == whole:
        return written
    # The comments before it stay, so that what is told by line is in the same line.
    first = document.objects[0].line - manifest.data.count(b"\n", 0, document.start) - 1
    before = b"".join(written.splitlines(keepends=True)[:first])
    lines = written.count(b"\n") - before.count(b"\n")
    return before + flow(safe) + b"\n" * max(1, lines)


def _replaced(body: Json, path: tuple[int, ...], value: Json) -> Json:
    if not path:
        return value
    items = list(body["items"])
    items[path[0]] = _replaced(items[path[0]], path[1:], value)
    return {**body, "items": items}
