"""One run of Helm: which version, which action, which release, and the flags that change what it does."""

from __future__ import annotations

from enum import Enum

from postrender._record import Record
from postrender.helm.versions import HelmVersion
from postrender.models import ReleaseName

FIELD_MANAGER = "helm"
"""The field manager of the helm command, whatever its file is called (``main``, cmd/helm/helm.go of 3.9.4 to 4.3.2)."""


class Action(Enum):
    """The Helm command. ``UPGRADE_INSTALL`` is ``helm upgrade --install``, and the default if the command is unknown:
    stored releases decide which of the two it is.
    """

    INSTALL = "install"
    UPGRADE = "upgrade"
    UPGRADE_INSTALL = "upgrade --install"
    TEMPLATE = "template"


class DryRun(Enum):
    """How far Helm will go: ``helm template`` and ``--dry-run`` write nothing."""

    NO = "no"
    CLIENT = "client"
    SERVER = "server"


class ArgoCD(Record):
    """Argo CD applies, and Helm only rendered; ``application`` is its Application, as ``ARGOCD_APP_NAME`` names it."""

    application: str


class Invocation(Record):
    """One run of Helm, or of Argo CD in its place (``argocd``).

    ``helm`` is ``None`` for an unknown version, ``release`` for an unknown name or namespace. ``namespace`` is set only
    for a release whose name Helm generates; ``""`` otherwise.
    ``server_side`` is Helm 4's ``--server-side``: ``"true"``, ``"false"`` or ``"auto"`` (its default; Helm 3 has no
    such flag). ``force`` is ``--force`` of Helm 3 and ``--force-replace`` of Helm 4, ``atomic`` is ``--atomic`` or
    ``--rollback-on-failure``, ``driver`` is ``$HELM_DRIVER``. ``storage_namespace`` is the namespace of the release's
    stored revisions if it is not its own, as with Flux; ``""`` otherwise. ``field_manager`` is the name under which the
    API server records what this run writes.
    """

    helm: HelmVersion | None
    action: Action
    release: ReleaseName | None
    dry_run: DryRun = DryRun.NO
    generate_name: bool = False
    force: bool = False
    force_conflicts: bool = False
    take_ownership: bool = False
    server_side: str = "auto"
    atomic: bool = False
    replace: bool = False
    driver: str = "secret"
    namespace: str = ""
    argocd: ArgoCD | None = None
    storage_namespace: str = ""
    field_manager: str = FIELD_MANAGER

    @property
    def stored_as(self) -> ReleaseName | None:
        """The name under which the release's revisions are stored; ``None`` for an unknown name or namespace."""
        return (
            ReleaseName(self.storage_namespace or self.release.namespace, self.release.name) if self.release else None
        )
