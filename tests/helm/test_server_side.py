"""Which field managers an apply takes over; published tests of the same are in tests/conformance/published."""

from __future__ import annotations

from typing import Any

from postrender.helm.server_side.field_managers import taken


def test_the_updates_of_helm_3_become_fields_of_helm_4s_apply() -> None:
    def entry(operation: str, *names: str, version: str = "v1") -> Any:
        fields: Any = {"f:data": {f"f:{name}": {} for name in names}}
        return {"manager": "helm", "operation": operation, "apiVersion": version, "fieldsV1": fields}

    assert taken([entry("Update", "a", "b")], "helm", "helm") == [entry("Apply", "a", "b")]
    assert taken([entry("Apply", "a"), entry("Update", "b")], "helm", "helm") == [entry("Apply", "a", "b")]
    assert taken([entry("Apply", "a")], "helm", "helm") == [entry("Apply", "a")]
