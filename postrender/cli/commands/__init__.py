"""One module a command: its arguments, one call of an operation, and its exit code.

Each has ``parser()``, from which help, completion and the man page are made, and ``main(arguments) -> exit code``. It
is imported only when it is called: the filter runs once for every Helm call and must not pay for the others.
"""

from __future__ import annotations

COMMANDS: dict[str, str] = {
    "plan": "show what would be done to each object",
    "snapshot": "put what is live into a file, for a plan made elsewhere",
    "run": "run a Helm and finish the release",
    "lint": "find what in a chart makes trouble, without a cluster",
    "orphans": "find kept objects whose release is gone",
    "verify": "hold what a release stores against what is live, and mend it",
    "adopt": "give live objects to a release, or undo that",
    "unpin": "take pins out of a stored release",
    "flux": "the filter's edits as patches of a HelmRelease",
    "argocd": "a config management plugin of Argo CD",
    "krm": "a KRM function for kustomize and kpt",
    "doctor": "tell whether the filter could work on this machine",
    "helm-plugin": "make this installation a post-renderer of Helm 4",
    "completion": "have a shell complete commands and flags",
    "explain": "say what a code in a message means",
}
"""Every command beside the filter, in the order in which help lists them, with what it does in a few words."""
