"""``-o``: each command has one table of formats, and what stands in it works."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from postrender.models import Severity
from postrender.report import adopt, lint, orphans, plan_formats, verify
from postrender.report.ci import Case, Problem, github, junit
from postrender.text import Advice, Hint
from tests.cli import scenes
from tests.cli.junit import faults
from tests.cli.test_filter import RENDERED, run
from tests.cli.test_plan import plan

SCHEMAS = Path(plan_formats.__file__).parent / "schemas"
TABLES = {
    "plan": (plan_formats.FORMATS, "text json yaml markdown html github junit"),
    "lint": (lint.FORMATS, "text json yaml markdown html github junit sarif"),
    "orphans": (orphans.FORMATS, "table wide name json yaml"),
    "verify": (verify.RELEASE_FORMATS, "table wide name json yaml"),
    "adopt": (adopt.FORMATS, "text json yaml"),
}


@pytest.mark.parametrize("name", TABLES)
def test_help_lists_the_table(name: str) -> None:
    table, names = TABLES[name]
    assert list(table) == names.split()
    (output,) = (
        action
        for action in import_module(f"postrender.cli.commands.{name}").parser()._actions
        if "--output" in action.option_strings
    )
    if output.choices:
        assert [choice for choice in output.choices if choice != "text" or "text" in table] == names.split()
    shown = " ".join(run(name, "--help").stdout.decode().split())
    assert ", ".join(names.split()) in shown or ",".join(names.split()) in shown


def test_all_releases_have_the_formats_of_one() -> None:
    assert list(verify.RELEASES_FORMATS) == list(verify.RELEASE_FORMATS)


@pytest.mark.parametrize("scene", [scenes.four, scenes.thirty_new, scenes.one_of_thirty])
def test_a_plan_in_each_format(tmp_path: Path, scene: Callable[[Path], tuple[str, str]]) -> None:
    stream, live = scene(tmp_path)
    shown = {name: plan(stream, live, "-o", name).stdout.decode() for name in plan_formats.FORMATS}
    data = json.loads(shown["json"])
    jsonschema.validate(data, json.loads((SCHEMAS / "plan.schema.json").read_text()))
    assert yaml.safe_load(shown["yaml"]) == data
    assert faults(shown["junit"]) == []
    (suite,) = ElementTree.fromstring(shown["junit"])
    assert [case.get("name") for case in suite.iter("testcase")] == [each["name"] for each in data["objects"]]
    assert suite.get("failures") == str(data["summary"]["blocked"])
    errors = sum(finding["severity"] == "error" for each in data["objects"] for finding in each["findings"])
    assert len(re.findall(r"^::error ", shown["github"], re.MULTILINE)) == errors
    assert shown["github"].splitlines()[-1].startswith(f"::notice title=postrender::{len(data['objects'])} objects")


def hints_of(text: str) -> set[str]:
    return {re.sub(r"`+ ?(.*?) ?`+", r"\1", line) for line in re.findall(r"hint: (.*)", text)}


def test_hints_are_the_same_whole_commands_in_every_format(tmp_path: Path) -> None:
    stream, live = scenes.four(tmp_path)
    shown = {name: plan(stream, live, "-o", name).stdout.decode() for name in plan_formats.FORMATS}
    adopts = "helm install shop CHART -n shop --post-renderer postrender --post-renderer-args=--adopt=orphans"
    data = json.loads(shown["json"])
    commands = [
        hint["command"] for each in data["objects"] for finding in each["findings"] for hint in finding["hints"]
    ]
    assert adopts in commands
    assert not [command for command in commands if "..." in command]
    assert adopts in hints_of(shown["text"])
    assert adopts in hints_of(shown["markdown"])
    assert f"<code>{adopts}</code>" in shown["html"]
    words = re.findall(r"^\| \S+ (\w+) \| `", shown["markdown"], re.MULTILINE)
    assert words == ["blocked", "change", "adopt", "create"], "problems come first"
    assert f"hint: {adopts}" in shown["github"]
    (suite,) = ElementTree.fromstring(shown["junit"])
    assert f"hint: {adopts}" in "".join(failure.text or "" for failure in suite.iter("failure"))


def test_a_file_of_manifests_is_annotated(tmp_path: Path) -> None:
    stream, live = scenes.four(tmp_path)
    file = tmp_path / "rendered.yaml"
    file.write_text(stream)
    common = ("--live", live, "--release", "shop", "-n", "shop", "--helm-version", "3.21.4", "-o", "github")
    text = run("plan", "--manifests", str(file), *common).stdout.decode()
    assert re.search(rf"^::error file={re.escape(str(file))},line=7,title=PR102::configmaps/shop/orphan: ", text, re.M)


def test_what_lint_finds_in_each_format() -> None:
    shown = {name: run("lint", "-o", name, stdin=RENDERED).stdout.decode() for name in lint.FORMATS}
    data = json.loads(shown["json"])
    jsonschema.validate(data, json.loads((SCHEMAS / "lint.schema.json").read_text()))
    assert yaml.safe_load(shown["yaml"]) == data
    (finding,) = data["findings"]
    assert faults(shown["junit"]) == []
    (failure,) = ElementTree.fromstring(shown["junit"]).iter("failure")
    assert (failure.get("type"), failure.get("message")) == (finding["code"], finding["text"])
    assert f"| {finding['code']} | `{finding['object']}` |" in shown["markdown"]
    assert f'<span class="name">{finding["object"]}</span>' in shown["html"]
    assert run("lint", "-q", stdin=RENDERED).stdout.decode() == f"{finding['object']}\n"


def test_lint_without_a_finding_is_a_test_that_passes() -> None:
    text = run("lint", "-o", "junit", stdin=b"").stdout.decode()
    assert faults(text) == []
    assert 'tests="1" failures="0"' in text


HOSTILE = 'a"b<c>&d\ufffe\n::error::x%0A]]>'
PROBLEM = Problem(
    "PR101", Severity.ERROR, HOSTILE, HOSTILE, (Hint("kubectl get a", "look"), Advice("rename it")), "a,b:c", 3, 5
)


def test_annotations_are_escaped() -> None:
    """``escapeData`` and ``escapeProperty`` of actions/toolkit; a line break inside a text is no line of ours."""
    line, notice, end = github([PROBLEM], "one\ntwo").split("\n")
    assert line.startswith('::error file=a%2Cb%3Ac,line=3,col=5,title=PR101::a"b<c>&d')
    assert line.endswith("%0Anote: look%0Ahint: kubectl get a%0Anote: rename it")
    assert "%250A" in line
    assert (notice, end) == ("::notice title=postrender::one%0Atwo", "")


def test_junit_keeps_what_a_text_holds() -> None:
    text = junit("a & b", [Case(HOSTILE, "x", (PROBLEM,)), Case("fine", "x", (), ("warning: a < b",))])
    assert faults(text) == []
    (suite,) = ElementTree.fromstring(text)
    shown = 'a"b<c>&d\\ufffe\\x0a\\u003a:error::x%0A]]>'
    assert suite[1].get("name") == shown
    assert suite.get("name") == "a & b"
    assert suite.findtext("system-out") == "warning: a < b"
    (failure,) = suite.iter("failure")
    assert (failure.text or "").endswith("\nnote: look\nhint: kubectl get a\nnote: rename it")


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (("<properties/>", ""), "properties stands 0 times"),
        (('failures="1"', 'failures="0"'), "failures is 0, not 1"),
        (('hostname="localhost"', ""), "a suite lacks hostname"),
        ((' type="PR101"', ""), "a case has more than one failure, or one without a type"),
        (("<testsuites>", "<testsuites><other/>"), "a suite is other"),
    ],
)
def test_the_rules_find_what_breaks_them(broken: tuple[str, str], fault: str) -> None:
    assert fault in faults(junit("a", [Case("a", "x", (PROBLEM,))]).replace(*broken))
