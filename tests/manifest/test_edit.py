"""Edits and their proofs, by example; the traps are files in ``tests/corpus``."""

from __future__ import annotations

from typing import Any

import pytest

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import dump, reader
from postrender.manifest.edit import Edit, Remove, Set, Spliced, splice
from postrender.manifest.edit import document as documents
from postrender.manifest.edit.changes import SetValue
from postrender.manifest.edit.editor import Replacement
from postrender.manifest.edit.equivalence import NotEquivalent, verify_edit
from postrender.manifest.reader import Span
from postrender.manifest.stream import TEMPLATE

HEAD = "apiVersion: v1\nkind: ConfigMap\n"
PLAIN = f"{HEAD}metadata:\n  name: a\n"


def edit(text: str, *wishes: tuple[str, Any]) -> Spliced:
    """The stream with fields of every object set: a path with dots, and a value; ``...`` for none."""
    found = manifest.read(text.encode())
    edits: list[Edit] = []
    for ref in found.objects:
        for dotted, value in wishes:
            path = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
            edits.append(Remove(ref, path) if value is ... else Set(ref, path, value))
    return splice(found, edits)


def edited(text: str, *wishes: tuple[str, Any]) -> str:
    """The same, where nothing had to be written anew."""
    result = edit(text, *wishes)
    assert result.rewritten == ()
    return result.data.decode()


def refusal(text: str, *wishes: tuple[str, Any]) -> str:
    with pytest.raises(ManifestError) as caught:
        edit(text, *wishes)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_nothing_to_do_leaves_the_bytes() -> None:
    text = f"---\r\n# c\n{PLAIN}\n--- # d\n\n{PLAIN}...\n"
    assert edited(text) == text
    assert edited(text, ("metadata.name", "a"), ("metadata.labels.b", ...)) == text


@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        ("a: b", ("spec.a", "c"), 'a: "c"'),
        ("a: b # d", ("spec.a", "c"), 'a: "c" # d'),
        ("a: 'b'", ("spec.a", 1), "a: 1"),
        ("a:", ("spec.a", True), "a: true"),
        ("a: # d", ("spec.a", None), "a: # d"),
        ("a: # d", ("spec.a.b", 1), "a: # d\n  b: 1"),
        ("a:\nb: c", ("spec.a.b", 1), "a:\n  b: 1\nb: c"),
        ("a: {}", ("spec.a.b", 1), 'a: {"b": 1}'),
        ("a: {b: c, d: e}", ("spec.a.b", ...), "a: {d: e}"),
        ("a: {b: c, d: e}", ("spec.a.d", ...), "a: {b: c}"),
        ("a: {b: c}", ("spec.a.b", ...), "a: {}"),
        ("a: [b, c]", ("spec.a.0", "d"), 'a: ["d", c]'),
        ("a: [b, c]", ("spec.a.0", ...), "a: [c]"),
        ("a: [b, c]", ("spec.a.1", ...), "a: [b]"),
        ("a: [b]", ("spec.a.0", ...), "a: []"),
        ("a:\n- b\n- c", ("spec.a.0", ...), "a:\n- c"),
        ("a:\n- b: c\n  d: e\n- f", ("spec.a.0", ...), "a:\n- f"),
        ("a:\n- b: c\n  d: e", ("spec.a.0.b", ...), "a:\n- d: e"),
        ("a:\n- b: c\n  d: e", ("spec.a.0.d", ...), "a:\n- b: c"),
        ("a:\n- b: c", ("spec.a.0.d", 1), "a:\n- b: c\n  d: 1"),
        ("a:\n- b", ("spec.a.0", ...), "a:\n []"),
        ("a:\n- b", ("spec.a", {}), "a:\n {}"),
        ("a:\n  b: c", ("spec.a", []), "a:\n  []"),
        ("a: |\n  b\n\nc: d", ("spec.a", "e"), 'a: "e"\n\nc: d'),
        ("a: |+\n  b\n\nc: d", ("spec.a", ...), "c: d"),
        ("a: b\n  c\n   d\ne: f", ("spec.a", "g"), 'a: "g"\ne: f'),
        ("? a\n: b", ("spec.a", "c"), '? a\n: "c"'),
        ("a: 0x10", ("spec.a", 16), "a: 0x10"),
        ("a: 1.0", ("spec.a", 1.0), "a: 1.0"),
        ("a: yes", ("spec.a", True), "a: yes"),
        ("a: yes", ("spec.a", "yes"), 'a: "yes"'),
        ("a: 1", ("spec.a", True), "a: true"),
    ],
)
def test_fields_are_put_in_place(before: str, wish: tuple[str, Any], after: str) -> None:
    def indented(text: str) -> str:
        return "".join(f"  {line}" for line in text.splitlines(keepends=True))

    assert edited(f"{PLAIN}spec:\n{indented(before)}\n", wish) == f"{PLAIN}spec:\n{indented(after)}\n"
    whole = f"{PLAIN.replace('kind', '!!str kind')}spec:\n{indented(before)}\n"
    assert edited(whole, wish) == f"{PLAIN.replace('kind', '!!str kind')}spec:\n{indented(after)}\n"


def test_field_that_is_missing_at_the_top_is_added() -> None:
    assert edited(f"{HEAD}data: {{}}\n", ("metadata.labels.a", "b")) == (
        f'metadata:\n  labels:\n    a: "b"\n{HEAD}data: {{}}\n'
    )


def test_fields_at_the_top_are_taken_out_with_their_lines_only() -> None:
    text = f"{PLAIN}status: # a\n  b: c # d\n# e\ndata: {{}}\nspec: {{}}"
    assert edited(text, ("status", ...), ("spec", ...)) == f"{PLAIN}# e\ndata: {{}}\n"


def test_comment_that_would_join_a_block_scalar_is_not_left_there() -> None:
    result = edit(f"data: |+\n  a\n\nstatus:\n  b: c\n  # d\n{PLAIN}", ("status", ...))
    assert result.rewritten == ((0, "the edited text does not read as meant"),)
    again = manifest.read(result.data)
    assert again.value(again.objects[0])["data"] == "a\n\n"


def test_strings_are_quoted_so_that_every_reader_takes_them_for_strings() -> None:
    texts = ["yes", "1", "1e3", "~", "", "a: b", "a #b", '"', "'", "\\", "\n", "\x00", "\x7f", "\u2028", "😀", "- a"]
    for text in texts:
        result = edit(PLAIN, ("metadata.annotations.a", text), (f"data.{text.replace('.', '')}x", text))
        again = manifest.read(result.data)
        assert again.objects[0].annotations == {"a": text}
        assert again.value(again.objects[0])["data"] == {f"{text}x": text}


def test_indentation_follows_the_mapping() -> None:
    text = f"{HEAD}metadata:\n      name: a\n      labels:\n       b: c\n"
    assert edited(text, ("metadata.labels.d", "e"), ("metadata.annotations.f", "g")) == (
        f'{HEAD}metadata:\n      annotations:\n        f: "g"\n      name: a\n'
        '      labels:\n       d: "e"\n       b: c\n'
    )


def test_edits_of_one_document_are_made_together() -> None:
    assert edited(
        PLAIN,
        ("metadata.labels.a", "1"),
        ("metadata.annotations.b", "2"),
        ("metadata.labels.c", "3"),
        ("metadata.resourceVersion", "4"),
        ("spec.d", 5),
    ) == (
        'spec:\n  d: 5\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    a: "1"\n    c: "3"\n'
        '  annotations:\n    b: "2"\n  resourceVersion: "4"\n  name: a\n'
    )


def test_other_documents_stay() -> None:
    text = f"%%%\n---\n{PLAIN}---\n{PLAIN}"
    with pytest.raises(ManifestError):
        manifest.read(text.encode())
    text = f"a: b # c\n---\n{PLAIN}---\n- d\n"
    assert edited(text, ("metadata.labels.e", "f")) == text.replace("  name", '  labels:\n    e: "f"\n  name')


def test_document_written_anew_is_named_with_the_reason() -> None:
    result = edit(
        f"# c\n? a\n: b\n{PLAIN.replace('  name', '  ? name').replace(': a', ' : a')}".replace(
            "  ? name : a", "  ? name\n  : a"
        ),
        ("metadata.labels.a", "b"),
    )
    assert result.rewritten == ((0, "its first key is a complex one"),)
    assert result.data.decode() == (
        '# c\na: b\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  "name": "a"\n  "labels":\n    "a": "b"\n'
    )


NEXT = f"\nnote: {TEMPLATE.note}\nhint: {TEMPLATE}"


@pytest.mark.parametrize(
    ("text", "wish", "message"),
    [
        (
            f"{PLAIN}  labels: x\n",
            ("metadata.labels.a", "b"),
            "ConfigMap/a, line 5, column 11: cannot be edited: a text stands where a mapping should"
            "\nnote: in the chart's template, make it a mapping",
        ),
        (
            f"{PLAIN}  namespace: b\n  labels: [{'x' * 50}]\n",
            ("metadata.labels.a", "b"),
            "ConfigMap/b/a, line 6, column 11: cannot be edited: a list stands where a mapping should"
            "\nnote: in the chart's template, make it a mapping",
        ),
        (
            f"{PLAIN}spec: {'x' * 50}\n",
            ("spec.a", "b"),
            "ConfigMap/a, line 5, column 7: cannot be edited: a text stands where a mapping should"
            "\nnote: in the chart's template, make it a mapping",
        ),
        (
            f"{PLAIN}spec: [a]\n",
            ("spec.1", "b"),
            "ConfigMap/a, line 5, column 7: cannot be edited: a list of 1 has no item 1",
        ),
        (
            PLAIN,
            ("spec.1", "b"),
            "ConfigMap/a, line 1, column 1: cannot be edited: there is not a list to take item 1 from",
        ),
        (
            PLAIN,
            ("data.a", [1e400]),
            "ConfigMap/a, line 1, column 1: cannot be edited: neither infinity nor NaN has a place in JSON",
        ),
        (
            PLAIN,
            ("data.a", "\ud800"),
            "ConfigMap/a, line 1, column 1: cannot be edited: a lone surrogate cannot be written as UTF-8",
        ),
        (
            "kind: List\nitems:\n" + "- {apiVersion: v1, kind: A, metadata: {name: a, labels: x}}\n" * 3,
            ("metadata.labels.a", "b"),
            "A/a and 2 more, line 3, column 57: cannot be edited: a text stands where a mapping should"
            "\nnote: in the chart's template, make it a mapping",
        ),
    ],
)
def test_refusal_names_object_place_and_reason(text: str, wish: tuple[str, Any], message: str) -> None:
    assert refusal(text, wish) == message


def test_two_edits_that_contradict_are_refused() -> None:
    message = "ConfigMap/a, line 1, column 1: cannot be edited: two edits meet at metadata.labels"
    assert refusal(PLAIN, ("metadata.labels.a", "b"), ("metadata.labels.a", "c")) == f"{message}.a"
    assert refusal(PLAIN, ("metadata.labels.a", "b"), ("metadata.labels", {})) == message
    assert refusal(PLAIN, ("metadata.labels", {}), ("metadata.labels.a", "b")) == f"{message}.a"
    assert edited(PLAIN, ("metadata.name", "a"), ("metadata.name", "a")) == PLAIN


def test_yaml_that_would_become_json_is_refused() -> None:
    text = '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "labels": }}}\n'
    assert refusal(text, ("metadata.labels.a", "b")) == (
        "line 1, column 1: cannot be edited: Helm would take the edited YAML for JSON"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: b\n", "a: c\n"),
        ("a: b\n", "a: 'b'\nx: w\n"),
        ("a: b\nx: z\n", "a: b\nx: w\nq: r\n"),
        ("a: 1\n", "a: '1'\nx: w\n"),
        ("a: b\n", "x: w\n"),
        ("a: b\n", "a: b\nx: z\n"),
        ("a: b\n", "a: b\nx: w\nx: w\n"),
        ("a: b\n", "a: !!str b\nx: w\n"),
        ("a: [b]\n", "a: [b, c]\nx: w\n"),
        ("a: [b]\n", "a: {b: c}\nx: w\n"),
        ("a: b\n", "- a: b\n  x: w\n"),
        ("a: b\n", "a: b\nx: [w]\n"),
        ("a: b\n", "a: b\n"),
        ("a: &b c\n", "a: &b c\nx: w\n"),
        ("a: b\n", "a: b\nx: w\n  z\n"),
        ("a: b\n", "a: b\nx: w: z\n"),
        ("a: b\n", ""),
        ("a: b\n", "a: b\n? [c]\n: d\nx: w\n"),
    ],
)
def test_proof_fails_where_anything_else_changed(before: str, after: str) -> None:
    old, new = before.encode(), after.encode()
    with pytest.raises(NotEquivalent):
        verify_edit(Span(old, 0, len(old)), Span(new, 0, len(new)), {"x": SetValue("w")})


@pytest.mark.parametrize("after", ["x: w\na: b\n", "a: b\nx: 'w'\n", "{x: w, a: b}\n", "a: b # c\n\nx: |-\n  w\n"])
def test_proof_succeeds_however_it_is_written(after: str) -> None:
    old, new = b"a: b\n", after.encode()
    verify_edit(Span(old, 0, len(old)), Span(new, 0, len(new)), {"x": SetValue("w")})


def test_edit_that_cannot_be_proved_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the placing, nothing wrong comes out."""

    def wrong(span: Span, *_: object) -> list[Replacement]:
        return [Replacement(span.end, span.end, b"x: w\n")]

    monkeypatch.setattr(documents, "pieces", wrong)
    result = edit(PLAIN, ("metadata.labels.a", "b"))
    assert result.rewritten == ((0, "the edited text does not read as meant"),)
    monkeypatch.setattr(dump, "reserialize", lambda *_: PLAIN)
    assert refusal(PLAIN, ("metadata.labels.a", "b")) == (
        "ConfigMap/a, line 1, column 1: cannot be edited: the edited text does not read as meant, "
        f"and the edited text does not read as meant{NEXT}"
    )


def test_edits_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LIBYAML", False)
    text = PLAIN + '  labels: &l {a: "it\\\'s"}\nspec:\t*l\n'
    assert edited(text, ("metadata.labels.b", "c")) == text.replace("{a", '{"b": "c", a').replace(
        "*l", '{"a": "it\'s"}'
    )


def test_document_that_only_go_yaml_reads_is_edited_in_place() -> None:
    text = f'{PLAIN}  annotations: {{b: "it\\\'s"}}\ndata: {{c:, d}}\n'
    assert edited(text, ("metadata.annotations.a", "x")) == text.replace("{b", '{"a": "x", b')
