"""Who else claims the plugin's name: two of one name, of whatever types, cost Helm 4 all of its plugins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from postrender import manifest
from postrender.errors import ManifestError
from postrender.plugin import files


def claims(folders: Sequence[str], mine: str) -> list[str]:
    """The folders that stand in the way of a plugin in the folder ``mine``: they claim its name, or hold its place.

    They are looked for where Helm looks: one level below each of ``folders`` (``LoadAllDir``, internal/plugin/loader.go
    of 4.0.0 to 4.3.1; ``detectDuplicates`` there compares names only). What cannot be read, Helm does not load either.
    """
    return [place for folder in folders for place in _below(folder) if _in_the_way(place, mine)]


def _in_the_way(place: str, mine: str) -> bool:
    if os.path.abspath(place) != os.path.abspath(mine):
        return _name(place) == files.NAME
    if os.path.islink(place):
        return True
    return os.path.lexists(os.path.join(place, files.DESCRIPTOR)) and files.read(place) is None


def _below(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (os.path.join(folder, name) for name in names)


def _name(place: str) -> str:
    try:
        with open(os.path.join(place, files.DESCRIPTOR), "rb") as file:
            about = manifest.load(file.read())
    except (OSError, ManifestError):
        return ""
    name = about.get("name") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""
