"""A chart on disk: what a user named, its files by the names that Helm gives them, and what Helm renders of it."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import yaml

from postrender.errors import UsageError
from postrender.lint.model import Template

_PARTS = ("templates", "crds", "charts")
_FILES = ("Chart.yaml", "Chart.lock", "values.schema.json")


def chart_of(named: str) -> str | None:
    """The chart that a path means: its folder, its archive, or a file in it; ``None`` for anything else.

    Raises UsageError for a folder that is no chart.
    """
    path = Path(named)
    if path.is_dir():
        if not (path / "Chart.yaml").is_file():
            raise UsageError("is a folder without Chart.yaml", where=named, next="postrender lint --help")
        return named
    if path.suffix == ".tgz":
        return named
    return _around(path)


def templates_of(chart: str) -> dict[str, Template]:
    """The files of a chart, subcharts in folders included, by the names in ``# Source:``."""
    if not os.path.isdir(chart):
        return _archived(chart)
    found = {}
    for folder, _, files in os.walk(chart):
        inside = os.path.relpath(folder, chart)
        parts = [] if inside == os.curdir else inside.split(os.sep)
        if not parts or parts[0] not in _PARTS:
            continue
        for file in files:
            path = os.path.join(folder, file)
            text = Path(path).read_text(encoding="utf-8", errors="replace")
            found["/".join([_name(chart), *parts, file])] = Template(path, text)
            if parts and parts[0] == "crds":
                # As Helm 3.12 and older call it.
                found["/".join([*parts, file])] = Template(path, text)
    return found


def _around(path: Path) -> str | None:
    """The outermost chart that a file is a part of."""
    around: str | None = None
    known = path.name in _FILES or (path.name.startswith("values") and path.suffix in (".yaml", ".yml"))
    for folder in path.parents:
        if known and (folder / "Chart.yaml").is_file():
            around = str(folder)
            known = folder.parent.name == "charts"
        known = known or folder.name in _PARTS
    return around


def _name(chart: str) -> str:
    """The chart's name, as its Chart.yaml says."""
    try:
        body = yaml.safe_load((Path(chart) / "Chart.yaml").read_bytes())
    except yaml.YAMLError:
        body = None
    return str(body["name"]) if isinstance(body, dict) and "name" in body else Path(chart).resolve().name


def _archived(chart: str) -> dict[str, Template]:
    try:
        with tarfile.open(chart) as archive:
            members = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
            return {
                name: Template(f"{chart}!{name}", file.read().decode(errors="replace"))
                for name, file in members
                if file is not None
            }
    except (OSError, tarfile.TarError) as error:
        raise UsageError(f"cannot be read: {error}", where=chart, next="postrender lint --help") from error
