"""Which API servers keep a map that lost all it had."""

from __future__ import annotations

import pytest

from postrender.cluster.managed_fields_migration import keeps_empty


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1.35.10", False),
        ("v1.36.0", True),
        ("v1.36.2-gke.100", True),
        ("v1.36.2+k3s1", True),
        ("v1.36.3", False),
        ("v1.36.20", False),
        ("v1.37.0", False),
        ("main", False),
        ("", False),
    ],
)
def test_kubernetes(version: str, expected: bool) -> None:
    assert keeps_empty(version) is expected
