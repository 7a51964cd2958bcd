"""``postrender krm`` as a subprocess, by the protocol's text and under the real kustomize and kpt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_filter import run
from tests.tools import assets

KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")
KPT = shutil.which("kpt")
with_kpt = pytest.mark.skipif(KPT is None, reason="no kpt on PATH, and its module cannot be installed by go install")

ITEMS = """\
- # what it is
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: a # why
    annotations: {config.kubernetes.io/index: '0', internal.config.kubernetes.io/path: 'a.yaml'}
  data:
    k: |
      text
- apiVersion: stable.example.com/v1
  kind: Shirt
  metadata:
    name: shirt
    namespace: shop
    annotations:
      internal.config.kubernetes.io/path: 'b.yaml'
      internal.config.kubernetes.io/index: '3'
  spec: {}
- apiVersion: beta.example.com/v1
  kind: Shirt
  metadata:
    name: shirt
    namespace: shop
- apiVersion: kpt.dev/v1
  kind: Kptfile
  metadata:
    name: package
    annotations: {config.kubernetes.io/local-config: "true"}
"""


def a_list(items: str = ITEMS, config: str = "{release: shop, namespace: shop}", version: str = "v1") -> bytes:
    return (
        f"apiVersion: config.kubernetes.io/{version}\nkind: ResourceList\nitems:\n{items}"
        f"functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  data: {config}\n"
    ).encode()


def krm(data: bytes, *arguments: str, code: int = 0) -> tuple[bytes, list[dict[str, Any]], str]:
    """The list without its results, the results, and what is on stderr."""
    done = run("krm", *arguments, stdin=data)
    assert done.returncode == code, done.stderr.decode()
    first, _, rest = done.stdout.partition(b"\n")
    assert first.startswith(b"results: ")
    return rest, json.loads(first.removeprefix(b"results: ")), done.stderr.decode()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_lines_are_added_to_the_items_that_need_them_and_nothing_else(version: str) -> None:
    data = a_list(version=version)
    output, results, said = krm(data)
    added = [
        b"    labels:\n",
        b'      postrender/group-kind: "Shirt.stable.example.com"\n',
        b'      postrender/group-kind: "Shirt.beta.example.com"\n',
    ]
    assert [line for line in output.splitlines(keepends=True) if line not in added] == data.splitlines(keepends=True)
    assert output.count(b"postrender/group-kind") == 2
    assert said == ""
    assert results == [
        {
            "message": "shirts.stable.example.com/shop/shirt: shares its Kind and name with "
            "shirts.beta.example.com/shop/shirt (PR201)",
            "severity": "info",
            "resourceRef": {
                "apiVersion": "stable.example.com/v1",
                "kind": "Shirt",
                "name": "shirt",
                "namespace": "shop",
            },
            "file": {"path": "b.yaml", "index": 3},
        },
        {
            "message": "shirts.stable.example.com/shop/shirt: label added",
            "severity": "info",
            "resourceRef": {
                "apiVersion": "stable.example.com/v1",
                "kind": "Shirt",
                "name": "shirt",
                "namespace": "shop",
            },
            "field": {"path": "metadata.labels[postrender/group-kind]"},
            "file": {"path": "b.yaml", "index": 3},
        },
        {
            "message": "shirts.beta.example.com/shop/shirt: shares its Kind and name with "
            "shirts.stable.example.com/shop/shirt (PR201)",
            "severity": "info",
            "resourceRef": {"apiVersion": "beta.example.com/v1", "kind": "Shirt", "name": "shirt", "namespace": "shop"},
        },
        {
            "message": "shirts.beta.example.com/shop/shirt: label added",
            "severity": "info",
            "resourceRef": {"apiVersion": "beta.example.com/v1", "kind": "Shirt", "name": "shirt", "namespace": "shop"},
            "field": {"path": "metadata.labels[postrender/group-kind]"},
        },
    ]


def test_what_is_never_applied_is_left_alone() -> None:
    output, results, _ = krm(a_list(config="{release: shop, namespace: shop, stamp: all}"))
    items = yaml.safe_load(output)["items"]
    stamped = [item["kind"] for item in items if "meta.helm.sh/release-name" in item["metadata"].get("annotations", {})]
    assert stamped == ["ConfigMap", "Shirt", "Shirt"]
    assert "Kptfile" not in json.dumps(results)


def test_every_annotation_is_kept() -> None:
    output, _, _ = krm(a_list(config="{release: shop, namespace: shop, stamp: all}"))
    before, after = (yaml.safe_load(each)["items"] for each in (a_list(), output))
    for old, new in zip(before, after, strict=True):
        assert old["metadata"].get("annotations", {}).items() <= new["metadata"].get("annotations", {}).items()


def test_the_command_line_goes_before_the_configuration() -> None:
    output, _, _ = krm(
        a_list(config="{release: shop, namespace: shop, stamp: all}"), "--release", "other", "--no-label"
    )
    assert output.count(b'"meta.helm.sh/release-name": "other"') + output.count(b'release-name: "other"') == 3
    assert b"postrender/group-kind" not in output


def test_a_switch_may_be_written_without_quotes() -> None:
    output, results, _ = krm(a_list(config="{release: shop, namespace: shop, no-label: true}"))
    assert output == a_list(config="{release: shop, namespace: shop, no-label: true}")
    assert [result["severity"] for result in results] == ["info", "info"]


def test_quiet_leaves_only_what_needs_attention() -> None:
    assert krm(a_list(config='{release: shop, namespace: shop, quiet: "true"}'))[1] == []
    (told,) = krm(a_list(config='{release: shop, namespace: shop, stamp: all, quiet: "true"}'))[1]
    assert told["severity"] == "warning"
    assert told["message"] == (
        "configmaps/shop/a: ownership metadata, here and in 2 more objects, is written without a lookup: "
        "applied by any tool but Helm, it removes the object from the release that owns it"
        " (PR316); "
        "note: set kube-context in data of the functionConfig; note: set live in data of the functionConfig; "
        "note: set stamp in data of the functionConfig; hint: postrender explain PR316"
    )


@pytest.mark.parametrize("items", ["items: []\n", "items:\n", ""])
def test_an_empty_list(items: str) -> None:
    config = "functionConfig: {kind: ConfigMap, data: {release: shop, namespace: shop, stamp: all}}\n"
    data = f"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{items}{config}".encode()
    assert krm(data) == (data, [], "")


def test_a_refusal_prints_the_list_as_it_came_with_the_objections(tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    live.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, resourceVersion: '1'}\n")
    data = a_list(config=f"{{release: shop, namespace: shop, live: {live}, helm-version: 3.21.4}}")
    output, results, said = krm(data, code=4)
    assert output == data
    assert results[0] == {
        "message": "configmaps/shop/a: exists and has no Helm owner; Helm won't adopt it "
        "(PR103); hint: kubectl get configmaps/a -n shop -o yaml --show-managed-fields; "
        "note: run Helm with --post-renderer-args=--adopt=unmanaged; "
        "note: run Helm with --take-ownership",
        "severity": "error",
        "resourceRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"},
        "file": {"path": "a.yaml", "index": 0},
    }
    assert not any("label added" in result["message"] for result in results)
    assert said.startswith("error: configmaps/shop/a: exists and has no Helm owner;")


def test_no_result_holds_what_a_secret_holds(tmp_path: Path) -> None:
    secret = (
        "  apiVersion: v1\n  kind: Secret\n  metadata: {name: db, namespace: shop%s}\n  stringData: {a: hunter2-%s}\n"
    )
    owned = (
        ", resourceVersion: '1', labels: {app.kubernetes.io/managed-by: Helm}, annotations: "
        "{meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: shop}"
    )
    live = tmp_path / "live.yaml"
    live.write_text("".join(line[2:] + "\n" for line in (secret % (owned, "live")).splitlines()))
    config = f"{{release: shop, namespace: shop, live: {live}, helm-version: 3.12.3, stamp: all}}"
    _, results, said = krm(a_list("-" + (secret % ("", "chart"))[1:], config))
    assert results
    assert "hunter2" not in json.dumps(results) + said


def with_live(tmp_path: Path, live: str, config: str) -> str:
    """A functionConfig for the release ``shop`` with a look-up in a file."""
    (tmp_path / "live.yaml").write_text(live)
    return f"{{release: shop, namespace: shop, live: {tmp_path / 'live.yaml'}, {config}}}"


SHIRT = """\
apiVersion: stable.example.com/v1
kind: Shirt
metadata:
  name: shirt
  namespace: shop
  resourceVersion: "7"
  labels: {app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: shop}
spec: {color: blue}
"""
WANTED = """\
- apiVersion: stable.example.com/v1
  kind: Shirt
  metadata: {name: shirt, namespace: shop}
  spec: {color: red}
"""
CALLS = 'hint: kustomize build --enable-alpha-plugins --enable-exec .\nhint: kpt fn eval . --exec "postrender krm"\n'
ONCE = ("note: run helm upgrade --install with --post-renderer postrender: once, by hand",)


def test_live_values_are_refused_since_the_list_stays(tmp_path: Path) -> None:
    """Helm 3 stores what is live for one upgrade; a list is applied again and again, and would undo the chart."""
    data = a_list(WANTED, with_live(tmp_path, SHIRT, "helm-version: 3.17.3"))
    output, results, said = krm(data, code=4)
    assert output == data
    what = "needs its live spec stored instead of the chart's, which depends on the cluster's state and can't go in "
    assert [result["message"] for result in results if result["severity"] == "error"] == [
        f"shirts.stable.example.com/shop/shirt: {what}Git (PR311); {'; '.join(ONCE)}; hint: postrender explain PR311"
    ]
    assert said == (
        f"error: shirts.stable.example.com/shop/shirt: {what}Git (PR311)\n{chr(10).join(ONCE)}\n"
        f"hint: postrender explain PR311\n"
    )
    output, _, _ = krm(a_list(WANTED, with_live(tmp_path, SHIRT, "helm-version: 4.3.1, server-side: true")))
    assert yaml.safe_load(output)["items"][0]["spec"] == {"color": "red"}


def test_a_pin_is_refused(tmp_path: Path) -> None:
    beta = SHIRT.replace("stable", "beta").replace('"7"', '"8"')
    items = WANTED + WANTED.replace("stable", "beta")
    data = a_list(items, with_live(tmp_path, f"{SHIRT}---\n{beta}", "helm-version: 3.12.3"))
    output, _, said = krm(data, code=4)
    assert output == data
    assert "needs its live resourceVersion, which depends on the cluster's state" in said


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        (
            "{releas: shop}",
            2,
            "functionConfig.data: unknown setting releas\n"
            "note: did you mean release?\n"
            "note: did you mean replace?\n"
            "hint: postrender krm --help",
        ),
        ("{adopt: orphans}", 2, "functionConfig.data: unknown setting adopt\nhint: postrender krm --help"),
        (
            "{release: shop, namespace: shop, on-drift: apply}",
            2,
            "--on-drift: 'apply' writes to live objects, which a function may not",
        ),
        ("{release: shop, namespace: shop, stamp: some}", 2, "--stamp: invalid value 'some'; choose adopt, all, none"),
        (
            "{namespace: shop, stamp: all}",
            2,
            f"release name required\nnote: set release in data of the functionConfig\n{CALLS.rstrip()}",
        ),
        (
            "{release: shop, stamp: all}",
            2,
            "functionConfig.data: the release's namespace is required; it is not read from a kubeconfig\n"
            f"note: set namespace in data of the functionConfig\n{CALLS.rstrip()}",
        ),
        (
            "{release: shop, namespace: shop, live: no-such.yaml}",
            2,
            "no-such.yaml: cannot be read: No such file or directory\n"
            "note: --live takes a file that kubectl get KINDS -n NAMESPACE -o yaml wrote\n"
            "hint: postrender snapshot --help",
        ),
    ],
)
def test_an_error_is_in_the_list_and_on_stderr(config: str, code: int, message: str) -> None:
    output, results, said = krm(a_list(config=config), code=code)
    assert output == a_list(config=config)
    assert results == [{"message": message, "severity": "error"}]
    hint = "" if "hint: " in message else "hint: postrender krm --help\n"
    assert said == f"error: {message}\n{hint}"


EXPECTED = "a ResourceList is expected on stdin, of config.kubernetes.io/v1 or config.kubernetes.io/v1beta1"


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", 3, f"one ResourceList is expected on stdin, not 0 documents\n{CALLS}"),
        (b"kind: ResourceList\n---\nkind: A\n", 3, f"one ResourceList is expected on stdin, not 2 documents\n{CALLS}"),
        (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", 3, f"{EXPECTED}\n{CALLS}"),
        (b"apiVersion: config.kubernetes.io/v2\nkind: ResourceList\nitems: []\n", 3, f"{EXPECTED}\n{CALLS}"),
        (
            b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n",
            3,
            "ResourceList: cannot be read: item 0: no apiVersion\nhint: postrender krm --help\n",
        ),
        (
            b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig: {kind: Other}\n",
            2,
            "functionConfig: is not a ConfigMap, whose data would hold the settings\nhint: postrender krm --help\n",
        ),
        (
            b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
            b"functionConfig: {kind: ConfigMap, data: {release: 1}}\n",
            2,
            "functionConfig.data: does not map text to text: release\nhint: postrender krm --help\n",
        ),
    ],
)
def test_what_is_no_list_at_all(data: bytes, code: int, message: str) -> None:
    done = run("krm", stdin=data)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", f"error: {message}")


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """A program that kustomize can run, which takes no arguments for it before 5.7.0."""
    script = tmp_path / "postrender-krm"
    script.write_text(f"#!/bin/sh\nexec '{Path(sys.executable).with_name('postrender')}' krm \"$@\"\n")
    script.chmod(0o755)
    return script


def call(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


def kustomization(folder: Path, function: Path, config: str) -> None:
    (folder / "kustomization.yaml").write_text("resources: [resources.yaml]\ntransformers: [postrender.yaml]\n")
    (folder / "resources.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, labels: {app: b}}\nspec: {replicas: 2}\n"
    )
    (folder / "postrender.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: postrender\n  annotations:\n"
        f"    config.kubernetes.io/function: |\n      exec: {{path: {function}}}\ndata: {config}\n"
    )


KUSTOMIZE_BUILD = ("build", "--enable-alpha-plugins", "--enable-exec", ".")


def test_under_kustomize(tmp_path: Path, function: Path) -> None:
    kustomization(tmp_path, function, "{release: shop, namespace: prod, stamp: all}")
    done = call(assets.go_tool(*KUSTOMIZE), *KUSTOMIZE_BUILD, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    stamps = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "prod"}
    helm = {"app.kubernetes.io/managed-by": "Helm"}
    assert list(yaml.safe_load_all(done.stdout)) == [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": helm, "annotations": stamps}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "b", "labels": {"app": "b", **helm}, "annotations": stamps},
            "spec": {"replicas": 2},
        },
    ]


def test_kustomize_fails_where_the_function_does(tmp_path: Path, function: Path) -> None:
    kustomization(tmp_path, function, "{release: shop, namespace: prod, stamp: some}")
    done = call(assets.go_tool(*KUSTOMIZE), *KUSTOMIZE_BUILD, folder=tmp_path)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "error: --stamp: invalid value 'some'; choose adopt, all, none" in done.stderr


@with_kpt
def test_under_kpt_comments_and_order_stay(tmp_path: Path, function: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    source = "# of the shop\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a # why\ndata:\n  z: 'q'\n  a: b\n"
    (package / "a.yaml").write_text(source)
    arguments = ("release=shop", "namespace=prod", "stamp=all")
    done = call(str(KPT), "fn", "eval", package, "--exec", function, "--", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    added = [
        "  labels:",
        '    app.kubernetes.io/managed-by: "Helm"',
        "  annotations:",
        '    meta.helm.sh/release-name: "shop"',
        '    meta.helm.sh/release-namespace: "prod"',
    ]
    lines = (package / "a.yaml").read_text().splitlines()
    assert [line for line in lines if line not in added] == source.splitlines()
    assert sorted(line for line in lines if line in added) == sorted(added)
    assert "configmaps/prod/a: ownership metadata added" in done.stderr


@with_kpt
def test_kpt_fails_where_the_function_does_and_changes_nothing(tmp_path: Path, function: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    done = call(str(KPT), "fn", "eval", package, "--exec", function, "--", "stamp=some", folder=tmp_path)
    assert done.returncode != 0
    assert "--stamp: invalid value 'some'; choose adopt, all, none" in done.stderr
    assert (package / "a.yaml").read_text() == "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
