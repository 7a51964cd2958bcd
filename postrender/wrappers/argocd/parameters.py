"""The parameters of an Application's plugin: what there is, and what an Application gives.

As ``ParameterAnnouncement`` (reposerver/repository/repository.proto) and ``ApplicationSourcePluginParameters``
(pkg/apis/application/v1alpha1/types.go) of Argo CD 3.5.1 have them.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

from postrender.caller.commandline import parse_bool
from postrender.errors import UsageError
from postrender.live import Json
from postrender.record import Record

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
    Parameter("label-key", "string", "Label key", "of the label that tells colliding kinds apart"),
    Parameter("no-label", "string", "No label", "add no such label", switch=True),
    Parameter("allow", "array", "Allow", "codes in spite of which to go on, such as PR106"),
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
        raise UsageError("is no JSON", where=VARIABLE) from None
    if not isinstance(entries, list):
        raise UsageError("is no JSON list", where=VARIABLE)
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
                next=f"spec.source.plugin.parameters: [{{name: {parameter.name}, {parameter.shape}: ...}}]",
            )
    return Given(texts, lists, maps)


_SHAPES = {"string": "a string", "array": "an array of strings", "map": "a map of strings"}


def _known(entry: Json) -> Parameter:
    name = entry.get("name") if isinstance(entry, dict) else None
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = [f"name: {each}" for each in difflib.get_close_matches(str(name), _BY_NAME)]
    raise UsageError("there is no such parameter", where=f"parameter {name}", next=(*near, "postrender argocd params"))


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
