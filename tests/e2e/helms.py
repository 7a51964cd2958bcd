"""The Helms that long tests are played with: two in every run; the newest Helm 3 too by ``bin/every-helm``."""

from __future__ import annotations

import os

ALL = ("3.12.3", "4.3.2", "3.22.0")
"""The oldest that users of long-term distributions have, and the newest of each major."""
EVERY = "POSTRENDER_TEST_EVERY_HELM"
"""The variable with which all of them are played."""
VERSIONS = ALL if os.environ.get(EVERY) else ALL[:2]
