"""The ownership table, cell by cell."""

from __future__ import annotations

import pytest

from postrender.helm.ownership import Ownership, OwnerStatus, classify, release_exists
from postrender.models import (
    MANAGED_BY,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Absent,
    Found,
    GroupKind,
    LiveObject,
    NotServed,
    ObjectKey,
    ReleaseName,
    StoredRelease,
    Unknown,
)

US = ReleaseName("shop", "shirts")
ALIVE = ReleaseName("shop", "alive")
GONE = ReleaseName("shop", "gone")
LIVING = {ALIVE: True, GONE: False}


def _found(owner: ReleaseName | None, *, managed: bool = True, deleting: bool = False) -> Found:
    annotations = {RELEASE_NAME: owner.name, RELEASE_NAMESPACE: owner.namespace} if owner else {}
    labels = {MANAGED_BY: "Helm"} if managed else {}
    key = ObjectKey(GroupKind("stable.example.com", "Shirt"), "shop", "shirt")
    return Found(LiveObject(key, "stable.example.com/v1", "uid", "7", labels, annotations, deleting))


@pytest.mark.parametrize(
    ("observation", "stored", "expected"),
    [
        (Absent(), False, OwnerStatus(Ownership.ABSENT)),
        (NotServed(), False, OwnerStatus(Ownership.ABSENT)),
        (Unknown("no answer"), False, OwnerStatus(Ownership.UNKNOWN)),
        (_found(US), True, OwnerStatus(Ownership.OURS, US)),
        (_found(US), False, OwnerStatus(Ownership.OURS_KEPT, US)),
        (_found(US, managed=False), False, OwnerStatus(Ownership.UNMANAGED, US)),
        (_found(US, managed=False), True, OwnerStatus(Ownership.OURS, US)),
        (_found(None), True, OwnerStatus(Ownership.OURS, None)),
        (_found(None), False, OwnerStatus(Ownership.UNMANAGED, None)),
        (_found(None, managed=False), False, OwnerStatus(Ownership.UNMANAGED, None)),
        (_found(GONE), False, OwnerStatus(Ownership.ORPHAN, GONE)),
        (_found(GONE), True, OwnerStatus(Ownership.OURS, GONE)),
        (_found(GONE, managed=False), False, OwnerStatus(Ownership.UNMANAGED, GONE)),
        (_found(ALIVE), False, OwnerStatus(Ownership.FOREIGN, ALIVE)),
        (_found(ALIVE), True, OwnerStatus(Ownership.FOREIGN, ALIVE)),
        (_found(ALIVE, managed=False), False, OwnerStatus(Ownership.FOREIGN, ALIVE)),
        (_found(US, deleting=True), True, OwnerStatus(Ownership.TERMINATING, US)),
        (_found(None, deleting=True), False, OwnerStatus(Ownership.TERMINATING, None)),
    ],
)
def test_standing(observation: object, stored: bool, expected: OwnerStatus) -> None:
    assert classify(observation, US, stored=stored, live_releases=LIVING) == expected  # type: ignore[arg-type]


def test_a_release_without_a_name_owns_nothing() -> None:
    assert classify(_found(GONE), None, stored=False, live_releases=LIVING).ownership is Ownership.ORPHAN
    assert classify(_found(ALIVE), None, stored=False, live_releases=LIVING).ownership is Ownership.FOREIGN


def test_no_guess_about_a_release_nobody_looked_up() -> None:
    with pytest.raises(KeyError):
        classify(_found(ReleaseName("shop", "other")), US, stored=False, live_releases=LIVING)


def _revision(number: int, status: str) -> StoredRelease:
    return StoredRelease(ALIVE, number, status)


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        ([], False),
        ([_revision(1, "deployed")], True),
        ([_revision(1, "uninstalled")], False),
        ([_revision(1, "superseded"), _revision(2, "uninstalled")], False),
        ([_revision(2, "deployed"), _revision(1, "uninstalled")], True),
        ([_revision(1, "failed")], True),
        ([_revision(1, "pending-install")], True),
        ([_revision(1, "uninstalling")], True),
    ],
)
def test_lives(revisions: list[StoredRelease], expected: bool) -> None:
    assert release_exists(revisions) is expected
