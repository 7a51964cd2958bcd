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
from urllib.parse import urlsplit

from postrender._record import replace
from postrender.cluster.credentials import FileLogin, Login, PluginLogin
from postrender.cluster.exec_plugin import Credentials, exec_plugin
from postrender.cluster.http import Endpoint, Transport
from postrender.cluster.kubeconfig import Chosen, choose, impersonation
from postrender.cluster.tls import Certificates, Encrypted, context
from postrender.errors import ClusterError
from postrender.models import Connection, Json
from postrender.text import Advice, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from ipaddress import IPv4Address, IPv6Address
    from typing import Any


_SOON = 10
"""Seconds before its end from which on a token counts as expired, as in client-go's oidc plugin."""


def with_oidc_token(user: Mapping[str, Json], where: str) -> dict[str, Json]:
    """The user with the token that an ``oidc`` provider stored; raises ClusterError if it has expired.

    Renewing it would change the kubeconfig, where the next token is kept, so that is left to kubectl and Helm. No
    program of another provider is run: since 0.26 client-go knows only this one (plugin/pkg/client/auth/plugins.go).
    """
    provider = user.get("auth-provider")
    if not provider:
        return dict(user)
    name = provider.get("name") if isinstance(provider, dict) else None
    if not isinstance(provider, dict) or name != "oidc":
        raise ClusterError(
            f"the auth provider {name!r} is not supported; client-go 0.26 and later has none but 'oidc'"
            + ("; gcloud container clusters get-credentials replaces it" if name == "gcp" else ""),
            where=where,
            next="kubectl config view",
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
    # golang.org/x/net v0.62.0 asks for lower case first; net/http of Go 1.26 and older, which Helm uses, still as here.
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


def open_transport(connection: Connection) -> tuple[Transport, str]:
    """The transport to the connection's cluster, and the cluster's description; sends no request.

    Exec plugins run here. Raises ClusterError.
    """
    chosen = choose(connection, os.environ)
    server = str(chosen.cluster.get("server") or "").rstrip("/")
    if chosen.context and not server:
        raise ClusterError("its cluster has no server", where=_named(chosen), next="kubectl config view")
    try:
        if server:
            # The proxy comes first: a plugin is not run for a connection that cannot be made.
            endpoint = Endpoint(server, _text(chosen.cluster, "tls-server-name"), _usable_proxy(server, chosen))
            if not server.lower().startswith("https:"):
                # Over plain HTTP client-go sends no credentials, runs no plugin and impersonates nobody
                # (``ClientConfig``, tools/clientcmd/client_config.go of v0.34.3).
                chosen = replace(chosen, user={})
            login = _login(chosen)
        else:
            url, login = _in_cluster(connection)
            endpoint = Endpoint(url, proxy=_usable_proxy(url, chosen))
        transport = Transport(endpoint, login, impersonation(chosen.user), connection.request_timeout)
    except (OSError, ValueError) as error:
        # Not in its own words, nor as its cause: an error may repeat an address with its password.
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "an address is not a URL"
        raise ClusterError(
            f"no connection can be made: {reason}", where=_named(chosen), next="kubectl config view"
        ) from None
    except Encrypted:
        raise ClusterError(
            "the client key is encrypted, and a password prompt is not possible",
            where=_named(chosen),
            next=_decrypt(chosen.user),
        ) from None
    return transport, f"{_named(chosen)} ({_without_password(endpoint.url)})"


def _decrypt(user: Mapping[str, Json]) -> str:
    """The hint for an encrypted client key: as a file, or in the kubeconfig itself."""
    file = str(user.get("client-key") or "")
    if not file or user.get("client-key-data"):
        return Advice("decrypt it with openssl pkey, and put the result into the kubeconfig")
    new = shlex.quote(f"{file}.decrypted")
    return Hint(f"openssl pkey -in {shlex.quote(file)} -out {new}", "then set client-key to the new file")


def _login(chosen: Chosen) -> Login:
    """Who the chosen user is, without the package ``kubernetes``: its import takes longer than a small chart's filter.

    Its loader writes keys to files, which stay there if the process is killed, and runs plugins that client-go refuses.
    """
    where, verify = _named(chosen), not chosen.cluster.get("insecure-skip-tls-verify")
    user = with_oidc_token(chosen.user, where)
    plugin = exec_plugin(user["exec"], chosen.cluster, where, os.environ) if user.get("exec") else None
    authority = _data(chosen.cluster, "certificate-authority", where)
    authority_file = _file(chosen.cluster, "certificate-authority", where)
    own = Certificates(
        authority=authority,
        authority_file=authority_file,
        certificate=_data(user, "client-certificate", where),
        certificate_file=_file(user, "client-certificate", where),
        key=_data(user, "client-key", where),
        key_file=_file(user, "client-key", where),
    )

    def trust_with(given: Credentials) -> ssl.SSLContext:
        if not given.certificate:
            return context(own, verify=verify)
        its = Certificates(authority, authority_file, certificate=given.certificate, key=given.key)
        return context(its, verify=verify)

    if user.get("token"):
        header, trust = f"Bearer {user['token']}", context(own, verify=verify)
        path = _text(user, "tokenFile")
        return FileLogin(path, header, trust) if path else Login(header, trust)
    if user.get("username") or user.get("password"):
        login = f"{user.get('username') or ''}:{user.get('password') or ''}"
        return Login(f"Basic {base64.b64encode(login.encode()).decode()}", context(own, verify=verify))
    # With a certificate of its own a user needs no plugin (``UpdateTransportConfig``, client-go's exec.go).
    if plugin is not None and not own.identifies:
        return PluginLogin(plugin, trust_with)
    return Login("", context(own, verify=verify))


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


class PodLogin(Login):
    """The service account of the pod we run in, whose token the package ``kubernetes`` reads again each minute."""

    def __init__(self, configuration: Any, trust: ssl.SSLContext) -> None:
        """``configuration`` is a ``kubernetes.client.Configuration``."""
        self._configuration = configuration
        super().__init__("", trust)

    def renew(self) -> None:
        """Take the token as it is now."""
        self.header = self._configuration.auth_settings()["BearerToken"]["value"]


def _in_cluster(connection: Connection) -> tuple[str, Login]:
    """The URL and login of the pod we run in, with the overrides of ``inClusterClientConfig``."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    configuration = Configuration()
    load: Any = load_incluster_config
    try:
        load(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ClusterError(
            "no kubeconfig names a cluster, and this is not a pod in one; set --kube-context or --kubeconfig",
            next="kubectl config get-contexts",
        ) from error
    trust = context(
        Certificates(authority_file=connection.ca_file or configuration.ssl_ca_cert or ""),
        verify=bool(configuration.verify_ssl),
    )
    if connection.token:
        return configuration.host, Login(f"Bearer {connection.token}", trust)
    return configuration.host, PodLogin(configuration, trust)


def _named(chosen: Chosen) -> str:
    if chosen.context:
        return f"context {chosen.context}"
    return "API server" if chosen.cluster.get("server") else "the cluster of this pod"


def _usable_proxy(server: str, chosen: Chosen) -> str:
    """The proxy for a server, ``""`` for none.

    Raises ClusterError for one of a kind that is not supported, before anything is asked.
    """
    proxy = proxy_for(server, chosen.cluster, os.environ)
    scheme = (proxy or "").partition("://")[0].lower()
    if proxy is None or scheme in ("http", "https"):
        return proxy or ""
    own = chosen.cluster.get("proxy-url")
    raise ClusterError(
        f"the scheme {scheme!r} of the proxy is not supported (choose http, https)",
        where=f"{_named(chosen)}: proxy-url" if own else _named(chosen),
        next="kubectl config view" if own else "env | grep -i proxy",
    )


def _text(mapping: Mapping[str, Json], key: str) -> str:
    return str(mapping.get(key) or "")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
