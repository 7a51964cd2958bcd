"""The cluster: exact-path reads, discovery and opt-in writes; the only room that imports ``kubernetes``."""

from __future__ import annotations

from postrender.cluster.client import Cluster, connect
from postrender.cluster.parallel import MAX_REQUESTS

__all__ = ["MAX_REQUESTS", "Cluster", "connect"]
