"""The input of lint rules, a chart's rendering as objects, and their output, findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from postrender import manifest as manifests
from postrender._record import Record
from postrender.cluster import builtin_kinds
from postrender.cluster.offline import Offline
from postrender.helm.objects import HOOK
from postrender.manifest import Manifest, ObjectRef
from postrender.models import CRD, KEEP, RESOURCE_POLICY, Json, LiveObject, ObjectKey, object_name
from postrender.models import Severity as Severity


class Subject(Record):
    """One object of a rendering.

    ``key`` has its namespace as the chart says, else the release's; ``source`` is the template that Helm's comment
    ``# Source:`` names, "" where there is none.
    """

    ref: ObjectRef
    key: ObjectKey
    name: str
    source: str

    @property
    def hook(self) -> bool:
        """Whether Helm runs it as a hook, which is no part of the release."""
        return HOOK in self.ref.annotations

    @property
    def apart(self) -> bool:
        """Whether it comes from a chart's folder ``crds/``: Helm creates it and never updates or deletes it."""
        return manifests.in_crds_folder(self.source)

    @property
    def kept(self) -> bool:
        """Whether an uninstall keeps it: ``filterManifestsToKeep`` (pkg/action/resource_policy.go) trims and lowers."""
        policy = self.ref.annotations.get(RESOURCE_POLICY, "")
        return not self.hook and not self.apart and policy.strip().lower() == KEEP

    @property
    def place(self) -> str:
        """``line 12 of the rendering, from shop/templates/db.yaml``."""
        source = f", from {self.source}" if self.source else ""
        return f"line {self.ref.line} of the rendering{source}"


class Rendering:
    """A stream as subjects. ``kinds`` knows the CRDs in it."""

    __slots__ = ("kinds", "manifest", "subjects")

    def __init__(self, manifest: Manifest, namespace: str, crds: Iterable[Json] = ()) -> None:
        """``namespace`` is the release's; ``crds`` are further CustomResourceDefinitions."""
        # Definitions are large, and reading them is slow; who has no custom resources needs none.
        custom = any(builtin_kinds.builtin_resource(ref.gvk) is None for ref in manifest.objects)
        own = [manifest.value(ref) for ref in manifest.objects if custom and ref.gvk.group_kind == CRD]
        self.manifest = manifest
        self.kinds = Offline([*crds, *own])
        sources = manifest.templates()
        self.subjects = tuple(self._subject(ref, namespace, sources[ref.document]) for ref in manifest.objects)

    def value(self, subject: Subject) -> Json:
        """The object; raises ManifestError where its document cannot be read as Helm does."""
        return self.manifest.value(subject.ref)

    def _subject(self, ref: ObjectRef, namespace: str, source: str) -> Subject:
        resource = self.kinds.resource(ref.gvk)
        key = ObjectKey(ref.gvk.group_kind, (ref.namespace or namespace) if resource.namespaced else "", ref.name)
        return Subject(ref, key, object_name(resource, key), source)


class Template(Record):
    """A file of a chart: how a user opens it, and what is in it."""

    path: str
    text: str


class Facts(Record):
    """All that the rules judge by.

    ``again`` is the same chart rendered a second time, ``renamed`` under another release's name; ``None`` for a stream.
    ``release`` is the release's name, "" where nobody said. ``minor`` is that of the Kubernetes it is meant for (29 for
    1.29), ``api_versions`` what its server serves beside Kubernetes' own (``group/version`` or ``group/version/Kind``);
    ``None`` and () where nobody said. ``live`` are live objects, ``templates`` the chart's own files by the name in
    ``# Source:``. ``before`` are the facts of the version that is compared with; ``None`` if there is none.
    """

    stream: Rendering
    again: Rendering | None = None
    renamed: Rendering | None = None
    release: str = ""
    minor: int | None = None
    api_versions: tuple[str, ...] = ()
    live: tuple[LiveObject, ...] = ()
    templates: Mapping[str, Template] = MappingProxyType({})
    before: Facts | None = None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The objects of the rendering that is judged."""
        return self.stream.subjects

    @property
    def charts(self) -> frozenset[str]:
        """The names of the charts in ``# Source:``."""
        sources = (subject.source for subject in self.subjects if subject.source and not subject.apart)
        return frozenset(source.partition("/")[0] for source in sources)

    @property
    def managed(self) -> tuple[Subject, ...]:
        """Those that are part of the release: neither hooks nor from a folder ``crds/``."""
        return tuple(subject for subject in self.subjects if not subject.hook and not subject.apart)

    @property
    def kept(self) -> tuple[Subject, ...]:
        """Those that an uninstall keeps."""
        return tuple(subject for subject in self.subjects if subject.kept)


def rendering(data: bytes, namespace: str = "default", crds: Iterable[Json] = ()) -> Rendering:
    """A stream read as subjects; raises ManifestError."""
    return Rendering(manifests.read(data), namespace, crds)


class Trouble(Record):
    """A rule's report on one object: one sentence without a full stop, and hints.

    ``path`` leads to the field, as far as it exists; ``hide`` keeps the field's value out of the output; ``old`` if the
    subject is one of ``Facts.before``.
    """

    subject: Subject
    severity: Severity
    text: str
    next: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    hide: bool = False
    old: bool = False


class Finding(Record):
    """A trouble with its code and its place. ``line`` and ``column`` count from 1, 0 if only the file is known.

    ``shown`` is the line of that file, "" where no line is known.
    """

    code: str
    severity: Severity
    object: str
    text: str
    next: tuple[str, ...]
    file: str
    line: int
    column: int
    shown: str
