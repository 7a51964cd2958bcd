"""The user's options: what may be written, and what is added to manifests."""

from __future__ import annotations

from enum import Enum

from postrender._record import Record

DEFAULT_LABEL_KEY = "postrender/group-kind"


class Adopt(Enum):
    """Objects whose live ownership metadata postrender itself may write."""

    ORPHANS = "orphans"
    UNMANAGED = "unmanaged"


class Stamp(Enum):
    """The documents that get ownership metadata: those of adopted objects, all, or none."""

    ADOPT = "adopt"
    ALL = "all"
    NONE = "none"


class OnDrift(Enum):
    """The action if Helm will adopt an object without applying the chart.

    Store the live spec, fail, or write the difference to the live object first (this permits writing).
    """

    STORE = "store"
    FAIL = "fail"
    APPLY = "apply"


class Policy(Record):
    """The user's options. An empty ``label_key`` adds no label; ``allow`` contains codes (``PR106``).

    ``prune_false`` adds a sync option that stops Argo CD from pruning kept objects. ``lasting`` is set if the manifests
    go in Git: they must not depend on the cluster's state. ``single_run`` is set if the caller runs no upgrade
    afterwards, so postrender must not suggest one.
    """

    adopt: frozenset[Adopt] = frozenset()
    stamp: Stamp = Stamp.ADOPT
    label_key: str = DEFAULT_LABEL_KEY
    on_drift: OnDrift = OnDrift.STORE
    allow: frozenset[str] = frozenset()
    prune_false: bool = False
    lasting: bool = False
    single_run: bool = False
