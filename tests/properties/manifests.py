"""Hypothesis strategies for streams of manifests in every style that YAML has."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

names = st.sampled_from(["a", "app.kubernetes.io/name", "yes", "1", "a b", "é😀", "a: b", "#", "~", ""])
texts = st.sampled_from(
    ["x", "Helm", "yes", "0x10", "a: b", "a #b", "it's", 'a"b', "é😀", " a ", "a\nb", "a\n\n  b\n", ""]
)
numbers: st.SearchStrategy[Any] = st.sampled_from([1.5, 1e22])
scalars: st.SearchStrategy[Any] = st.one_of(texts, st.none(), st.booleans(), st.integers(-5, 1 << 63), numbers)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
string_maps = st.none() | st.dictionaries(names, texts, max_size=3)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Some documents, parted as Helm and people part them."""
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        parts.append(draw(st.sampled_from(["---\n", "---\n", "--- # c\n", "---\n# Source: a/b.yaml\n", "\n---\n"])))
        parts.append(draw(documents()))
        parts.append(draw(st.sampled_from(["", "", "", "...\n", "\n", "# end\n"])))
    text = "".join(parts)
    if draw(st.booleans()):
        text = text.removeprefix("---\n")
    if draw(st.integers(0, 9)) == 0:
        text = text.replace("\n", "\r\n")
    if draw(st.integers(0, 5)) == 0:
        text = text.rstrip("\n")
    return (b"\xef\xbb\xbf" if draw(st.integers(0, 9)) == 0 else b"") + text.encode()


@st.composite
def documents(draw: st.DrawFn) -> str:
    """One document: an object, a list of them, or something else."""
    kind = draw(st.sampled_from(["object"] * 6 + ["list", "any", "empty"]))
    if kind == "empty":
        return draw(st.sampled_from(["", "# nothing\n", "null\n", "\n\n"]))
    if kind == "any":
        return _block(draw, draw(values), 0, {}).lstrip(" \n") + "\n"
    body = draw(objects())
    if kind == "list":
        body = {"apiVersion": "v1", "kind": "List", "items": [body, draw(objects())]}
    return _block(draw, body, 0, {}).lstrip("\n").lstrip(" ") + "\n"


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """An object whose fields come in any order."""
    metadata: dict[str, Any] = {"name": "a", "labels": draw(string_maps), "annotations": draw(string_maps)}
    metadata.update(draw(st.fixed_dictionaries({}, optional={"uid": texts, "generation": st.just(3)})))
    metadata = {key: metadata[key] for key in draw(st.permutations(sorted(metadata)))}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    body.update(draw(st.fixed_dictionaries({}, optional={"spec": values, "data": string_maps, "status": values})))
    return {key: body[key] for key in draw(st.permutations(sorted(body)))}


def _block(draw: st.DrawFn, value: Any, indent: int, anchors: dict[str, str]) -> str:
    """A value as block YAML, to follow a key's colon or a dash; flow style wherever the draw says so."""
    pad = " " * indent
    comment = draw(st.sampled_from(["", "", "", "", " # c"]))
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        step = draw(st.sampled_from([2, 2, 2, 1, 4]))
        lines = [_comment_line(draw, indent)]
        for key, item in value.items():
            lines.append(f"{pad}{_key(draw, key)}:{_block_or_flow(draw, item, indent, step, anchors)}")
        return comment + "\n" + "".join(lines)
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        items = [f"{pad}-{_inside_item(draw, item, indent, anchors)}" for item in value]
        return comment + "\n" + "".join(items)
    if isinstance(value, str) and "\n" in value and draw(st.booleans()) and not value.startswith(" "):
        header = draw(st.sampled_from(["|", "|-", "|+", ">", "|2"]))
        extra = "  " if header == "|2" else draw(st.sampled_from([" ", "  ", "    "]))
        return f" {header}\n" + "".join(f"{pad}{extra}{line}\n" if line else "\n" for line in value.splitlines())
    return f" {_flow(draw, value)}{comment}\n"


def _block_or_flow(draw: st.DrawFn, item: Any, indent: int, step: int, anchors: dict[str, str]) -> str:
    written = json.dumps(item, sort_keys=True)
    if written in anchors and isinstance(item, (dict, str)) and draw(st.booleans()):
        return f" *{anchors[written]}\n"
    if isinstance(item, dict) and item and draw(st.integers(0, 5)) == 0:
        name = f"n{len(anchors)}"
        text = _block(draw, item, indent + step, anchors)
        anchors[written] = name
        return f" &{name}{text}"
    if item is None and draw(st.booleans()):
        return draw(st.sampled_from(["\n", " # c\n", " ~\n"]))
    return _block(draw, item, indent + step, anchors)


def _inside_item(draw: st.DrawFn, item: Any, indent: int, anchors: dict[str, str]) -> str:
    text = _block(draw, item, indent + 2, anchors)
    if text.startswith("\n" + " " * (indent + 2)) and not text.lstrip().startswith("#") and draw(st.booleans()):
        return " " + text[indent + 3 :]
    return text


def _comment_line(draw: st.DrawFn, indent: int) -> str:
    if draw(st.integers(0, 7)):
        return ""
    return draw(st.sampled_from(["\n", "# c\n", " " * indent + "# c\n", "\n\n"]))


def _key(draw: st.DrawFn, key: str) -> str:
    plain = bool(key) and key.isascii() and all(character.isalnum() or character in "./-" for character in key)
    if plain and draw(st.integers(0, 5)):
        return key
    return json.dumps(key, ensure_ascii=False)


def _flow(draw: st.DrawFn, value: Any) -> str:
    if isinstance(value, dict):
        space = draw(st.sampled_from(["", " "]))
        pairs = [f"{_key(draw, key)}: {_flow(draw, item)}" for key, item in value.items()]
        return "{" + space + ", ".join(pairs) + space + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(draw, item) for item in value) + "]"
    if isinstance(value, str) and value.isalnum() and value.isascii() and draw(st.integers(0, 1)):
        return value
    return json.dumps(value, ensure_ascii=False)
