"""Helm's stored releases: where they are kept, how a payload is read, and how pins are taken out of one."""

from __future__ import annotations

from postrender.helm.storage.records import HistoryUnclear, history
from postrender.helm.storage.revisions import (
    CONFIGMAPS,
    RELEASE_TYPE,
    SECRETS,
    NotARecord,
    Storage,
    StoredObject,
    Undecodable,
    completed,
    decode,
    from_labels,
    is_revision,
    revisions_to_read,
    selector,
    sort_revisions,
    storage,
    stored_name,
)

__all__ = [
    "CONFIGMAPS",
    "RELEASE_TYPE",
    "SECRETS",
    "HistoryUnclear",
    "NotARecord",
    "Storage",
    "StoredObject",
    "Undecodable",
    "completed",
    "decode",
    "from_labels",
    "history",
    "is_revision",
    "revisions_to_read",
    "selector",
    "sort_revisions",
    "storage",
    "stored_name",
]
