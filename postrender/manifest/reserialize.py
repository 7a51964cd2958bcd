"""The way out: a document written anew as a whole with ruamel.yaml, which keeps comments and order."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from postrender.models import Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def reserialize(text: str, meant: Json, touched: Iterable[str | int]) -> str:
    """The document's text with the touched top-level fields as they are meant to be; raises ValueError.

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
        raise ValueError(f"ruamel.yaml cannot write it anew: {str(error).splitlines()[0]}") from None
    return output.getvalue()


def _quoted(value: Json) -> Any:
    """The value with every string in double quotes, which all readers take for strings."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {DoubleQuotedScalarString(key): _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value
