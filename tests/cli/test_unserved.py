"""``postrender unserved`` as a subprocess, against a server that speaks the API's wire format."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from postrender.models import GroupVersionKind, Resource
from tests.cli.test_filter import run
from tests.cli.test_unpin import put_back
from tests.wire.kinds import CONFIG_MAP, SECRET, a_revision
from tests.wire.server import Reply, Request, Server, status

Cluster = tuple[str, str]

INGRESS = Resource(GroupVersionKind("networking.k8s.io", "v1", "Ingress"), "ingresses", True)
DEFINITIONS = Resource(
    GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "customresourcedefinitions", False
)
OLD = """\
---
# Source: web/templates/ingress.yaml
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: web}
---
# Source: web/templates/psp.yaml
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: web}
"""
SERVED = """\
---
# Source: web/templates/ingress.yaml
apiVersion: "networking.k8s.io/v1"
kind: Ingress
metadata: {name: web}
"""


@pytest.fixture
def old(server: Server) -> Server:
    """A server with a release of two revisions, of which one names removed APIs."""
    put_back(server)
    server.served += [INGRESS, DEFINITIONS]
    server.put(SECRET, a_revision("web", 1, "superseded", manifest=OLD), a_revision("web", 2, "deployed", manifest=OLD))
    return server


def unserved(cluster: Cluster, *arguments: str, environ: dict[str, str] | None = None) -> tuple[int, str, str]:
    done: subprocess.CompletedProcess[bytes] = run("unserved", *arguments, *cluster, stdin=b"", environ=environ or {})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def manifests(server: Server) -> list[str]:
    from postrender.helm.storage import decode

    return [
        str(decode(each["data"]["release"], wrapped=True)["manifest"])
        for path, each in sorted(server.objects.items())
        if "/sh.helm.release.v1.web" in path
    ]


def test_each_object_of_a_removed_api_is_shown(old: Server, cluster: Cluster) -> None:
    code, out, err = unserved(cluster, "web")
    flag = " ".join(cluster)
    assert (code, err) == (0, "")
    assert out == (
        f"release shop/web, context dev ({old.url})\n"
        "REVISION  STATUS      OBJECT                          APIVERSION          SERVED AS\n"
        "1         superseded  ingresses.extensions/shop/web   extensions/v1beta1  networking.k8s.io/v1\n"
        "1         superseded  podsecuritypolicies.policy/web  policy/v1beta1      removed\n"
        "2         deployed    ingresses.extensions/shop/web   extensions/v1beta1  networking.k8s.io/v1\n"
        "2         deployed    podsecuritypolicies.policy/web  policy/v1beta1      removed\n"
        "note: policy/v1beta1 PodSecurityPolicy: Kubernetes 1.25 removed the kind\n"
        "note: helm upgrade, helm uninstall, helm rollback fail: unable to build kubernetes objects\n"
        "2 revisions, 2 with removed APIs.\n"
        f"hint: postrender unserved web -n shop {flag} --fix\n"
    )
    assert {each.query.get("dryRun") for each in old.asked("(PUT|PATCH|POST|DELETE) .*")} == {"All"}
    assert unserved(cluster, "web", "--detailed-exitcode")[0] == 10
    assert "  web/templates/psp.yaml\n" in unserved(cluster, "web", "-o", "wide")[1]
    assert unserved(cluster, "web", "-o", "name")[1] == (
        "ingresses.extensions/shop/web\npodsecuritypolicies.policy/web\n"
    )


def test_a_plan_shows_that_helm_fails_and_how_to_fix_it(old: Server, cluster: Cluster) -> None:
    stream = SERVED.encode()
    told = ("--release", "web", "--helm-version", "3.22.0", "--action", "upgrade", "--verbose")
    done = run("plan", "-", *told, *cluster, stdin=stream)
    out = done.stdout.decode()
    assert (done.returncode, done.stderr) == (4, b""), out
    said = (
        "revision 2 stores it as extensions/v1beta1, which the API server no longer serves: Helm would fail to build "
        "kubernetes objects from the current release manifest (PR508)"
    )
    assert (
        f"blocked    ingresses.extensions/shop/web         {said}\n"
        "  owner   not looked up\n"
        "  filter  refused\n"
        "  Helm    fails: unable to build kubernetes objects from current release manifest\n"
        "  stored  unchanged\n"
        f"  error: {said}\n"
    ) in out
    assert "blocked    podsecuritypolicies.policy/web        revision 2 stores it as policy/v1beta1, " in out
    assert f"hint: postrender unserved web -n shop --fix {' '.join(cluster)}\n" in out
    assert old.asked("(PUT|PATCH|DELETE) .*") == []


def test_fields_that_do_not_fit_the_served_version_are_shown(old: Server, cluster: Cluster) -> None:
    def refuse(request: Request) -> Reply:
        name = json.loads(request.body)["metadata"]["name"]
        return status(422, "Invalid", f'Ingress.networking.k8s.io "{name}" is invalid: spec.rules: Required value')

    old.on("POST /apis/networking.k8s.io/v1/namespaces/shop/ingresses", refuse)
    code, out, err = unserved(cluster, "web", "--fix")
    assert (code, err) == (0, "")
    for revision in (1, 2):
        assert (
            f"note: helm rollback to revision {revision} will be rejected, because the fields of "
            "ingresses.extensions/shop/web do not fit networking.k8s.io/v1: "
            'Ingress.networking.k8s.io "web" is invalid: spec.rules: Required value\n'
        ) in out
    assert manifests(old) == [SERVED, SERVED]


def test_fixed_every_revision_is_rewritten_and_a_repeat_has_nothing_to_do(
    old: Server, cluster: Cluster, tmp_path: Path
) -> None:
    dry = unserved(cluster, "web", "--fix", "--dry-run", "--detailed-exitcode")
    assert (dry[0], old.asked("PUT .*")) == (10, [])
    assert "2 revisions, 2 would be changed; nothing was written (--dry-run).\n" in dry[1]
    copy = tmp_path / "kept" / "old.json"
    code, out, err = unserved(cluster, "web", "--fix", "--backup", str(copy), "--detailed-exitcode")
    assert (code, err) == (0, "")
    assert out.endswith(
        "2 revisions, 2 changed.\n"
        "note: to restore the old revisions\n"
        f"hint: kubectl replace -f {copy} {' '.join(cluster)}\n"
    )
    assert manifests(old) == [SERVED, SERVED]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(copy.read_text())["items"]) == 2
    again = unserved(cluster, "web", "--fix", "-v", "--detailed-exitcode")
    assert again[0] == 0
    assert again[1].endswith("2 revisions, all of their APIs are served. Nothing was written.\n")
    assert len(old.asked("PUT .*")) == 2


def test_under_the_configmap_driver(old: Server, cluster: Cluster, tmp_path: Path) -> None:
    old.put(CONFIG_MAP, a_revision("cm", 1, "deployed", driver="configmap", manifest=OLD))
    environ = {"HELM_DRIVER": "configmap", "XDG_STATE_HOME": str(tmp_path)}
    assert unserved(cluster, "cm", "--fix", environ=environ)[0] == 0
    (copy,) = (tmp_path / "postrender/releases").glob("shop-cm-*.json")
    assert json.loads(copy.read_text())["items"][0]["kind"] == "ConfigMap"
    assert "1 revision, all of their APIs are served." in unserved(cluster, "cm", environ=environ)[1]


def test_only_an_older_revision_stops_only_a_rollback_to_it(old: Server, cluster: Cluster) -> None:
    old.put(SECRET, a_revision("web", 3, "deployed", manifest=SERVED), a_revision("web", 2, "superseded", manifest=""))
    out = unserved(cluster, "web")[1]
    assert "note: helm rollback to revision 1 fails: unable to build kubernetes objects\n" in out
    assert "3 revisions, 1 with removed APIs.\n" in out


@pytest.mark.usefixtures("old")
def test_json_and_yaml_are_as_the_schema_says(cluster: Cluster) -> None:
    data: Any = json.loads(unserved(cluster, "web", "-o", "json")[1])
    assert yaml.safe_load(unserved(cluster, "web", "-o", "yaml")[1]) == data
    schema = json.loads(resources.files("postrender.report").joinpath("schemas/unserved.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)
    assert (data["upgradesFrom"], data["fails"], data["written"]) == (2, ["upgrade", "uninstall", "rollback"], False)
    assert data["revisions"][1]["objects"][1] == {
        "object": "podsecuritypolicies.policy/web",
        "kind": "PodSecurityPolicy",
        "apiVersion": "policy/v1beta1",
        "namespace": "",
        "name": "web",
        "template": "web/templates/psp.yaml",
        "servedAs": "",
        "action": "remove",
        "reason": "Kubernetes 1.25 removed the kind",
        "rejected": "",
    }


def test_objects_that_still_exist_are_not_taken_out(old: Server, cluster: Cluster) -> None:
    names = {"kind": "Rack", "plural": "racks"}
    versions = [{"name": "v1beta1", "served": False, "storage": True}]
    old.put(
        DEFINITIONS,
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "racks.old.example.com", "uid": "1", "resourceVersion": "1"},
            "spec": {"group": "old.example.com", "names": names, "scope": "Namespaced", "versions": versions},
        },
    )
    rack = "apiVersion: old.example.com/v1beta1\nkind: Rack\nmetadata: {name: rack}\n"
    old.put(SECRET, a_revision("web", 2, "deployed", manifest=rack))
    flag = " ".join(cluster)
    hint = f"hint: kubectl get customresourcedefinitions.apiextensions.k8s.io racks.old.example.com -o yaml {flag}\n"
    code, out, _ = unserved(cluster, "web")
    assert code == 0
    assert "racks.old.example.com/shop/rack" in out
    assert out.endswith(hint)
    code, out, err = unserved(cluster, "web", "--fix")
    assert (code, out) == (4, "")
    assert err == (
        "error: racks.old.example.com/shop/rack: its objects still exist, but its CRD racks.old.example.com serves no "
        f"version, so nothing was written\n{hint}"
    )
    assert old.asked("PUT .*") == []


def test_what_is_served_must_be_known(old: Server, cluster: Cluster) -> None:
    old.on("GET /apis", status(503, "ServiceUnavailable", "not now"))
    code, out, err = unserved(cluster, "web", "--fix")
    assert (code, out) == (5, "")
    assert err.startswith("error: ")
    assert "whether it is served could not be looked up in context dev" in err


def test_a_conflict_says_what_was_written_before(old: Server, cluster: Cluster, tmp_path: Path) -> None:
    old.behaviours.insert(
        0,
        lambda request: (
            status(409, "Conflict", "the object has been modified")
            if request.method == "PUT" and request.path.endswith(".v2")
            else None
        ),
    )
    copy = tmp_path / "old.json"
    code, out, err = unserved(cluster, "web", "--fix", "--backup", str(copy))
    assert (code, out) == (5, "")
    assert f"; written before it: revision 1; the old payloads are in {copy}\n" in err
    assert manifests(old) == [SERVED, OLD]


def test_a_payload_that_cannot_be_edited_ends_it_before_anything_is_written(old: Server, cluster: Cluster) -> None:
    listed = "apiVersion: extensions/v1beta1\nkind: IngressList\nitems:\n- metadata: {name: web}\n"
    old.put(SECRET, a_revision("web", 2, "deployed", manifest=listed))
    code, out, err = unserved(cluster, "web", "--fix")
    assert (code, out) == (5, "")
    assert err.startswith(
        "error: release shop/web: cannot rewrite revision 2, and nothing was written: "
        "Ingress web has its apiVersion from the list that it is in\n"
        "hint: helm get manifest web --revision 2 -n shop "
    )
    assert old.asked("PUT .*") == []
