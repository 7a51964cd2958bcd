"""Scenario tables: given a stream, what is live and a run of Helm, the bytes that come out and what is said.

Each ``*.yaml`` beside this file is a list of cases; see ``CASE_KEYS``. Live objects come from a snapshot, so that a
table holds all that a decision rests on.
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from postrender.cluster import snapshot_file
from postrender.errors import PostrenderError
from postrender.helm.invocation import Action, DryRun, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import ReleaseName
from postrender.operations.filter.pipeline import filter_stream
from postrender.planner.policy import Adopt, OnDrift, Policy, Stamp

CASE_KEYS = {
    "name": "what the case shows",
    "helm": "Helm versions, each a run of its own that must come to the same",
    "action": "install (the default), upgrade, upgrade --install, template",
    "flags": "fields of Invocation",
    "policy": "adopt, stamp, label_key, on_drift, allow, keep_live",
    "in": "the stream",
    "live": "a stream of live objects",
    "releases": "stored revisions: name, namespace, revision, status, manifest, apply_method",
    "out": "the bytes that come out",
    "same": "true: the bytes that come out are those of `in`",
    "error": "the whole message instead",
    "exit": "its exit code",
    "writes": "object name: the merge patch that is sent to the live object first",
    "codes": "object name: the codes of its findings, in order",
}

NOTHING = "{apiVersion: v1, kind: List, items: []}"


def _cases() -> list[Any]:
    found = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            unknown = set(case) - set(CASE_KEYS)
            assert not unknown, f"{path.name}: {case['name']}: {unknown}"
            for version in case["helm"]:
                found.append(pytest.param(case, version, id=f"{path.stem}: {case['name']} [{version}]"))
    return found


def _secret(release: dict[str, Any]) -> dict[str, Any]:
    status = release.get("status", "deployed")
    payload = {
        "name": release["name"],
        "namespace": release["namespace"],
        "version": release["revision"],
        "manifest": release.get("manifest", ""),
        "info": {"status": status},
        "apply_method": release.get("apply_method", ""),
    }
    packed = base64.b64encode(gzip.compress(json.dumps(payload).encode()))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{release['name']}.v{release['revision']}",
            "namespace": release["namespace"],
            "labels": {
                "owner": "helm",
                "name": release["name"],
                "status": status,
                "version": str(release["revision"]),
            },
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }


def _invocation(case: dict[str, Any], version: str) -> Invocation:
    flags = dict(case.get("flags", {}))
    if "dry_run" in flags:
        flags["dry_run"] = DryRun(flags["dry_run"])
    release = None if flags.get("generate_name") else ReleaseName("shop", "shirts")
    helm = None if version == "unknown" else HelmVersion.parse(version)
    return Invocation(helm, Action(case.get("action", "install")), release, **flags)


def _policy(case: dict[str, Any]) -> Policy:
    chosen = case.get("policy", {})
    values: dict[str, Any] = {}
    if "adopt" in chosen:
        values["adopt"] = frozenset(Adopt(what) for what in chosen["adopt"])
    if "stamp" in chosen:
        values["stamp"] = Stamp(chosen["stamp"])
    if "label_key" in chosen:
        values["label_key"] = chosen["label_key"]
    if "on_drift" in chosen:
        values["on_drift"] = OnDrift(chosen["on_drift"])
    if "allow" in chosen:
        values["allow"] = frozenset(chosen["allow"])
    if "keep_live" in chosen:
        values["keep_live"] = tuple(chosen["keep_live"])
    return Policy(**values)


@pytest.mark.parametrize(("case", "version"), _cases())
def test_plan(case: dict[str, Any], version: str, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    secrets = [json.dumps(_secret(release)) for release in case.get("releases", [])]
    live.write_text("\n---\n".join([case.get("live", NOTHING), *secrets]))
    source = None if case.get("action") == "template" else snapshot_file.load(str(live))
    stream = case["in"].encode()

    def run() -> Any:
        return filter_stream(stream, _invocation(case, version), _policy(case), source)

    if "error" in case:
        with pytest.raises(PostrenderError) as caught:
            run()
        assert str(caught.value) == case["error"].rstrip("\n")
        assert caught.value.exit_code == case["exit"]
        return
    result = run()
    assert result.data.decode() == (case["in"] if case.get("same") else case["out"])
    told = {
        verdict.name: [finding.code for finding in verdict.findings]
        for verdict in (*result.plan.verdicts, *result.plan.removed)
        if verdict.findings
    }
    assert told == case.get("codes", {})
    assert {verdict.name: verdict.apply for verdict in result.plan.applications} == case.get("writes", {})
