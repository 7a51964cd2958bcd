"""Which proxy stands between us and a server: Go's rules, which differ from those of Python's libraries.

From golang.org/x/net v0.8.0, http/httpproxy/proxy.go: ``FromEnvironment``, ``useProxy``, ``init`` and the matchers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from postrender.live import Json

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

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
