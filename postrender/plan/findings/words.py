"""Names as commands and sentences have them."""

from __future__ import annotations

from collections.abc import Sequence

from postrender.live import RESOURCE_POLICY

SHOWN = 5
"""How many of many a sentence names before it only counts the rest."""


def some(names: Sequence[str]) -> str:
    """The first ``SHOWN`` of them, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def annotated(name: str, policy: str = "keep") -> str:
    """The command that puts a resource policy on the live object, over one that is there."""
    return f"kubectl annotate --overwrite {kubectl(name)} {RESOURCE_POLICY}={policy}"


def kubectl(name: str) -> str:
    """``shirts.stable.example.com/shop/shirt`` as kubectl takes it: ``shirts.stable.example.com/shirt -n shop``."""
    parts = name.split("/")
    return f"{parts[0]}/{parts[-1]}" + (f" -n {parts[1]}" if len(parts) == 3 else "")
