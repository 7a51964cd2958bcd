"""Whether the release that a live object names still exists."""

from __future__ import annotations

from typing import Any

import pytest

from postrender.identity import GroupKind, ObjectKey
from postrender.live import LiveObject, ReleaseName, StoredRelease, Unknown
from postrender.offline import Offline
from postrender.owners import Owners

OLD, AT_FLUX = ReleaseName("shop", "old"), ReleaseName("flux", "old")
NO = Unknown("no right")


class Stored(Offline):
    """A source that knows only of releases, and counts what it is asked."""

    def __init__(self, **known: tuple[str, ...] | Unknown) -> None:
        self.known: dict[str, Any] = dict(known)
        self.asked: list[ReleaseName] = []

    def releases(self, name: ReleaseName, *, manifest: bool, driver: str) -> Any:
        self.asked.append(name)
        assert (manifest, driver) == (False, "secret")
        told = self.known.get(name.namespace, ())
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
        ("", {"shop": ("deployed", "uninstalled")}, False, [OLD]),
        ("", {"flux": ("deployed",)}, False, [OLD]),
        ("", {"shop": NO}, NO, [OLD]),
        ("flux", {"flux": ("deployed",)}, True, [OLD, AT_FLUX]),
        ("flux", {}, False, [OLD, AT_FLUX]),
        ("flux", {"flux": NO}, NO, [OLD, AT_FLUX]),
        ("flux", {"shop": NO, "flux": ("deployed",)}, True, [OLD, AT_FLUX]),
        ("shop", {"shop": ("deployed",)}, True, [OLD]),
    ],
)
def test_where_it_may_be_stored(flux: str, known: Any, answer: bool | Unknown, asked: list[ReleaseName]) -> None:
    source = Stored(**known)
    owners = Owners(source, "secret")
    assert owners.lives(live(flux)) == answer
    assert owners.lives(live(flux)) == answer
    assert source.asked == asked, "each is asked once"


def test_an_object_without_an_owner_is_stored_nowhere() -> None:
    key = ObjectKey(GroupKind("", "ConfigMap"), "shop", "a")
    assert LiveObject(key, "v1", "u", "7", {}, {}).stored_as == ()
