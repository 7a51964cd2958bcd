"""The Helms that long tests are played with."""

from __future__ import annotations

VERSIONS = ("3.12.3", "4.3.2", "3.22.0")
"""The oldest that users of long-term distributions have, and the newest of each major."""
