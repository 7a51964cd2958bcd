"""Who asks: the Authorization header and the client certificate of a connection, renewed when they expire.

From k8s.io/client-go 0.34.3: plugin/pkg/client/auth/exec/exec.go (``getCreds``, ``maybeRefreshCreds``) and
transport/token_source.go (``NewCachedFileTokenSource``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from postrender.cluster.exec_plugin import Credentials, ExecPlugin
from postrender.cluster.kubeconfig import read_token
from postrender.errors import ClusterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl


class Login:
    """Credentials that stay as they are.

    ``header`` is the value of the Authorization header, ``""`` for none; ``trust`` holds the certificates of both
    sides. ``generation`` grows with each renewal.
    """

    def __init__(self, header: str, trust: ssl.SSLContext) -> None:
        self.header = header
        self.trust = trust
        self.generation = 0

    def renew(self) -> None:
        """Renew what has expired; raises ClusterError if that fails."""

    def refused(self) -> bool:
        """Renew what the server answered with a 401; whether there is something new to try."""
        return False


class FileLogin(Login):
    """A bearer token from a file that somebody else renews, read again every minute."""

    PERIOD = 60.0
    """Seconds between two reads."""

    def __init__(self, path: str, header: str, trust: ssl.SSLContext) -> None:
        super().__init__(header, trust)
        self._path = path
        self._read = time.monotonic()

    def renew(self) -> None:
        """Read the file again if it is time; a token that was read stays if the file cannot be read."""
        if time.monotonic() - self._read < self.PERIOD:
            return
        self._read = time.monotonic()
        try:
            token = read_token(self._path)
        except (OSError, UnicodeDecodeError):
            return
        if token and self.header != f"Bearer {token}":
            self.header = f"Bearer {token}"
            self.generation += 1


class PluginLogin(Login):
    """What a credential plugin gives, until it expires or the server refuses it."""

    PAUSE = 10.0
    """Seconds after a 401 within which another one does not run the plugin again, where client-go runs it each time."""

    def __init__(self, plugin: ExecPlugin, trust_with: Callable[[Credentials], ssl.SSLContext]) -> None:
        self._plugin = plugin
        self._trust_with = trust_with
        self._given = plugin.run()
        self._refused = float("-inf")
        super().__init__(_header(self._given), trust_with(self._given))

    def renew(self) -> None:
        """Run the plugin if what it gave has expired."""
        if self._given.expires <= time.time():
            self._run()

    def refused(self) -> bool:
        """Run the plugin; a plugin that fails leaves the 401 to be reported."""
        if time.monotonic() - self._refused < self.PAUSE:
            return False
        self._refused = time.monotonic()
        try:
            self._run()
        except ClusterError:
            return False
        return True

    def _run(self) -> None:
        before, self._given = self._given, self._plugin.run()
        self.header = _header(self._given)
        if (before.certificate, before.key) != (self._given.certificate, self._given.key):
            self.trust = self._trust_with(self._given)
        self.generation += 1


def _header(given: Credentials) -> str:
    return f"Bearer {given.token}" if given.token else ""
