"""Argo CD: a config management plugin, which renders a chart with Helm and prints what Argo CD applies.

Read from Argo CD 3.5.1: ``newEnv``, ``getPluginEnvs`` and ``helmTemplate`` (reposerver/repository/repository.go),
``template`` and ``cleanSetParameters`` (util/helm/cmd.go), ``ParseInstanceName`` and ``APIResourcesToStrings``
(util/argo/argo.go); for parameters ``ParameterAnnouncement`` (reposerver/repository/repository.proto) and
``ApplicationSourcePluginParameters`` (pkg/apis/application/v1alpha1/types.go).
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from postrender import manifest as manifests
from postrender._record import Record
from postrender.errors import ManifestError, UsageError
from postrender.helm import binary
from postrender.helm.binary import CommandResult, HelmBinary
from postrender.helm.command_line import parse_bool
from postrender.models import GroupVersionKind, Json, ReleaseName
from postrender.settings.parse import from_text
from postrender.settings.table import SETTINGS
from postrender.text import Advice, quoted

VARIABLE = "ARGOCD_APP_PARAMETERS"


class Parameter(Record):
    """One parameter. ``shape`` is string, array or map; a ``switch`` is a string that is true or false."""

    name: str
    shape: str
    title: str
    tooltip: str
    switch: bool = False


PARAMETERS = (
    Parameter("values-files", "array", "Values files", "files of the repository, relative to the chart; the last wins"),
    Parameter("values", "string", "Values", "values as YAML, which win over the files"),
    Parameter("parameters", "map", "Parameters", "single values, as for helm --set"),
    Parameter("string-parameters", "map", "String parameters", "single values, as for helm --set-string"),
    Parameter("release-name", "string", "Release name", "instead of the Application's name"),
    Parameter("namespace", "string", "Namespace", "of the release, instead of the destination's"),
    Parameter("kube-version", "string", "Kubernetes version", "that templates see, instead of the destination's"),
    Parameter("api-versions", "array", "API versions", "that templates see, instead of the destination's"),
    Parameter("skip-crds", "string", "Skip CRDs", "leave out the chart's crds folder", switch=True),
    Parameter("skip-tests", "string", "Skip tests", "leave out the chart's tests", switch=True),
    Parameter("stamp", "string", "Stamp", "documents that get Helm's ownership metadata: adopt, all, none"),
    Parameter("label-key", "string", "Label key", "of the label that distinguishes kinds with the same name"),
    Parameter("no-label", "string", "No label", "add no such label", switch=True),
    Parameter("allow", "array", "Allow", "codes to downgrade to a warning, such as PR106"),
    Parameter("prune-false", "string", "Prune=false", "keep Argo CD from pruning what the chart keeps", switch=True),
)
"""All of them, in the order in which Argo CD shows them."""

_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


class Given(Record):
    """What an Application gives, by name."""

    texts: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, Mapping[str, str]]

    def text(self, name: str) -> str:
        """A string; ``""`` where it is not given."""
        return self.texts.get(name, "")

    def on(self, name: str) -> bool:
        """A switch; raises UsageError for what is neither true nor false."""
        text = self.text(name)
        value = parse_bool(text) if text else False
        if value is None:
            raise UsageError(f"{text!r} is neither true nor false", where=f"parameter {name}")
        return value

    def many(self, name: str) -> tuple[str, ...]:
        """An array."""
        return self.lists.get(name, ())

    def pairs(self, name: str) -> Mapping[str, str]:
        """A map."""
        return self.maps.get(name, {})


def announced() -> str:
    """The parameters as Argo CD reads them from a plugin, JSON with a line end."""
    listed = [
        {
            "name": each.name,
            "title": each.title,
            "tooltip": each.tooltip,
            "collectionType": each.shape,
            **({"itemType": "boolean"} if each.switch else {}),
        }
        for each in PARAMETERS
    ]
    return json.dumps(listed, indent=2) + "\n"


def read(environ: Mapping[str, str]) -> Given:
    """What the Application gives; raises UsageError for a parameter that does not exist or has another shape."""
    text = environ.get(VARIABLE) or "[]"
    try:
        entries = json.loads(text) or []
    except ValueError:
        raise UsageError("is not JSON", where=VARIABLE) from None
    if not isinstance(entries, list):
        raise UsageError("is not a JSON list", where=VARIABLE)
    texts: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    maps: dict[str, Mapping[str, str]] = {}
    for entry in entries:
        parameter = _known(entry)
        value = entry.get(parameter.shape)
        if parameter.shape == "string" and isinstance(value, str):
            texts[parameter.name] = value
        elif parameter.shape == "array" and _are_texts(value):
            lists[parameter.name] = tuple(value)
        elif parameter.shape == "map" and isinstance(value, dict) and _are_texts([*value.values()]):
            maps[parameter.name] = value
        else:
            raise UsageError(
                f"takes {_SHAPES[parameter.shape]}",
                where=f"parameter {parameter.name}",
                next=Advice(
                    f"write it as spec.source.plugin.parameters: [{{name: {parameter.name}, {parameter.shape}: ...}}]"
                ),
            )
    return Given(texts, lists, maps)


_SHAPES = {"string": "a string", "array": "an array of strings", "map": "a map of strings"}


def _known(entry: Json) -> Parameter:
    name = entry.get("name") if isinstance(entry, dict) else None
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = [Advice(f"did you mean {each}?") for each in difflib.get_close_matches(str(name), _BY_NAME)]
    raise UsageError("unknown parameter", where=f"parameter {name}", next=(*near, "postrender argocd params"))


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_COMMA = re.compile(r"(?<!\\),")
_WITHIN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_MARGIN = 5.0
"""Seconds before Argo CD's own time limit at which we give up, to say why."""


class Application(Record):
    """One Application: its name as Argo CD has it, the release that Helm is to render, and what templates see.

    ``served`` are the kinds of the destination, ``()`` where nobody told.
    """

    name: str
    release: ReleaseName
    given: Given
    kube_version: str
    api_versions: tuple[str, ...]
    served: frozenset[GroupVersionKind]

    def serves(self, gvk: GroupVersionKind) -> bool:
        """Whether the destination serves the kind, as far as somebody told."""
        return not self.served or gvk in self.served


def application(environ: Mapping[str, str]) -> Application:
    """The Application that a plugin is called for; raises UsageError."""
    name = environ.get("ARGOCD_APP_NAME", "")
    if not name:
        raise UsageError("is not set: Argo CD sets it for its plugins", where="ARGOCD_APP_NAME")
    given = read(environ)
    versions = [each for each in environ.get("KUBE_API_VERSIONS", "").split(",") if each]
    return Application(
        name,
        ReleaseName(
            _checked("namespace", given.text("namespace") or environ.get("ARGOCD_APP_NAMESPACE") or "default"),
            _checked("release", given.text("release-name") or name.partition("_")[2] or name),
        ),
        given,
        given.text("kube-version") or environ.get("KUBE_VERSION", ""),
        given.many("api-versions") or tuple(versions),
        frozenset(kind for each in versions if (kind := _kind(each))),
    )


def arguments(app: Application, folder: str, values: str | None, environ: Mapping[str, str]) -> list[str]:
    """What ``helm template`` is called with in the chart's folder; ``values`` is the file of the inline ones.

    Raises UsageError for a values file that is not in the repository.
    """
    given = app.given
    made = [app.release.name, ".", f"--namespace={app.release.namespace}"]
    root = _root(folder, environ)
    made += [f"--values={_inside(path, folder, root)}" for path in given.many("values-files")]
    if values:
        made.append(f"--values={values}")
    made += [f"--set={key}={_escaped(value)}" for key, value in given.pairs("parameters").items()]
    made += [f"--set-string={key}={_escaped(value)}" for key, value in given.pairs("string-parameters").items()]
    if app.kube_version:
        made.append(f"--kube-version={app.kube_version}")
    made += [f"--api-versions={each}" for each in app.api_versions]
    if not given.on("skip-crds"):
        made.append("--include-crds")
    if given.on("skip-tests"):
        made.append("--skip-tests")
    return made


def time_limit(environ: Mapping[str, str]) -> float:
    """Seconds until we give up: a little before Argo CD does (``ARGOCD_EXEC_TIMEOUT`` of the sidecar, 90 s)."""
    text = environ.get("ARGOCD_EXEC_TIMEOUT", "")
    parts = _WITHIN.findall(text)
    if "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise UsageError(f"{text!r} is not a duration such as 2m30s", where="ARGOCD_EXEC_TIMEOUT")
    limit = sum(float(number) * _SECONDS[unit] for number, unit in parts) or 90.0
    return max(limit - _MARGIN, limit / 2)


def unserved(app: Application, wanted: Sequence[GroupVersionKind], defined: frozenset[GroupVersionKind]) -> list[str]:
    """What to tell of kinds that neither the destination serves nor a CRD of the stream defines."""
    missing = dict.fromkeys(str(gvk) for gvk in wanted if not app.serves(gvk) and gvk not in defined)
    return [f"the destination does not serve {each}, so that its sync will fail" for each in missing]


def _kind(text: str) -> GroupVersionKind | None:
    """``apps/v1/Deployment`` or ``v1/ConfigMap``; ``None`` for a version without a kind.

    A kind begins with a capital letter, and no version does.
    """
    version, _, kind = text.rpartition("/")
    return GroupVersionKind.parse(version, kind) if version and kind[:1].isupper() else None


def _checked(name: str, text: str) -> str:
    (setting,) = (each for each in SETTINGS if each.name == name)
    return str(from_text(setting, text, f"the Application's {name}"))


def _escaped(value: str) -> str:
    """A value for ``--set``, whose commas part no further ones; a list in braces is left (``cleanSetParameters``)."""
    return value if value.startswith("{") and value.endswith("}") else _COMMA.sub(r"\\,", value)


def _root(folder: str, environ: Mapping[str, str]) -> str:
    """The repository's folder: that many levels above the chart's as its path has."""
    path = os.path.normpath(environ.get("ARGOCD_APP_SOURCE_PATH") or os.curdir)
    real = os.path.realpath(folder)
    levels = [] if path == os.curdir else path.strip("/").split("/")
    if levels and real.split(os.sep)[-len(levels) :] != levels:
        return real
    return os.path.normpath(os.path.join(real, *[os.pardir] * len(levels)))


def _inside(path: str, folder: str, root: str) -> str:
    """The path of a file of the repository, a path from ``/`` being one from its root; raises UsageError."""
    found = os.path.realpath(
        os.path.join(root, path.lstrip("/")) if path.startswith("/") else os.path.join(folder, path)
    )
    if "," in found:
        raise UsageError("has a comma in its path, where Helm splits it", where=f"values file {path}")
    if "://" in path or os.path.commonpath([found, root]) != root:
        raise UsageError("is not a file of the repository", where=f"values file {path}")
    if not os.path.isfile(found):
        raise UsageError("is not there", where=f"values file {path}")
    return found


def repositories(dependencies: object) -> Iterator[str]:
    """The addresses of the chart repositories that a chart's dependencies name, each once."""
    seen: set[str] = set()
    for each in dependencies if isinstance(dependencies, list) else ():
        url = each.get("repository") if isinstance(each, dict) else None
        if isinstance(url, str) and url.startswith(("http://", "https://")) and url not in seen:
            seen.add(url)
            yield url


_HOMES = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")


def build(helm: HelmBinary, folder: str, environ: Mapping[str, str]) -> str:
    """Run ``helm dependency build`` where the chart names what is not in its charts folder, and say what Helm said.

    The repositories are added first, as Argo CD does, unless the environment names a file of them
    (``$HELM_REPOSITORY_CONFIG``). Raises ManifestError.
    """
    wanted = _dependencies(folder)
    if not any(_missing(each, folder) for each in wanted):
        return ""
    output = ""
    if not environ.get("HELM_REPOSITORY_CONFIG"):
        for number, url in enumerate(repositories(wanted)):
            output += _done(binary.run(helm, ["repo", "add", f"postrender-{number}", url], environ, None))
    return output + _done(binary.run(helm, ["dependency", "build", folder], environ, None))


def homes(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """The environment with Helm's own folders in a folder that can be written, where it does not name them."""
    return {**{name: os.path.join(folder, name.lower()) for name in _HOMES}, **environ}


def _dependencies(folder: str) -> list[Json]:
    try:
        chart = manifests.load(Path(folder, "Chart.yaml").read_bytes())
    except OSError as error:
        raise ManifestError(
            f"is not a chart: Chart.yaml: {error.strerror}",
            where=os.path.abspath(folder),
            next=Advice("correct spec.source.path of the Application"),
        ) from error
    found = chart.get("dependencies") if isinstance(chart, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _missing(dependency: Json, folder: str) -> bool:
    """Whether a dependency is neither a folder nor an archive below ``charts``."""
    name = str(dependency.get("name"))
    charts = Path(folder, "charts")
    return not (charts / name).is_dir() and not any(charts.glob(f"{name}-*.tgz"))


def _done(answer: CommandResult) -> str:
    output = f"{answer.stdout}{answer.stderr}".strip()
    if answer.code:
        cause = answer.stderr.strip().removeprefix("Error: ") or f"exit code {answer.code}"
        raise ManifestError(
            f"the chart's dependencies are not available: {cause}",
            next=("helm dependency build", Advice("or commit what helm dependency build puts into charts/")),
        )
    return quoted(output, "helm")
