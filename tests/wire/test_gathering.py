"""What is asked of a server for a stream: hooks whose place Helm clears, and Secrets whole."""

from __future__ import annotations

import pytest

from postrender import manifest
from postrender.errors import ClusterError
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import ReleaseName
from postrender.operations.filter.collect import collect_facts
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, an_object
from tests.wire.server import Server, status

HELM_4 = Invocation(HelmVersion(4, 3, 1), Action.INSTALL, ReleaseName("shop", "shirts"))
HOOK = manifest.read(
    b"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {helm.sh/hook: pre-install}}}"
)
PLACE = "GET /api/v1/namespaces/shop/configmaps/a"


def test_what_is_live_under_the_name_of_a_hook(server: Server, connect: Connect) -> None:
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "a"))
    (item,) = collect_facts(HOOK, HELM_4, connect()).items
    assert item.observation is None
    assert item.live_under_hook_name is not None
    assert item.live_under_hook_name.uid == "uid-of-a"


def test_a_hook_that_clears_nothing_is_not_looked_up(server: Server, connect: Connect) -> None:
    notes = "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded"
    stream = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, annotations: {{{notes}}}}}}}"
    (item,) = collect_facts(manifest.read(stream.encode()), HELM_4, connect()).items
    assert item.live_under_hook_name is None
    assert server.asked(PLACE) == []


def test_a_hook_whose_place_cannot_be_looked_at(server: Server, connect: Connect) -> None:
    server.on(PLACE, status(403, "Forbidden", "no"))
    with pytest.raises(ClusterError) as caught:
        collect_facts(HOOK, HELM_4, connect())
    assert str(caught.value) == (
        f"configmaps/shop/a: could not be looked up in context dev ({server.url}): "
        "no right to get configmaps (403): no\n"
        "hint: kubectl auth can-i get configmaps/a -n shop"
    )


def test_a_secret_is_read_whole_where_metadata_would_do(server: Server, connect: Connect) -> None:
    server.put(SECRET, an_object(SECRET, "a", data={"key": "b2xk"}))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "a", data={"key": "old"}))
    stream = manifest.read(
        b"{apiVersion: v1, kind: Secret, metadata: {name: a}}\n---\n"
        b"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"
    )
    secret, config = collect_facts(stream, HELM_4, connect()).items
    assert secret.live is not None
    assert secret.live.body["data"] == {"key": "b2xk"}
    assert config.live is not None
    assert config.live.body is None
