"""Which cluster and which user a connection means, by client-go's rules; nothing is asked yet.

From k8s.io/client-go 0.34.3, tools/clientcmd: ``getCluster``, ``getAuthInfo`` and
``getUserIdentificationPartialConfig`` (client_config.go). The loader of the package ``kubernetes`` differs: it takes
the last current context of several files, where client-go takes the first, and knows of no impersonation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from postrender._record import Record
from postrender.cluster import kubeconfig_files
from postrender.cluster.kubeconfig_files import KubeconfigError, KubeFile
from postrender.errors import ClusterError
from postrender.models import Connection, Json

_CLUSTER_PATHS = ("certificate-authority",)
_USER_PATHS = ("client-certificate", "client-key", "tokenFile")
_TOKEN = "!#$&'*+-.^_`|~"
"""What a header's name may hold beside letters and digits (``headerKeyEscape``, transport/round_trippers.go)."""
_CREDENTIALS = ("token", "tokenFile", "exec", "auth-provider", "username", "password")


class Chosen(Record, hidden=("user",)):
    """One cluster and one user as a kubeconfig writes them, with absolute paths and the connection's overrides.

    ``context`` is ``""`` if no context is chosen; a cluster without ``server`` is no cluster.
    """

    context: str
    cluster: Mapping[str, Json]
    user: Mapping[str, Json]


def choose(connection: Connection, environ: Mapping[str, str]) -> Chosen:
    """Read the kubeconfigs and apply what overrides them; raises ClusterError."""
    files = _files(connection, environ)
    context = connection.context or kubeconfig_files.current_context(files)
    named = _entry(files, "context", context)
    if context and named is None:
        raise ClusterError(f"the kubeconfig has no context {context!r}", next="kubectl config get-contexts")
    cluster = _entry(files, "cluster", _text(named or {}, "cluster"), _CLUSTER_PATHS)
    user = _entry(files, "user", _text(named or {}, "user"), _USER_PATHS)
    if named and cluster is None and not connection.apiserver:
        raise ClusterError(
            f"context {context!r} names the cluster {_text(named, 'cluster')!r}, which the kubeconfig does not define",
            next="kubectl config view",
        )
    return Chosen(context, _cluster(cluster or {}, connection), _user(user or {}, connection))


def _cluster(cluster: Mapping[str, Json], connection: Connection) -> dict[str, Json]:
    """With the overrides of ``getCluster``: another server or another trust drops what was said about the old one."""
    changed = dict(cluster)
    if connection.insecure_skip_tls_verify or connection.ca_file:
        for key in ("insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data"):
            changed.pop(key, None)
        if connection.ca_file:
            changed["certificate-authority"] = os.path.abspath(connection.ca_file)
        if connection.insecure_skip_tls_verify:
            changed["insecure-skip-tls-verify"] = True
    if connection.apiserver or connection.tls_server_name:
        changed.pop("tls-server-name", None)
        if connection.tls_server_name:
            changed["tls-server-name"] = connection.tls_server_name
    if connection.apiserver:
        changed["server"] = connection.apiserver
    return changed


def _user(user: Mapping[str, Json], connection: Connection) -> dict[str, Json]:
    """With the overrides of ``getAuthInfo``; a token wins over every other way to say who asks but a certificate."""
    changed = dict(user)
    if connection.token:
        for key in _CREDENTIALS:
            changed.pop(key, None)
        changed["token"] = connection.token
    elif _text(changed, "tokenFile"):
        changed["token"] = _token(_text(changed, "tokenFile"))
    if connection.as_user:
        changed["as"] = connection.as_user
    if connection.as_groups:
        changed["as-groups"] = list(connection.as_groups)
    if connection.as_uid:
        changed["as-uid"] = connection.as_uid
    return changed


def impersonation(user: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The headers of whom a user impersonates (``impersonatingRoundTripper``, transport/round_trippers.go).

    Without a user name the rest counts for nothing, as in ``ClientConfig``.
    """
    if not user.get("as"):
        return
    yield "Impersonate-User", as_go_sends(user["as"])
    if user.get("as-uid"):
        yield "Impersonate-Uid", as_go_sends(user["as-uid"])
    for group in user.get("as-groups") or ():
        yield "Impersonate-Group", as_go_sends(group)
    for key, values in (user.get("as-user-extra") or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(key, safe=_TOKEN)}", as_go_sends(value)


def as_go_sends(value: Json) -> str:
    """The text whose bytes, as Python sends headers (Latin-1), are those that Go sends (UTF-8)."""
    return str(value).encode().decode("latin-1")


def _files(connection: Connection, environ: Mapping[str, str]) -> list[KubeFile]:
    at_home = os.path.join(os.path.expanduser("~"), ".kube", "config")
    try:
        files = kubeconfig_files.load_files(connection.kubeconfig or environ.get("KUBECONFIG") or at_home)
    except KubeconfigError as error:
        if error.other:
            raise ClusterError("this is not a kubeconfig", where=error.path, next="kubectl config view") from error
        raise ClusterError(f"the kubeconfig {error.cause}", where=error.path, next="kubectl config view") from error
    if not files and connection.kubeconfig:
        raise ClusterError("there is no such kubeconfig", where=connection.kubeconfig, next="kubectl config view")
    return files


def _entry(files: Sequence[KubeFile], kind: str, name: str, paths: tuple[str, ...] = ()) -> dict[str, Json] | None:
    """The first definition of that name, with its relative paths made absolute; ``None`` where no file has one."""
    for file in files:
        for named, definition in file.definitions(kind):
            if named == name and name:
                # What is null is not said: so Go reads it.
                entry = {key: value for key, value in definition.items() if value is not None}
                for key in paths:
                    if _text(entry, key):
                        entry[key] = os.path.join(file.folder, entry[key])
                return _with_command(entry, file.folder)
    return None


def _with_command(entry: dict[str, Json], folder: str) -> dict[str, Json]:
    """With the path of an exec plugin absolute where it is one, and not a name on ``$PATH``."""
    plugin = entry.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command")):
        entry["exec"] = {**plugin, "command": os.path.join(folder, str(plugin["command"]))}
    return entry


def read_token(path: str) -> str:
    """The token in a file, without the blanks around it; raises OSError and UnicodeDecodeError."""
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def _token(path: str) -> str:
    try:
        return read_token(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"the token file of the kubeconfig cannot be read: {error}", where=path) from error


def _text(mapping: Mapping[str, Json], key: str) -> str:
    found = mapping.get(key)
    return found if isinstance(found, str) else ""
