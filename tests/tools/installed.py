"""Programs of the system that tests run: found on PATH, or installed with apt-get.

``python3 -m tests.tools.installed`` prints the path of each, installing those that are missing; 1 where one cannot be
had. Where ``CI`` is set a test that misses one fails; elsewhere it is skipped, and says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

PACKAGES: Mapping[str, str] = {
    "chromium": "chromium",
    "zsh": "zsh",
    "bash": "bash",
    "jq": "jq",
    "fish": "fish",
    "groff": "groff",
    "man": "man-db",
    "mandoc": "mandoc",
}
"""Each program, and the Debian package that has it."""

BUILDERS: Mapping[str, str] = {
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "musl-gcc": "musl-tools",
    "apt-get": "apt",
}
"""Programs that only the tests of the image, of arm64 and of musl need, with their packages."""

_ALIKE: Mapping[str, Sequence[str]] = {"chromium": ("chromium-browser", "google-chrome", "google-chrome-stable")}

BROWSER = "POSTRENDER_TEST_BROWSER"
"""Names the browser, where it is none of those on PATH."""


def find(program: str) -> str | None:
    """The path of a program, or of one that does as well; ``None`` where there is none."""
    named = os.environ.get(BROWSER) if program == "chromium" else None
    return named or next((path for path in map(shutil.which, (program, *_ALIKE.get(program, ()))) if path), None)


def needed(program: str) -> str:
    """The path of a program that a test cannot do without."""
    return find(program) or _missing(program)


def _missing(program: str) -> NoReturn:
    import pytest

    message = f"{program} is not installed; hint: apt install {({**PACKAGES, **BUILDERS})[program]}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def install(programs: Sequence[str]) -> None:
    """Install Debian's packages, where that is allowed without asking anybody."""
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (become and not shutil.which("sudo")):
        return
    packages = [PACKAGES[program] for program in programs]
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command], stdout=sys.stderr, check=False
        )


def main() -> int:
    """Print the path of each program, installing those that are missing."""
    missing = [program for program in PACKAGES if find(program) is None]
    if missing:
        install(missing)
    for program in PACKAGES:
        path = find(program)
        if path is None:
            sys.stderr.write(
                f"{program} is missing and could not be installed\nhint: apt install {PACKAGES[program]}\n"
            )
            return 1
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
