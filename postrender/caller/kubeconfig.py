"""The namespace that a kubeconfig gives, by client-go's rules (k8s.io/client-go/tools/clientcmd)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postrender.errors import ManifestError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Unreadable(Exception):
    """A kubeconfig is there but cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and where it came from."""

    name: str
    origin: str


def namespace(paths: str, context: str, environ: Mapping[str, str]) -> Namespace:
    """The namespace of a context, of the current one where ``context`` is ``""``.

    ``paths`` are joined by ``os.pathsep``, as in ``$KUBECONFIG``; ``""`` means ``~/.kube/config``. Files that do not
    exist are passed over, and the first file that has a value wins (``Load``, loader.go). Where no context gives a
    namespace and we run in a cluster, it is the service account's, else ``default`` (``Namespace``,
    merged_client_builder.go). Raises Unreadable.
    """
    current = context
    contexts: dict[str, Mapping[str, Any]] = {}
    for path in dict.fromkeys(paths.split(os.pathsep) if paths else [_home(environ)]):
        config = _load(path) if path else None
        if not isinstance(config, Mapping):
            continue
        current = current or str(config.get("current-context") or "")
        for entry in config.get("contexts") or ():
            contexts.setdefault(str(entry.get("name")), entry.get("context") or {})
    name = contexts.get(current, {}).get("namespace")
    if name:
        return Namespace(str(name), f"kubeconfig (context {current})")
    return _service_account(environ) or Namespace("default", "default")


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    return os.path.join(home, ".kube", "config") if home else ""


def _load(path: str) -> Any:
    from postrender import manifest

    try:
        data = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    try:
        stream = manifest.read(data)
        return stream.value(stream.objects[0]) if stream.objects else None
    except ManifestError as error:
        raise Unreadable(f"{path}: {error}") from error


def _service_account(environ: Mapping[str, str]) -> Namespace | None:
    """Inside a pod: ``inClusterClientConfig`` of client_config.go."""
    token = SERVICE_ACCOUNT / "token"
    if not (environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT") and token.is_file()):
        return None
    if environ.get("POD_NAMESPACE"):
        return Namespace(environ["POD_NAMESPACE"], "POD_NAMESPACE")
    try:
        name = (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        return None
    return Namespace(name, "service account") if name else None
