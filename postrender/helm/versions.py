"""What depends on Helm's version, as one table: a new Helm release is one new row.

Each fact names the file and function of Helm's source it was read from; ``tests/e2e`` holds them against the real
programs.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache

from postrender._record import Record, replace


class HelmVersion(Record, order=True):
    """A released Helm version; pre-releases and build metadata are dropped (``3.17.0-rc.1`` counts as 3.17.0)."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> HelmVersion | None:
        """``3.12.3``, ``v3.12.3``, ``v3.12.3+g3a31588`` or ``3.12``; ``None`` for anything else."""
        found = re.fullmatch(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?", text.strip())
        return cls(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None

    def __str__(self) -> str:
        """``3.12.3``."""
        return f"{self.major}.{self.minor}.{self.patch}"


class Matching(Enum):
    """What two manifests must share, besides name and namespace, for Helm to see one object in them."""

    KIND = "Kind"
    GROUP_KIND = "group and Kind"
    GROUP_VERSION_KIND = "group, version and Kind"


class Behaviour(Record):
    """The behaviour of one Helm version, where versions differ."""

    #: ``isMatchingInfo``, pkg/kube/resource.go.
    matching: Matching = Matching.KIND
    #: ``install --force`` reaches the update of adopted objects: ``performInstall``, pkg/action/install.go.
    force_on_adoption: bool = False
    #: the flag ``--take-ownership`` exists: cmd/helm/install.go and upgrade.go.
    take_ownership: bool = False
    #: ``install --take-ownership`` patches custom resources three ways (``UpdateThreeWayMerge``, pkg/kube/client.go).
    three_way_on_take_ownership: bool = False
    #: objects to be adopted are copies of their entries, so that a refreshed target leaves its original alone
    #: (``existingResourceConflict``, pkg/action/validate.go of v4).
    adopts_copies: bool = False
    #: what is new in an update is applied as all else is (``update``, pkg/kube/client.go of v4.0.1); 4.0.0 creates it
    #: client-side, so that its next upgrade conflicts with itself.
    server_side_creates: bool = False
    #: an update of an object that is live and not in the release starts from its live state (``update``,
    #: pkg/kube/client.go of v3.22.0, v4.0.5 and v4.2.0); before and in 4.1 it ends there, which a rollback meets.
    updates_from_live: bool = False
    #: ``upgrade --install`` hands ``--server-side`` and ``--force-conflicts`` on to the install that it becomes
    #: (pkg/cmd/upgrade.go of v4.0.5); before, such an install applies server-side, without force.
    forwards_apply_flags: bool = False
    #: a new release is applied server-side unless told otherwise (``NewInstall``, pkg/action/install.go of v4).
    server_side: bool = False
    #: what this Helm would create may not have both a name and a generateName (``validateNameAndGenerateName``,
    #: pkg/action/validate.go of v4.1.3); before, the name counts.
    refuses_name_with_prefix: bool = False
    #: a null among labels or annotations is an empty text, and the others stay (``NestedNullCoercingStringMap``,
    #: k8s.io/apimachinery 0.33, pkg/apis/meta/v1/unstructured/helpers.go); before, none of them stays.
    null_texts_are_empty: bool = False
    #: hooks go through the post-renderer (``renderResources``, pkg/action/action.go of v4).
    hooks_in_stream: bool = False


ROWS: tuple[tuple[HelmVersion, dict[str, object]], ...] = (
    (HelmVersion(3, 2, 0), {}),
    (HelmVersion(3, 11, 0), {"force_on_adoption": True}),
    (HelmVersion(3, 17, 0), {"take_ownership": True}),
    (HelmVersion(3, 17, 1), {"matching": Matching.GROUP_KIND}),
    (HelmVersion(3, 18, 0), {"three_way_on_take_ownership": True, "null_texts_are_empty": True}),
    (HelmVersion(3, 22, 0), {"updates_from_live": True}),
    (
        HelmVersion(4, 0, 0),
        {
            "matching": Matching.GROUP_VERSION_KIND,
            "server_side": True,
            "hooks_in_stream": True,
            "updates_from_live": False,
        },
    ),
    (HelmVersion(4, 0, 1), {"adopts_copies": True, "server_side_creates": True}),
    (HelmVersion(4, 0, 5), {"forwards_apply_flags": True, "updates_from_live": True}),
    (HelmVersion(4, 1, 0), {"updates_from_live": False}),
    (HelmVersion(4, 1, 1), {"matching": Matching.GROUP_KIND}),
    (HelmVersion(4, 1, 3), {"refuses_name_with_prefix": True}),
    (HelmVersion(4, 2, 0), {"updates_from_live": True}),
)
"""From which version on what differs from the row before."""

NEWEST_TESTED = {3: HelmVersion(3, 22, 0), 4: HelmVersion(4, 3, 2)}
"""The newest Helm of each major version that these facts were held against."""


@cache
def behaviour_of(version: HelmVersion) -> Behaviour:
    """The behaviour of a Helm version: all rows of the table up to it, later rows replacing earlier ones.

    A version older than the first row (adoption does not exist before 3.2.0) gets the first row.
    """
    found = Behaviour()
    for since, change in ROWS:
        if since <= version:
            found = replace(found, **change)
    return found


BEHAVIOUR_CHANGES = tuple(since for since, _ in ROWS)
"""One version of each way to behave: what holds for all of these holds for every Helm."""
