"""One module a command: its arguments, one call of an operation, and its exit code.

Each has ``parser()``, from which help, completion and the man page are made, and ``main(arguments) -> exit code``. It
is imported only when it is called: the filter runs once for every Helm call and must not pay for the others.
"""

from __future__ import annotations

COMMANDS: dict[str, str] = {
    "plan": "show what would be done to each object",
    "snapshot": "export the cluster state needed for an offline plan",
    "run": "run a helm install or upgrade and verify the result",
    "lint": "find problems in a chart, without a cluster",
    "orphans": "find objects of uninstalled releases",
    "verify": "compare a release with the cluster and fix drift",
    "adopt": "write ownership metadata to live objects, or undo it",
    "move": "move objects to another release, or undo it",
    "forget": "delete a release's records, keep its objects, or undo it",
    "rename": "rename a release without recreating its objects",
    "unpin": "remove resourceVersion from the stored manifests of a release",
    "unserved": "find removed APIs in stored manifests, and fix them",
    "flux": "write the edits as patches into a Flux HelmRelease",
    "argocd": "run as a config management plugin of Argo CD",
    "krm": "run as a KRM function for kustomize and kpt",
    "doctor": "check that postrender works in this environment",
    "helm-plugin": "install postrender as a post-renderer plugin of Helm 4",
    "completion": "generate a shell completion script",
    "explain": "explain a code or a lint rule",
}
"""Every command beside the filter, in the order in which help lists them, with what it does in a few words."""
