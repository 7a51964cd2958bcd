"""A Helm post-renderer that lets Helm safely adopt existing resources, and previews what Helm will do.

The library: ``plan`` returns a verdict per object, ``rewrite`` the manifests for Helm. Both take rendered manifests,
one run of Helm, a source of live objects, and options::

    import postrender

    run = postrender.Invocation(
        postrender.HelmVersion(3, 12, 3), postrender.HelmAction.INSTALL, postrender.ReleaseName("shop", "shirts")
    )
    result = postrender.rewrite(manifests, run, postrender.Connection(context="dev"))

Importing the package imports nothing else: each name is loaded when it is first used.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  the two functions first, then what they take, what they give, and what they raise
    "plan",
    "rewrite",
    "Adopt",
    "Connection",
    "DryRun",
    "HelmAction",
    "HelmVersion",
    "Invocation",
    "LiveFile",
    "OnDrift",
    "Policy",
    "ReleaseName",
    "Stamp",
    "Action",
    "Finding",
    "Plan",
    "Result",
    "Severity",
    "Verdict",
    "ClusterError",
    "ManifestError",
    "PostrenderError",
    "Refused",
    "UsageError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from postrender.api import (
        Action,
        Adopt,
        ClusterError,
        Connection,
        DryRun,
        Finding,
        HelmAction,
        HelmVersion,
        Invocation,
        LiveFile,
        ManifestError,
        OnDrift,
        Plan,
        Policy,
        PostrenderError,
        Refused,
        ReleaseName,
        Result,
        Severity,
        Stamp,
        UsageError,
        Verdict,
        plan,
        rewrite,
    )
else:

    def __getattr__(name: str) -> object:
        """Import ``postrender.api`` when one of its names is first used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from postrender import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        """Every public name, imported or not."""
        return sorted({*globals(), *__all__})
