"""The executable as a subprocess: bytes in, bytes out, exit codes, and whole messages."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from postrender.helm.versions import NEWEST_TESTED

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "shirts"
RENDERED = (EXAMPLE / "rendered.yaml").read_bytes()
OFFLINE = ("--release", "shirts", "-n", "default", "--offline")
HELP = "\nhint: postrender --help\n"
LIVE = ("--live", "examples/shirts/live.yaml", "--release", "shirts", "--namespace", "default")
NEWEST = " and ".join(map(str, NEWEST_TESTED.values()))


def run(
    *arguments: str, stdin: bytes = RENDERED, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("POSTRENDER_", "HELM_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "postrender", *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**clean, "HOME": "/nonexistent", **(environ or {})},
        check=False,
    )


def refused(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    """The message of a run that ended with this code and wrote nothing."""
    assert done.returncode == code, done.stderr.decode()
    assert done.stdout == b""
    return done.stderr.decode()


def test_the_example_is_as_its_readme_shows() -> None:
    done = run(*LIVE, "--helm-version", "3.12.3")
    assert done.returncode == 0
    readme = (EXAMPLE / "README.md").read_text()
    assert f"```yaml\n{done.stdout.decode()}```" in readme
    assert f"```text\n{done.stderr.decode()}```" in readme


def test_the_examples_output_without_the_added_lines_is_its_input() -> None:
    lines = run(*LIVE, "--helm-version", "3.12.3").stdout.splitlines(keepends=True)
    before = RENDERED.splitlines(keepends=True)
    added = [
        b"  labels:\n",
        b'    postrender/group-kind: "Shirt.beta.example.com"\n',
        b'    app.kubernetes.io/managed-by: "Helm"\n',
        b'    meta.helm.sh/release-name: "shirts"\n',
        b'    meta.helm.sh/release-namespace: "default"\n',
        b'  resourceVersion: "237"\n',
        b'    postrender/group-kind: "Shirt.stable.example.com"\n',
    ]
    assert [line for line in lines if line not in added] == before
    assert lines.count(b'  resourceVersion: "237"\n') == 1
    assert lines.index(b'  resourceVersion: "237"\n') > lines.index(b"apiVersion: stable.example.com/v1\n")


@pytest.mark.parametrize("version", ["3.17.1", "3.21.4", "4.3.1"])
def test_newer_helms_need_no_pin(version: str) -> None:
    done = run(*LIVE, "--helm-version", version)
    assert done.returncode == 0
    assert b"resourceVersion" not in done.stdout
    assert done.stdout.count(b"postrender/group-kind") == 2


def test_settings_can_come_from_variables() -> None:
    done = run(
        environ={
            "POSTRENDER_LIVE": "examples/shirts/live.yaml",
            "POSTRENDER_RELEASE": "shirts",
            "POSTRENDER_NAMESPACE": "default",
            "POSTRENDER_HELM_VERSION": "3.12.3",
        }
    )
    assert done.stdout == run(*LIVE, "--helm-version", "3.12.3").stdout


def test_a_flag_goes_before_a_variable() -> None:
    done = run(*OFFLINE, "--stamp", "all", environ={"POSTRENDER_STAMP": "none", "POSTRENDER_RELEASE": "other"})
    assert b'meta.helm.sh/release-name: "shirts"' in done.stdout


def test_quiet() -> None:
    assert run(*OFFLINE, "--quiet").stderr == b""


@pytest.mark.parametrize("stdin", [b"", b"\n", b"  \n\n"])
def test_an_empty_stream_comes_out_empty(stdin: bytes) -> None:
    done = run("--offline", stdin=stdin)
    assert (done.returncode, done.stdout) == (0, stdin)


def test_an_empty_stream_becomes_a_comment_for_helm_4() -> None:
    done = run("--offline", "--helm-version", "4.3.1", stdin=b"")
    assert (done.returncode, done.stdout) == (0, b"# an empty stream came in\n")


def test_no_cluster_is_guessed() -> None:
    assert refused(run("--release", "shirts", "-n", "default", "--helm-version", "3.12.3"), 2) == (
        "error: cluster required\n"
        "note: to look live objects up, add --kube-context with one of these\n"
        "hint: kubectl config get-contexts\n"
        "note: or add --live with a file that kubectl get -o yaml wrote\n"
        "hint: postrender --release shirts -n default --helm-version 3.12.3 --offline\n"
    )


def test_which_release() -> None:
    assert refused(run("--live", "examples/shirts/live.yaml", "-n", "default"), 2) == (
        "error: release name required\nnote: add --release with the release's name\n"
    )


def test_a_flag_that_does_not_exist() -> None:
    assert refused(run("--no-such-flag"), 2) == ("error: unknown flag --no-such-flag\nhint: postrender --help\n")


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (("--stamp", "some"), {}, "error: --stamp: invalid value 'some'; choose adopt, all, none" + HELP),
        (("--adopt", "orphans,all"), {}, "error: --adopt: invalid value 'all'; choose orphans, unmanaged" + HELP),
        (
            (),
            {"POSTRENDER_STAMP": "some"},
            "error: POSTRENDER_STAMP: invalid value 'some'; choose adopt, all, none" + HELP,
        ),
        ((), {"POSTRENDER_QUIET": "maybe"}, "error: POSTRENDER_QUIET: 'maybe' is neither true nor false" + HELP),
        (
            ("--label-key", "a/b/c"),
            {},
            "error: --label-key: 'a/b/c' is not a label key\n"
            "hint: postrender --offline --label-key postrender/group-kind\n",
        ),
    ],
)
def test_bad_values(arguments: tuple[str, ...], environ: dict[str, str], message: str) -> None:
    assert refused(run("--offline", *arguments, environ=environ), 2) == message


def test_a_file_that_is_not_there() -> None:
    message = refused(run("--live", "no-such.yaml", "--release", "shirts", "-n", "default"), 2)
    assert message.startswith("error: no-such.yaml: ")


def test_a_stream_that_is_no_yaml() -> None:
    message = refused(run(*OFFLINE, stdin=b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n"), 3)
    assert message.startswith("error: line ")


def test_a_refusal_names_object_cause_and_next_step() -> None:
    done = run(*LIVE[:2], "--release", "other", "-n", "default", "--helm-version", "3.12.3")
    assert refused(done, 4) == (
        "error: shirts.beta.example.com/default/shirt: owned by uninstalled release default/shirts; Helm "
        "won't adopt it into default/other"
        " (PR102)\n"
        "error: shirts.stable.example.com/default/shirt: owned by uninstalled release default/shirts; Helm won't "
        "adopt it into default/other"
        " (PR102)\n"
        "hint: helm upgrade --install other CHART -n default --post-renderer postrender "
        "--post-renderer-args=--adopt=orphans\n"
        "hint: postrender explain PR102\n"
    )


def test_a_cluster_that_cannot_be_reached() -> None:
    done = run(
        "--release", "shirts", "-n", "default", "--kube-apiserver", "https://127.0.0.1:9", "--kube-token", "s3cr3t"
    )
    message = refused(done, 5)
    assert "127.0.0.1:9" in message
    assert "s3cr3t" not in message


def test_a_report_file(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    done = run(*OFFLINE, "--verbose", "--report", str(path))
    account, line = done.stderr.decode()[:-1].rsplit("\n", 1)
    assert line == f"  report: {path}"
    assert path.read_text().partition("\n")[2] == f"{account}\n"
    message = refused(run(*OFFLINE, "--stamp", "x", environ={"POSTRENDER_REPORT": str(path)}), 2)
    assert message == f"error: --stamp: invalid value 'x'; choose adopt, all, none{HELP}  report: {path}\n"
    message = refused(run(*OFFLINE, stdin=b"kind: [", environ={"POSTRENDER_REPORT": str(path)}), 3)
    assert message.endswith(f"  report: {path}\n")
    head, _, said = path.read_text().partition("\n")
    assert head.endswith("exit code 3")
    assert message == f"{said}  report: {path}\n"


def test_a_report_for_programs_is_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    run(*LIVE, "--helm-version", "3.12.3", "--report", str(path))
    plan = json.loads(path.read_text())
    jsonschema.validate(plan, json.loads((ROOT / "postrender" / "report" / "schemas" / "plan.schema.json").read_text()))
    assert plan["outcome"] == "change"
    assert [each["actions"] for each in plan["objects"]] == [["stamp", "label"], ["stamp", "label", "pin"]]
    assert path.stat().st_mode & 0o777 == 0o600
    other = (*LIVE[:2], "--release", "other", "-n", "default", "--helm-version", "3.12.3", "--report", str(path))
    message = refused(run(*other), 4)
    assert message.endswith(f"  report: {path}\n")
    plan = json.loads(path.read_text())
    assert plan["outcome"] == "blocked"
    assert plan["objects"][0]["findings"][0]["code"] == "PR102"
    run(*OFFLINE, "--report", str(path), stdin=b"kind: [")
    failure = json.loads(path.read_text())
    jsonschema.validate(
        failure, json.loads((ROOT / "postrender" / "report" / "schemas" / "failure.schema.json").read_text())
    )
    assert failure.pop("message").startswith("error: line ")
    assert failure == {"schemaVersion": 1, "kind": "Failure", "exitCode": 3}


def test_a_report_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    secret = b"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2-hunter2}\n"
    run(*OFFLINE, "--report", str(path), stdin=secret)
    assert "hunter2" not in path.read_text()
    assert json.loads(path.read_text())["objects"][0]["desired"]["data"]["password"].startswith("digest:")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_is_no_failure(tmp_path: Path, redirection: str) -> None:
    call = f'exec "$0" -m postrender "$@" {redirection}'
    done = subprocess.run(
        ["sh", "-c", call, sys.executable, *OFFLINE, "--report", str(tmp_path / "report.txt")],
        input=RENDERED,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == run(*OFFLINE).stdout
    assert "2 of 2 objects modified" in (tmp_path / "report.txt").read_text()


def test_no_report_is_written_where_no_helm_called(tmp_path: Path) -> None:
    assert b"report" not in run(*OFFLINE, environ={"XDG_STATE_HOME": str(tmp_path)}).stderr
    assert list(tmp_path.iterdir()) == []


def test_explain() -> None:
    done = run("explain", "pr102")
    assert done.stdout.startswith(b"PR102: owned by an uninstalled release\n\nThe live object names")
    assert max(len(line) for line in done.stdout.decode().splitlines()) <= 80
    assert refused(run("explain", "PR999"), 2) == "error: unknown code: PR999\nhint: postrender explain\n"
    assert len(run("explain").stdout.splitlines()) > 10


def test_the_account_fits_a_terminal() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "postrender", *LIVE, "--helm-version", "3.12.3", "--color", "never"],
        input=RENDERED,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=ROOT,
        check=False,
    )
    os.close(theirs)
    assert done.returncode == 0
    lines = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    plain = run(*LIVE, "--helm-version", "3.12.3").stderr.decode().splitlines()
    assert len(plain) == 2, "lines of a file are not wrapped"


def test_version() -> None:
    lines = run("--version").stdout.decode().splitlines()
    assert lines[0] == "postrender 0.1.0"
    assert lines[1].startswith(f"Helm up to {NEWEST} is known")
    assert max(len(line) for line in lines) <= 80


def test_a_newer_minor_helm_is_said_and_a_newer_major_refused() -> None:
    done = run(*OFFLINE, "--helm-version", "3.99.0")
    assert done.returncode == 0
    account = " ".join(done.stderr.decode().split())
    assert (
        f"note: Helm 3.99.0 is newer than {NEWEST_TESTED[3]}, the newest one known; taken to behave like it" in account
    )
    assert refused(run(*OFFLINE, "--helm-version", "5.0.0"), 4) == (
        f"error: Helm 5.0.0 is not supported (tested up to {NEWEST})\nnote: use a tested Helm, or a newer postrender\n"
    )


def test_a_name_is_no_command_to_the_terminal() -> None:
    """Names come from a chart: the account and a refusal show what they are made of."""
    twice = b"".join(
        b'apiVersion: %sv1\nkind: ConfigMap\nmetadata:\n  name: "a\\e[31m\\u009b2Jb"\n---\n' % group
        for group in (b"", b"x.example.com/")
    )
    done = run(*OFFLINE, "--helm-version", "3.12.3", "-v", stdin=twice)
    assert done.returncode == 0
    assert "configmaps/default/a\\x1b[31m\\u009b2Jb: label added" in done.stderr.decode()
    message = refused(run(*LIVE, "--helm-version", "3.12.3", stdin=twice + twice), 4)
    assert message.startswith("error: configmaps/default/a\\x1b[31m\\u009b2Jb: is in the stream twice: ")
    assert "\x1b" not in done.stderr.decode() + message


def test_a_fault_of_our_own_writes_nothing_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from postrender.cli.commands import filter\n"
        "def broken(*_, **__):\n"
        "    raise KeyError('s3cr3t')\n"
        "filter.filter_stream = broken\n"
    )
    message = refused(run(*OFFLINE, environ={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}), 1)
    assert message == (
        "error: internal error: KeyError in sitecustomize.py:3; nothing was written\n"
        "hint: set POSTRENDER_DEBUG=1 to see the whole traceback, and report it\n"
    )


def test_without_libyaml_the_output_is_the_same_and_the_account_says_so(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['yaml._yaml'] = None\n")
    arguments = (*LIVE, "--helm-version", "3.12.3")
    slow = run(*arguments, environ={"PYTHONPATH": str(tmp_path)})
    assert slow.stdout == run(*arguments).stdout
    assert "note: PyYAML was built without libyaml, so reading is slow" in slow.stderr.decode()
    assert b"libyaml" not in run(*arguments).stderr
