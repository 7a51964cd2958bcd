"""A chart's dependencies, downloaded before it is rendered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from postrender import manifest as manifests
from postrender import program
from postrender.errors import ManifestError
from postrender.live import Json
from postrender.program import Answer, Program
from postrender.wrappers.argocd.application import repositories

_HOMES = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")


def build(helm: Program, folder: str, environ: Mapping[str, str]) -> str:
    """Run ``helm dependency build`` where the chart names what is not in its charts folder, and say what Helm said.

    The repositories are added first, as Argo CD does, unless the environment names a file of them
    (``$HELM_REPOSITORY_CONFIG``). Raises ManifestError.
    """
    wanted = _dependencies(folder)
    if not any(_missing(each, folder) for each in wanted):
        return ""
    said = ""
    if not environ.get("HELM_REPOSITORY_CONFIG"):
        for number, url in enumerate(repositories(wanted)):
            said += _done(program.ask(helm, ["repo", "add", f"postrender-{number}", url], environ, None))
    return said + _done(program.ask(helm, ["dependency", "build", folder], environ, None))


def homes(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """The environment with Helm's own folders in a folder that can be written, where it does not name them."""
    return {**{name: os.path.join(folder, name.lower()) for name in _HOMES}, **environ}


def _dependencies(folder: str) -> list[Json]:
    try:
        chart = manifests.load(Path(folder, "Chart.yaml").read_bytes())
    except OSError as error:
        raise ManifestError(
            f"is no chart: Chart.yaml: {error.strerror}", where=os.path.abspath(folder), next="spec.source.path"
        ) from error
    found = chart.get("dependencies") if isinstance(chart, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _missing(dependency: Json, folder: str) -> bool:
    """Whether a dependency is neither a folder nor an archive below ``charts``."""
    name = str(dependency.get("name"))
    charts = Path(folder, "charts")
    return not (charts / name).is_dir() and not any(charts.glob(f"{name}-*.tgz"))


def _done(answer: Answer) -> str:
    said = f"{answer.stdout}{answer.stderr}".strip()
    if answer.code:
        cause = answer.stderr.strip().removeprefix("Error: ") or f"exit code {answer.code}"
        raise ManifestError(
            f"the chart's dependencies cannot be had: {cause}",
            next=("helm dependency build", "vendor them: commit what helm dependency build puts into charts/"),
        )
    return f"{said}\n"
