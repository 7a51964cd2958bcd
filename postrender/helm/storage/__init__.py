"""Helm's stored releases: where they are kept, how a payload is read, and how pins are taken out of one."""

from __future__ import annotations

from postrender.helm.storage.records import Unclear, history
from postrender.helm.storage.revisions import (
    CONFIGMAPS,
    RELEASE_TYPE,
    SECRETS,
    NotARecord,
    Storage,
    StoredObject,
    Undecodable,
    ascending,
    completed,
    decode,
    from_labels,
    is_revision,
    needed,
    selector,
    storage,
    stored_name,
)

__all__ = [
    "CONFIGMAPS",
    "RELEASE_TYPE",
    "SECRETS",
    "NotARecord",
    "Storage",
    "StoredObject",
    "Unclear",
    "Undecodable",
    "ascending",
    "completed",
    "decode",
    "from_labels",
    "history",
    "is_revision",
    "needed",
    "selector",
    "storage",
    "stored_name",
]
