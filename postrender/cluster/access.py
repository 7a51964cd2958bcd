"""A connection, made ready by the configuration loader of the package ``kubernetes``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from postrender.cluster.kubeconfig import Chosen, choose, impersonation
from postrender.cluster.parallel import MAX_REQUESTS
from postrender.cluster.provider import with_token
from postrender.cluster.proxy import proxy_for
from postrender.cluster.transport import Transport
from postrender.connection import Connection
from postrender.errors import ClusterError

_NONE = (
    "--kube-context NAME",
    "--kubeconfig PATH",
    "--live FILE   (what kubectl get ... -o yaml printed)",
    "--offline",
)


def reach(connection: Connection) -> tuple[Transport, str]:
    """The way to the cluster that the connection means, and its description; nothing is asked yet.

    Exec plugins run here. Raises ClusterError.
    """
    chosen = choose(connection, os.environ)
    if chosen.context and not chosen.cluster.get("server"):
        raise ClusterError("its cluster has no server", where=_named(chosen), next="kubectl config view")
    configuration = _configuration(chosen) if chosen.cluster.get("server") else _in_cluster(connection)
    configuration.connection_pool_maxsize = MAX_REQUESTS
    try:
        _set_proxy(configuration, proxy_for(configuration.host, chosen.cluster, os.environ))
        transport = Transport(configuration, impersonation(chosen.user), connection.request_timeout)
    except (OSError, ValueError, ImportError) as error:
        raise ClusterError(f"no connection can be made: {error}", where=_named(chosen)) from error
    return transport, f"{_named(chosen)} ({_without_password(configuration.host)})"


def _configuration(chosen: Chosen) -> Any:
    """A ``kubernetes.client.Configuration`` for the chosen cluster and user."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config_from_dict

    where = _named(chosen)
    configuration = Configuration()
    load: Any = load_kube_config_from_dict
    config = {
        "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": dict(chosen.cluster)}],
        "users": [{"name": "chosen", "user": with_token(chosen.user, where)}],
    }
    with _heard() as complaints:
        try:
            load(config, client_configuration=configuration, persist_config=False)
        except (ConfigException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ClusterError(f"the kubeconfig cannot be used: {error}", where=where) from error
    if "exec" in chosen.user and not (configuration.api_key or configuration.cert_file):
        plugin = chosen.user["exec"]
        command = plugin.get("command") if isinstance(plugin, dict) else None
        hint = plugin.get("installHint") if isinstance(plugin, dict) else None
        raise ClusterError(
            f"the credential plugin {command} gave no credentials: {'; '.join(complaints) or 'nothing came of it'}",
            where=where,
            next=tuple(str(line) for line in (hint, command) if line),
        )
    return configuration


def _in_cluster(connection: Connection) -> Any:
    """As the service account of the pod we run in, with the overrides of ``inClusterClientConfig``."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    configuration = Configuration()
    load: Any = load_incluster_config
    try:
        load(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ClusterError("no kubeconfig names a cluster, and this is no pod in one", next=_NONE) from error
    if connection.ca_file:
        configuration.ssl_ca_cert = connection.ca_file
    if connection.token:
        configuration.refresh_api_key_hook = None
        configuration.api_key = {"authorization": f"Bearer {connection.token}"}
    return configuration


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What is logged meanwhile: the loader tells of a plugin that failed in no other way."""
    import logging

    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage().replace("\n", " "))

    root, listener = logging.getLogger(), Listener(logging.WARNING)
    root.addHandler(listener)
    try:
        yield heard
    finally:
        root.removeHandler(listener)


def _named(chosen: Chosen) -> str:
    if chosen.context:
        return f"context {chosen.context}"
    return "API server" if chosen.cluster.get("server") else "the cluster of this pod"


def _set_proxy(configuration: Any, proxy: str | None) -> None:
    """Leave no choice of its own to the package, whose versions differ; a password in the address is sent, as by Go."""
    import urllib3

    login = urlsplit(proxy or "").netloc.rpartition("@")[0]
    configuration.proxy = proxy
    configuration.no_proxy = None
    configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
