"""Credential plugins of a kubeconfig (``exec``), run by client-go's rules.

From k8s.io/client-go 0.34.3: tools/clientcmd/validation.go (``validateAuthInfo``), tools/clientcmd/api/v1/defaults.go
(``SetDefaults_ExecConfig``) and plugin/pkg/client/auth/exec/exec.go (``newAuthenticator``, ``isInteractive``,
``refreshCredsLocked``). What client-go refuses is refused, before the plugin runs. What a plugin prints on stdout holds
credentials, and is in no message.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

from postrender._record import Record
from postrender.errors import ClusterError
from postrender.models import Json

_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_MODES = ("Never", "IfAvailable", "Always")
_EXTENSION = f"{_GROUP}/exec"


class Credentials(Record, hidden=("token", "certificate", "key")):
    """What a plugin gave: a token, a client certificate with its key (PEM), or both.

    ``expires`` is in seconds since 1970; ``inf`` where the plugin does not say.
    """

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""
    expires: float = float("inf")


class ExecPlugin(Record, hidden=("environment", "cluster")):
    """A plugin that client-go would run.

    ``environment`` is all of the plugin's. ``where`` names the kubeconfig's context in messages; ``cluster`` is what
    the plugin learns of the cluster, ``None`` where it is not to.
    """

    version: str
    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    mode: str
    cluster: Json
    hint: str
    where: str

    def run(self) -> Credentials:
        """Run the plugin. Raises ClusterError where it gives no credentials."""
        import subprocess

        interactive = self.mode != "Never" and _stdin_is_terminal()
        if self.mode == "Always" and not interactive:
            raise self._error("interactiveMode is Always, and stdin is not a terminal")
        spec: dict[str, Json] = {"interactive": interactive}
        if self.cluster is not None:
            spec["cluster"] = self.cluster
        info = {"apiVersion": self.version, "kind": "ExecCredential", "spec": spec}
        try:
            done = subprocess.run(
                [self.command, *self.arguments],
                env={**self.environment, "KUBERNETES_EXEC_INFO": json.dumps(info)},
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if interactive else subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            raise self._error(getattr(error, "strerror", None) or "the command cannot be run") from None
        if done.returncode:
            stderr = " ".join((done.stderr or b"").decode(errors="replace").split())
            raise self._error(f"exit code {done.returncode}" + (f": {stderr}" if stderr else ""))
        return self._credentials(done.stdout)

    def _credentials(self, stdout: bytes) -> Credentials:
        """As ``refreshCredsLocked`` reads them."""
        try:
            given = json.loads(stdout)
        except (ValueError, RecursionError):
            raise self._error("its output is not JSON") from None
        if not isinstance(given, dict) or given.get("kind") != "ExecCredential":
            raise self._error("its output is not an ExecCredential")
        if given.get("apiVersion") != self.version:
            raise self._error(f"its output is not of the version {self.version}")
        status = given.get("status")
        if not isinstance(status, dict):
            raise self._error("its output has no status")
        token, certificate, key = (
            str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData")
        )
        if bool(certificate) != bool(key):
            raise self._error("it gave only one of certificate and key")
        if not token and not certificate:
            raise self._error("it gave neither a token nor a certificate")
        return Credentials(token, certificate.encode(), key.encode(), self._expires(status.get("expirationTimestamp")))

    def _expires(self, timestamp: Json) -> float:
        """Seconds since 1970, from RFC 3339."""
        if timestamp is None:
            return float("inf")
        from datetime import datetime

        try:
            # Python 3.10 reads neither Z nor nanoseconds.
            text = re.sub(r"\.\d+", "", str(timestamp)).replace("Z", "+00:00").replace("z", "+00:00")
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            raise self._error("its expirationTimestamp is not a time") from None

    def _error(self, cause: str) -> ClusterError:
        return ClusterError(
            f"the credential plugin {self.command} gave no credentials: {cause}"
            + (f"\n  {self.hint}" if self.hint else ""),
            where=self.where,
            next="kubectl get --raw /version",
        )


def exec_plugin(config: Json, cluster: Mapping[str, Json], where: str, environ: Mapping[str, str]) -> ExecPlugin:
    """The plugin that a user's ``exec`` describes, not run yet; ``environ`` is the environment of this process.

    Raises ClusterError for a plugin that client-go refuses.
    """
    if not isinstance(config, dict):
        raise ClusterError("the credential plugin (exec) is not a mapping", where=where, next="kubectl config view")
    command, version = str(config.get("command") or ""), str(config.get("apiVersion") or "")
    mode = str(config.get("interactiveMode") or ("IfAvailable" if version != _VERSIONS[0] else ""))
    cause = ""
    if not command:
        cause = "has no command"
    elif version not in _VERSIONS:
        cause = f"has the apiVersion {version!r}; kubectl and Helm run {' and '.join(_VERSIONS)}"
    elif mode not in _MODES:
        cause = f"has the interactiveMode {mode!r} (choose {', '.join(_MODES)})"
    if cause:
        raise ClusterError(
            f"the credential plugin {command or '(exec)'} {cause}", where=where, next="kubectl config view"
        )
    return ExecPlugin(
        version,
        command,
        tuple(map(str, _list(config.get("args")))),
        {
            **environ,
            **{
                str(each.get("name")): str(each.get("value") or "") for each in _list(config.get("env")) if _named(each)
            },
        },
        mode,
        _cluster(cluster) if config.get("provideClusterInfo") else None,
        str(config.get("installHint") or ""),
        where,
    )


def _cluster(cluster: Mapping[str, Json]) -> Json:
    """``ConfigToExecCluster``, tools/auth/exec and rest/exec.go: the certificates as they are, and the extension."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    info: dict[str, Json] = {name: cluster[name] for name in names if cluster.get(name)}
    for extension in _list(cluster.get("extensions")):
        if _named(extension) and extension["name"] == _EXTENSION:
            info["config"] = extension.get("extension")
    return info


def _named(entry: Json) -> bool:
    return isinstance(entry, dict) and bool(entry.get("name"))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _stdin_is_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False
