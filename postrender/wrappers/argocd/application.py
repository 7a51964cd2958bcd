"""What Argo CD tells a plugin in its environment, and what Helm is called with for it.

Read from Argo CD 3.5.1: ``newEnv``, ``getPluginEnvs`` and ``helmTemplate`` (reposerver/repository/repository.go),
``template`` and ``cleanSetParameters`` (util/helm/cmd.go), ``ParseInstanceName`` and ``APIResourcesToStrings``
(util/argo/argo.go).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from postrender.caller.options import SETTINGS
from postrender.caller.values import from_text
from postrender.errors import UsageError
from postrender.identity import GroupVersionKind
from postrender.live import ReleaseName
from postrender.record import Record
from postrender.wrappers.argocd.parameters import Given, read

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
    told = [each for each in environ.get("KUBE_API_VERSIONS", "").split(",") if each]
    return Application(
        name,
        ReleaseName(
            _checked("namespace", given.text("namespace") or environ.get("ARGOCD_APP_NAMESPACE") or "default"),
            _checked("release", given.text("release-name") or name.partition("_")[2] or name),
        ),
        given,
        given.text("kube-version") or environ.get("KUBE_VERSION", ""),
        given.many("api-versions") or tuple(told),
        frozenset(kind for each in told if (kind := _kind(each))),
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
        raise UsageError(f"{text!r} is no duration such as 2m30s", where="ARGOCD_EXEC_TIMEOUT")
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
        raise UsageError("has a comma in its path, which parts it in two for Helm", where=f"values file {path}")
    if "://" in path or os.path.commonpath([found, root]) != root:
        raise UsageError("is no file of the repository", where=f"values file {path}")
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
