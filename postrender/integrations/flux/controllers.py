"""The versions of helm-controller: the Helm in each, and the objects that its post-renderers get.

Read from each version's go.mod (``helm.sh/helm``, or what replaces it) and internal/action/install.go.
"""

from __future__ import annotations

from enum import Enum

from postrender._record import Record, replace
from postrender.helm.versions import HelmVersion

FIELD_MANAGER = "helm-controller"
"""The field manager of all that the controller's Helm writes (``main``, main.go of helm-controller 1.6.3)."""


class Strategy(Enum):
    """``spec.postRenderStrategy``: how the controller's Helm passes hooks to post-renderers (``renderResources``,
    pkg/action/action.go of Helm 4.2.0): with the other objects, by themselves, or not at all.
    """

    COMBINED = "combined"
    SEPARATE = "separate"
    NO_HOOKS = "nohooks"


class Controller(Record):
    """A helm-controller. ``helm`` is ``None`` for an unknown version.

    ``strategy`` is set if this version has one strategy only, whatever a HelmRelease says. ``helm3_defaults`` is its
    feature gate ``UseHelm3Defaults``.
    """

    helm: HelmVersion | None
    strategy: Strategy | None = None
    helm3_defaults: bool = False


_HELMS = {
    "1.0.0": "3.14.4",
    "1.0.1": "3.14.4",
    "1.1.0": "3.16.1",
    "1.2.0": "3.17.1",
    "1.3.0": "3.17.3",
    "1.4.0": "3.19.0",
    "1.4.1": "3.19.0",
    "1.4.2": "3.19.0",
    "1.4.3": "3.19.0",
    "1.4.4": "3.19.2",
    "1.4.5": "3.19.2",
    "1.5.0": "4.1.1",
    "1.5.1": "4.1.1",
    "1.5.2": "4.1.3",
    "1.5.3": "4.1.4",
    "1.5.4": "4.1.4",
    "1.5.5": "4.2.0",
    "1.6.0": "4.2.1",
    "1.6.1": "4.2.2",
    "1.6.2": "4.2.2",
    "1.6.3": "4.2.4",
}
"""Helm by version of helm-controller. Forks of Helm (``4.2.4-flux.1``) count as the Helm that they start from."""

NEWEST = [*_HELMS][-1]


def controllers() -> dict[str, Controller]:
    """Every released controller by version, oldest first."""
    return {version: Controller(HelmVersion.parse(helm), _only_strategy(version)) for version, helm in _HELMS.items()}


def with_helm(helm: HelmVersion | None, *, helm3_defaults: bool = False) -> Controller:
    """A controller of which only the Helm is known; ``None`` for nothing."""
    strategy = Strategy.NO_HOOKS if helm is not None and helm.major < 4 else None
    return Controller(helm, strategy, helm3_defaults)


def of_version(version: str, *, helm3_defaults: bool = False) -> Controller | None:
    """The controller of a version (``1.6.3`` or ``v1.6.3``); ``None`` for an unknown one."""
    found = controllers().get(version.removeprefix("v"))
    return replace(found, helm3_defaults=helm3_defaults) if found else None


def _only_strategy(version: str) -> Strategy | None:
    """The strategy of versions without ``spec.postRenderStrategy``: Helm 3 knows one, and 1.5 went back to it late."""
    parsed = HelmVersion.parse(version)
    assert parsed is not None
    if parsed >= HelmVersion(1, 6, 0):
        return None
    without_hooks = parsed < HelmVersion(1, 5, 0) or parsed >= HelmVersion(1, 5, 4)
    return Strategy.NO_HOOKS if without_hooks else Strategy.COMBINED
