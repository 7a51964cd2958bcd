"""Charts and the manifests in them, written for one test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.api import Object
from tests.e2e.kinds import Kind


def chart(
    folder: Path,
    templates: Mapping[str, str | Object],
    *,
    crds: Mapping[str, Object] | None = None,
    values: Object | None = None,
    name: str = "shop",
    version: str = "0.1.0",
) -> Path:
    """Write a chart folder and return it; ``templates`` and ``crds`` are file names, with text or an object each.

    Helm keeps the order of file names among kinds that it has no order for. A name of ``templates`` without a suffix
    gets ``.yaml``. Every call writes a new folder below ``folder``.
    """
    place = folder / f"chart-{len(list(folder.glob('chart-*')))}"
    files: dict[str, str | Object] = {
        "Chart.yaml": {"apiVersion": "v2", "name": name, "version": version},
        "values.yaml": values or {},
        **{f"templates/{file}": body for file, body in templates.items()},
        **{f"crds/{file}": body for file, body in (crds or {}).items()},
    }
    for file, body in files.items():
        path = place / (file if Path(file).suffix else f"{file}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body if isinstance(body, str) else yaml.safe_dump(body, sort_keys=False))
    return place


def manifest(
    kind: Kind,
    name: str,
    content: Any = None,
    *,
    keep: bool | str = False,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    namespace: str = "",
) -> Object:
    """One object: ``content`` goes where its kind keeps it (``spec``, ``data``); ``keep`` may be a spelling of it."""
    notes = dict(annotations or {})
    if keep:
        notes["helm.sh/resource-policy"] = keep if isinstance(keep, str) else "keep"
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    if notes:
        metadata["annotations"] = notes
    made: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    if content is not None:
        made[kind.content] = content
    return made
