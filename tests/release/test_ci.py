"""The GitHub action and the GitLab component: their steps, run in a shell as the CI would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.junit import faults
from tests.cli.test_filter import EXAMPLE, ROOT
from tests.e2e.conftest import program
from tests.release.test_release import clone
from tests.tools.assets import go_tool

PROGRAM = Path(sys.executable).with_name("postrender")


def action(tmp_path: Path, source: Path | None = None, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's steps with these inputs and the declared defaults of the others; the last step's end.

    Without ``source``, a clone, postrender is there already, and only the last step is run.
    """
    declared = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = declared["runs"]["steps"]
    given = {name: inputs.get(name, about.get("default", "")) for name, about in declared["inputs"].items()}
    environ = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
        for name, value in steps[-1]["env"].items()
    }
    about = {
        "PATH": f"{program('helm@3.21.4').parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "GITHUB_ACTION_PATH": str(source or ROOT),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    if source is None:
        binaries = tmp_path / "runner" / "postrender" / "bin"
        binaries.mkdir(parents=True)
        (binaries / "postrender").symlink_to(PROGRAM)
    else:
        (tmp_path / "runner").mkdir()
    for step in steps if source else steps[-1:]:
        command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, env={**about, **environ}, capture_output=True, text=True, cwd=source or ROOT)
        if done.returncode:
            break
    return done


def chart(folder: Path, template: str) -> Path:
    (folder / "chart" / "templates").mkdir(parents=True)
    (folder / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "chart" / "templates" / "all.yaml").write_text(template)
    return folder / "chart"


MISSPELT = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
  annotations:
    helm.sh/resource-policy: Keep
"""


def test_the_action_shows_findings_beside_the_lines(tmp_path: Path) -> None:
    done = action(tmp_path, chart=str(chart(tmp_path, MISSPELT)))
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error ") or "\n::error " in done.stdout or "::warning " in done.stdout


def test_the_action_installs_what_it_runs(tmp_path: Path) -> None:
    done = action(tmp_path, clone(tmp_path / "source"), chart=str(chart(tmp_path, MISSPELT)))
    assert done.returncode == 1, done.stderr
    assert "Keep" in done.stdout


def test_the_action_passes_more_arguments(tmp_path: Path) -> None:
    folder = chart(tmp_path, MISSPELT)
    codes = set(re.findall(r"title=(\w+)", action(tmp_path / "all", chart=str(folder)).stdout))
    assert codes
    ignoring = "".join(f"--ignore\n{code}\n\n" for code in sorted(codes))
    done = action(tmp_path / "none", chart=str(folder), arguments=ignoring)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_action_puts_a_plan_into_the_summary(tmp_path: Path) -> None:
    arguments = f"--live\n{EXAMPLE / 'live.yaml'}\n"
    done = action(
        tmp_path, command="plan", chart=str(EXAMPLE), release="shirts", namespace="default", arguments=arguments
    )
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "summary.md").read_text()
    assert summary == done.stdout
    assert "shirts.beta.example.com" in summary


def test_the_action_keeps_the_exit_code_of_a_refused_plan(tmp_path: Path) -> None:
    done = action(
        tmp_path, command="plan", chart=str(EXAMPLE), release="other", namespace="default",
        arguments=f"--live\n{EXAMPLE / 'live.yaml'}",
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert (tmp_path / "summary.md").read_text() == done.stdout


CI = (ROOT / "docs" / "ci.md").read_text()
LIVE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
  namespace: shop
  uid: a
  resourceVersion: "1"
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n"


def scripts() -> list[str]:
    """The scripts of the page that plan, as they stand there: of shell blocks, and of the job for GitLab."""
    blocks = re.findall(r"```(\w+)\n(.*?)```", CI, re.DOTALL)
    shell = [text for language, text in blocks if language == "sh" and "postrender plan" in text]
    jobs = [yaml.safe_load(text) for language, text in blocks if language == "yaml" and "postrender plan" in text]
    lines = [job["script"] for each in jobs if isinstance(each, dict) for job in each.values() if "script" in job]
    return [*shell, *("\n".join(line for line in each if not line.startswith("pip ")) for each in lines)]


@pytest.mark.parametrize(("live", "code"), [("", 0), (LIVE, 4)], ids=["possible", "blocked"])
@pytest.mark.parametrize("script", scripts())
def test_the_page_runs_under_bash_e(tmp_path: Path, script: str, live: str, code: int) -> None:
    made = chart(tmp_path, CONFIG)
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "shop").symlink_to(made)
    (tmp_path / "live.yaml").write_text(live or "apiVersion: v1\nkind: List\nitems: []\n")
    environ = {
        "PATH": f"{PROGRAM.parent}:{program('helm@3.21.4').parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "POSTRENDER_LIVE": str(tmp_path / "live.yaml"),
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", f"{script}\ntouch reached"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    (page,) = tmp_path.glob("*.md")
    assert page.read_text().startswith("### postrender plan: helm 3.21.4 ")
    assert (tmp_path / "reached").exists() == (code == 0)
    for report in tmp_path.glob("*.xml"):
        assert faults(report.read_text()) == []


def test_there_are_scripts_to_run() -> None:
    assert [script.count("postrender plan") for script in scripts()] == [1, 2]


def test_the_action_refuses_another_command(tmp_path: Path) -> None:
    done = action(tmp_path, command="adopt", chart=str(EXAMPLE))
    assert (done.returncode, done.stderr) == (
        2,
        "error: the action's command is adopt, and has to be lint or plan\n",
    )


def test_the_gitlab_component_runs(tmp_path: Path) -> None:
    """Its script from the first line on, with what pip installs from a clone."""
    head, jobs = yaml.safe_load_all((ROOT / "templates" / "lint.yml").read_text())
    declared = head["spec"]["inputs"]
    given = {"chart": str(chart(tmp_path, MISSPELT)), "package": str(clone(tmp_path / "source")), "stage": "test"}
    (job,) = jobs.values()
    script = [
        re.sub(
            r"\$\[\[ inputs\.(\w+) \]\]",
            lambda found: given.get(found[1], declared[found[1]] and declared[found[1]].get("default", "")),
            line,
        ).replace("/tmp/postrender", str(tmp_path / "postrender"))
        for line in job["script"]
    ]
    assert len(script) == 3
    environ = {"PATH": f"{program('helm@3.21.4').parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = ["bash", "-e", "-o", "pipefail", "-c", "\n".join(script)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "Keep" in done.stdout


def commit(folder: Path) -> str:
    """Make a repository of a folder with one commit; its hash."""
    git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@postrender.invalid"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *arguments], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_pre_commit_runs_the_hook_of_a_clone(tmp_path: Path) -> None:
    source = clone(tmp_path / "source")
    hooks = [{"repo": f"file://{source}", "rev": commit(source), "hooks": [{"id": "postrender-lint"}]}]
    template = chart(tmp_path / "user", MISSPELT) / "templates" / "all.yaml"
    (tmp_path / "user" / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": hooks}))
    commit(tmp_path / "user")
    environ = {
        **os.environ,
        "PATH": f"{program('helm@3.21.4').parent}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
    }
    command = [str(PROGRAM.with_name("pre-commit")), "run", "--all-files"]

    def ran() -> tuple[int, str]:
        done = subprocess.run(command, cwd=tmp_path / "user", env=environ, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    code, output = ran()
    assert code == 1, output
    assert "postrender lint" in output
    assert "chart/templates/all.yaml:6:" in output
    template.write_text(MISSPELT.replace("Keep", "keep").replace("name: shop", "name: {{ .Release.Name }}"))
    code, output = ran()
    assert (code, "Passed" in output) == (0, True), output


@pytest.mark.parametrize("name", ["ci.yml", "nightly.yml", "release.yml"])
def test_the_workflows_pass_their_linter(name: str) -> None:
    done = subprocess.run(
        [
            str(go_tool("github.com/rhysd/actionlint/cmd/actionlint", "v1.7.7")),
            str(ROOT / ".github" / "workflows" / name),
        ],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
