"""Reading agrees with Go's on scalars, keys and whole documents of every style."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postrender import manifest
from postrender.errors import ManifestError
from postrender.manifest import reader
from tests.fuzz.oracle import STRICTER, check, equal
from tests.properties.manifests import streams
from tests.tools import assets
from tests.tools.goreader import GoReader

pytestmark = pytest.mark.one_in(1)


numberlike = st.text("0123456789abxoeEfF_+-.:~TZ ", min_size=1, max_size=12)
WORDS = """
    y Y yes Yes YES n N no on On ON off OFF true True TRUE tRUE false ~ null Null NULL nULL .nan .NaN .inf -.inf +.INF
    = << <<: 0777 0o17 0O17 0b11 0B2 -0b1 0x1F 0X1f 1_000 _1 1_ 1e3 1E+3 1e400 .5 5. .5e1 -.5 +.5 +1 -0 -0.0 1.0
    12:30:45 2024-01-01 2024-1-1 2024-01-01T00:00:00Z 2024-01-01t00:00:00.5+01:00 2024-13-01 9223372036854775807
    9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616
    1e20 1e21 123456789012345678901234567890 100000000000000000000.0 3.4028236e38 1e-7 0.1 1.17549435e-38 1e6
    1234567.0 16777217.0 00 08 09.5 0x 0b 0o 0_7 0x_1 + - . .. ._1 1.e 1e 0e0 é 😀
""".split()  # noqa: SIM905 - one word a line hides the whole
TAGS = """
    !!str !!int !!float !!bool !!null !!timestamp !!binary !!merge !!value ! !x !!set !<tag:yaml.org,2002:int> &a
""".split()  # noqa: SIM905 - as above
words = st.sampled_from(WORDS)
tags = st.sampled_from(["", *(f"{tag} " for tag in TAGS)])
quotes = st.sampled_from(["", "", "", "'", '"'])


@pytest.fixture(scope="module")
def go() -> Iterator[GoReader]:
    try:
        program = assets.goyaml()
    except assets.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    with GoReader(program) as running:
        yield running


def agree(text: str, go: GoReader) -> None:
    """A document of any shape reads alike, or is refused by both."""
    theirs = go.read(text.encode())
    mine = _loaded(text.encode())
    if isinstance(mine, ManifestError):
        assert theirs.error or any(cause in str(mine) for cause in STRICTER), f"{mine}; Go: {theirs}"
    elif not theirs.error:
        assert equal(mine, theirs.documents[0].value if theirs.documents else None), f"{mine!r}; Go: {theirs}"


def _loaded(data: bytes) -> Any:
    try:
        return manifest.load(data)
    except ManifestError as error:
        return error


@given(words | numberlike, tags, quotes)
@example("8", "!!float ", "")
@example("0x10", "!!float ", '"')
@example(base64.b64encode(b"\xff\xfe\xe2\x82a").decode(), "!!binary ", "")
def test_scalar(go: GoReader, word: str, tag: str, quote: str) -> None:
    agree(f"a: {tag}{quote}{word}{quote}\n", go)


@given(words | numberlike, tags, quotes)
def test_key(go: GoReader, word: str, tag: str, quote: str) -> None:
    agree(f"? {tag}{quote}{word}{quote}\n: a\n", go)
    agree(f"{{{tag}{quote}{word}{quote} : a}}\n", go)


@given(words, words, words)
def test_merges_and_keys_twice(go: GoReader, one: str, two: str, three: str) -> None:
    agree(f"x: &x {{{one}: 1}}\ny: &y\n  ? {two}\n  : 2\nz:\n  {three}: 3\n  <<: [*x, *y]\n  ? {one}\n  : 4\n", go)
    agree(f"x: &x {{{one}: 1}}\nz: {{{one}: 3, <<: *x, {two}: 4, {two}: 5}}\n", go)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_float(go: GoReader, single: float, double: float) -> None:
    agree(f"{single!r}: {double!r}\n", go)


@given(streams())
def test_stream(go: GoReader, data: bytes) -> None:
    check(data, go)


@given(st.text("a :-?#'\"|>&*!{}[],\n\t\\%@`.~", max_size=40))
def test_text_of_nothing_but_indicators(go: GoReader, text: str) -> None:
    check(text.encode(), go)
    check(f"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  labels:\n    {text}\n".encode(), go)


@given(streams())
def test_pure_parser_reads_alike(data: bytes) -> None:
    """Without libyaml the same comes out, but for what only one of the two can read."""
    with_libyaml = _read(data)
    before = reader.LIBYAML
    try:
        reader.LIBYAML = False
        without = _read(data)
    finally:
        reader.LIBYAML = before
    if isinstance(with_libyaml, list) and isinstance(without, list):
        assert equal(with_libyaml, without)


def _read(data: bytes) -> Any:
    try:
        found = manifest.read(data)
        return [found.value(ref) for ref in found.objects]
    except ManifestError as error:
        return error
