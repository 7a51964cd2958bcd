"""Flags for hints, with which the next command reaches the same cluster."""

from __future__ import annotations

import shlex

from postrender.cluster.client import Cluster, connect
from postrender.settings import Caller
from postrender.settings.parse import shown


def reached(caller: Caller) -> Cluster:
    """The caller's cluster, with the flags for hints; raises ClusterError."""
    return connect(caller.connection, connection_flags(caller), caller.invocation.field_manager)


def connection_flags(caller: Caller) -> str:
    """The flags of Helm's, and ours, that lead a command typed next to the same cluster; with a blank before each.

    What Helm reads from the environment is there for that command too. A token is left out.
    """
    connection = caller.connection
    given = (
        ("kubeconfig", (connection.kubeconfig,)),
        ("kube_context", (connection.context,)),
        ("kube_apiserver", (connection.apiserver,)),
        ("kube_as_user", (connection.as_user,)),
        ("kube_as_group", connection.as_groups),
    )
    return "".join(
        f" --{name.replace('_', '-')} {shlex.quote(shown(name, value))}"
        for name, values in given
        if caller.origins[name].startswith(("--", "POSTRENDER_"))
        for value in values
        if value
    )
