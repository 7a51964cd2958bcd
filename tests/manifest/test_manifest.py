"""What is read in a stream: its documents, its objects, their values, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import Document, ObjectRef, json_stream, reader
from postrender.manifest.nodes import DEEPEST
from postrender.manifest.stream import TEMPLATE
from postrender.models import GroupVersionKind

HEAD = "apiVersion: v1\nkind: ConfigMap\n"
PLAIN = f"{HEAD}metadata:\n  name: a\n"


def documents(text: str | bytes) -> tuple[Document, ...]:
    return manifest.read(text.encode() if isinstance(text, str) else text).documents


def objects(text: str) -> tuple[ObjectRef, ...]:
    return manifest.read(text.encode()).objects


def value(text: str) -> Any:
    return manifest.load(text.encode())


def refusal(text: str | bytes) -> str:
    with pytest.raises(ManifestError) as caught:
        manifest.read(text.encode() if isinstance(text, str) else text)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_object_is_read_with_all_that_identifies_it() -> None:
    (ref,) = objects(
        "# Source: a/b.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  namespace: b\n"
        "  labels:\n    c: d\n    e: 1\n  annotations: {f: 'yes', g: yes}\n"
    )
    assert ref == ObjectRef(
        0, (), GroupVersionKind("apps", "v1", "Deployment"), "a", "b", False, {"c": "d"}, {"f": "yes"}, (), 2
    )


def test_documents_are_what_stands_between_separators() -> None:
    data = b"---\n# one\n---\n" + PLAIN.encode() + b"--- # two\n\n---\n" + PLAIN.encode()
    found = documents(data)
    assert [data[document.start : document.end] for document in found] == [
        b"# one\n",
        PLAIN.encode(),
        b"\n",
        PLAIN.encode(),
    ]
    assert [document.skip_reason for document in found] == ["empty", "", "empty", ""]
    assert [ref.line for ref in manifest.read(data).objects] == [4, 11]
    assert [document.index for document in found] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "skip_reason"),
    [
        ("# nothing\n", "empty"),
        ("null\n", "empty"),
        ("a: b\n", "no kind"),
        ("kind: A\n", "no apiVersion"),
        ("kind:\napiVersion: v1\n", "no kind"),
        ("kind: 5\napiVersion: v1\n", "its kind is not a string"),
        ("kind: A\napiVersion: 1\n", "its apiVersion is not a string"),
        ("- kind: A\n", "not a mapping"),
        ("text\n", "not a mapping"),
        ("kind: List\napiVersion: v1\nitems: []\n", "an empty list"),
        ("kind: List\napiVersion: v1\nitems:\n", "an empty list"),
        ("kind: AllowList\napiVersion: e/v1\nitems: [a]\n", "its items are not all objects"),
        ("kind: AllowList\napiVersion: e/v1\nitems: {a: b}\n", "its items are not all objects"),
        ("kind: List\napiVersion: v1\nitems:\n- kind: A\n", "item 0: no apiVersion"),
        ("kind: List\napiVersion: v1\nitems:\n- kind: List\n  items:\n  - a: b\n", "item 0.0: no kind"),
    ],
)
def test_document_without_objects_says_why(text: str, skip_reason: str) -> None:
    (document,) = documents(text)
    assert document.objects == ()
    assert document.skip_reason == skip_reason


def test_lists_are_taken_apart_as_kubectl_does() -> None:
    found = objects(
        "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n"
        "- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: e/v1, kind: A, metadata: {name: b}}\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: c}}\n"
    )
    assert [(ref.path, str(ref.gvk), ref.name, ref.line) for ref in found] == [
        ((0,), "v1 ConfigMap", "a", 4),
        ((1, 0), "e/v1 A", "b", 8),
        ((2,), "v1 Secret", "c", 9),
    ]


def test_kind_that_ends_in_list_is_an_object_without_items() -> None:
    (ref,) = objects("apiVersion: e/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: [b]}\n")
    assert (ref.path, ref.gvk.kind) == ((), "AllowList")


def test_template_is_named_by_the_first_comment_that_begins_a_line() -> None:
    text = (
        f"# Source: shop/templates/a.yaml\n{PLAIN}"
        f"---\n{PLAIN}  # Source: indented\n# Source: shop/b.yaml\r\n# Source: later\n"
        f"---\n{PLAIN}data:\n  x: '# Source: inside'\n"
        f"---\n{PLAIN}# Source: shop/crds/c.yaml"
        f"\n---\n{PLAIN}"
    )
    found = manifest.read(text.encode()).templates()
    assert found == ["shop/templates/a.yaml", "shop/b.yaml", "", "shop/crds/c.yaml", "shop/crds/c.yaml"]


def test_generated_name_is_told() -> None:
    (ref,) = objects(f"{HEAD}metadata: {{generateName: a-}}\n")
    assert (ref.name, ref.generate_name) == ("", True)
    (ref,) = objects(f"{HEAD}metadata: {{generateName: a-, name: b}}\n")
    assert (ref.name, ref.generate_name) == ("b", True)
    (ref,) = objects(f"{HEAD}data: {{}}\n")
    assert (ref.name, ref.generate_name) == ("", False)


def test_server_set_fields_are_told_but_for_empty_ones() -> None:
    (ref,) = objects(
        f"{HEAD}metadata:\n  name: a\n  uid: b\n  creationTimestamp: null\n  generation: 1\n  selfLink: ''\n"
        "  resourceVersion: '5'\n  managedFields:\n  - a: b\nstatus:\n  a: {}\n"
    )
    assert ref.server_set == (
        "metadata.resourceVersion",
        "metadata.uid",
        "metadata.managedFields",
        "metadata.generation",
        "status",
    )
    assert objects(f"{PLAIN}status: {{}}\n")[0].server_set == ()
    assert objects(f"{PLAIN}status:\n")[0].server_set == ()
    assert objects(f"{PLAIN}status:\n  a: b\n")[0].server_set == ("status",)
    assert objects("# c\n" + PLAIN.replace("kind", "'kind'") + "status: {a: b}\n")[0].server_set == ("status",)


def test_fields_are_told_apart_only_where_that_is_safe() -> None:
    (document,) = documents(f"{PLAIN}# c\nspec:\n- a\n")
    assert [(field.name, field.start, field.end) for field in document.fields] == [
        ("apiVersion", 0, 15),
        ("kind", 15, 31),
        ("metadata", 31, 55),
        ("spec", 55, 65),
    ]
    unsafe = [
        PLAIN.replace("kind:", "'kind':"),
        PLAIN + "metadata: {}\n",
        PLAIN.replace("\n", "\r\n"),
        "data: 'a\n" + PLAIN + "'\n" + PLAIN,
        "data: {a: b,\n" + PLAIN + "}\n" + PLAIN,
        "data: {a: !x]\n}\n" + PLAIN,
        PLAIN + "? a\n",
        PLAIN + "<<: {a: b}\n",
        PLAIN + "items: []\n",
        PLAIN + "data: a\u0085b: c\n",
        PLAIN.replace("name: a", "name: &a a"),
        PLAIN.replace("name: a", "name: *a") + "x: &a b\n",
        " " + PLAIN.replace("\n", "\n "),
        "{apiVersion: v1, kind: A, metadata: {name: a}}\n",
    ]
    for text in unsafe:
        try:
            assert [document.fields for document in documents(text)] == [()], text
        except ManifestError:
            continue


def test_field_inside_a_quoted_scalar_is_none() -> None:
    (ref,) = objects("data:\n  a: 'b\nmetadata:\n  name: wrong'\n" + PLAIN)
    assert ref.name == "a"


def test_values_are_what_go_yaml_makes_of_them() -> None:
    assert value(
        textwrap.dedent(
            """\
            words: [y, Y, yes, on, n, NO, Off, tRUE, ~, Null, null, nULL]
            ints: [0777, 0o17, 0x1F, 0b11, 1_000, -0, +5, 08, 0o8]
            large: [9223372036854775807, 18446744073709551615, 18446744073709551616, -9223372036854775808]
            floats: [1.0, 1.5, 1e3, .5, 5., 1e21, 1e400, 1_0.5]
            strings: [2024-01-01, 12:30:45, =, <<, 1.2.3, 0x, _1, "1", '1', ! 1, !!str 1, !x 1]
            tagged: [!!int "5", !!float 5, !!bool "yes", !!null "", !!binary aGVsbG8=, !!timestamp 2024-01-01]
            """
        )
    ) == {
        "words": [True, True, True, True, False, False, False, "tRUE", None, None, None, "nULL"],
        "ints": [511, 15, 31, 3, 1000, 0, 5, 8, "0o8"],
        "large": [9223372036854775807, 18446744073709551615, 18446744073709552000, -9223372036854775808],
        "floats": [1, 1.5, 1000, 0.5, 5, 1e21, "1e400", 10.5],
        "strings": ["2024-01-01", "12:30:45", "=", "<<", "1.2.3", "0x", "_1", "1", "1", "1", "1", "1"],
        "tagged": [5, 5, True, None, "hello", "2024-01-01"],
    }


def test_keys_become_strings() -> None:
    text = "yes: 1\n5: 2\n0x10: 3\n1.50: 4\n1e6: 5\n.inf: 6\n2024-01-01: 7\n!!str 8: 8\n? 9\n: 10\n"
    assert list(value(text)) == ["true", "5", "16", "1.5", "1e+06", ".inf", "2024-01-01", "8", "9"]


def test_later_of_two_keys_wins_and_so_does_a_later_merge() -> None:
    assert value("a: 1\na: 2\n") == {"a": 2}
    assert value("x: &x {a: 1, b: 2}\nw: {<<: *x, a: 3}\nz: {a: 3, <<: *x}\n") == {
        "x": {"a": 1, "b": 2},
        "w": {"a": 3, "b": 2},
        "z": {"a": 1, "b": 2},
    }
    assert value("x: &x {a: 1}\ny: &y {a: 2, b: 3}\nz: {<<: [*x, *y]}\n")["z"] == {"a": 1, "b": 3}


def test_value_of_an_object_and_of_an_item() -> None:
    found = manifest.read(
        f"{PLAIN}data: {{a: 0x10}}\n---\nkind: List\nitems:\n- {{apiVersion: v1, kind: A}}\n".encode()
    )
    assert [found.value(ref) for ref in found.objects] == [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": 16}},
        {"apiVersion": "v1", "kind": "A"},
    ]


def test_json_is_read_by_json_rules() -> None:
    found = manifest.read(
        b'{"apiVersion": "v1", "kind": "A", "a": 1.0, "b": "\\ud83d\\ude00"}{"apiVersion": "v1", "kind": "B"}\n'
    )
    first, second = (found.value(ref) for ref in found.objects)
    assert isinstance(first["a"], float)
    assert (first["b"], second["kind"]) == ("😀", "B")
    assert [document.json for document in found.documents] == [True, True]


def test_json_that_go_could_not_read_is_refused() -> None:
    deep = '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}"
    assert refusal(deep) == ("line 1, column 1: neither JSON, as what is before it, nor a separator: nested too deep")
    found = manifest.read(b'{"apiVersion": "v1", "kind": "A", "data": 1e999}')
    with pytest.raises(ManifestError, match="line 1, column 1: cannot be read as Helm does: 1e999 is out of range"):
        found.value(found.objects[0])
    text = f'{{"apiVersion": "v1", "kind": "A", "data": {"9" * 200}}}'
    assert value(text)["data"] == int("9" * 200)
    assert documents('{"a": NaN}')[0].json is False


JSON = [
    "{}", "[]", '""', "0", "-0", "-1.5e+3", "1E5", "true", "false", "null", " [ ] ", '"é"',
    '{"a":[1,{"b":null}],"":"\\u00e9\\n"}', '{"a" : 1 , "b" : [ 2 , 3 ] }\n',
    "", "{", "[", '"', "{]", "[}", "{a: 1}", '{"a"}', '{"a" 1}', '{"a": }', '{"a": 1,}', "[1,]", "[,]", "[1 2]",
    "01", "1.", ".5", "+1", "1e", "-", "tru", "truex", "NaN", "Infinity", '"\n"', '"\\x"', '"\\u12"', '"\t"', "'a'",
    "{}{}", "{} x", "\x0b{}", '{"a":1}//', "[1]]", "é", "\ufeff{}",
]  # fmt: skip


@pytest.mark.parametrize("text", JSON)
def test_json_is_told_from_what_is_none(text: str) -> None:
    """As Python's own reader tells it, which takes NaN besides, and ends words where Go does."""
    try:
        json.loads(text, parse_constant=lambda _: json.loads(""))
        valid = True
    except ValueError:
        valid = False
    try:
        json_stream.check(text.encode())
        assert valid
    except json_stream.NotJson:
        assert not valid


def test_line_breaks_of_yaml_are_none_in_json() -> None:
    (ref,) = objects(
        '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a\u0085b", "labels": {"c": "d\u2028  e"}}}'
    )
    assert (ref.name, ref.labels) == ("a\u0085b", {"c": "d\u2028  e"})


def test_load_gives_the_first_document() -> None:
    assert manifest.load(b"---\na: [b]\n---\nc: d\n") == {"a": ["b"]}
    assert manifest.load(b"") is None
    assert manifest.load(b"# nothing\n") is None
    assert manifest.load("# a comment ends here:\u2028a: 1".encode()) == {"a": 1}


def test_only_the_first_of_two_separator_lines_is_read_as_yaml() -> None:
    first, second = "--- #\rapiVersion: v1\nkind: A\nmetadata: {name: a}\n", "---\n"
    assert [ref.name for ref in objects(first)] == ["a"]
    assert [ref.name for ref in objects(f"{first}{second}")] == ["a"]
    assert [document.skip_reason for document in documents(f"{second}{first}")] == ["no apiVersion"]
    assert [ref.name for ref in objects(f"--- #\r{PLAIN[:-1]}".replace("\n", "\r"))] == ["a"]


def test_what_helm_never_reads_is_told() -> None:
    text = f"{PLAIN}...\nkind: Lost\n"
    (document,) = documents(text)
    assert text[document.ignored_from :] == "...\nkind: Lost\n"
    (document,) = documents(f"{PLAIN}...\n# end\n")
    assert document.ignored_from == document.end


NEXT = f"\nnote: {TEMPLATE.note}\nhint: {TEMPLATE}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: [b\n",
            f"line 2, column 1: not YAML: did not find expected ',' or ']' while parsing a flow sequence{NEXT}",
        ),
        ("a: b: c\n", f"line 1, column 5: not YAML: mapping values are not allowed in this context{NEXT}"),
        (
            f"{PLAIN}data: [\n",
            f"line 6, column 1: not YAML: did not find expected node content while parsing a flow node{NEXT}",
        ),
        (
            f"{PLAIN}---\n{PLAIN}a: é 😀: x\n",
            f"line 10, column 7: not YAML: mapping values are not allowed in this context{NEXT}",
        ),
        ("a: *b\n", f"line 1, column 4: not YAML: an alias of no anchor{NEXT}"),
        (b"a: \x00\n", f"line 1, column 4: not YAML: control characters are not allowed: U+0000{NEXT}"),
        (
            b"a: b\n---\n" + PLAIN.encode() + b"b: \x1b\n",
            f"line 7, column 4: not YAML: control characters are not allowed: U+001B{NEXT}",
        ),
        ("a: \x9f\n", f"line 1, column 4: not YAML: control characters are not allowed: U+009F{NEXT}"),
        (b"a: b\n\xc3\xa9: \xff\n", f"line 2, column 4: not UTF-8{NEXT}"),
        (b"\xff\xfea\x00", f"line 1, column 1: not UTF-8{NEXT}"),
        (
            "a: b\n---\n\ufeffc: d\n",
            "line 3, column 1: a byte order mark inside the stream, which Helm takes for a part of the text"
            "\nnote: save the file that brings it in without a byte order mark",
        ),
        (
            "a: b\n--- c: d\n",
            "line 2, column 1: 'c: d' after the document separator, which Helm refuses"
            "\nnote: put it on a line of its own, below the ---",
        ),
        (
            "---#c\na: b\n",
            "line 1, column 1: '#c' after the document separator, which Helm refuses"
            "\nnote: put it on a line of its own, below the ---",
        ),
        ("%YAML 1.1\n---\na: b\n", f"line 2, column 1: not YAML: did not find expected <document start>{NEXT}"),
        (
            '{"a": 1}{"b": 2}nothing',
            "line 1, column 17: neither JSON, as what is before it, nor a separator: no value",
        ),
        ("a: &a [*a]\nb: *a\n", f"line 1, column 8: cannot be read as Helm does: an anchor contains itself{NEXT}"),
        ("&a a: b\n~: c\n", f"line 2, column 1: cannot be read as Helm does: a null cannot be a key{NEXT}"),
        ("&a a: b\n{}: c\n", f"line 2, column 1: cannot be read as Helm does: a key that is not a scalar{NEXT}"),
        (
            "&a a: .nan\n",
            f"line 1, column 7: cannot be read as Helm does: neither infinity nor NaN has a place in JSON{NEXT}",
        ),
        ("&a a: !!int b\n", f"line 1, column 7: cannot be read as Helm does: a text that is not of type int{NEXT}"),
        ("&a a: !!binary b\n", f"line 1, column 7: cannot be read as Helm does: !!binary holds no base64{NEXT}"),
        (
            "a: &a [b]\n<<: *a\n",
            f"line 2, column 5: cannot be read as Helm does: a merge key takes a mapping or a list of mappings{NEXT}",
        ),
        (
            "a: &a b\n1: c\n'1': d\n",
            "line 3, column 1: cannot be read as Helm does: two keys are both '1' as text, "
            f"and Helm takes either{NEXT}",
        ),
    ],
)
def test_refusal_says_where_and_why(text: str | bytes, message: str) -> None:
    assert refusal(text) == message


def test_alias_bomb_is_refused_as_go_refuses_it() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    message = refusal("\n".join(lines))
    assert "cannot be read as Helm does: document contains excessive aliasing" in message


def test_value_nested_too_deep_for_python_is_refused() -> None:
    text = f"{PLAIN}data: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)
    found = manifest.read(text.encode())
    with pytest.raises(ManifestError, match=f"line 5, column {DEEPEST + 7}: cannot be read as Helm does: nested more"):
        found.value(found.objects[0])


DEEP = {
    "flow": "data: " + "[" * 10_000 + "]" * 10_000,
    "mapping": "data: " + "{a: " * 10_000 + "b" + "}" * 10_000,
    "block": "data:\n" + "".join(" " * level + "a:\n" for level in range(1, 2_000)),
    "items": "- " * 10_000 + "a",
    "open": "data: " + "[" * 10_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("before", [True, False])
def test_deep_nesting_does_not_bring_the_interpreter_down(text: str, before: bool) -> None:
    script = """
import sys
from postrender import manifest
from postrender.manifest.edit import Set, splice

found = manifest.read(sys.stdin.buffer.read())
assert splice(found, [Set(ref, ("metadata", "labels", "a"), "b") for ref in found.objects]).data != found.data
"""
    stream = f"{text}\n{PLAIN}" if before else f"{PLAIN}{text}\n"
    result = subprocess.run([sys.executable, "-c", script], input=stream.encode(), capture_output=True)
    assert result.returncode in (0, 1), result
    assert b"RecursionError" not in result.stderr
    assert not result.returncode or b"ManifestError: line" in result.stderr


def test_pure_parser_stands_in_where_libyaml_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LIBYAML", False)
    (ref,) = objects(f'{HEAD}metadata:\n  name:\ta\n  labels: &l {{a: "it\\\'s"}}\nspec: *l\n')
    assert (ref.name, ref.labels) == ("a", {"a": "it's"})
    assert refusal("a: [b\n").startswith("line 2, column 1: not YAML: ")
    assert refusal(b"a: b\n\xc3\xa9: \x00\n").startswith(
        "line 2, column 4: not YAML: special characters are not allowed: U+0000"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a: "it\\\'s"\n', {"a": "it's"}),
        ("a: {b:, c}\n", {"a": {"b:": None, "c": None}}),
        ("a: [!!str, b]\n", {"a": ["b"]}),
        ('a: "it\\\'s"\nb:\tc\td # e\nf: [\n\tg]\n', {"a": "it's", "b": "c\td", "f": ["g"]}),
        ('a: "\\\'"\nb: c\n  d\n\n  e\n# f\n', {"a": "'", "b": "c d\ne"}),
    ],
)
def test_what_go_yaml_reads_and_libyaml_does_not(text: str, expected: object) -> None:
    assert value(text) == expected


def test_large_documents_are_read_in_place() -> None:
    lines = "".join(f"  key{index}: é{index}\n" for index in range(80_000))
    text = f"{PLAIN}data: # it's\n{lines}"
    assert len(text.encode()) > 1 << 20
    found = manifest.read(f"data: {{}}\n---\ndata: # it's\n{lines}{PLAIN}".encode())
    assert found.objects[0].line == 3
    assert found.value(found.objects[0])["data"]["key79999"] == "é79999"
    with pytest.raises(ManifestError, match="line 80002, column 5: not YAML"):
        manifest.read(f"data: # it's\n{lines}é: b: c\n{PLAIN}".encode())
    assert json.dumps(manifest.load(text.encode())["data"]).startswith('{"key0": ')


@pytest.mark.parametrize(
    ("metadata", "carried", "empty"),
    [
        ("managedFields: []", ("metadata.managedFields",), ()),
        ("managedFields: null", (), ("metadata.managedFields",)),
        ("creationTimestamp: null", (), ("metadata.creationTimestamp",)),
        ("uid: '', generation: 2", ("metadata.generation",), ("metadata.uid",)),
    ],
)
def test_an_empty_server_set_field_is_known(metadata: str, carried: tuple[str, ...], empty: tuple[str, ...]) -> None:
    (ref,) = objects(f"{HEAD}metadata: {{name: a, {metadata}}}\n")
    assert (ref.server_set, ref.server_set_empty) == (carried, empty)
