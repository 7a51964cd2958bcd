"""A value as YAML for a reader: block style, keys in their order, text of several lines as such."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from io import StringIO
from typing import Any

from postrender.models import Json
from postrender.text import HEAD, ODD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def printed(value: Json) -> str:
    """The YAML text of a value, with a newline at the end; strings that YAML 1.1 would misread are quoted."""
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
        """Writes no anchors: a value that occurs twice is written twice."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        # What is escaped when it is shown stays the same value in double quotes.
        lines = "\n" in value
        quoted = re.search(ODD, value) or (lines and re.search(HEAD, value))
        style = '"' if quoted else "|" if lines else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper


def reserialize(text: str, meant: Json, touched: Iterable[str | int]) -> str:
    """The document's text with its changed top-level fields serialized again; raises ValueError.

    Those fields lose their comments and anchors, the others keep them.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError, YAMLStreamError

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.allow_duplicate_keys = True
    yaml.width = 1 << 30
    try:
        document = yaml.load(text)
        if not isinstance(document, dict) or not isinstance(meant, dict):
            raise ValueError("it is not a mapping")
        for key in touched:
            if key in meant:
                document[key] = _quoted(meant[key])
            else:
                document.pop(key, None)
        output = StringIO()
        yaml.dump(document, output)
    except (
        YAMLError,
        YAMLStreamError,
        RecursionError,
        TypeError,
        AttributeError,
        KeyError,
        NotImplementedError,
    ) as error:
        raise ValueError(f"ruamel.yaml cannot write it again: {str(error).splitlines()[0]}") from None
    return output.getvalue()


def _quoted(value: Json) -> Any:
    """The value with every string in double quotes, which all readers take for strings."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {DoubleQuotedScalarString(key): _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value
