"""Helm's stored releases: labels, payloads, and what is not one."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from postrender.helm import storage
from postrender.helm.storage import CONFIGMAPS, SECRETS, Undecodable, revisions
from postrender.models import GroupKind, LiveObject, ObjectKey, ReleaseName, StoredRelease, Unknown

OLD = ReleaseName("shop", "old")
PAYLOAD: dict[str, Any] = {
    "name": "old",
    "namespace": "shop",
    "version": 3,
    "info": {"status": "deployed"},
    "manifest": "---\n# Source: a\nkind: Ä\n",
    "chart": {"metadata": {"name": "c"}},
    "hooks": [],
}
THIRD = StoredRelease(OLD, 3, "deployed")


def packed(payload: object, *, wrapped: bool = True, compressed: bool = True) -> str:
    """As Helm packs it (``encodeRelease``, pkg/storage/driver/util.go), and once more as a Secret does."""
    data = json.dumps(payload).encode()
    once = base64.b64encode(gzip.compress(data, mtime=0) if compressed else data)
    return (base64.b64encode(once) if wrapped else once).decode()


def labelled(namespace: str = "shop", **labels: str) -> LiveObject:
    key = ObjectKey(GroupKind("", "Secret"), namespace, "sh.helm.release.v1.old.v3")
    return LiveObject(key, "v1", "u", "1", labels, {})


@pytest.mark.parametrize("driver", ["", "secret", "secrets"])
def test_secrets_are_the_default(driver: str) -> None:
    assert storage.storage(driver) == SECRETS


@pytest.mark.parametrize("driver", ["configmap", "configmaps"])
def test_config_maps(driver: str) -> None:
    assert storage.storage(driver) == CONFIGMAPS


@pytest.mark.parametrize(
    ("driver", "unknown"),
    [
        ("sql", Unknown("HELM_DRIVER=sql keeps releases in a database, where they cannot be read")),
        (
            "memory",
            Unknown("HELM_DRIVER=memory keeps releases in the memory of Helm itself, where they cannot be read"),
        ),
        ("Secret", Unknown("HELM_DRIVER=Secret is unknown to Helm", ("export HELM_DRIVER=secret",))),
    ],
)
def test_other_drivers_cannot_be_told_of(driver: str, unknown: Unknown) -> None:
    assert storage.storage(driver) == unknown


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_payload_is_read_back(wrapped: bool, compressed: bool) -> None:
    assert storage.decode(packed(PAYLOAD, wrapped=wrapped, compressed=compressed), wrapped=wrapped) == PAYLOAD


def test_line_breaks_in_base64_are_passed_over_as_go_does() -> None:
    text = base64.encodebytes(base64.encodebytes(gzip.compress(json.dumps(PAYLOAD).encode()))).decode()
    assert text.count("\n") > 2
    assert storage.decode(text.replace("\n", "\r\n"), wrapped=True) == PAYLOAD


def test_a_payload_of_several_gzip_members_is_one_text() -> None:
    """As Go's gzip reader takes it."""
    data = json.dumps(PAYLOAD).encode()
    both = gzip.compress(data[:50], mtime=0) + gzip.compress(data[50:])
    assert storage.decode(base64.b64encode(both).decode(), wrapped=False) == PAYLOAD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not base64!", "it is not base64"),
        (base64.b64encode(b"{").decode(), "it is not base64"),
        (packed(PAYLOAD)[:-8], "it is not base64"),
        (base64.b64encode(base64.b64encode(b"{")).decode(), "it is not JSON"),
        (base64.b64encode(base64.b64encode(b"\xff\xfe")).decode(), "it is not JSON"),
        (base64.b64encode(base64.b64encode(b"[" * 100_000)).decode(), "it is not JSON"),
        (packed([1]), "it is not a JSON object"),
        (base64.b64encode(base64.b64encode(gzip.compress(b"{}", mtime=0)[:-9])).decode(), "its gzip ends too early"),
        (base64.b64encode(base64.b64encode(b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 20)).decode(), "it is not gzip"),
        (base64.b64encode(base64.b64encode(gzip.compress(b"{}", mtime=0) + b"rest")).decode(), "it is not gzip"),
        ("", "it is not JSON"),
    ],
)
def test_what_is_no_payload(text: str, why: str) -> None:
    with pytest.raises(Undecodable) as caught:
        storage.decode(text, wrapped=True)
    assert str(caught.value) == why


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "MAX_RELEASE", 4 << 20)
    bomb = gzip.compress(b'"' + b" " * (4 << 20) + b'"', mtime=0)
    assert len(bomb) < 10_000
    with pytest.raises(Undecodable) as caught:
        storage.decode(base64.b64encode(bomb).decode(), wrapped=False)
    assert str(caught.value) == "it unpacks to more than 4 MiB"


def test_a_bomb_in_two_parts_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "MAX_RELEASE", 4 << 20)
    bomb = gzip.compress(b" " * (3 << 20), mtime=0) * 2
    with pytest.raises(Undecodable, match="it unpacks to more than 4 MiB"):
        storage.decode(base64.b64encode(bomb).decode(), wrapped=False)


def test_labels_name_the_revision() -> None:
    live = labelled(owner="helm", name="old", status="superseded", version="3", modifiedAt="1700000000")
    assert storage.is_revision(live, OLD)
    assert storage.from_labels(live, OLD) == StoredRelease(OLD, 3, "superseded")


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (
            labelled(owner="helm", name="other"),
            "Secret/shop/sh.helm.release.v1.old.v3 is not a revision of release shop/old",
        ),
        (labelled(name="old"), "Secret/shop/sh.helm.release.v1.old.v3 is not a revision of release shop/old"),
        (
            labelled("stall", owner="helm", name="old", version="3"),
            "Secret/stall/sh.helm.release.v1.old.v3 is not a revision of release shop/old",
        ),
    ],
)
def test_labels_that_are_not_helms(live: LiveObject, why: str) -> None:
    with pytest.raises(Undecodable) as caught:
        storage.from_labels(live, OLD)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"version": "three"}, "its label version is 'three'"),
        ({"version": "³"}, "its label version is '³'"),
        ({}, "its label version is ''"),
        ({"version": "4"}, "its labels belong to sh.helm.release.v1.old.v4"),
    ],
)
def test_a_name_and_labels_that_do_not_agree(labels: dict[str, str], why: str) -> None:
    with pytest.raises(storage.NotARecord) as caught:
        storage.from_labels(labelled(owner="helm", name="old", **labels), OLD)
    assert str(caught.value) == why


def test_revisions_ascend_by_number() -> None:
    found = [StoredRelease(OLD, number, "superseded") for number in (10, 9, 2)]
    assert [each.revision for each in storage.sort_revisions(found)] == [2, 9, 10]


def test_a_revision_is_there_once() -> None:
    with pytest.raises(Undecodable) as caught:
        storage.sort_revisions([THIRD, StoredRelease(OLD, 3, "superseded")])
    assert str(caught.value) == "revision 3 of release shop/old is stored twice"


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        ([], []),
        (["deployed"], [1]),
        (["deployed", "failed"], [2, 1]),
        (["deployed", "deployed", "failed", "failed"], [4, 2]),
        (["superseded", "uninstalled"], [2]),
    ],
)
def test_the_newest_and_the_newest_deployed_are_needed(statuses: list[str], wanted: list[int]) -> None:
    found = tuple(StoredRelease(OLD, number, status) for number, status in enumerate(statuses, 1))
    assert [each.revision for each in storage.revisions_to_read(found)] == wanted


@pytest.mark.parametrize("method", ["ssa", "csa", ""])
def test_a_revision_is_completed_by_its_payload(method: str) -> None:
    payload = {**PAYLOAD, **({"apply_method": method} if method else {})}
    done = storage.completed(THIRD, {"release": packed(payload)}, wrapped=True)
    assert done == StoredRelease(OLD, 3, "deployed", PAYLOAD["manifest"], method)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "revision 3 of release shop/old has no data.release"),
        ({}, "revision 3 of release shop/old has no data.release"),
        ({"release": 7}, "revision 3 of release shop/old has no data.release"),
        ({"release": "?"}, "revision 3 of release shop/old cannot be read: it is not base64"),
        (
            {"release": packed({**PAYLOAD, "version": 4})},
            "revision 3 of release shop/old says that it is revision 4 of release shop/old",
        ),
        (
            {"release": packed({**PAYLOAD, "name": "new"})},
            "revision 3 of release shop/old says that it is revision 3 of release shop/new",
        ),
        (
            {"release": packed({**PAYLOAD, "info": {"status": "failed"}})},
            "revision 3 of release shop/old is deployed by its label and failed by its payload",
        ),
        (
            {"release": packed({**PAYLOAD, "manifest": 7})},
            "revision 3 of release shop/old has a manifest or apply_method that is not a text",
        ),
    ],
)
def test_a_payload_that_contradicts_its_labels(data: Any, why: str) -> None:
    with pytest.raises(Undecodable) as caught:
        storage.completed(THIRD, data, wrapped=True)
    assert str(caught.value) == why
