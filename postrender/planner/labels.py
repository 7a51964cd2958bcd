"""Who shares a Kind, namespace and name with whom, and the label value that tells them apart."""

from __future__ import annotations

import re

from postrender.models import GroupKind

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
    """Whether a server takes it: ``IsQualifiedName`` (k8s.io/apimachinery, util/validation): ``prefix/name``."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (re.fullmatch(_PREFIX, prefix) and len(prefix) <= 253):
        return False
    return re.fullmatch(_NAME, name) is not None
