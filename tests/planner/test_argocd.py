"""What is told where Argo CD applies: its own ways, not Helm's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from postrender._record import replace
from postrender.cluster import snapshot_file
from postrender.helm.invocation import Action, ArgoCD, Invocation
from postrender.helm.versions import HelmVersion
from postrender.manifest.edit import splice
from postrender.models import ReleaseName, Severity
from postrender.operations.filter.pipeline import Planned, check, plan_stream
from postrender.planner.policy import Policy, Stamp
from tests.wire.kinds import a_revision

RUN = Invocation(None, Action.UPGRADE_INSTALL, ReleaseName("shop", "shirts"), argocd=ArgoCD("argo_shirts"))
STREAM = b"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: sizes
  annotations:
    helm.sh/resource-policy: keep
    argocd.argoproj.io/sync-options: ServerSideApply=true
"""


def live(release: str = "", namespace: str = "shop", extra: str = "", tracking: str = "") -> str:
    owner = f"meta.helm.sh/release-name: {release}, meta.helm.sh/release-namespace: {namespace}, " if release else ""
    tracked = f"argocd.argoproj.io/tracking-id: '{tracking}:/ConfigMap:shop/sizes'" if tracking else ""
    label = "{app.kubernetes.io/managed-by: Helm}" if release else "{}"
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sizes\n  namespace: shop\n  resourceVersion: '1'\n"
        f"  labels: {label}\n  annotations: {{{owner}{tracked}}}\n{extra}"
    )


def planned(tmp_path: Path, *objects: object, policy: Policy | None = None, stream: bytes = STREAM) -> Planned:
    import json

    file = tmp_path / "live.yaml"
    file.write_text("---\n".join(each if isinstance(each, str) else f"{json.dumps(each)}\n" for each in objects))
    return plan_stream(stream, RUN, policy or Policy(), snapshot_file.load(str(file)))


def told(plan: Planned) -> list[tuple[str, Severity]]:
    (verdict,) = plan.plan.verdicts
    return [(finding.code, finding.severity) for finding in verdict.findings]


KEPT = ("PR602", Severity.WARNING)


def test_what_nobody_owns_and_what_was_kept_is_taken_over(tmp_path: Path) -> None:
    for owner in ("", "shirts", "gone"):
        plan = planned(tmp_path, live(owner))
        assert told(plan) == [("PR601", Severity.INFO), KEPT]
        assert b'meta.helm.sh/release-name: "shirts"' in splice(plan.manifest, plan.plan.edits).data


def test_an_object_of_a_living_helm_release_is_not_taken(tmp_path: Path) -> None:
    plan = planned(tmp_path, live("other"), a_revision("other", 1, "deployed"))
    assert told(plan) == [("PR101", Severity.ERROR), KEPT]
    with pytest.raises(Exception, match="owned by installed release shop/other; not adopted"):
        check(plan.plan)


def test_a_helm_release_of_the_same_name_that_still_holds_it_is_told(tmp_path: Path) -> None:
    manifest = STREAM.decode()
    plan = planned(tmp_path, live("shirts"), a_revision("shirts", 1, "deployed", manifest=manifest))
    assert told(plan) == [("PR603", Severity.WARNING), KEPT]
    assert plan.plan.verdicts[0].findings[0].next == ("kubectl delete secrets -n shop -l owner=helm,name=shirts",)


def test_an_object_that_the_application_applied_itself_is_not_adopted_again(tmp_path: Path) -> None:
    """With Helm's ownership metadata or without: no Helm release has ever kept it."""
    for owner in ("", "shirts", "gone"):
        assert told(planned(tmp_path, live(owner, tracking="argo_shirts"))) == [KEPT]


@pytest.mark.parametrize(
    "tracking", ["argo_shirts:/ConfigMap:shop/other", "argo_shirts:x/ConfigMap:shop/sizes", "argo"]
)
def test_a_tracking_id_that_was_copied_counts_for_nothing(tracking: str, tmp_path: Path) -> None:
    for application in ("argo_shirts", "other"):
        copied = live("shirts", tracking="X").replace("X:/ConfigMap:shop/sizes", tracking.replace("argo", application))
        assert told(planned(tmp_path, copied)) == [("PR601", Severity.INFO), KEPT]


def test_a_refresh_renders_what_was_synced(tmp_path: Path) -> None:
    """Or else the Application would be out of sync at once: what it made has no ownership metadata, and gets none."""
    other = live().replace("name: sizes", "name: other")
    new = planned(tmp_path, other)
    made = planned(tmp_path, live("", tracking="argo_shirts"))
    assert splice(made.manifest, made.plan.edits).data == splice(new.manifest, new.plan.edits).data == STREAM
    adopted = planned(tmp_path, live(""))
    synced = planned(tmp_path, live("shirts", tracking="argo_shirts"))
    assert splice(synced.manifest, synced.plan.edits).data == splice(adopted.manifest, adopted.plan.edits).data


def test_a_cluster_scoped_object_is_tracked_in_the_namespace_of_the_application(tmp_path: Path) -> None:
    stream = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: sizes}\n"
    namespace = (
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: sizes\n  resourceVersion: '1'\n"
        "  annotations: {argocd.argoproj.io/tracking-id: 'argo_shirts:/Namespace:shop/sizes'}\n"
    )
    assert told(planned(tmp_path, namespace, stream=stream)) == []


def test_another_application_that_tracks_it_is_told(tmp_path: Path) -> None:
    plan = planned(tmp_path, live("shirts", tracking="team_other"))
    assert told(plan) == [("PR601", Severity.INFO), ("PR604", Severity.WARNING), KEPT]
    assert plan.plan.verdicts[0].findings[1].text == (
        "is tracked by Argo CD Application team_other, and both would keep overwriting it"
    )
    assert plan.plan.verdicts[0].findings[1].next == ("argocd app manifests team/other",)


def test_what_is_being_deleted_is_told_and_no_error(tmp_path: Path) -> None:
    deleting = live("shirts").replace("  name: sizes\n", "  name: sizes\n  deletionTimestamp: '2026-01-01T00:00:00Z'\n")
    assert told(planned(tmp_path, deleting)) == [("PR106", Severity.WARNING), KEPT]


def test_what_is_not_live_is_only_told_what_keep_does_not_do(tmp_path: Path) -> None:
    other = live().replace("name: sizes", "name: other")
    assert told(planned(tmp_path, other)) == [KEPT]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"ServerSideApply=true", b"ServerSideApply=true,Prune=false"),
        (b"Prune=false", b"Prune=false"),
        (b"Delete=false, Prune=false", b"Delete=false, Prune=false"),
    ],
)
def test_prune_false_is_added_to_the_options_that_are_there(before: bytes, after: bytes, tmp_path: Path) -> None:
    stream = STREAM.replace(b"ServerSideApply=true", before)
    plan = planned(tmp_path, live("shirts"), policy=Policy(stamp=Stamp.NONE, argocd_prune_false=True), stream=stream)
    assert told(plan) == [("PR601", Severity.INFO)]
    output = splice(plan.manifest, plan.plan.edits).data
    assert output == stream if before == after else output == stream.replace(before, b'"' + after + b'"')


def test_a_hook_is_left_alone(tmp_path: Path) -> None:
    stream = STREAM.replace(b"    argocd", b"    helm.sh/hook: pre-install\n    argocd")
    plan = planned(tmp_path, live(), policy=Policy(stamp=Stamp.ALL, argocd_prune_false=True), stream=stream)
    assert (told(plan), plan.plan.edits) == ([], ())


def test_helm_adopts_what_argo_cd_applied_and_does_not_call_it_kept(tmp_path: Path) -> None:
    """The stamped object of an Application that never had a Helm release, installed with Helm later."""
    file = tmp_path / "live.yaml"
    file.write_text(live("shirts", tracking="argo_shirts"))
    run = Invocation(HelmVersion(3, 18, 0), Action.INSTALL, ReleaseName("shop", "shirts"))
    (verdict,) = plan_stream(STREAM, run, Policy(), snapshot_file.load(str(file))).plan.verdicts
    assert next((each.code, each.text) for each in verdict.findings) == (
        "PR107",
        "applied by Argo CD Application argo_shirts for release shop/shirts; Helm adopts it",
    )


CRDS = b"""\
---
# Source: shirts/crds/shirts.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shirts.stable.example.com}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: blouses.stable.example.com}
---
# Source: shirts/templates/crds/a.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: socks.stable.example.com}
"""


@pytest.mark.parametrize("run", [RUN, replace(RUN, argocd=None, action=Action.TEMPLATE)])
def test_what_comes_from_crds_is_no_part_of_the_release(run: Invocation) -> None:
    """Helm writes no ownership metadata to it, whoever renders: an install would never adopt or delete it."""
    done = plan_stream(CRDS, run, Policy(stamp=Stamp.ALL), None)
    owners = [
        each["metadata"].get("annotations") for each in yaml.safe_load_all(splice(done.manifest, done.plan.edits).data)
    ]
    assert owners == [None, None, {"meta.helm.sh/release-name": "shirts", "meta.helm.sh/release-namespace": "shop"}]
    (finding,) = [each for verdict in done.plan.verdicts for each in verdict.findings]
    assert (finding.code, finding.text.partition(" is written")[0]) == ("PR316", "ownership metadata")


def test_a_live_definition_from_crds_is_not_marked_either(tmp_path: Path) -> None:
    body = CRDS.decode().split("---\n")[1].replace("{name", "{resourceVersion: '1', name")
    file = tmp_path / "live.yaml"
    file.write_text(body)
    done = plan_stream(CRDS, RUN, Policy(), snapshot_file.load(str(file)))
    assert [finding.code for finding in done.plan.verdicts[0].findings] == ["PR601"]
    assert splice(done.manifest, done.plan.edits).data == CRDS
