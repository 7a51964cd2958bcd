"""Revisions: where a driver keeps them, what their labels say, and what their payloads add.

From pkg/storage/driver/{secrets,cfgmaps,util}.go and pkg/action/action.go (``Init``) of Helm 3.21.4; Helm 4.3.1 adds
``apply_method`` to the payload (``Release``, pkg/release/v1/release.go).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Mapping, Sequence

from postrender._record import Record
from postrender.models import GroupVersionKind, Json, LiveObject, ReleaseName, Resource, StoredRelease, Unknown

RELEASE_TYPE = "helm.sh/release.v1"
"""The type of a Secret that holds a release."""


class NotARecord(Exception):
    """An object with a revision's labels that is not one; the message is a clause, such as ``its type is Opaque``."""


class Storage(Record):
    """The objects a driver keeps revisions in; ``wrapped`` is set if the API adds another base64 layer."""

    resource: Resource
    wrapped: bool


SECRETS = Storage(Resource(GroupVersionKind("", "v1", "Secret"), "secrets", namespaced=True), wrapped=True)
CONFIGMAPS = Storage(Resource(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", namespaced=True), wrapped=False)


class StoredObject(Record):
    """One revision with its manifest, and the live Secret or ConfigMap that it was read from, whole."""

    revision: StoredRelease
    live: LiveObject
    storage: Storage

    @property
    def packed(self) -> str:
        """Its ``data.release``."""
        packed: str = self.live.body["data"]["release"]
        return packed


def storage(driver: str) -> Storage | Unknown:
    """Where ``$HELM_DRIVER`` keeps releases (``Init``, pkg/action/action.go)."""
    if driver in ("", "secret", "secrets"):
        return SECRETS
    if driver in ("configmap", "configmaps"):
        return CONFIGMAPS
    if driver in ("memory", "sql"):
        kept = "in a database" if driver == "sql" else "in the memory of Helm itself"
        return Unknown(f"HELM_DRIVER={driver} keeps releases {kept}, where they cannot be read")
    return Unknown(f"HELM_DRIVER={driver} is unknown to Helm", ("export HELM_DRIVER=secret",))


def stored_name(revision: StoredRelease) -> str:
    """The name of the object that holds a revision (``makeKey``, pkg/storage/storage.go)."""
    return f"sh.helm.release.v1.{revision.release.name}.v{revision.revision}"


def selector(name: str) -> str:
    """The label selector for all revisions of a release, as Helm asks for its history (``History``, storage.go)."""
    return f"owner=helm,name={name}"


def is_revision(live: LiveObject, release: ReleaseName) -> bool:
    """Whether an object is one that ``selector`` chooses in the release's namespace."""
    labels = live.labels
    return (
        live.key.namespace == release.namespace and labels.get("owner") == "helm" and labels.get("name") == release.name
    )


def from_labels(live: LiveObject, release: ReleaseName) -> StoredRelease:
    """One revision from the labels of its object, without its payload.

    Raises Undecodable if ``selector`` does not choose the object, NotARecord if its name and labels do not agree.
    """
    if not is_revision(live, release):
        raise Undecodable(f"{live.key} is not a revision of release {release}")
    version = live.labels.get("version", "")
    if not (version.isascii() and version.isdigit()) or version.startswith("0"):
        raise NotARecord(f"its label version is {version!r}")
    revision = StoredRelease(release, int(version), live.labels.get("status", "unknown"))
    if live.key.name != stored_name(revision):
        raise NotARecord(f"its labels belong to {stored_name(revision)}")
    return revision


def sort_revisions(revisions: Sequence[StoredRelease]) -> tuple[StoredRelease, ...]:
    """The revisions in order; raises Undecodable where one is there twice."""
    ordered = tuple(sorted(revisions, key=lambda each: each.revision))
    for one, other in itertools.pairwise(ordered):
        if one.revision == other.revision:
            raise Undecodable(f"revision {one.revision} of release {one.release} is stored twice")
    return ordered


def revisions_to_read(revisions: Sequence[StoredRelease]) -> tuple[StoredRelease, ...]:
    """The revisions whose manifest can matter: the newest, and the newest deployed one.

    An upgrade starts from the deployed one where there is one (``prepareUpgrade``, pkg/action/upgrade.go).
    """
    deployed = [each for each in revisions if each.status == "deployed"]
    return tuple(dict.fromkeys([*revisions[-1:], *deployed[-1:]]))


def completed(stored: StoredRelease, data: Json, *, wrapped: bool) -> StoredRelease:
    """The revision with the contents of its payload; ``data`` is the ``data`` of its Secret or ConfigMap.

    Raises Undecodable where that is not a release, or not this revision.
    """
    place = f"revision {stored.revision} of release {stored.release}"
    packed = data.get("release") if isinstance(data, Mapping) else None
    if not isinstance(packed, str):
        raise Undecodable(f"{place} has no data.release")
    try:
        body = decode(packed, wrapped=wrapped)
    except Undecodable as error:
        raise Undecodable(f"{place} cannot be read: {error}") from error
    # Its namespace may be another one: Flux stores a release apart from its objects (``FLUX_NAMESPACE``).
    named = (body.get("name"), body.get("version"))
    if named != (stored.release.name, stored.revision):
        raise Undecodable(f"{place} says that it is revision {named[1]} of release {body.get('namespace')}/{named[0]}")
    info = body.get("info")
    status = info.get("status") if isinstance(info, dict) else None
    if status != stored.status:
        raise Undecodable(f"{place} is {stored.status} by its label and {status} by its payload")
    manifest, method = body.get("manifest", ""), body.get("apply_method") or ""
    if not isinstance(manifest, str) or not isinstance(method, str):
        raise Undecodable(f"{place} has a manifest or apply_method that is not a text")
    chart = body.get("chart")
    rendered: Json = None
    if isinstance(chart, dict) and "templates" in chart:
        rendered = {"templates": chart.get("templates"), "values": [chart.get("values"), body.get("config")]}
    return StoredRelease(stored.release, stored.revision, stored.status, manifest, method, rendered)


MAX_RELEASE = 256 * 1024 * 1024
"""The most bytes a release may unpack to. etcd holds at most some MiB packed; more is not a release but a bomb."""

_GZIP = b"\x1f\x8b\x08"
"""How Helm itself recognizes a packed payload (``decodeRelease``, pkg/storage/driver/util.go)."""


class Undecodable(Exception):
    """A payload is not what Helm stores; the message is one sentence without a full stop."""


class Packing(Record):
    """How a payload is packed: base64, around that once more base64 where the API wraps it, inside it gzip or not.

    Very old Helms did not gzip.
    """

    wrapped: bool
    gzipped: bool = True


def decode(packed: str, *, wrapped: bool) -> dict[str, Json]:
    """The JSON object of a ``data.release``; raises Undecodable."""
    return parse(unpack(packed, wrapped=wrapped)[0])


def unpack(packed: str, *, wrapped: bool) -> tuple[bytes, Packing]:
    """The JSON text of a ``data.release``, and how it was packed; ``wrapped`` for Secrets.

    Raises Undecodable, also where it would unpack to more than ``MAX_RELEASE`` bytes.
    """
    try:
        data = base64.b64decode(_one_line(packed.encode()), validate=True)
        data = base64.b64decode(_one_line(data), validate=True) if wrapped else data
    except (binascii.Error, ValueError) as error:
        raise Undecodable("it is not base64") from error
    if data.startswith(_GZIP):
        return _unpacked(data), Packing(wrapped)
    return data, Packing(wrapped, gzipped=False)


def pack(text: bytes, packing: Packing) -> str:
    """A JSON text as a ``data.release`` (``encodeRelease``, pkg/storage/driver/util.go); no time of day is in it."""
    data = base64.b64encode(gzip.compress(text, 9, mtime=0) if packing.gzipped else text)
    return (base64.b64encode(data) if packing.wrapped else data).decode()


def parse(text: bytes) -> dict[str, Json]:
    """The JSON object that a text is; raises Undecodable."""
    try:
        body = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise Undecodable("it is not JSON") from error
    if not isinstance(body, dict):
        raise Undecodable("it is not a JSON object")
    return body


def _one_line(data: bytes) -> bytes:
    """Without line breaks, which Go's decoder passes over (encoding/base64) and Python's does not."""
    return data.translate(None, b"\r\n")


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            plain = packed.read(MAX_RELEASE + 1)
    except EOFError as error:
        raise Undecodable("its gzip ends too early") from error
    except (OSError, zlib.error) as error:
        raise Undecodable("it is not gzip") from error
    if len(plain) > MAX_RELEASE:
        raise Undecodable(f"it unpacks to more than {MAX_RELEASE >> 20} MiB")
    return plain
