"""Streams of a shape that once cost square time, for the bench and the tests."""

from __future__ import annotations

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


def long_list(count: int) -> bytes:
    """One ``List`` with so many objects."""
    items = "".join(f"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a{index}\n" for index in range(count))
    return f"apiVersion: v1\nkind: List\nitems:\n{items}".encode()


def long_key(length: int) -> bytes:
    """An annotation with a plain key of so many bytes."""
    return f"{HEAD}  annotations:\n    ? {'k' * length}\n    : v\n".encode()
