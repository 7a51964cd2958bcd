"""What the user allows and wants injected."""

from __future__ import annotations

from enum import Enum

from postrender._record import Record

DEFAULT_LABEL_KEY = "postrender/group-kind"


class Adopt(Enum):
    """Objects whose live ownership metadata postrender itself may write."""

    ORPHANS = "orphans"
    UNMANAGED = "unmanaged"


class Stamp(Enum):
    """Which documents get ownership metadata: those of objects to be adopted, every one, or none."""

    ADOPT = "adopt"
    ALL = "all"
    NONE = "none"


class OnDrift(Enum):
    """What to do where Helm will adopt an object and not apply the chart.

    Store what is live; refuse; or write the difference to the live object first, which is permission to write.
    """

    STORE = "store"
    FAIL = "fail"
    APPLY = "apply"


class Policy(Record):
    """The user's choices. ``label_key`` is ``""`` where no label is wanted; ``allow`` holds codes (``PR106``).

    ``prune_false`` asks for a sync option that keeps Argo CD from pruning what the chart keeps. ``lasting`` says that
    what is written stays, in Git: nothing that is true for one moment only may be. ``single_run`` tells that the caller
    runs no upgrade afterwards, so that advice to run one would be of no use.
    """

    adopt: frozenset[Adopt] = frozenset()
    stamp: Stamp = Stamp.ADOPT
    label_key: str = DEFAULT_LABEL_KEY
    on_drift: OnDrift = OnDrift.STORE
    allow: frozenset[str] = frozenset()
    prune_false: bool = False
    lasting: bool = False
    single_run: bool = False
