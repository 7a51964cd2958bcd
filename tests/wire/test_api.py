"""The library against a server: a connection is all it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import postrender
from postrender import Adopt, Connection, HelmAction, HelmVersion, Invocation, Policy, ReleaseName
from tests.wire.kinds import SHIRT, an_object
from tests.wire.server import Request, Server, status

STREAM = b"apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata:\n  name: shirt\nspec:\n  size: L\n"
RUN = Invocation(HelmVersion(3, 21, 4), HelmAction.INSTALL, ReleaseName("shop", "new"))
SHIRTS = ".*/shirts/shirt"


@pytest.fixture
def connection(server: Server, kubeconfig: Callable[..., Path]) -> Connection:
    server.put(SHIRT, an_object(SHIRT, "shirt", spec={"size": "L"}))
    return Connection(kubeconfig=str(kubeconfig({"server": server.url})), request_timeout=2)


def writes(server: Server) -> list[Request]:
    """The requests that would change something: neither reads nor dry runs."""
    return [each for each in server.requests if each.method != "GET" and each.query.get("dryRun") != "All"]


def test_a_plan_only_reads(server: Server, connection: Connection) -> None:
    plan = postrender.plan(STREAM, RUN, connection, Policy(adopt=frozenset({Adopt.UNMANAGED})))
    assert [finding.code for finding in plan.verdicts[0].findings] == ["PR104"]
    assert writes(server) == []


def test_rewriting_stamps_a_live_object_only_where_the_policy_says_so(server: Server, connection: Connection) -> None:
    with pytest.raises(postrender.Refused, match="PR103"):
        postrender.rewrite(STREAM, RUN, connection)
    assert writes(server) == []
    result = postrender.rewrite(STREAM, RUN, connection, Policy(adopt=frozenset({Adopt.UNMANAGED})))
    assert result.written == ("shirts.stable.example.com/shop/shirt",)
    assert [request.method for request in writes(server)] == ["PATCH"]


def test_a_server_that_failed_once_is_asked_again_by_the_next_call(server: Server, connection: Connection) -> None:
    server.on(f"GET {SHIRTS}", status(503, "ServiceUnavailable", "later"), times=3)
    with pytest.raises(postrender.ClusterError):
        postrender.plan(STREAM, RUN, connection)
    assert postrender.plan(STREAM, RUN, connection).errors
