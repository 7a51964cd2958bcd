"""Pins taken out of one payload: what goes, what stays to the byte, and what is refused."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from postrender.errors import ManifestError
from postrender.helm.storage import Undecodable
from postrender.helm.storage.pins import Unpinned, unpinned
from postrender.helm.storage.revisions import unpack

MANIFEST = """\
---
# Source: shop/templates/a.yaml
apiVersion: stable.example.com/v1
kind: Shirt
metadata:
  resourceVersion: "237"   # a pin
  name: shirt
spec: {color: blue}  # resourceVersion: "1"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cfg, resourceVersion: "5"}
data:
  resourceVersion: "2"
"""
WITHOUT = MANIFEST.replace('  resourceVersion: "237"   # a pin\n', "").replace(', resourceVersion: "5"', "")


def packed(text: str, *, wrapped: bool = True, compressed: bool = True) -> str:
    data = text.encode()
    once = base64.b64encode(gzip.compress(data) if compressed else data)
    return (base64.b64encode(once) if wrapped else once).decode()


def payload(manifest: Any = MANIFEST, **more: Any) -> str:
    return json.dumps({"name": "old", "manifest": manifest, "version": 3, **more}, separators=(",", ":"))


def without_pins(text: str) -> Unpinned:
    found = unpinned(packed(text), wrapped=True)
    assert found is not None
    return found


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("compressed", [True, False])
def test_only_the_pins_go_and_the_packing_stays(wrapped: bool, compressed: bool) -> None:
    found = unpinned(packed(payload(), wrapped=wrapped, compressed=compressed), wrapped=wrapped)
    assert found is not None
    assert [(pin.ref.gvk.kind, pin.ref.name, pin.version) for pin in found.pins] == [
        ("Shirt", "shirt", "237"),
        ("ConfigMap", "cfg", "5"),
    ]
    text, packing = unpack(found.packed, wrapped=wrapped)
    assert (packing.wrapped, packing.gzipped) == (wrapped, compressed)
    assert json.loads(text)["manifest"] == WITHOUT


def test_every_other_byte_of_the_text_is_as_helm_wrote_it() -> None:
    """Numbers that Python would print anew, Go's escapes, blanks, and what only looks like a manifest."""
    before = (
        ' {"chart" : {"manifest":"resourceVersion: 1","n":1.00,"big":123456789012345678901,"s":"\\u003c\\u2028"},\n'
    )
    after = ' , "hooks":[{"manifest":"metadata: {resourceVersion: 9}"}], "config":{"a":1E400}}\n'
    text = f'{before}"manifest": {json.dumps(MANIFEST)}{after}'
    now = unpack(without_pins(text).packed, wrapped=True)[0].decode()
    assert now == f'{before}"manifest": {json.dumps(WITHOUT)}{after}'


def test_text_that_is_not_ascii_is_kept() -> None:
    text = payload(MANIFEST.replace("blue", "bläu 👕"))
    assert "bläu 👕" in json.loads(unpack(without_pins(text).packed, wrapped=True)[0])["manifest"]


@pytest.mark.parametrize(
    "manifest",
    ["", "# nothing\n", WITHOUT, "kind: List\napiVersion: v1\nitems: []\n"],
    ids=["empty", "comment", "no pin", "empty list"],
)
def test_what_holds_no_pin_is_left_alone(manifest: str) -> None:
    assert unpinned(packed(payload(manifest)), wrapped=True) is None


def test_a_payload_without_a_manifest_holds_no_pin() -> None:
    assert unpinned(packed('{"name":"old"}'), wrapped=True) is None


def test_taken_out_once_nothing_is_left_to_take_out() -> None:
    assert unpinned(without_pins(payload()).packed, wrapped=True) is None


def test_items_of_a_list() -> None:
    manifest = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n"
        '  metadata:\n    resourceVersion: "7"\n    name: s\n'
    )
    found = without_pins(payload(manifest))
    assert json.loads(unpack(found.packed, wrapped=True)[0])["manifest"] == manifest.replace(
        '    resourceVersion: "7"\n', ""
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1]", "it is not a JSON object"),
        ("{", "it is not JSON"),
        (payload(7), "its manifest is not a text"),
        ('{"manifest":"\\ud800"}', "its manifest is not a text"),
        (f'{{"manifest":"","manifest":{json.dumps(MANIFEST)}}}', "it does not hold exactly one manifest"),
        (f'{{"Manifest":"","manifest":{json.dumps(MANIFEST)}}}', "it does not hold exactly one manifest"),
    ],
)
def test_what_is_no_release(text: str, why: str) -> None:
    with pytest.raises(Undecodable) as caught:
        unpinned(packed(text), wrapped=True)
    assert str(caught.value) == why


def test_a_manifest_that_cannot_be_read() -> None:
    with pytest.raises(ManifestError, match="line 1, column"):
        unpinned(packed(payload("a: [")), wrapped=True)
