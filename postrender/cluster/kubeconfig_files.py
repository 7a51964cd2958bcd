"""Kubeconfig files by client-go's rules: which are read, how they merge, and the context that Helm uses.

From k8s.io/client-go 0.34.3, tools/clientcmd, ``Load`` (loader.go): missing files are skipped, and the first current
context wins. Which cluster and user a connection means is chosen in ``kubeconfig``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from postrender import manifest
from postrender._record import Record
from postrender.errors import ManifestError
from postrender.helm.versions import HelmVersion
from postrender.models import Json


class KubeconfigError(Exception):
    """A file is there and is not a kubeconfig; ``cause`` is a phrase that goes after its path."""

    def __init__(self, path: str, cause: str, *, other: bool = False) -> None:
        """``other`` tells that the file could be read and holds something else."""
        super().__init__(f"{path} {cause}")
        self.path = path
        self.cause = cause
        self.other = other


class KubeFile(Record, hidden=("content",)):
    """One file that is there; the content holds credentials, and is left out of ``repr``."""

    path: str
    content: Mapping[str, Json]

    @property
    def folder(self) -> str:
        """What relative paths in the file start from."""
        return os.path.dirname(os.path.abspath(self.path))

    def definitions(self, kind: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Name and definition of each ``context``, ``cluster`` or ``user``, in the file's order."""
        entries = self.content.get(f"{kind}s")
        for entry in entries if isinstance(entries, list) else ():
            named = _mapping(entry)
            yield str(named.get("name")), _mapping(named.get(kind))


def at_home(environ: Mapping[str, str]) -> str:
    """Name the kubeconfig that is read where no other is named; ``""`` where there is no home."""
    home = environ.get("HOME", "")
    return os.path.join(home, ".kube", "config") if home else ""


def load_files(paths: str) -> list[KubeFile]:
    """Read the files joined by ``os.pathsep``, as in ``$KUBECONFIG``, each once; raises Unreadable."""
    found = (_read(path) for path in dict.fromkeys(filter(None, paths.split(os.pathsep))))
    return [file for file in found if file is not None]


def current_context(files: Sequence[KubeFile]) -> str:
    """The name of the context that is taken where none is named, ``""`` for none."""
    named = (file.content.get("current-context") for file in files)
    return next((str(name) for name in named if name), "")


def _read(path: str) -> KubeFile | None:
    try:
        with open(path, "rb") as handle:
            content = manifest.load(handle.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise KubeconfigError(path, f"cannot be read: {error.strerror}") from error
    except ManifestError as error:
        raise KubeconfigError(path, f"cannot be read: {error}") from error
    if content is not None and not isinstance(content, Mapping):
        raise KubeconfigError(path, "is not a kubeconfig", other=True)
    return KubeFile(path, content or {})


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

FIRST_FILE_WINS = HelmVersion(3, 17, 0)
"""Since then the first file that defines a context, cluster or user is taken as it stands (``merge``, merge.go of
client-go 0.32). Before, a field of the last file that sets it wins, though the name is an earlier file's: mergo merged
into the first file's own structs."""


class NotDetermined(Exception):
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


def load_kubeconfig(paths: str, environ: Mapping[str, str]) -> Kubeconfig:
    """Read the files joined by ``os.pathsep`` in ``paths``; ``""`` means ``~/.kube/config``. Raises NotDetermined."""
    try:
        files = load_files(paths or at_home(environ))
    except KubeconfigError as error:
        raise NotDetermined(str(error)) from error
    contexts, clusters, users = (_definitions(files, kind) for kind in ("context", "cluster", "user"))
    return Kubeconfig(current_context(files), contexts, clusters, users)


def namespace(config: Kubeconfig, context: str, environ: Mapping[str, str], helm: HelmVersion | None) -> Namespace:
    """Find the namespace of a context, of the current one where ``context`` is ``""``.

    A context that does not exist has Helm's default (``Namespace``, pkg/cli/environment.go). Where the context has
    no namespace and we run in a pod, it is the service account's (``Namespace``, merged_client_builder.go). Raises
    NotDetermined where Helms differ and ``helm`` is not known.
    """
    chosen = context or config.current
    if chosen and chosen not in config.contexts:
        return _DEFAULT
    names = [str(definition.get("namespace") or "") for definition in config.contexts.get(chosen, ({},))]
    new, old = names[0], next(filter(None, reversed(names)), "")
    if helm is None and new != old:
        raise NotDetermined(
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
