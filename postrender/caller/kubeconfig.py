"""What Helm reads out of kubeconfigs, by client-go's rules (k8s.io/client-go/tools/clientcmd).

Only which context it is, its namespace, and whether two readers of the same files would find the same cluster;
connecting is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from postrender import kubefiles
from postrender.helm.versions import HelmVersion
from postrender.kubefiles import KubeFile, Unreadable
from postrender.live import Json
from postrender.record import Record

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

FIRST_FILE_WINS = HelmVersion(3, 17, 0)
"""Since then the first file that defines a context, cluster or user is taken as it stands (``merge``, merge.go of
client-go 0.32). Before, a field of the last file that sets it wins, though the name is an earlier file's: mergo merged
into the first file's own structs."""


class CannotTell(Exception):
    """A kubeconfig cannot be read, or means two things; the message is a sentence without a full stop."""


class Namespace(Record):
    """A namespace and where it came from."""

    name: str
    origin: str


_DEFAULT = Namespace("default", "default")


class Kubeconfig(Record, hidden=("users",)):
    """Several files as one: the current context's name (``""``: none) and every definition of each name, in order.

    Users' definitions hold credentials, and are left out of ``repr``.
    """

    current: str
    contexts: Mapping[str, tuple[Json, ...]]
    clusters: Mapping[str, tuple[Json, ...]]
    users: Mapping[str, tuple[Json, ...]]


def load(paths: str, environ: Mapping[str, str]) -> Kubeconfig:
    """Read the files joined by ``os.pathsep`` in ``paths``; ``""`` means ``~/.kube/config``. Raises CannotTell."""
    try:
        files = kubefiles.load(paths or kubefiles.at_home(environ))
    except Unreadable as error:
        raise CannotTell(str(error)) from error
    contexts, clusters, users = (_definitions(files, kind) for kind in ("context", "cluster", "user"))
    return Kubeconfig(kubefiles.current_context(files), contexts, clusters, users)


def namespace(config: Kubeconfig, context: str, environ: Mapping[str, str], helm: HelmVersion | None) -> Namespace:
    """Find the namespace of a context, of the current one where ``context`` is ``""``.

    A context that does not exist has Helm's default (``Namespace``, pkg/cli/environment.go). Where the context has
    no namespace and we run in a pod, it is the service account's (``Namespace``, merged_client_builder.go). Raises
    CannotTell where Helms differ and ``helm`` is not known.
    """
    chosen = context or config.current
    if chosen and chosen not in config.contexts:
        return _DEFAULT
    names = [str(definition.get("namespace") or "") for definition in config.contexts.get(chosen, ({},))]
    new, old = names[0], next(filter(None, reversed(names)), "")
    if helm is None and new != old:
        raise CannotTell(
            f"several kubeconfigs define the context {chosen}, and Helm's versions differ in what they take"
        )
    name = old if helm is not None and helm < FIRST_FILE_WINS else new
    return Namespace(name, f"kubeconfig (context {chosen})") if name else _service_account(environ)


def defined_twice(config: Kubeconfig, context: str) -> str:
    """Name what several files define differently on the way from a context to its cluster; ``""`` where nothing."""
    chosen = context or config.current
    contexts = config.contexts.get(chosen, ())
    ends = [(str(definition.get("cluster")), str(definition.get("user"))) for definition in contexts]
    if len(set(ends)) > 1:
        return f"the context {chosen}"
    for cluster, user in ends[:1]:
        for kind, name, known in (("cluster", cluster, config.clusters), ("user", user, config.users)):
            first, *others = known.get(name, ({},))
            if any(other != first for other in others):
                return f"the {kind} {name}"
    return ""


def _definitions(files: list[KubeFile], kind: str) -> Mapping[str, tuple[Json, ...]]:
    found: dict[str, tuple[Json, ...]] = {}
    for file in files:
        for name, definition in file.definitions(kind):
            found[name] = (*found.get(name, ()), definition)
    return found


def _service_account(environ: Mapping[str, str]) -> Namespace:
    """Where we run in a pod, its namespace: ``inClusterClientConfig``, client_config.go."""
    token = os.path.join(SERVICE_ACCOUNT, "token")
    if not (
        environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT") and os.path.isfile(token)
    ):
        return _DEFAULT
    if environ.get("POD_NAMESPACE"):
        return Namespace(environ["POD_NAMESPACE"], "POD_NAMESPACE")
    try:
        with open(os.path.join(SERVICE_ACCOUNT, "namespace")) as handle:
            name = handle.read().strip()
    except OSError:
        return _DEFAULT
    return Namespace(name, "service account") if name else _DEFAULT
