"""Every scenario of the tables as every view shows it: valid by the schema, the same after a round trip."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from postrender.cluster import snapshot_file
from postrender.errors import PostrenderError
from postrender.helm.ownership import Ownership
from postrender.helm.simulate import Request
from postrender.models import Severity
from postrender.operations.filter.pipeline import plan_stream
from postrender.planner import view_json as reports
from postrender.planner.build_view import view
from postrender.planner.verdict import Action
from postrender.planner.view import About
from postrender.redact import Digests
from postrender.report.terminal import VERBOSE, plan_text
from postrender.text import Paint
from tests.plans.test_plans import NOTHING, _cases, _invocation, _policy, _secret

SCHEMA = json.loads((Path(reports.__file__).parents[1] / "report" / "schemas" / "plan.schema.json").read_text())


@pytest.fixture(scope="session")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize(("case", "version"), _cases())
def test_view(case: dict[str, Any], version: str, tmp_path: Path, validator: Any) -> None:
    live = tmp_path / "live.yaml"
    secrets = [json.dumps(_secret(release)) for release in case.get("releases", [])]
    live.write_text("\n---\n".join([case.get("live", NOTHING), *secrets]))
    source = None if case.get("action") == "template" else snapshot_file.load(str(live))
    invocation = _invocation(case, version)
    try:
        planned = plan_stream(case["in"].encode(), invocation, _policy(case), source)
    except PostrenderError:
        assert case["exit"] in (3, 5)
        return
    shown = view(planned.plan, planned.facts, About(version, release=invocation.release), Digests(b"key"))
    report = json.loads(json.dumps(reports.plan_json(shown)))
    validator.validate(report)
    assert reports.plan_from_json(report) == shown
    assert (shown.outcome == "blocked") == (case.get("exit") == 4)
    told = {each["name"]: [finding["code"] for finding in each["findings"]] for each in report["objects"]}
    for width in (80, 140):
        text = plan_text(shown, Paint(width=width), VERBOSE, ("helm upgrade --install shop CHART " + "x" * width,))
        assert too_long(text, width) == []
    if "error" not in case:
        assert {name: codes for name, codes in told.items() if codes} == case.get("codes", {})


def too_long(text: str, width: int) -> list[str]:
    """Lines of several words that a terminal would break; commands and diffs are as they are."""
    lines = [line for line in text.splitlines() if not re.match(r" *hint: |  [-+@]", line)]
    return [line for line in lines if len(line) > width and len(line.split()[-1]) < width - 16]


def test_the_schema_names_every_action_request_and_standing() -> None:
    fields = SCHEMA["$defs"]["object"]["properties"]
    assert fields["actions"]["items"]["enum"] == [action.value.replace(" ", "-") for action in Action]
    requests = fields["prediction"]["properties"]["request"]["enum"]
    assert requests == [*(request.value for request in Request), "hook", "unknown"]
    standings = fields["ownership"]["oneOf"][1]["properties"]["standing"]["enum"]
    assert standings == [ownership.name.lower().replace("_", "-") for ownership in Ownership]
    severities = SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"]
    assert severities == [severity.value for severity in Severity]
