"""Which flags Helm's rendering commands know, and which of them take the next argument as their value.

One table for every Helm 3 and 4: no flag was ever given another meaning in this respect, so that a newer Helm's flags
do no harm in an older one. Read from ``EnvSettings.AddFlags`` (pkg/cli/environment.go), ``addKlogFlags``
(cmd/helm/flags.go; klog.go of k8s.io/klog) and ``newInstallCmd``, ``newUpgradeCmd``, ``newTemplateCmd`` with the
functions they share (cmd/helm/{install,upgrade,template,flags}.go of 3.9.0 to 3.21.4, pkg/cmd of 4.0.0 to 4.3.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from postrender.record import Record


class FlagSet(Record):
    """The flags of one command: long name to whether it takes the next argument, and letter to long name."""

    takes_next: Mapping[str, bool]
    letters: Mapping[str, str]


def _flags(takes_next: str, stands_alone: str, letters: str, base: FlagSet | None = None) -> FlagSet:
    known = dict.fromkeys(takes_next.split(), True) | dict.fromkeys(stands_alone.split(), False)
    short = {pair[0]: pair[2:] for pair in letters.split()}
    if base is None:
        return FlagSet(known, short)
    return FlagSet({**base.takes_next, **known}, {**base.letters, **short})


ROOT = _flags(
    "namespace kubeconfig kube-context kube-token kube-as-user kube-as-group kube-apiserver kube-ca-file "
    "kube-tls-server-name registry-config repository-config repository-cache content-cache burst-limit qps "
    "color colour "
    "alsologtostderrthreshold log-backtrace-at log-dir log-file log-file-max-size stderrthreshold v vmodule",
    "debug kube-insecure-skip-tls-verify "
    "add-dir-header alsologtostderr legacy-stderr-threshold-behavior logtostderr one-output skip-headers "
    "skip-log-headers",
    "n=namespace v=v",
)
"""What may stand in front of the command as well as behind it."""

_SHARED = _flags(
    "description keyring repo username password cert-file key-file ca-file version timeout labels "
    "values set set-string set-file set-json set-literal post-renderer post-renderer-args",
    "atomic create-namespace dependency-update devel disable-openapi-validation dry-run enable-dns force "
    "force-conflicts force-replace help hide-notes insecure-skip-tls-verify no-hooks pass-credentials plain-http "
    "render-subchart-notes rollback-on-failure skip-crds skip-schema-validation take-ownership verify wait "
    "wait-for-jobs",
    "f=values h=help l=labels",
    ROOT,
)

_INSTALL = _flags("name-template", "generate-name replace server-side", "g=generate-name", _SHARED)

COMMANDS: Mapping[str, FlagSet] = {
    "install": _flags("output", "hide-secret", "o=output", _INSTALL),
    "template": _flags(
        "api-versions kube-version output-dir show-only",
        "include-crds is-upgrade release-name skip-tests validate",
        "a=api-versions s=show-only",
        _INSTALL,
    ),
    "upgrade": _flags(
        "history-max output server-side",
        "cleanup-on-fail hide-secret install recreate-pods reset-then-reuse-values reset-values reuse-values",
        "i=install o=output",
        _SHARED,
    ),
}
"""The commands that run a post-renderer (none of them has an alias)."""

KEPT = frozenset(
    (
        *("namespace", "kubeconfig", "kube-context", "kube-token", "kube-as-user", "kube-as-group", "kube-apiserver"),
        *("kube-ca-file", "kube-tls-server-name", "kube-insecure-skip-tls-verify"),
        *("install", "generate-name", "name-template", "replace", "dry-run", "validate"),
        *("force", "force-replace", "force-conflicts", "take-ownership", "server-side"),
        *("atomic", "rollback-on-failure", "output"),
    )
)
"""The flags that matter to us. Of all others (``--set``, ``--password``) neither value nor name is kept."""
