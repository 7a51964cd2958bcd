"""Every object of the public charts stamped by Flux's patches: kustomize gives what it gives of the filter's output."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from postrender import manifest
from postrender.helm.invocation import Action, Invocation
from postrender.integrations.flux.patches import Patch, patches
from postrender.models import ReleaseName
from postrender.operations.filter.pipeline import filter_stream, plan_stream
from postrender.planner.policy import Policy, Stamp
from tests.corpus.conftest import with_charts
from tests.tools import assets

KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")
"""The version that helm-controller 1.5 and 1.6 are built with."""

RUN = Invocation(None, Action.UPGRADE_INSTALL, ReleaseName("prod", "shop"))
ALL = Policy(stamp=Stamp.ALL, for_git=True)

TRAPS = b"""\
apiVersion: v1
kind: Service
metadata: {name: a, labels: null}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: a}
spec: {traffic: null, empty: {}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a.b, annotations: {}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aXb, namespace: prod}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aXb, namespace: other, annotations: {x: "1"}}
data: null
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aXb}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {name: in-a-list, creationTimestamp: null, uid: "1", resourceVersion: "7"}
  stringData: {a: "yes"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:a", namespace: prod}
---
apiVersion: batch/v1
kind: Job
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
"""


def built(folder: Path, stream: bytes, made: Sequence[Patch]) -> bytes:
    """What kustomize makes of a stream as helm-controller calls it (``Run``, internal/postrender/kustomize.go)."""
    (folder / "helm-output.yaml").write_bytes(stream)
    listed = [
        {
            "target": {
                field: text
                for field in ("group", "version", "kind", "name", "namespace")
                if (text := getattr(patch.target, field))
            },
            "patch": patch.text,
        }
        for patch in made
    ]
    (folder / "kustomization.yaml").write_text(json.dumps({"resources": ["helm-output.yaml"], "patches": listed}))
    done = subprocess.run([assets.go_tool(*KUSTOMIZE), "build", folder], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def once(data: bytes) -> bytes:
    """The stream with each object once, and named, as kustomize needs it."""
    found = manifest.read(data)
    seen: set[object] = set()
    kept: list[bytes] = []
    for document in found.documents:
        keys = {(ref.gvk, ref.namespace, ref.name) for ref in document.objects}
        if keys and not keys & seen and all(ref.name for ref in document.objects):
            seen |= keys
            kept.append(b"---\n" + data[document.start : document.end].rstrip(b"\n") + b"\n")
    return b"".join(kept)


def same_objects(folder: Path, data: bytes) -> None:
    planned = plan_stream(data, RUN, ALL, None)
    made = patches(planned)
    assert len(made) == len([verdict for verdict in planned.plan.verdicts if verdict.edits])
    assert built(folder, data, made) == built(folder, filter_stream(data, RUN, ALL, None).data, ())


@with_charts
def test_the_charts(charts: Mapping[str, bytes], tmp_path: Path) -> None:
    for name, data in charts.items():
        stream = once(data)
        if not stream:
            continue
        try:
            same_objects(tmp_path, stream)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_the_traps(tmp_path: Path) -> None:
    same_objects(tmp_path, TRAPS)


def test_a_hook_gets_no_patch() -> None:
    assert not any(patch.target.name == "hook" for patch in patches(plan_stream(TRAPS, RUN, ALL, None)))


@pytest.mark.parametrize("null", [b"", b"spec: {a: null}\n"])
def test_labels_that_a_later_chart_brings_are_never_lost(null: bytes, tmp_path: Path) -> None:
    old = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n" + null
    new = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {app: a}\n  annotations: {x: y}\n" + null
    made = patches(plan_stream(old, RUN, ALL, None))
    if not null:
        assert built(tmp_path, new, made) == built(tmp_path, filter_stream(new, RUN, ALL, None).data, ())
        return
    with pytest.raises(AssertionError, match="testing value /metadata/labels failed"):
        built(tmp_path, new, made)
