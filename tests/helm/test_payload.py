"""Edits of one stored manifest: an apiVersion replaced, an object taken out, and every other byte kept."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from postrender.helm.storage.payload import Payload
from postrender.helm.storage.revisions import unpack
from postrender.manifest.edit import Set

A = "# Source: shop/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
B = "# Source: shop/templates/b.yaml\napiVersion: policy/v1beta1 # old\nkind: PodSecurityPolicy\nmetadata: {name: b}\n"
C = "# Source: shop/templates/c.yaml\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata:\n  name: c\nspec: {}\n"
SERVED_C = C.replace("extensions/v1beta1", '"networking.k8s.io/v1"')
LIST = "apiVersion: v1\nkind: List\nitems:\n"
ITEMS = [
    "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
    "- apiVersion: policy/v1beta1\n  kind: PodSecurityPolicy\n  metadata:\n    name: b\n",
]


def rewritten(manifest: str) -> str:
    """The manifest with each Ingress in its served version, and without PodSecurityPolicies."""
    content = {"name": "shop", "manifest": manifest, "version": 1, "hooks": [{"manifest": B}]}
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
    payload = Payload(packed, wrapped=True)
    refs = payload.manifest.objects
    edits = [Set(ref, ("apiVersion",), "networking.k8s.io/v1") for ref in refs if ref.gvk.kind == "Ingress"]
    edited = payload.edited(edits, [ref for ref in refs if ref.gvk.kind == "PodSecurityPolicy"])
    assert not edited.reserialized
    now = json.loads(unpack(edited.packed, wrapped=True)[0])
    assert {**now, "manifest": None} == {**content, "manifest": None}
    text = now["manifest"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"---\n{A}---\n{B}---\n{C}", f"---\n{A}---\n{SERVED_C}"),
        (f"---\n{B}---\n{A}", f"---\n{A}"),
        (f"{B}---\n{A}", f"---\n{A}"),
        (f"---\n{A}--- # more\n{B}", f"---\n{A}"),
        (f"{B}---\n{B}", ""),
        (f"---\n{C}", f"---\n{SERVED_C}"),
        (f"{LIST}{ITEMS[0]}{ITEMS[1]}", f"{LIST}{ITEMS[0]}"),
        (f"{LIST}{ITEMS[1]}{ITEMS[0]}---\n{B}", f"{LIST}{ITEMS[0]}"),
    ],
    ids=["middle", "first", "first without separator", "last", "all", "none", "item", "item and document"],
)
def test_only_what_is_not_served_changes(before: str, after: str) -> None:
    assert rewritten(before) == after
