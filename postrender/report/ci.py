"""Findings for CI: workflow commands of GitHub, and JUnit XML, which most other CI systems read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from postrender._record import Record
from postrender.models import Severity
from postrender.text import hint_lines, one_line

_COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
_NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
"""Beside control characters, what XML 1.0 has no way to write (``Char``, section 2.2)."""


class Problem(Record):
    """A finding about one object; ``file`` is ``""`` and ``line`` and ``column`` are 0 if they are not known."""

    code: str
    severity: Severity
    object: str
    text: str
    hints: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def message(self) -> str:
        """``shop/config: text``, and a line for each hint."""
        return "\n".join([one_line(f"{self.object}: {self.text}"), *hint_lines(self.hints)])


class Case(Record):
    """A test of JUnit: an object, what was checked, and why it fails (``()`` if it passes); ``notes`` are printed."""

    name: str
    checked: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def github(problems: Sequence[Problem], summary: str = "") -> str:
    """``::error file=...,line=...,col=...,title=PL101::message``, a line each; ``summary`` becomes a notice."""
    lines = [_command(_COMMANDS[each.severity], _properties(each), each.message) for each in problems]
    if summary:
        lines.append(_command("notice", {"title": "postrender"}, summary))
    return "".join(lines)


def _properties(problem: Problem) -> dict[str, str]:
    properties = {"file": problem.file} if problem.file else {}
    if problem.line:
        properties["line"] = str(problem.line)
    if problem.column:
        properties["col"] = str(problem.column)
    return {**properties, "title": problem.code}


def _command(command: str, properties: dict[str, str], message: str) -> str:
    parameters = ",".join(f"{name}={_escaped(one_line(value), ':,')}" for name, value in properties.items())
    return f"::{command} {parameters}::{_escaped(chr(10).join(map(one_line, message.splitlines())))}\n"


def _escaped(text: str, also: str = "") -> str:
    """As ``escapeData`` and ``escapeProperty`` of actions/toolkit do (packages/core/src/command.ts)."""
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def junit(suite: str, cases: Sequence[Case]) -> str:
    """JUnit XML of one suite, with all that its schemas require, ending in a newline."""
    return "".join(f"{line}\n" for line in _junit(suite, cases))


def _junit(suite: str, cases: Sequence[Case]) -> Iterator[str]:
    failures = sum(bool(case.problems) for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<testsuites>"
    yield (
        f'  <testsuite id="0" name={_attribute(suite)} package="postrender" {counts} '
        f'time="0" timestamp="{now}" hostname="localhost">'
    )
    yield "    <properties/>"
    for case in cases:
        head = f'    <testcase name={_attribute(case.name)} classname={_attribute(case.checked)} time="0"'
        if not case.problems:
            yield f"{head}/>"
            continue
        first = case.problems[0]
        text = "\n".join(problem.message for problem in case.problems)
        yield f"{head}>"
        yield f"      <failure type={_attribute(first.code)} message={_attribute(first.text)}>{_xml(text)}</failure>"
        yield "    </testcase>"
    yield f"    <system-out>{_xml(chr(10).join(note for case in cases for note in case.notes))}</system-out>"
    yield "    <system-err/>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _attribute(text: str) -> str:
    return f'"{_xml(one_line(text))}"'


def _xml(text: str) -> str:
    """Text of an element or an attribute."""
    text = _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
