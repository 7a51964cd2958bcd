"""How a cluster is reached: which kubeconfig and context, as whom, and what overrides them.

Values as Helm's own flags take them; ``None`` (or an empty tuple) leaves the choice to the kubeconfig.
"""

from __future__ import annotations

from postrender.record import Record


class Connection(Record, hidden=("token", "apiserver")):
    """One way to a cluster.

    ``kubeconfig`` is a path, or several joined by ``os.pathsep`` as ``$KUBECONFIG`` holds them. ``as_user``,
    ``as_groups`` and ``as_uid`` are whom to impersonate. ``request_timeout`` is in seconds. ``token`` and
    ``apiserver`` (a URL, which may hold a password) are left out of ``repr``: they must not reach a log, a report or a
    traceback.
    """

    kubeconfig: str | None = None
    context: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    token: str | None = None
    apiserver: str | None = None
    ca_file: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    request_timeout: float | None = None
