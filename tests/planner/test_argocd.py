"""What is told where Argo CD applies: its own ways, not Helm's."""

from __future__ import annotations

from pathlib import Path

import pytest

from postrender.cluster import snapshot_file
from postrender.helm.invocation import Action, ArgoCD, Invocation
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


def test_another_application_that_tracks_it_is_told(tmp_path: Path) -> None:
    assert told(planned(tmp_path, live("shirts", tracking="argo_shirts"))) == [("PR601", Severity.INFO), KEPT]
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
