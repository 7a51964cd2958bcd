"""A Chromium for the tests: found, or installed with apt-get. ``python3 -m tests.tools.browser`` prints its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NAMED = "POSTRENDER_TEST_BROWSER"


def find() -> str | None:
    """The path of a browser: the one that ``$POSTRENDER_TEST_BROWSER`` names, else one on PATH."""
    named = os.environ.get(NAMED)
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


def install() -> str | None:
    """Install Debian's package where that is allowed without asking anybody; the path where it worked."""
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (become and not shutil.which("sudo")):
        return None
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(
            [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command], stdout=sys.stderr, check=False
        )
    return find()


def main() -> int:
    """Print the path, installing a browser where there is none."""
    path = find() or install()
    if path is None:
        sys.stderr.write(f"no Chromium, and none could be installed\n  next: {NAMED}=/path/to/chromium\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
