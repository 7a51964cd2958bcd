"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from postrender.late import LatePattern, import_quickly

YAML = """
from postrender.late import LatePattern, import_quickly
import_quickly("yaml")
import yaml
assert type(yaml.reader.Reader.NON_PRINTABLE) is LatePattern
assert yaml.safe_load("a: 1.5\\nb: 2024-01-01\\nc: [yes, 0x10, '1']") == yaml.load(
    "a: 1.5\\nb: 2024-01-01\\nc: [yes, 0x10, '1']", Loader=yaml.CSafeLoader
)
try:
    yaml.safe_load("a: \\x00")
except yaml.reader.ReaderError as error:
    assert error.position == 3
else:
    raise AssertionError
"""


def test_pyyaml_reads_as_ever() -> None:
    subprocess.run([sys.executable, "-c", YAML], check=True)


def test_a_late_pattern_does_what_the_pattern_does() -> None:
    late = LatePattern("(a)(?P<b>B)", re.IGNORECASE)
    found = late.fullmatch("AB")
    assert (found.groups(), found["b"], late.pattern, late.groups) == (("A", "B"), "B", "(a)(?P<b>B)", 2)
    assert late.sub("x", "abab") == "xx"
    with pytest.raises(re.error, match="unterminated"):
        _ = LatePattern("(").match


def test_compiling_is_itself_again_whatever_happens() -> None:
    before = re.compile
    with pytest.raises(ModuleNotFoundError):
        import_quickly("no.such.module")
    assert re.compile is before
    import_quickly("json")
    assert re.compile is before
