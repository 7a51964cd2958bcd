"""The version that a Helm said before, kept in the user's cache folder for as long as its file is the same.

Asking costs a quarter of what a small ``helm install`` takes. Whatever is wrong with the folder, Helm is asked.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress

from postrender.helm.versions import HelmVersion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

Identity: TypeAlias = "tuple[str, int, int, int, int, int]"
"""A program's path, device, inode, size, and its times of modification and of change in nanoseconds.

The last one is the kernel's: nobody can set it back after the file was written to.
"""

_FORMAT = 1
_LONGEST = 8192
"""Bytes of a file that is read: a path has at most 4096."""


def identify(program: str, path: str) -> Identity | None:
    """The identity of the file that ``program`` runs and ``path`` names; ``None`` if unknown, or for a script.

    A script may start another Helm each time.
    """
    try:
        with open(program, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or file.read(2) == b"#!":
                return None
    except OSError:
        return None
    return path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def recall(identity: Identity, environ: Mapping[str, str]) -> HelmVersion | None:
    """The cached version of a program; ``None`` unless only the user can have written the cache."""
    path = _file(identity, environ)
    if not path or not _private(os.path.dirname(path)):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not _ours(os.fstat(descriptor)):
            return None
        try:
            kept = json.loads(file.read(_LONGEST))
        except (OSError, ValueError, RecursionError):
            return None
    if not isinstance(kept, list) or kept[:-1] != [_FORMAT, *identity] or not isinstance(kept[-1], str):
        return None
    return HelmVersion.parse(kept[-1])


def remember(identity: Identity, version: HelmVersion, environ: Mapping[str, str]) -> None:
    """Cache the version of a program, atomically; does nothing if the folder does not belong to the user."""
    path = _file(identity, environ)
    if not path:
        return
    folder = os.path.dirname(path)
    unfinished = f"{path}.{os.urandom(8).hex()}"
    try:
        _make(folder)
        if not _private(folder):
            return
        data = json.dumps([_FORMAT, *identity, str(version)]).encode()
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except (OSError, UnicodeEncodeError):
        with suppress(OSError):
            os.unlink(unfinished)


def _file(identity: Identity, environ: Mapping[str, str]) -> str:
    """``$XDG_CACHE_HOME/postrender/helm-…``, one file for a path; ``""`` where the user has no cache folder.

    A relative ``$XDG_CACHE_HOME`` counts as not set (XDG Base Directory Specification 0.8).
    """
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(home, ".cache") if os.path.isabs(home) else ""
    if not base or sys.platform == "win32":
        return ""
    return os.path.join(base, "postrender", f"helm-{zlib.crc32(os.fsencode(identity[0])):08x}.json")


def _make(folder: str) -> None:
    """Make the folder and the one it is in, if that is where the user writes; raises OSError."""
    base = os.path.dirname(folder)
    for path in (base, folder):
        if os.path.isdir(path):
            continue
        # As root with another user's HOME, nothing is put there that this user could not remove.
        if os.stat(os.path.dirname(path)).st_uid != os.geteuid():
            return
        os.mkdir(path, 0o700)


def _private(folder: str) -> bool:
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
