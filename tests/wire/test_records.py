"""What has the labels of a release's revision and is none, beside what is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster.client import connect as connect_to
from postrender.cluster.release_lookup import ReleaseLookup
from postrender.models import Connection, ReleaseName, StoredRelease, Unknown
from tests.wire.conftest import Connect
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision, an_object
from tests.wire.server import Server, status

OLD = ReleaseName("shop", "old")
RECORD = "sh.helm.release.v1.old.v99"
JUNK = {"release": "bm90IGEgcmVsZWFzZQ=="}


def record(
    state: str = "uninstalled",
    *,
    driver: str = "secret",
    name: str = RECORD,
    version: str = "99",
    type: str = "helm.sh/release.v1",
    data: Any = None,
) -> dict[str, Any]:
    """Revision 99 as Helm stores it, but for what is given."""
    made = a_revision("old", 99, state, driver=driver)
    made["metadata"].update(name=name, uid=f"uid-of-{name}", labels={**made["metadata"]["labels"], "version": version})
    made["data"] = made["data"] if data is None else data
    return made if driver == "configmap" else {**made, "type": type}


FOREIGN = [
    (record(type="Opaque", data={}), "its type is Opaque"),
    (record("deployed", type="Opaque", data=JUNK), "its type is Opaque"),
    (record(name="evil", data={}), f"its labels belong to {RECORD}"),
    (record(name="sh.helm.release.v1.older.v99", data=JUNK), f"its labels belong to {RECORD}"),
    (record(version="x", data=JUNK), "its label version is 'x'"),
    (record(version="", data=JUNK), "its label version is ''"),
    (record(version="099", data=JUNK), "its label version is '099'"),
    (record(driver="configmap", version="x", data=JUNK), "its label version is 'x'"),
    (record(driver="configmap", name="evil", data={}), f"its labels belong to {RECORD}"),
]


def put(server: Server, *records: dict[str, Any]) -> None:
    for each in records:
        server.put(SECRET if each["kind"] == "Secret" else CONFIG_MAP, each)


@pytest.mark.parametrize(("foreign", "why"), FOREIGN)
def test_what_is_none_is_skipped_with_a_note(
    server: Server, connect: Connect, foreign: dict[str, Any], why: str
) -> None:
    driver = "secret" if foreign["kind"] == "Secret" else "configmap"
    put(server, foreign, a_revision("old", 1, "deployed", driver=driver))
    cluster = connect(request_timeout=5)
    deployed = StoredRelease(OLD, 1, "deployed", "# revision 1\n")
    assert cluster.get_revisions(OLD, manifest=True, driver=driver) == (deployed,)
    name = f"{driver}s/shop/{foreign['metadata']['name']}"
    assert cluster.warning == f"{name} is skipped, as Helm skips it: it has the labels of release shop/old, but {why}"
    assert ReleaseLookup(cluster, "secret").exists(OLD) is True
    server.objects.pop(next(path for path in server.objects if path.endswith(".old.v1")))
    assert cluster.get_revisions(OLD, manifest=True, driver=driver) == ()
    assert ReleaseLookup(cluster, "secret").exists(OLD) is False


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize("state", ["uninstalled", "deployed", "failed"])
def test_a_record_that_cannot_be_decoded_hides_no_other(
    server: Server, connect: Connect, driver: str, state: str
) -> None:
    put(server, record(state, driver=driver, data=JUNK), a_revision("old", 1, "deployed", driver=driver))
    cluster = connect(request_timeout=5)
    assert cluster.get_revisions(OLD, manifest=True, driver=driver) == (
        StoredRelease(OLD, 1, "deployed", "# revision 1\n"),
    )
    assert cluster.warning == (
        f"{driver}s/shop/{RECORD} is skipped, as Helm skips it: revision 99 of release shop/old cannot be read: "
        f"{'it is not base64' if driver == 'secret' else 'it is not JSON'}"
    )
    assert ReleaseLookup(cluster, "secret").exists(OLD) is True


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize("before", [(), ("uninstalled",)])
def test_a_release_of_which_the_newest_record_cannot_be_decoded_is_not_gone(
    server: Server, connect: Connect, driver: str, before: tuple[str, ...]
) -> None:
    put(server, record("deployed", driver=driver, data={}))
    put(server, *(a_revision("old", 1, each, driver=driver) for each in before))
    assert ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD) == Unknown(
        f"{driver}s/shop/{RECORD} cannot be decoded, so whether the release is installed is unknown: "
        "revision 99 of release shop/old has no data.release",
        ("helm history old -n shop", f"kubectl delete {driver}s {RECORD} -n shop"),
    )


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (record(type="Opaque"), "its type is Opaque"),
        (record(name="evil"), f"its labels belong to {RECORD}"),
        (record(version="x"), "its label version is 'x'"),
    ],
)
def test_what_helm_counts_and_did_not_store_settles_nothing(
    server: Server, connect: Connect, forged: dict[str, Any], why: str
) -> None:
    put(server, forged, a_revision("old", 1, "superseded"))
    cluster = connect(request_timeout=5)
    name = forged["metadata"]["name"]
    unknown = Unknown(
        f"secrets/shop/{name} is not a record of Helm ({why}), but Helm treats it as a revision",
        (f"kubectl get secrets {name} -n shop -o yaml", f"kubectl delete secrets {name} -n shop"),
    )
    assert cluster.get_revisions(OLD, manifest=True, driver="secret") == unknown
    assert ReleaseLookup(cluster, "secret").exists(OLD) == unknown


def test_a_label_alone_does_not_say_that_a_release_is_uninstalled(server: Server, connect: Connect) -> None:
    relabelled = a_revision("old", 1, "deployed")
    relabelled["metadata"]["labels"]["status"] = "uninstalled"
    put(server, relabelled)
    answer = ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD)
    assert isinstance(answer, Unknown)
    assert answer.reason.endswith(
        "revision 1 of release shop/old is uninstalled by its label and deployed by its payload"
    )


def test_a_payload_that_may_not_be_read(server: Server, connect: Connect) -> None:
    server.on("GET /api/v1/namespaces/shop/secrets/.*", status(403, "Forbidden", "no"))
    put(server, a_revision("old", 1, "deployed"))
    assert ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD) is True
    put(server, a_revision("old", 2, "uninstalled"))
    assert ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD) == Unknown(
        "no right to get secrets (403): no",
        ("kubectl auth can-i get secrets/sh.helm.release.v1.old.v2 -n shop",),
    )


@pytest.mark.parametrize("plural", ["secrets", "configmaps"])
def test_an_owner_may_be_in_what_cannot_be_listed(server: Server, connect: Connect, plural: str) -> None:
    server.on(f"GET /api/v1/namespaces/shop/{plural}", status(403, "Forbidden", "no"))
    assert ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD) == Unknown(
        f"no right to list {plural} (403): no", (f"kubectl auth can-i list {plural} -n shop",)
    )


def test_more_than_can_be_read(server: Server, connect: Connect) -> None:
    server.put(
        SECRET,
        *(
            an_object(SECRET, f"evil-{place}", metadata={"labels": {"owner": "helm", "name": "old"}})
            for place in range(101)
        ),
    )
    assert ReleaseLookup(connect(request_timeout=5), "secret").exists(OLD) == Unknown(
        "more than 100 secrets have its labels and hold no revision of it",
        ("kubectl get secrets -l owner=helm,name=old -n shop",),
    )


@pytest.mark.parametrize(
    "records",
    [
        (record(type="Opaque"),),
        (record("deployed", data={}), a_revision("old", 1, "uninstalled")),
        (a_revision("old", 1, "deployed"), a_revision("old", 2, "uninstalled")),
        tuple(
            an_object(SECRET, f"evil-{place}", metadata={"labels": {"owner": "helm", "name": "old"}})
            for place in range(101)
        ),
    ],
    ids=["none of Helm's", "undecodable", "uninstalled over deployed", "too many"],
)
def test_what_to_type_leads_to_the_same_cluster(
    server: Server, kubeconfig: Callable[..., Path], records: tuple[dict[str, Any], ...]
) -> None:
    put(server, *records)
    path = str(kubeconfig({"server": server.url}))
    cluster = connect_to(
        Connection(kubeconfig=path, context="dev", as_user="jane", request_timeout=5),
        f" --kubeconfig {path} --kube-context dev --kube-as-user jane",
    )
    answer = ReleaseLookup(cluster, "secret").exists(OLD)
    assert isinstance(answer, Unknown)
    assert answer.next
    for each in answer.next:
        kubectl = each.startswith("kubectl ")
        assert " -n shop" in each
        assert f" --kubeconfig {path}" in each
        assert (" --context dev --as jane" if kubectl else " --kube-context dev --kube-as-user jane") in each
