"""The first module of ``postrender.pyz``: unpacks the archive into a private cache folder once, and runs it from there.

Python reads modules from an unpacked folder quicker than from an archive, and keeps them compiled there. Where no such
folder can be made, the program runs from the archive itself, with the same result.
"""

from __future__ import annotations

import os
import sys

BUILD = "@BUILD@"
"""Digest of the archive's contents; ``tools.pack.onefile`` fills it in."""


def unpacked(archive: str) -> str | None:
    """The folder with the archive's modules, made if missing; ``None`` where it cannot be made or is not private."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        return None
    parent = os.path.join(base, "postrender")
    folder = os.path.join(parent, "pyz-" + BUILD)
    try:
        if not os.path.isdir(folder):
            os.makedirs(parent, mode=0o700, exist_ok=True)
            if not is_private(parent):
                return None
            unpack(archive, parent, folder)
        return folder if is_private(parent) and is_private(folder) else None
    except OSError:
        return None


def is_private(folder: str) -> bool:
    """Whether nobody else can change what is in the folder."""
    if os.name == "nt":
        return True
    status = os.lstat(folder)
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def unpack(archive: str, parent: str, folder: str) -> None:
    """Unpack beside the folder and rename, so that nobody meets half of it. Raises OSError."""
    import importlib.machinery
    import shutil
    import sysconfig
    import tempfile
    import zipfile

    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        # Python 3.10 on musl takes a file of this name for its own that is made for glibc.
        suffix = suffix.replace("-gnu", "-musl")
    unfinished = tempfile.mkdtemp(prefix="unpacking-", dir=parent)
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                foreign = name.endswith(".so") and not name.endswith(suffix)
                if name != "__main__.py" and not foreign:
                    try:
                        packed.extract(name, unfinished)
                    except (NotImplementedError, RuntimeError):
                        # A Python without lzma: without libyaml, too, it runs, only slower.
                        if not name.endswith(".so"):
                            raise
        os.rename(unfinished, folder)
    except OSError:
        # Another call may have been quicker; its folder holds the same.
        if not os.path.isdir(folder):
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def run_with_newer_python() -> None:
    """Replace this process by one of a Python that is new enough; returns only where PATH has none."""
    import shutil

    for minor in range(19, 9, -1):
        python = shutil.which(f"python3.{minor}")
        if python:
            os.execv(python, [python, *sys.argv])


def main() -> None:
    """Run postrender from the unpacked folder, else from the archive."""
    if sys.version_info < (3, 10):  # noqa: UP036 - the file is what an older Python is given
        run_with_newer_python()
        found = f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})"
        sys.stderr.write(f"error: postrender needs Python 3.10 or later, and this is {found}\n")
        sys.stderr.write(f"hint: /path/to/python3.10 {sys.argv[0]}\n")
        sys.exit(1)
    archive = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = unpacked(archive) or archive
    from postrender.cli.main import run

    run()


if __name__ == "__main__":
    main()
