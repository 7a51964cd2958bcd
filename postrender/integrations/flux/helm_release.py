"""A HelmRelease in a file: what helm-controller makes of it, and the file with other patches in it.

Read from helm-controller 1.6.3 (api/v2/helmrelease_types.go, internal/action and internal/release).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from postrender import manifest as manifests
from postrender._record import Record, replace
from postrender.errors import ManifestError, UsageError
from postrender.helm.invocation import Action, Invocation
from postrender.integrations.flux.controllers import Controller, Strategy
from postrender.manifest import Manifest, ObjectRef
from postrender.models import GroupKind, Json, ReleaseName, StoredRelease
from postrender.text import Advice

KIND = GroupKind("helm.toolkit.fluxcd.io", "HelmRelease")
_SOURCES = "source.toolkit.fluxcd.io"
_LONGEST = 53


class Chart(Record):
    """What ``helm template`` takes to find a chart: a name, folder or ``oci://`` address, a repository, a version."""

    name: str
    repository: str = ""
    version: str = ""


class HelmRelease(Record):
    """One HelmRelease of a file; ``body`` is its value, ``others`` the file's other objects.

    ``namespace`` is its own, not that of the objects that it installs.
    """

    path: str
    manifest: Manifest
    ref: ObjectRef
    body: Json
    namespace: str
    others: tuple[Json, ...] = ()

    @property
    def release(self) -> ReleaseName:
        """The release that the controller installs (``GetReleaseName``, ``ShortenName``, ``GetReleaseNamespace``)."""
        spec = self.spec
        target = _text(spec, "targetNamespace")
        name = _text(spec, "releaseName") or "-".join(part for part in (target, self.ref.name) if part)
        return ReleaseName(target or self.namespace, _shortened(name))

    @property
    def spec(self) -> Mapping[str, Json]:
        """The ``spec``; empty where it is none."""
        found = self.body.get("spec")
        return found if isinstance(found, dict) else {}

    @property
    def storage_namespace(self) -> str:
        """The namespace of the Secrets that hold the release's revisions (``GetStorageNamespace``)."""
        return _text(self.spec, "storageNamespace") or self.namespace

    @property
    def corrects_drift(self) -> bool:
        """True if the controller applies, after Helm, what is not live as the release stores it (``GetMode``)."""
        return _map(self.spec, "driftDetection").get("mode") == "enabled"

    @property
    def leaves_owners(self) -> bool:
        """True if no action takes objects from other owners: the default since 1.1.0 is that both do."""
        return all(_map(self.spec, action).get("disableTakeOwnership") is True for action in ("install", "upgrade"))

    def run(self, run: Invocation, own: Sequence[StoredRelease], controller: Controller) -> Invocation:
        """The run of Helm that the controller makes of this, as the action and its flags.

        ``run`` has release and Helm; ``own`` are the stored revisions. The controller installs if there are none, or if
        the last one is uninstalled, and upgrades otherwise (``DetermineReleaseState``, internal/reconcile/state.go).
        """
        run = replace(run, storage_namespace=self.storage_namespace)
        if own and own[-1].status != "uninstalled":
            return self._upgrade(run, own)
        install = _map(self.spec, "install")
        applies = install.get("serverSideApply")
        server_side = applies if isinstance(applies, bool) else not controller.helm3_defaults
        return replace(
            run,
            action=Action.INSTALL,
            take_ownership=install.get("disableTakeOwnership") is not True,
            server_side="true" if server_side else "false",
            force_conflicts=server_side,
            replace=install.get("replace") is True,
        )

    def _upgrade(self, run: Invocation, own: Sequence[StoredRelease]) -> Invocation:
        """``newUpgrade`` and ``Upgrade`` (internal/action/upgrade.go); without a mode, as the last revision did."""
        upgrade = _map(self.spec, "upgrade")
        mode = {"enabled": "true", "disabled": "false"}.get(_text(upgrade, "serverSideApply"), "auto")
        server_side = mode == "true" or (mode == "auto" and own[-1].apply_method == "ssa")
        return replace(
            run,
            action=Action.UPGRADE,
            take_ownership=upgrade.get("disableTakeOwnership") is not True,
            server_side="true" if server_side else "false",
            force_conflicts=server_side,
            force=upgrade.get("force") is True and not (server_side and (run.helm is None or run.helm.major > 3)),
        )

    def strategy(self, controller: Controller) -> Strategy:
        """The objects that the controller's post-renderers get, hooks among them or not."""
        named = _text(self.spec, "postRenderStrategy")
        if controller.strategy is not None:
            return controller.strategy
        if named in [each.value for each in Strategy]:
            return Strategy(named)
        return Strategy.NO_HOOKS if controller.helm3_defaults else Strategy.COMBINED

    def chart(self) -> Chart | None:
        """The chart, where this file tells where it is; ``None`` where only a cluster does."""
        template = self.spec.get("chart")
        wanted = template.get("spec") if isinstance(template, dict) else None
        if isinstance(wanted, dict):
            found = self._source(wanted.get("sourceRef"))
            url = _text(found, "url")
            if found.get("kind") != "HelmRepository" or not url:
                return None
            name, version = _text(wanted, "chart"), _text(wanted, "version")
            if found.get("type") == "oci":
                return Chart(f"{url.rstrip('/')}/{name}", version=version)
            return Chart(name, url, version)
        found = self._source(self.spec.get("chartRef"))
        if found.get("kind") != "OCIRepository":
            return None
        asked = found.get("ref")
        version = (_text(asked, "semver") or _text(asked, "tag")) if isinstance(asked, dict) else ""
        return Chart(_text(found, "url"), version=version)

    @property
    def folder(self) -> str:
        """The chart's folder in a repository of manifests; ``""`` if the chart is packaged."""
        wanted = _map(_map(self.spec, "chart"), "spec")
        return _text(wanted, "chart") if _map(wanted, "sourceRef").get("kind") in ("GitRepository", "Bucket") else ""

    def _source(self, named: Json) -> dict[str, Json]:
        """Spec and kind of the source that a reference names, from the same file; empty where it is not in it."""
        if not isinstance(named, dict):
            return {}
        for other in self.others:
            metadata = other.get("metadata") or {}
            namespace = named.get("namespace") or self.namespace
            if (
                str(other.get("apiVersion")).startswith(f"{_SOURCES}/")
                and (other.get("kind"), metadata.get("name")) == (named.get("kind"), named.get("name"))
                and metadata.get("namespace", namespace) == namespace
                and isinstance(other.get("spec"), dict)
            ):
                return {**other["spec"], "kind": other["kind"]}
        return {}


def read(path: str, data: bytes, name: str | None, namespace: str | None = None) -> HelmRelease:
    """The HelmRelease of a file, by its name where there are several; raises UsageError.

    ``namespace`` is its namespace if the file has none, as where a kustomization adds it.
    """
    try:
        manifest = manifests.read(data)
        bodies = [(ref, manifest.value(ref)) for ref in manifest.objects]
    except ManifestError as error:
        place = ", ".join(part for part in (path, error.where) if part)
        raise UsageError(f"cannot be read: {error.cause}", where=place, next=error.next) from error
    found = [(ref, body) for ref, body in bodies if ref.gvk.group_kind == KIND and name in (None, ref.name)]
    if not found:
        called = f" {name}" if name else ""
        raise UsageError(f"holds no HelmRelease{called} of {KIND.group}", where=path)
    if len(found) > 1:
        names = ", ".join(ref.name for ref, _ in found)
        raise UsageError(
            f"holds {len(found)} HelmReleases: {names}", where=path, next=[f"--name {ref.name}" for ref, _ in found[:5]]
        )
    ((ref, body),) = found
    if ref.path:
        raise UsageError(
            "the HelmRelease is an item of a list", where=path, next=Advice("put it into a document of its own")
        )
    place = f"{path}, line {ref.line}"
    if not (ref.namespace or namespace):
        raise UsageError(
            "the HelmRelease has no namespace",
            where=place,
            next=Advice("add --namespace with the namespace of the HelmRelease"),
        )
    if ref.namespace and namespace not in (None, ref.namespace):
        raise UsageError(f"the HelmRelease is in namespace {ref.namespace}, not {namespace}", where=place)
    others = tuple(other for other_ref, other in bodies if other_ref is not ref)
    return HelmRelease(path, manifest, ref, body, ref.namespace or namespace or "", others)


def values_elsewhere(helm_release: HelmRelease) -> tuple[str, ...]:
    """What values it takes from elsewhere, for a reader: ``ConfigMap shop-values (values.yaml)``, ``values-prod.yaml``.

    Those of ``spec.valuesFrom``, and the files of the chart's source that ``spec.chart.spec.valuesFiles`` names, which
    stand in for the chart's own ``values.yaml``.
    """
    found: Any = helm_release.spec.get("valuesFrom")
    template: Any = helm_release.spec.get("chart")
    wanted = template.get("spec") if isinstance(template, dict) else None
    files = wanted.get("valuesFiles") if isinstance(wanted, dict) else None
    named = tuple(str(each) for each in (files if isinstance(files, list) else ()))
    return named + tuple(
        f"{each.get('kind')} {each.get('name')} ({each.get('valuesKey') or 'values.yaml'})"
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
    )


def _shortened(name: str) -> str:
    """A name that is too long for Helm: its first 40 characters and a hash of the whole (``ShortenName``)."""
    if len(name) <= _LONGEST:
        return name
    import hashlib

    return f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _map(spec: Mapping[str, Json], field: str) -> Mapping[str, Json]:
    found = spec.get(field)
    return found if isinstance(found, dict) else {}


def _text(spec: Mapping[str, Json], field: str) -> str:
    found = spec.get(field)
    return found if isinstance(found, str) else ""
