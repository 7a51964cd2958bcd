"""Build what is published: wheel, sdist, bill of materials.

    python -m tools.release [FOLDER]    # default: dist

The version is ``postrender.__version__``. A commit that is tagged has the tag ``v`` and that version, and a section of
that version in the changelog.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import postrender

ROOT = Path(__file__).parents[1]
EPOCH = "315532800"
"""1980-01-01, the oldest time a zip file can hold: the time of every file in the wheel, for the same bytes always."""


class Unfit(Exception):
    """Something must not be published; the message says what."""


def agreed(version: str, tags: list[str], changelog: str) -> None:
    """Raises Unfit where a tagged commit says otherwise in its tag or its changelog."""
    if not tags:
        return
    if f"v{version}" not in tags:
        raise Unfit(f"the tag is {' '.join(tags)}, and postrender.__version__ is {version}")
    if not re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE):
        raise Unfit(f"CHANGELOG.md has no section for {version}")


def tags() -> list[str]:
    """The tags of the commit that is checked out, those of versions; [] outside of git."""
    done = subprocess.run(["git", "tag", "--points-at", "HEAD", "v*"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def build(source: Path, folder: Path, *kinds: str) -> list[Path]:
    """Wheel and sdist of a folder (``--wheel``, ``--sdist``; default: both); the wheel is always the same bytes."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(source)],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "TZ": "UTC"},
        stdout=sys.stderr,
    )
    return sorted(folder.glob("postrender-*"))


def checked(files: list[Path]) -> None:
    """Raises CalledProcessError where twine finds fault with a file."""
    subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], check=True, stdout=sys.stderr
    )


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with nothing in it but the wheel and what it needs; its Python."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", str(wheel)],
        check=True,
        cwd=folder,
        stdout=sys.stderr,
    )
    return python


def bill(python: Path, path: Path) -> None:
    """Write a CycloneDX bill of what is installed in an environment."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    subprocess.run(
        [
            str(tool),
            "environment",
            "--output-reproducible",
            "--pyproject",
            str(ROOT / "pyproject.toml"),
            "--output-format",
            "JSON",
            "--output-file",
            str(path),
            str(python),
        ],
        check=True,
        stdout=sys.stderr,
    )


def main(arguments: list[str]) -> int:
    """Build everything into the folder, or say why not."""
    folder = Path(arguments[0] if arguments else ROOT / "dist")
    try:
        agreed(postrender.__version__, tags(), (ROOT / "CHANGELOG.md").read_text())
    except Unfit as error:
        sys.stderr.write(f"not released: {error}\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("postrender-*"):
        old.unlink()
    files = build(ROOT, folder)
    checked(files)
    (wheel,) = (file for file in files if file.suffix == ".whl")
    with tempfile.TemporaryDirectory() as temporary:
        bill(environment(Path(temporary) / "env", wheel), folder / f"postrender-{postrender.__version__}.cdx.json")
    sys.stdout.write("".join(f"{file}\n" for file in sorted(folder.glob("postrender-*"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
