"""Whether the release that a live object names still exists."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.cluster.offline import Offline
from postrender.cluster.release_lookup import ReleaseLookup
from postrender.helm.storage import storage
from postrender.models import GroupKind, LiveObject, ObjectKey, ReleaseName, StoredRelease, Unknown

OLD, AT_FLUX = ReleaseName("shop", "old"), ReleaseName("flux", "old")
NO = Unknown("no right")


class Stored(Offline):
    """A source that knows only of releases, and counts what it is asked."""

    def __init__(self, holds: str = "secret", **known: tuple[str, ...] | Unknown) -> None:
        self.holds = holds
        self.known: dict[str, Any] = dict(known)
        self.asked: list[tuple[ReleaseName, str]] = []

    def get_revisions(self, name: ReleaseName, *, manifest: bool, driver: str) -> Any:
        self.asked.append((name, driver))
        assert not manifest
        kept = storage(driver)
        if isinstance(kept, Unknown):
            return kept
        told = self.known.get(name.namespace, ()) if driver == self.holds else ()
        if isinstance(told, Unknown):
            return told
        return tuple(StoredRelease(name, place + 1, status) for place, status in enumerate(told))


def live(flux: str = "") -> LiveObject:
    labels = {"app.kubernetes.io/managed-by": "Helm", **({"helm.toolkit.fluxcd.io/namespace": flux} if flux else {})}
    owner = {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "shop"}
    return LiveObject(ObjectKey(GroupKind("", "ConfigMap"), "shop", "a"), "v1", "u", "7", labels, owner)


@pytest.mark.parametrize(
    ("flux", "known", "answer", "asked"),
    [
        ("", {"shop": ("deployed",)}, True, [OLD]),
        ("", {"shop": ("superseded", "uninstalled")}, False, [OLD]),
        ("", {"flux": ("deployed",)}, False, [OLD]),
        ("", {"shop": NO}, NO, [OLD]),
        ("flux", {"flux": ("deployed",)}, True, [OLD, AT_FLUX]),
        ("flux", {}, False, [OLD, AT_FLUX]),
        ("flux", {"flux": NO}, NO, [OLD, AT_FLUX]),
        ("flux", {"shop": NO, "flux": ("deployed",)}, True, [OLD, AT_FLUX]),
        ("shop", {"shop": ("deployed",)}, True, [OLD]),
    ],
)
@pytest.mark.parametrize("holds", ["secret", "configmap"])
@pytest.mark.parametrize("driver", ["secret", "configmap"])
def test_where_it_may_be_stored(
    flux: str, known: Any, answer: bool | Unknown, asked: list[ReleaseName], holds: str, driver: str
) -> None:
    source = Stored(holds, **known)
    owners = ReleaseLookup(source, driver)
    assert owners.owner_exists(live(flux)) == answer
    assert owners.owner_exists(live(flux)) == answer
    assert source.asked == [(name, place) for name in asked for place in ("secret", "configmap")], "each is asked once"


@pytest.mark.parametrize("driver", ["sql", "memory"])
def test_what_the_cluster_does_not_hold_may_be_elsewhere(driver: str) -> None:
    kept = "in a database" if driver == "sql" else "in the memory of Helm itself"
    unknown = Unknown(f"HELM_DRIVER={driver} keeps releases {kept}, where they cannot be read")
    assert ReleaseLookup(Stored(), driver).owner_exists(live()) == unknown
    assert ReleaseLookup(Stored(shop=("uninstalled",)), driver).owner_exists(live()) == unknown
    assert ReleaseLookup(Stored("configmap", shop=("deployed",)), driver).owner_exists(live()) is True


@pytest.mark.parametrize("before", ["deployed", "pending-upgrade"])
def test_an_uninstall_over_what_is_not_over_is_no_proof(before: str) -> None:
    assert ReleaseLookup(Stored(shop=(before, "uninstalled")), "secret").owner_exists(live()) == Unknown(
        f"its revision 2 is uninstalled, and its revision 1 is {before}",
        (
            "helm history old -n shop",
            "helm uninstall old -n shop",
        ),
    )


def test_an_object_without_an_owner_is_stored_nowhere() -> None:
    key = ObjectKey(GroupKind("", "ConfigMap"), "shop", "a")
    assert LiveObject(key, "v1", "u", "7", {}, {}).stored_as == ()
