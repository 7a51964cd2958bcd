"""``postrender run -- helm ...``: one command, and the release is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Namespace, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import RUN_WITHIN, Helm, HelmFactory, executable
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, STABLE_SHIRT

NEVER = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "never"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "none"}]},
        },
    },
}
"""What no controller makes ready."""

Done = subprocess.CompletedProcess[str]


def words(it: Helm, *arguments: str, ours: tuple[str, ...] = (), program: Path | None = None) -> list[str]:
    return [
        str(executable(it.home)),
        "run",
        *ours,
        "--",
        str(program or it.binary),
        *arguments,
        "--namespace",
        it.namespace,
    ]


def run(
    it: Helm,
    *arguments: str,
    ours: tuple[str, ...] = (),
    program: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Done:
    return subprocess.run(
        words(it, *arguments, ours=ours, program=program),
        env={**it.env, **(environ or {})},
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN,
        check=False,
    )


def typed(line: str, it: Helm) -> Done:
    """A hint as a shell runs it, with this ``postrender`` on PATH."""
    env = {**it.env, "PATH": f"{executable(it.home).parent}:{it.env['PATH']}"}
    return subprocess.run(
        ["sh", "-c", line], env=env, cwd=it.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def start(command: list[str], it: Helm, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A command in a session of its own, of which nothing is heard: it ends alone, whatever it started."""
    return subprocess.Popen(
        command,
        env={**it.env, **(environ or {})},
        cwd=it.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(it.home / "stderr").open("wb"),
        start_new_session=True,
    )


def ok(done: Done) -> Done:
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def pair(folder: Path, beta: Any, stable: Any) -> Path:
    return chart(
        folder,
        {
            "a-beta": manifest(BETA_SHIRT, "shirt", beta, keep=True),
            "b-stable": manifest(STABLE_SHIRT, "shirt", stable, keep=True),
        },
    )


def kept_pair(it: Helm, folder: Path) -> Path:
    """A pair that an uninstall kept; the chart that has changed since."""
    it.install("r", pair(folder, {"color": "blue", "size": "M"}, {"color": "green"})).expect_ok()
    it.uninstall("r").expect_ok()
    return pair(folder, {"color": "red"}, {"color": "black", "size": "L"})


def finished(namespace: Namespace) -> None:
    """The release is true: live is the chart's, no resourceVersion is stored, and nothing is left of the run."""
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "red"}
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "black", "size": "L"}
    releases = namespace.releases("r")
    assert all("resourceVersion" not in each.manifest for each in releases)
    assert releases[-1].status == "deployed"
    assert [each.status for each in releases].count("deployed") == 1
    assert "color: red" in releases[-1].manifest
    assert "color: black" in releases[-1].manifest


def test_a_colliding_pair_with_changed_specs_in_one_command(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    uids = [namespace.uid(kind, "shirt") for kind in (BETA_SHIRT, STABLE_SHIRT)]
    done = ok(run(it, "install", "r", str(now)))
    finished(namespace)
    assert [namespace.uid(kind, "shirt") for kind in (BETA_SHIRT, STABLE_SHIRT)] == uids
    shirts = [f"shirts.{group}.example.com/{namespace.name}/shirt" for group in ("beta", "stable")]
    told = " ".join(done.stderr.split())
    assert f"postrender: release {namespace.name}/r is deployed, revision 2" in told
    assert f"adopted: {shirts[0]}, {shirts[1]}" in told
    for shirt in shirts:
        assert f"{shirt} (metadata.labels.postrender/group-kind, spec.color, spec.size)" in told
    assert "verified: 2 objects live as stored; no resourceVersion is stored" in told
    assert "NAME: r" in done.stdout
    it.rollback("r", 1).expect_ok()
    it.upgrade("r", now).expect_ok()
    finished(namespace)


@pytest.mark.parametrize("version", ["3.21.4", "4.1.4", "4.3.1"])
def test_a_kept_shirt(helm: HelmFactory, namespace: Namespace, tmp_path: Path, version: str) -> None:
    it = helm(version)
    before, after = (
        chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", spec, keep=True)})
        for spec in ({"color": "blue", "size": "M"}, {"color": "red"})
    )
    it.install("r", before).expect_ok()
    it.uninstall("r").expect_ok()
    plugins = sorted(it.home.glob("plugins/*"))
    done = ok(run(it, "install", "r", str(after)))
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}
    assert "verified: 1 object live as stored; no resourceVersion is stored" in done.stderr
    shirt = f"shirts.stable.example.com/{namespace.name}/shirt"
    assert f"changed: {shirt} (spec.color, spec.size)" in " ".join(done.stderr.split())
    assert "color: red" in namespace.releases("r")[-1].manifest
    assert sorted(it.home.glob("plugins/*")) == plugins
    ok(run(it, "upgrade", "r", str(before)))
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "blue", "size": "M"}


def test_the_announced_upgrade_can_be_left_to_the_user(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    done = ok(run(it, "install", "r", str(now), ours=("--no-upgrade",)))
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue", "size": "M"}
    (release,) = namespace.releases("r")
    assert "resourceVersion" not in release.manifest
    told = " ".join(done.stderr.split())
    assert f"not yet updated to the chart: shirts.beta.example.com/{namespace.name}/shirt" in told
    hint = f"postrender run --no-upgrade -- {it.binary} upgrade r {now} --namespace {namespace.name}"
    assert done.stderr.endswith(f"\nhint: {hint}\n")
    ok(typed(hint, it))
    finished(namespace)


def test_with_permission_to_write_there_is_no_second_step(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    ok(run(it, "install", "r", str(now), ours=("--on-drift", "apply")))
    finished(namespace)
    assert [each.revision for each in namespace.releases("r")] == [1]


def test_the_first_step_is_held_to_a_saved_plan(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    plan = tmp_path / "plan.json"
    named = ("-n", it.namespace, "--kube-context", "test", "--helm", it.binary)
    saved = subprocess.run(
        [executable(it.home), "plan", "r", now, *named, "--detailed-exitcode", "--save", plan],
        env=it.env,
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert saved.returncode == 10, saved.stderr
    ok(run(it, "install", "r", str(now), ours=("--plan", str(plan))))
    finished(namespace)


def test_the_reports_of_both_steps(helm: HelmFactory, tmp_path: Path) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    done = ok(run(it, "install", "r", str(now), ours=("--report", "report.json")))
    files = [it.home / name for name in ("report.json", "report.upgrade.json")]
    assert [line for line in done.stderr.splitlines() if line.startswith("  report: ")] == [
        f"  report: {file}" for file in files
    ]
    first, second = (json.loads(file.read_text()) for file in files)
    assert [each["actions"] for each in first["objects"]] == [["stamp", "store-live"], ["stamp", "label", "pin"]]
    assert [each["actions"] for each in second["objects"]] == [["label"], ["label"]]
    assert second["about"]["action"] == "upgrade"


def test_the_report_of_helm_4_shows_what_the_server_will_change(helm: HelmFactory, tmp_path: Path) -> None:
    it = helm("4.3.1")
    it.install("r", chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "blue"})})).expect_ok()
    red = chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "red"})})
    report = it.home / "report.json"
    it.upgrade("r", red, filter=True, env={"POSTRENDER_REPORT": str(report)}).expect_ok()
    (shirt,) = json.loads(report.read_text())["objects"]
    assert shirt["live"]["spec"] == {"color": "blue"}
    (change,) = shirt["prediction"]["changes"]
    assert change == {"op": "replace", "path": ["spec", "color"], "before": "blue", "after": "red"}


def test_another_post_renderer_comes_first(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    kept_pair(it, tmp_path)
    paint = tmp_path / "paint"
    paint.write_text("#!/bin/sh\nexec sed s/purple/red/\n")
    paint.chmod(0o755)
    purple = pair(tmp_path, {"color": "purple"}, {"color": "black", "size": "L"})
    ok(run(it, "install", "r", str(purple), ours=("--first", str(paint))))
    finished(namespace)


def test_the_plugins_of_the_user_stay_and_are_there(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """One of them is postrender itself, another a post-renderer that would fail."""
    it = helm("4.3.1")
    for name in ("postrender", "failing"):
        folder = it.home / "plugins" / name
        folder.mkdir()
        (folder / "plugin.yaml").write_text(
            f"apiVersion: v1\ntype: postrenderer/v1\nname: {name}\nversion: 0.1.0\nruntime: subprocess\n"
            "runtimeConfig:\n  platformCommand:\n  - command: /bin/false\n"
        )
    ok(run(it, "install", "r", str(pair(tmp_path, {"color": "red"}, {"color": "black", "size": "L"}))))
    finished(namespace)
    listed = it.run("plugin", "list").expect_ok().stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["failing", "postrender"]


def test_an_interrupt_is_helms_and_the_state_is_told(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    waiting = chart(tmp_path, {"never": NEVER})
    process = start(words(it, "install", "r", str(waiting), "--wait"), it)
    wait_until(lambda: _deployment(namespace) is not None, "the Deployment")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 1
    told = " ".join((it.home / "stderr").read_text().split())
    assert "postrender: Helm failed (exit code 1): revision 1 is failed; what it had changed until then stays" in told
    assert told.endswith(f"hint: postrender run -- {it.binary} upgrade r {waiting} --wait --namespace {namespace.name}")


def test_a_plan_that_is_missing_is_told(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    """A script around Helm that hands on no variables of ours, for one."""
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    around = tmp_path / "around" / "helm"
    around.parent.mkdir()
    around.write_text(f"#!/bin/sh\nexec env -u POSTRENDER_RUN_PLAN '{it.binary}' \"$@\"\n")
    around.chmod(0o755)
    done = ok(run(it, "install", "r", str(now), program=around))
    told = " ".join(done.stderr.split())
    assert "the filter left no plan; its report says whether a helm upgrade has to follow" in told
    assert f"note: if the report says so hint: postrender run -- {around} upgrade r {now} --namespace" in told
    assert "no resourceVersion is stored" in told
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue", "size": "M"}


def test_a_dry_run_writes_nothing(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    done = ok(run(it, "install", "r", str(now), "--dry-run"))
    assert done.stderr.endswith("postrender: a dry run: nothing to finish\n")
    assert namespace.releases("r") == []
    assert namespace.content(BETA_SHIRT, "shirt") == {"color": "blue", "size": "M"}


class Stopping:
    """A helm that calls the real one, and kills whoever called it before, after or during its N-th run."""

    def __init__(self, it: Helm, folder: Path, number: int, when: str) -> None:
        self.count = folder / "count"
        self.program = folder / "stopping" / "helm"
        self.program.parent.mkdir()
        kill = "kill -9 $PPID"
        acts = {
            "before": f"{kill}; exit 1",
            "after": f'"$real" "$@"; code=$?; {kill}; exit $code',
            "terminated before": "kill $$",
            "terminated after": '"$real" "$@"; kill $$',
            "detached": f'{kill}; sleep 1; exec "$real" "$@"',
        }
        self.program.write_text(
            f"#!/bin/sh\nreal='{it.binary}'\n"
            'case "$1" in install|upgrade) ;; *) exec "$real" "$@";; esac\n'
            f"n=$(($(cat {self.count} 2>/dev/null || echo 0) + 1)); echo $n >{self.count}\n"
            f'if [ $n = {number} ]; then {acts[when]}; fi\nexec "$real" "$@"\n'
        )
        self.program.chmod(0o755)


@pytest.mark.parametrize(
    ("number", "when"),
    [(1, "before"), (1, "after"), (1, "detached"), (2, "before"), (2, "after"), (2, "detached")],
)
def test_killed_at_any_step_and_called_again_it_ends_the_same(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, number: int, when: str
) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    stopping = Stopping(it, tmp_path, number, when)
    killed = run(it, "install", "r", str(now), program=stopping.program)
    assert killed.returncode == -signal.SIGKILL
    again = ok(run(it, "install", "r", str(now), program=stopping.program))
    assert "resuming the interrupted run" in " ".join(again.stderr.split())
    finished(namespace)
    assert "verified: 2 objects live as stored; no resourceVersion is stored" in again.stderr


@pytest.mark.parametrize("step", ["first", "second"])
def test_killed_together_with_its_helm_and_called_again_it_ends_the_same(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, step: str
) -> None:
    """Helm waits for a Deployment that never gets ready, and dies there: its record stays pending."""
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    waiting = "{{ if .Values.never }}\n" + str(NEVER).replace("'", '"') + "\n{{ end }}\n"
    (now / "templates" / "never.yaml").write_text(waiting)
    values = now / "values.yaml"
    if step == "second":
        values.write_text("never: false\n")
        ok(run(it, "install", "r", str(now), ours=("--no-upgrade",)))
    values.write_text("never: true\n")
    verb = "install" if step == "first" else "upgrade"
    process = start(words(it, verb, "r", str(now), "--wait"), it)
    wait_until(
        lambda: (
            any(each.status.startswith("pending-") for each in namespace.releases("r"))
            and _deployment(namespace) is not None
        ),
        "a pending revision",
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    values.write_text("never: false\n")
    assert namespace.releases("r")[-1].status.startswith("pending-")
    again = ok(run(it, verb, "r", str(now), "--wait"))
    told = " ".join(again.stderr.split())
    assert "removed the record of revision " in told
    assert "whose Helm died" in told
    finished(namespace)


def _deployment(namespace: Namespace) -> object:
    return namespace.api.get(f"/apis/apps/v1/namespaces/{namespace.name}/deployments/never")


def test_a_second_call_waits_for_the_helm_of_the_first(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    stopping = Stopping(it, tmp_path, 1, "detached")
    killed = start(words(it, "install", "r", str(now), program=stopping.program), it)
    assert killed.wait() == -signal.SIGKILL
    again = ok(run(it, "install", "r", str(now), program=stopping.program))
    assert f"is still working on release {namespace.name}/r; waiting until it ends" in " ".join(again.stderr.split())
    finished(namespace)


def test_a_helm_that_fails_leaves_a_word_on_the_state(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.12.3")
    assert namespace.releases("r") == []
    bad = chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "Not A Name", {"color": "red"})})
    done = run(it, "install", "r", str(bad))
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "postrender: Helm failed (exit code 1): revision 1 is failed" in told
    assert told.endswith(f"hint: postrender run -- {it.binary} upgrade r {bad} --namespace {namespace.name}")


def test_what_the_filter_refuses_leaves_the_release_as_it_was(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path
) -> None:
    it = helm("3.12.3")
    namespace.kubectl_apply(manifest(CONFIG_MAP, "cfg", {"a": "1"}), CONFIG_MAP)
    chart_ = chart(tmp_path, {"cfg": manifest(CONFIG_MAP, "cfg", {"a": "2"})})
    done = run(it, "install", "r", str(chart_))
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "PR103" in told
    assert "postrender: Helm failed (exit code 1): the release is unchanged: not installed" in told
    again = f"-- {it.binary} install r {chart_} --namespace {namespace.name}"
    assert f"\nnote: the same command, after you fix the cause\nhint: postrender run {again}\n" in done.stderr
    hint = f"postrender run --adopt=unmanaged {again}"
    assert f"\nhint: {hint}\n" in done.stderr
    ok(typed(hint, it))
    assert namespace.content(CONFIG_MAP, "cfg") == {"a": "2"}


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
def test_with_stderr_in_a_file_it_says_why_the_filter_refused(helm: HelmFactory, tmp_path: Path, version: str) -> None:
    """Helm 4 discards what its plugin says, and a plain file is no place where the filter could add it."""
    it = helm(version)
    shirt = chart(tmp_path, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": "red"})})
    with (tmp_path / "stderr").open("wb") as file:
        done = subprocess.run(
            words(it, "install", "r", str(shirt), ours=("--then", "false")),
            env=it.env,
            cwd=it.home,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
            check=False,
        )
    assert done.returncode != 0
    told = (tmp_path / "stderr").read_text()
    assert told.count("error: --then false: ended with exit code 1 without a message\n") == 1, told
    assert "\nnote: run it alone, with what helm template prints on its stdin\n" in told
    assert "  report: " in told


@pytest.mark.parametrize(("number", "when"), [(1, "terminated after"), (2, "terminated before")])
def test_what_it_advises_after_a_helm_was_terminated_works(
    helm: HelmFactory, namespace: Namespace, tmp_path: Path, number: int, when: str
) -> None:
    it = helm("3.12.3")
    now = kept_pair(it, tmp_path)
    program = Stopping(it, tmp_path, number, when).program
    failed = run(it, "install", "r", str(now), program=program)
    assert failed.returncode == 128 + signal.SIGTERM
    hint = f"postrender run -- {program} upgrade r {now} --namespace {namespace.name}"
    assert failed.stderr.endswith(f"hint: {hint}\n")
    ok(typed(hint, it))
    finished(namespace)
