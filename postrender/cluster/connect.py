"""A connection to the chosen cluster as the chosen user: TLS, credentials, auth providers and proxy.

Proxies follow Go's rules, which differ from those of Python's libraries: golang.org/x/net v0.8.0,
http/httpproxy/proxy.go, ``FromEnvironment``, ``useProxy``, ``init`` and the matchers.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shlex
import time
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from postrender.cluster.exec_plugin import Credentials, ExecPlugin, exec_plugin
from postrender.cluster.http import Transport
from postrender.cluster.kubeconfig import Chosen, choose, impersonation
from postrender.cluster.parallel import MAX_REQUESTS
from postrender.cluster.tls import Certificates, Encrypted, context
from postrender.errors import ClusterError
from postrender.models import Connection, Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from typing import Any


_GKE = "gcloud container clusters get-credentials CLUSTER"

_SOON = 10
"""Seconds before its end from which on a token counts as expired, as in client-go's oidc plugin."""


def with_token(user: Mapping[str, Json], where: str) -> dict[str, Json]:
    """The user with the token that an ``oidc`` provider has stored; raises ClusterError where it has expired.

    Renewing it would change the kubeconfig, where the next token is kept, so that is left to kubectl and Helm. No
    program of another provider is run: since 0.26 client-go knows only this one (plugin/pkg/client/auth/plugins.go).
    """
    provider = user.get("auth-provider")
    if not provider:
        return dict(user)
    name = provider.get("name") if isinstance(provider, dict) else None
    if not isinstance(provider, dict) or name != "oidc":
        raise ClusterError(
            f"the auth provider {name!r} is not supported; client-go 0.26 and later has none but 'oidc'",
            where=where,
            next=_GKE if name == "gcp" else "kubectl config view",
        )
    token = (provider.get("config") or {}).get("id-token")
    if not isinstance(token, str) or _ends(token) - _SOON <= time.time():
        raise ClusterError(
            "the token of the auth provider oidc is missing or has expired, and only kubectl and Helm renew it",
            where=where,
            next="kubectl get --raw /version",
        )
    return {**{key: value for key, value in user.items() if key != "auth-provider"}, "token": token}


def _ends(token: str) -> float:
    """When a JWT expires, in seconds since 1970; never, where it does not say."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return float("inf")


_PORTS = {"http": "80", "https": "443"}
_SCHEMES = ("http://", "https://", "socks5://")


def proxy_for(url: str, cluster: Mapping[str, Json], environ: Mapping[str, str]) -> str | None:
    """The proxy for a server's URL: the one its kubeconfig names, else that of the environment, if it is to be used.

    ``HTTPS_PROXY`` or ``HTTP_PROXY`` by the server's scheme, never for the own machine, and not for what ``NO_PROXY``
    names.
    """
    if cluster.get("proxy-url"):
        return str(cluster["proxy-url"])
    parts = urlsplit(url)
    found = _variable(environ, f"{parts.scheme}_proxy") if parts.scheme in _PORTS else ""
    host, port = (parts.hostname or "").lower(), str(parts.port or _PORTS.get(parts.scheme, ""))
    if not found or _excepted(host, port, _variable(environ, "no_proxy")):
        return None
    return found if found.startswith(_SCHEMES) else f"http://{found}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def _excepted(host: str, port: str, no_proxy: str) -> bool:
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return any(entry and _matches(entry, host, port) for entry in entries)


def _matches(entry: str, host: str, port: str) -> bool:
    """Whether an entry of ``NO_PROXY`` names a host: ``*``, a network, or an address or domain, maybe with a port."""
    if entry == "*":
        return True
    if "/" in entry:
        return _within(entry, host)
    name, colon, its_port = entry.rpartition(":")
    if not colon or "]" in its_port or (":" in name and not name.startswith("[")):
        name, its_port = entry, ""
    if its_port and its_port != port:
        return False
    address = _address(name.strip("[]"))
    if address is not None:
        return address == _address(host)
    name = name.removeprefix("*")
    return bool(name) and (host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}"))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address

    try:
        return ip_address(text)
    except ValueError:
        return None


def _within(network: str, host: str) -> bool:
    from ipaddress import ip_network

    address = _address(host)
    try:
        return address is not None and address in ip_network(network, strict=False)
    except ValueError:
        return False


_LIVE = "--live FILE   (what kubectl get ... -o yaml printed)"
_NONE = (
    "--kube-context NAME",
    "--kubeconfig PATH",
    _LIVE,
    "--offline",
)


def reach(connection: Connection) -> tuple[Transport, str]:
    """The way to the cluster that the connection means, and its description; nothing is asked yet.

    Exec plugins run here. Raises ClusterError.
    """
    chosen = choose(connection, os.environ)
    server = str(chosen.cluster.get("server") or "").rstrip("/")
    if chosen.context and not server:
        raise ClusterError("its cluster has no server", where=_named(chosen), next="kubectl config view")
    try:
        if server:
            _usable_proxy(server, chosen)
        configuration, certificates = _configuration(chosen, server) if server else _in_cluster(connection)
        configuration.connection_pool_maxsize = MAX_REQUESTS
        _set_proxy(configuration, _usable_proxy(configuration.host, chosen))
        trust = context(certificates, verify=configuration.verify_ssl)
        transport = Transport(configuration, impersonation(chosen.user), connection.request_timeout, trust)
    except (OSError, ValueError) as error:
        # Not in its own words, nor as its cause: an error may repeat an address with its password.
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "an address is not a URL"
        raise ClusterError(
            f"no connection can be made: {reason}", where=_named(chosen), next="kubectl config view"
        ) from None
    except Encrypted:
        raise ClusterError(
            "the client key is encrypted, and nobody can be asked for its password",
            where=_named(chosen),
            next="openssl pkey -in KEY -out DECRYPTED-KEY",
        ) from None
    return transport, f"{_named(chosen)} ({_without_password(configuration.host)})"


def _configuration(chosen: Chosen, server: str) -> tuple[Any, Certificates]:
    """A ``kubernetes.client.Configuration`` for the chosen cluster and user, and their certificates.

    The package's own loader is not asked: it writes keys to files, which stay there if the process is killed, and runs
    plugins that client-go refuses.
    """
    from kubernetes.client import Configuration

    where = _named(chosen)
    configuration = Configuration()
    configuration.host = server
    configuration.verify_ssl = not chosen.cluster.get("insecure-skip-tls-verify")
    configuration.tls_server_name = str(chosen.cluster.get("tls-server-name") or "") or None
    user = with_token(chosen.user, where)
    plugin = exec_plugin(user["exec"], chosen.cluster, where) if user.get("exec") else None
    given = Credentials()
    if user.get("token"):
        _authorize(configuration, f"Bearer {user['token']}")
    elif user.get("username") or user.get("password"):
        login = f"{user.get('username') or ''}:{user.get('password') or ''}"
        _authorize(configuration, f"Basic {base64.b64encode(login.encode()).decode()}")
    elif plugin is not None:
        given = plugin.run()
        _renew(configuration, plugin, given)
    certificates = Certificates(
        authority=_data(chosen.cluster, "certificate-authority", where),
        authority_file=_file(chosen.cluster, "certificate-authority", where),
        certificate=given.certificate or _data(user, "client-certificate", where),
        certificate_file="" if given.certificate else _file(user, "client-certificate", where),
        key=given.key or _data(user, "client-key", where),
        key_file="" if given.key else _file(user, "client-key", where),
    )
    return configuration, certificates


def _authorize(configuration: Any, header: str) -> None:
    configuration.api_key = {"authorization": header}


def _renew(configuration: Any, plugin: ExecPlugin, given: Credentials) -> None:
    """Take what the plugin gave, and ask it again once that has expired."""
    current = given

    def hook(asked: Any) -> None:
        nonlocal current
        if current.expires <= time.time():
            current = plugin.run()
            if current.token:
                _authorize(asked, f"Bearer {current.token}")

    if given.token:
        _authorize(configuration, f"Bearer {given.token}")
    configuration.refresh_api_key_hook = hook


def _data(definition: Mapping[str, Json], name: str, where: str) -> bytes:
    """What stands in the kubeconfig itself, which is base64 of PEM."""
    text = definition.get(f"{name}-data")
    try:
        return base64.b64decode("".join(str(text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise ClusterError(
            f"the kubeconfig cannot be used: {name}-data is not base64", where=where, next="kubectl config view"
        ) from None


def _file(definition: Mapping[str, Json], name: str, where: str) -> str:
    path = str(definition.get(name) or "")
    if path and not definition.get(f"{name}-data") and not os.path.isfile(path):
        raise ClusterError(
            f"the kubeconfig cannot be used: {name}: no such file: {path}", where=where, next="kubectl config view"
        )
    return path


def _in_cluster(connection: Connection) -> tuple[Any, Certificates]:
    """As the service account of the pod we run in, with the overrides of ``inClusterClientConfig``."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    configuration = Configuration()
    load: Any = load_incluster_config
    try:
        load(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ClusterError("no kubeconfig names a cluster, and this is no pod in one", next=_NONE) from error
    if connection.token:
        configuration.refresh_api_key_hook = None
        _authorize(configuration, f"Bearer {connection.token}")
    return configuration, Certificates(authority_file=connection.ca_file or configuration.ssl_ca_cert or "")


def _named(chosen: Chosen) -> str:
    if chosen.context:
        return f"context {chosen.context}"
    return "API server" if chosen.cluster.get("server") else "the cluster of this pod"


def _usable_proxy(server: str, chosen: Chosen) -> str | None:
    """The proxy for a server; raises ClusterError for one of a kind that is not supported, before anything is asked."""
    proxy = proxy_for(server, chosen.cluster, os.environ)
    scheme = (proxy or "").partition("://")[0].lower()
    if proxy is None or scheme in ("http", "https"):
        return proxy
    own = chosen.cluster.get("proxy-url")
    raise ClusterError(
        f"the scheme {scheme!r} of the proxy is not supported (choose http, https)",
        where=f"{_named(chosen)}: proxy-url" if own else _named(chosen),
        next=(
            f"kubectl config set-cluster {shlex.quote(chosen.cluster_name)} --proxy-url=http://HOST:PORT"
            if own
            else "export HTTPS_PROXY=http://HOST:PORT",
            _LIVE,
        ),
    )


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
