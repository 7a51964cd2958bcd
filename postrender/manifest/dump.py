"""A value as YAML for a reader: block style, keys in their order, text of several lines as such."""

from __future__ import annotations

from functools import cache
from typing import Any

from postrender.models import Json
from postrender.text import HEAD, ODD


def printed(value: Json) -> str:
    """The YAML of a value, ending in a newline; whatever YAML 1.1 would misread is quoted."""
    try:
        return _dumped(value, _dumper(quick=True))
    except UnicodeEncodeError:
        # libyaml takes UTF-8, in which a lone surrogate has no place; PyYAML itself escapes it.
        return _dumped(value, _dumper(quick=False))


def _dumped(value: Json, dumper: Any) -> str:
    import yaml

    text: str = yaml.dump(
        value, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1 << 30
    )
    return text.removesuffix("...\n")


@cache
def _dumper(*, quick: bool) -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if quick else yaml.SafeDumper

    class Dumper(base):  # type: ignore[misc]
        """Writes no anchors, since a value that stands twice is two values to a reader."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        # What is escaped when it is shown stays the same value in double quotes.
        style = '"' if ODD.search(value) or ("\n" in value and HEAD.search(value)) else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper
