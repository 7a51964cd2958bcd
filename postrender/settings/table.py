"""Every setting about the caller, once: its flag, its variable, what Helm calls it, and what it means.

The command line's parser and the documentation are made from ``SETTINGS``; nothing is listed a second time.
"""

from __future__ import annotations

from postrender._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class Setting(Record):
    """One setting.

    ``name`` is the field of ``Flags``. A ``bool`` may be given as true or false; a ``list`` is a flag given several
    times, and in the variable several values with commas between. ``aliases`` are further spellings of the flag.
    ``helm_flags`` are the flags on Helm's own command line (without dashes) that say the same, ``helm_variable`` what
    Helm itself reads from the environment. ``secret`` values are never shown; a ``path`` is relative to the folder of
    whoever gave it.
    """

    name: str
    kind: Literal["str", "bool", "list"]
    metavar: str
    help: str
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    helm_flags: tuple[str, ...] = ()
    helm_variable: str = ""
    secret: bool = False
    path: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """The spellings on our command line; the first is the one that messages use."""
        return ("--" + self.name.replace("_", "-"), *self.aliases)

    @property
    def variable(self) -> str:
        """The environment variable with the same meaning, for callers that cannot pass arguments."""
        return "POSTRENDER_" + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("release", "str", "NAME", "the release that is installed or upgraded"),
    Setting(
        "namespace",
        "str",
        "NAMESPACE",
        "the release's namespace (default: the kube-context's, as Helm does)",
        aliases=("-n",),
        helm_flags=("namespace",),
        helm_variable="HELM_NAMESPACE",
    ),
    Setting("helm_version", "str", "VERSION", "the version of the calling Helm, such as 3.12.3"),
    Setting(
        "action",
        "str",
        "ACTION",
        "what the calling Helm does; upgrade-install is helm upgrade --install",
        choices=("install", "upgrade", "upgrade-install", "template"),
    ),
    Setting(
        "dry_run",
        "str",
        "MODE",
        "whether the calling Helm only simulates",
        choices=("none", "client", "server"),
        helm_flags=("dry-run",),
    ),
    Setting("generate_name", "bool", "", "the calling Helm makes up the release's name", helm_flags=("generate-name",)),
    Setting(
        "force",
        "bool",
        "",
        "the calling Helm replaces objects instead of patching them",
        aliases=("--force-replace",),
        helm_flags=("force", "force-replace"),
    ),
    Setting(
        "force_conflicts",
        "bool",
        "",
        "the calling Helm takes fields over from other field managers",
        helm_flags=("force-conflicts",),
    ),
    Setting("take_ownership", "bool", "", "helm runs with --take-ownership", helm_flags=("take-ownership",)),
    Setting(
        "server_side",
        "str",
        "MODE",
        "whether the calling Helm (4 and later) applies on the server",
        choices=("true", "false", "auto"),
        helm_flags=("server-side",),
    ),
    Setting(
        "atomic",
        "bool",
        "",
        "the calling Helm undoes what it did when it fails",
        aliases=("--rollback-on-failure",),
        helm_flags=("atomic", "rollback-on-failure"),
    ),
    Setting(
        "replace", "bool", "", "the calling Helm uses the name of a deleted release again", helm_flags=("replace",)
    ),
    Setting(
        "driver",
        "str",
        "DRIVER",
        "where the calling Helm stores its releases",
        choices=("secret", "configmap", "memory", "sql"),
        helm_variable="HELM_DRIVER",
    ),
    Setting(
        "field_manager",
        "str",
        "NAME",
        "the field manager of what the caller writes, if that is not helm (default: the name of the provider of "
        "Terraform or Pulumi that runs postrender)",
    ),
    Setting(
        "kubeconfig",
        "str",
        "PATH",
        "path of the kubeconfig",
        helm_flags=("kubeconfig",),
        helm_variable="KUBECONFIG",
        path=True,
    ),
    Setting(
        "kube_context",
        "str",
        "NAME",
        "the context of the kubeconfig to use",
        helm_flags=("kube-context",),
        helm_variable="HELM_KUBECONTEXT",
    ),
    Setting(
        "kube_as_user",
        "str",
        "USER",
        "the user to impersonate",
        helm_flags=("kube-as-user",),
        helm_variable="HELM_KUBEASUSER",
    ),
    Setting(
        "kube_as_group",
        "list",
        "GROUP",
        "a group to impersonate (can be repeated)",
        helm_flags=("kube-as-group",),
        helm_variable="HELM_KUBEASGROUPS",
    ),
    Setting("kube_as_uid", "str", "UID", "the user id to impersonate"),
    Setting(
        "kube_token",
        "str",
        "TOKEN",
        "the bearer token (fewer people see a variable than a command line)",
        helm_flags=("kube-token",),
        helm_variable="HELM_KUBETOKEN",
        secret=True,
    ),
    Setting(
        "kube_apiserver",
        "str",
        "URL",
        "the address of the API server",
        helm_flags=("kube-apiserver",),
        helm_variable="HELM_KUBEAPISERVER",
    ),
    Setting(
        "kube_ca_file",
        "str",
        "PATH",
        "CA bundle of the API server",
        helm_flags=("kube-ca-file",),
        helm_variable="HELM_KUBECAFILE",
        path=True,
    ),
    Setting(
        "kube_tls_server_name",
        "str",
        "NAME",
        "the name that the API server's certificate is checked for",
        helm_flags=("kube-tls-server-name",),
        helm_variable="HELM_KUBETLS_SERVER_NAME",
    ),
    Setting(
        "kube_insecure_skip_tls_verify",
        "bool",
        "",
        "do not check the API server's certificate",
        helm_flags=("kube-insecure-skip-tls-verify",),
        helm_variable="HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
    ),
    Setting("request_timeout", "str", "SECONDS", "how long one request to the API server may take"),
)
"""All settings, in the order in which they are shown."""

RUN_PLAN = "POSTRENDER_RUN_PLAN"
"""The variable by which ``postrender run`` passes the path of the plan to the filter; not a user's setting."""

RUN_COMMAND = "POSTRENDER_RUN_COMMAND"
"""The variable by which it passes its own flags and Helm's name: ``--adopt=orphans -- helm``; not a user's setting."""


def unseen_beside(plan: str) -> str:
    """The file beside the plan where the filter leaves a message for ``postrender run`` that could not be shown."""
    return f"{plan}.txt"


class Flags(Record):
    """What was given on our own command line; ``None`` (``()`` for a list) where a flag was not given."""

    release: str | None = None
    namespace: str | None = None
    helm_version: str | None = None
    action: str | None = None
    dry_run: str | None = None
    generate_name: bool | None = None
    force: bool | None = None
    force_conflicts: bool | None = None
    take_ownership: bool | None = None
    server_side: str | None = None
    atomic: bool | None = None
    replace: bool | None = None
    driver: str | None = None
    field_manager: str | None = None
    kubeconfig: str | None = None
    kube_context: str | None = None
    kube_as_user: str | None = None
    kube_as_group: tuple[str, ...] = ()
    kube_as_uid: str | None = None
    kube_token: str | None = None
    kube_apiserver: str | None = None
    kube_ca_file: str | None = None
    kube_tls_server_name: str | None = None
    kube_insecure_skip_tls_verify: bool | None = None
    request_timeout: str | None = None

    def __repr__(self) -> str:
        """Only which flags were given: one of the values is a token."""
        given = (setting.name for setting in SETTINGS if getattr(self, setting.name) not in (None, ()))
        return f"Flags({', '.join(f'{name}=...' for name in given)})"
