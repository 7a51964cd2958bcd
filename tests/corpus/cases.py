"""Hand-made streams with edits, and what must come out: bytes, or the message that refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import Manifest
from postrender.manifest.edit import Edit, Remove, Set, splice

TRAPS = Path(__file__).parent / "traps"


def edits(found: Manifest, wishes: list[dict[str, Any]]) -> list[Edit]:
    """The edits of an ``edits.json``: an object's place in the stream, and a path to set or to remove."""
    refs = found.objects
    return [
        Set(refs[wish["object"]], tuple(wish["set"]), wish["value"])
        if "set" in wish
        else Remove(refs[wish["object"]], tuple(wish["remove"]))
        for wish in wishes
    ]


def outcome(folder: Path) -> tuple[str, bytes]:
    """What a case makes: the name of the file that holds it, and its content.

    ``expected.yaml`` is the stream; ``rewritten.yaml`` too, where a document had to be written anew; ``refused.txt``
    the message.
    """
    data = (folder / "input.yaml").read_bytes()
    try:
        found = manifest.read(data)
        result = splice(found, edits(found, json.loads((folder / "edits.json").read_text())))
    except ManifestError as error:
        return "refused.txt", f"{error}\n".encode()
    return ("rewritten.yaml" if result.rewritten else "expected.yaml"), result.data
