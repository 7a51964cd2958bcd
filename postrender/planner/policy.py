"""The user's options: what may be written, and what is added to manifests."""

from __future__ import annotations

import re
from enum import Enum

from postrender._record import Record
from postrender.models import GroupKind

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

    ``argocd_prune_false`` adds a sync option that stops Argo CD from pruning kept objects. ``for_git`` is set if the
    manifests go in Git: they must not depend on the cluster's state. ``single_run`` is set if the caller runs no
    upgrade afterwards, so postrender must not suggest one. ``applied_elsewhere`` is set if another tool applies the
    manifests before any Helm does: Helm then sets the fields to the values that they have already. ``keep_live`` names
    fields whose live values are kept (``secrets/login:data.password``).
    """

    adopt: frozenset[Adopt] = frozenset()
    stamp: Stamp = Stamp.ADOPT
    label_key: str = DEFAULT_LABEL_KEY
    on_drift: OnDrift = OnDrift.STORE
    allow: frozenset[str] = frozenset()
    argocd_prune_false: bool = False
    for_git: bool = False
    single_run: bool = False
    applied_elsewhere: bool = False
    keep_live: tuple[str, ...] = ()


LABEL_VALUE_LENGTH = 63


def kind_label(kind: GroupKind) -> str:
    """``Shirt.stable.example.com``; where that is too long for a label, its start and a hash of the whole.

    Valid for every kind a server accepts (letters, digits, ``-``, ``.`` in the middle) and different for different
    kinds: equal only where the first 10 hex digits of two SHA-256 are.
    """
    whole = str(kind)
    if len(whole) <= LABEL_VALUE_LENGTH:
        return whole
    import hashlib  # Loads OpenSSL, for a label that hardly ever is too long.

    digest = hashlib.sha256(whole.encode()).hexdigest()[:10]
    start = whole[: LABEL_VALUE_LENGTH - len(digest) - 1]
    return f"{start.rstrip('-.')}-{digest}"


_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"


def is_label_key(key: str) -> bool:
    """True if it is a valid label key: ``IsQualifiedName`` (k8s.io/apimachinery, util/validation): ``prefix/name``."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (re.fullmatch(_PREFIX, prefix) and len(prefix) <= 253):
        return False
    return re.fullmatch(_NAME, name) is not None
