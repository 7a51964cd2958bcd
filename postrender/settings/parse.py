"""Parses the text of a setting; an error names its source and the accepted values."""

from __future__ import annotations

import re

from postrender.errors import UsageError
from postrender.helm.command_line import parse_bool
from postrender.helm.detect_version import VersionUnknown, exact
from postrender.helm.versions import HelmVersion
from postrender.settings.table import SETTINGS, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

Value: TypeAlias = "str | bool | tuple[str, ...]"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

_SECRET = frozenset(setting.name for setting in SETTINGS if setting.secret)

_HELM_ALIASES = {
    "action": {"upgrade --install": "upgrade-install"},
    "dry_run": {"true": "client", "false": "none"},
    "driver": {"secrets": "secret", "configmaps": "configmap"},
}
"""What Helm takes for the same, beside our own words (the drivers: ``Init``, pkg/action/action.go)."""


def from_text(setting: Setting, text: str, origin: str) -> Value:
    """Read a value; raises UsageError, which names ``origin`` and shows no secret."""
    if setting.kind == "bool":
        value = parse_bool(text)
        if value is None:
            raise UsageError(f"{text!r} is neither true nor false", where=origin)
        return value
    if setting.kind == "list":
        return split(text)
    text = _HELM_ALIASES.get(setting.name, {}).get(text, text)
    if setting.choices and text not in setting.choices:
        raise UsageError(f"invalid value {text!r}; choose {', '.join(setting.choices)}", where=origin)
    problem = _problem(setting.name, text)
    if problem:
        raise UsageError(f"{text!r} is {problem}", where=origin)
    return text


def shown(name: str, value: Value | None) -> str:
    """Write the value of a flag (Helm's or ours, by its long name) so that a reader may see it.

    Tokens are not shown, nor what stands in a URL for a user and a password.
    """
    if name.replace("-", "_") in _SECRET:
        return "***"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"//[^/@]*@", "//***@", text)


def split(text: str) -> tuple[str, ...]:
    """Take a variable's several values apart: ``envCSV``, pkg/cli/environment.go."""
    trimmed = text.strip(", ")
    return tuple(trimmed.split(",")) if trimmed else ()


def _problem(name: str, text: str) -> str:
    """Say what keeps a text from being a value; ``""`` where nothing does."""
    if name == "release" and not (len(text) <= 53 and all(re.fullmatch(_LABEL, part) for part in text.split("."))):
        # ValidateReleaseName, pkg/chartutil/validate_name.go.
        return "no release name: it takes lower-case letters, digits, - and ., at most 53 of them"
    if name == "namespace" and not (len(text) <= 63 and re.fullmatch(_LABEL, text)):
        return "no namespace: it takes lower-case letters, digits and -, at most 63 of them"
    if name == "helm_version":
        if HelmVersion.parse(text) is None:
            return "no Helm version, such as 3.17.3"
        return "not exact: name the patch release, as in 3.17.3" if isinstance(exact(text), VersionUnknown) else ""
    if name == "request_timeout" and not (re.fullmatch(r"\d+(\.\d+)?", text) and float(text) > 0):
        return "no number of seconds above 0"
    return ""
