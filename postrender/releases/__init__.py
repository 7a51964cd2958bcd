"""Helm's stored releases: where they are kept, how a payload is read, and how pins are taken out of one."""

from __future__ import annotations

from postrender.releases.payload import Undecodable, decode
from postrender.releases.records import Unclear, history
from postrender.releases.revisions import (
    CONFIGMAPS,
    RELEASE_TYPE,
    SECRETS,
    NotARecord,
    Storage,
    StoredObject,
    ascending,
    completed,
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
