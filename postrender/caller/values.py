"""From the text of a setting to its value; whatever is wrong with it is told with its place and what is accepted."""

from __future__ import annotations

import re
from typing import TypeAlias

from postrender.caller.commandline import parse_bool
from postrender.caller.options import Setting
from postrender.caller.parent import Unclear, exact
from postrender.errors import UsageError

Value: TypeAlias = "str | bool | tuple[str, ...]"

_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

_OTHER_WORDS = {
    "action": {"upgrade --install": "upgrade-install"},
    "dry_run": {"true": "client", "false": "none"},
    "driver": {"secrets": "secret", "configmaps": "configmap"},
}
"""What Helm takes for the same, beside our own words."""


def from_text(setting: Setting, text: str, origin: str) -> Value:
    """The value that a text means; raises UsageError, which names ``origin`` and shows no secret."""
    if setting.kind == "bool":
        value = parse_bool(text)
        if value is None:
            raise _wrong(origin, f"{text!r} is neither true nor false")
        return value
    if setting.kind == "list":
        return split(text)
    text = _OTHER_WORDS.get(setting.name, {}).get(text, text)
    if setting.choices and text not in setting.choices:
        raise _wrong(origin, f"{text!r} is none of {', '.join(setting.choices)}")
    problem = _problem(setting.name, text)
    if problem:
        raise _wrong(origin, f"{text!r} is {problem}")
    return text


def split(text: str) -> tuple[str, ...]:
    """Several values in one variable: ``envCSV``, pkg/cli/environment.go."""
    trimmed = text.strip(", ")
    return tuple(trimmed.split(",")) if trimmed else ()


def _problem(name: str, text: str) -> str:
    """What keeps a text from being a value; ``""`` where nothing does."""
    if name == "release" and not (len(text) <= 53 and _RELEASE.fullmatch(text)):
        # ValidateReleaseName, pkg/chartutil/validate_name.go.
        return "no release name: lower-case letters, digits, - and . with at most 53 characters"
    if name == "namespace" and not (len(text) <= 63 and _LABEL.fullmatch(text)):
        return "no namespace: lower-case letters, digits and - with at most 63 characters"
    if name == "helm_version":
        version = exact(text)
        return f"no exact Helm version, such as 3.17.3: {version.reason}" if isinstance(version, Unclear) else ""
    if name == "request_timeout" and not (re.fullmatch(r"\d+(\.\d+)?", text) and float(text) > 0):
        return "no number of seconds above 0"
    return ""


def _wrong(origin: str, cause: str) -> UsageError:
    return UsageError(cause, where=origin)
