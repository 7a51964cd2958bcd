"""What ``postrender run`` makes of Helm's command line, what it keeps, and what it reads off a plan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from postrender._record import replace
from postrender.errors import UsageError
from postrender.models import ReleaseName
from postrender.operations.run import helm_process, summary
from postrender.operations.run.helm_process import Renderer
from postrender.operations.run.journal import Journal, RunState, journal, wait
from postrender.operations.run.request import HelmCommand, parse_helm_command
from postrender.planner.view import About, Held, Identity, ObjectView, Predicted, View
from postrender.text import shorten

RELEASE = ReleaseName("shop", "old")


def command(text: str) -> HelmCommand:
    return parse_helm_command(text.split())


@pytest.mark.parametrize(
    ("install", "upgrade"),
    [
        ("install r ./chart -n shop --set a=b", "upgrade r ./chart -n shop --set a=b"),
        ("-n shop install r ./chart", "-n shop upgrade r ./chart"),
        ("--kube-context install install r ./chart", "--kube-context install upgrade r ./chart"),
        ("install --replace r ./chart", "upgrade r ./chart"),
        ("install ./chart --name-template r", "upgrade r ./chart"),
        ("install ./chart --name-template=r --wait", "upgrade r ./chart --wait"),
        ("install r ./chart --server-side", "upgrade r ./chart --server-side=true"),
        ("install r ./chart --server-side=false", "upgrade r ./chart --server-side=false"),
        ("install r install", "upgrade r install"),
        ("upgrade --install r ./chart --set a=b", "upgrade --install r ./chart --set a=b"),
    ],
)
def test_the_upgrade_that_goes_on_from_an_installation(install: str, upgrade: str) -> None:
    made = command(install).as_upgrade()
    assert " ".join(made.arguments) == upgrade
    assert made.release == "r"


def test_flags_go_before_the_end_of_flags() -> None:
    assert command("install r ./chart").with_flags("--a", "b") == ("install", "r", "./chart", "--a", "b")
    assert command("install -- r ./chart").with_flags("--a", "b") == ("install", "--a", "b", "--", "r", "./chart")


@pytest.mark.parametrize(
    ("text", "dry_run_mode"),
    [
        ("install r c", False),
        ("install r c --dry-run", True),
        ("upgrade r c --dry-run=server", True),
        ("upgrade r c --dry-run=none", False),
        ("upgrade r c --dry-run=false", False),
    ],
)
def test_a_dry_run_is_told(text: str, dry_run_mode: bool) -> None:
    assert command(text).is_dry_run is dry_run_mode


def test_what_helm_is_told_becomes_settings() -> None:
    flags = command("upgrade -i r ./chart -n shop --kube-context dev --kubeconfig k --kube-as-group g").flags("/here")
    assert (flags.action, flags.release, flags.namespace) == ("upgrade-install", "r", "shop")
    assert (flags.kube_context, flags.kubeconfig, flags.kube_as_group) == ("dev", "/here/k", ("g",))


def test_values_are_never_shown() -> None:
    assert "secret" not in repr(command("install r ./chart --set password=secret"))
    one, other = (command(f"install r ./chart --set password={word}") for word in ("secret", "other"))
    assert one.digest("/here") != other.digest("/here")
    assert one.digest("/here") != one.digest("/elsewhere")
    assert "secret" not in one.digest("/here")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "template r c",
            "helm template: only helm install and helm upgrade can be run\nhint: postrender run --help",
        ),
        (
            "",
            "helm: only helm install and helm upgrade can be run\nhint: postrender run --help",
        ),
        (
            "install r c --post-renderer=x",
            "helm install: --post-renderer is not allowed: postrender is the post-renderer\n"
            "note: without --post-renderer\nhint: ...\n"
            "note: to run the other post-renderer as well, give its program to postrender run with --then",
        ),
        (
            "upgrade c",
            "helm upgrade: Helm's command line does not have a release and a chart\nhint: postrender run --help",
        ),
    ],
)
def test_what_cannot_be_finished(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        command(text)
    assert str(caught.value) == message


def test_a_name_that_helm_makes_up_is_none() -> None:
    assert command("install -g ./chart").release is None


class TestAJournal:
    def test_tells_a_run_that_did_not_end(self, tmp_path: Path) -> None:
        environ = {"XDG_STATE_HOME": str(tmp_path)}
        with journal(RELEASE, "context dev", environ) as (notes, busy):
            assert not busy
            assert notes.noted("mine") is None
            notes.note(RunState(3, "mine", helm="first"))
            assert Path(notes.path).stat().st_mode & 0o777 == 0o600
        with journal(RELEASE, "context dev", environ) as (again, busy):
            assert not busy
            assert again.noted("mine") == RunState(3, "mine", helm="first")
            assert again.noted("another") is None
            again.note(RunState(3, "mine"))
            assert again.noted("mine") == RunState(3, "mine")
            again.end()
            assert again.noted("mine") is None

    def test_is_one_for_each_release_of_each_cluster(self, tmp_path: Path) -> None:
        environ = {"XDG_STATE_HOME": str(tmp_path)}
        places = []
        for cluster, release in (("a", RELEASE), ("b", RELEASE), ("a", ReleaseName("stall", "old"))):
            with journal(release, cluster, environ) as (notes, busy):
                places.append(notes.path)
                assert not busy
        assert len(set(places)) == 3

    def test_is_held_by_whoever_inherits_it(self, tmp_path: Path) -> None:
        """The run is gone, and the Helm it started is not."""
        environ = {"XDG_STATE_HOME": str(tmp_path)}
        with journal(RELEASE, "a", environ) as (notes, _):
            child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(notes.lock,))
        with journal(RELEASE, "a", environ) as (other, busy):
            assert busy
            child.communicate(b"\n")
            wait(other)
        with journal(RELEASE, "a", environ) as (_, busy):
            assert not busy

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "postrender").write_text("a file")
        with pytest.raises(UsageError) as caught, journal(RELEASE, "a", {"XDG_STATE_HOME": str(tmp_path)}):
            pass
        folder = str(caught.value).partition(": ")[0]
        assert str(caught.value) == (
            f"{folder}: cannot write its state there: Not a directory; set XDG_STATE_HOME to another folder\n"
            f"hint: ls -ld {tmp_path}/postrender"
        )

    def test_a_file_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "old.json").mkdir()
        with pytest.raises(UsageError) as caught:
            Journal(str(tmp_path / "old.json"), -1).note(RunState(3, "mine"))
        assert str(caught.value) == (
            f"{tmp_path}/old.json: cannot write its state there: Is a directory; set XDG_STATE_HOME to another folder\n"
            f"hint: ls -ld {tmp_path}/old.json"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            '{"before": 3, "comm',
            "[]",
            '{"command": "mine", "helm": "first"}',
            '{"before": "x", "command": "mine", "helm": "first"}',
        ],
    )
    def test_what_is_no_journal_is_none(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "old.json"
        path.write_text(text)
        assert Journal(str(path), -1).noted("mine") is None


def test_a_plan_that_is_none(tmp_path: Path) -> None:
    assert summary.read(str(tmp_path / "none")) is None
    (tmp_path / "failure.json").write_text(json.dumps({"kind": "Failure", "schemaVersion": 1}))
    assert summary.read(os.fspath(tmp_path / "failure.json")) is None
    assert summary.announced(None) == summary.written(None) == summary.adopted([None]) == ()
    assert summary.changed_fields([None]) == {}


def test_what_only_the_server_knows_is_not_called_nothing() -> None:
    """Helm applies server-side, and the server was not asked."""
    nobody = Held("", "", "", "")
    shirt = Identity("stable.example.com", "v1", "Shirt", "shirts", "shop", "shirt")
    each = ObjectView(
        "shirt", shirt, 1, False, None, (), True, (), Predicted("apply"), (), {}, {}, None, {}, None, nobody
    )
    assert summary.changed_fields([View(About(), (each,))]) == {"shirt": ("fields unknown",)}
    assert summary.changed_fields([View(About(), (replace(each, after={}),))]) == {}


class TestTheEnvironmentOfAStep:
    def test_the_plan_is_left_where_the_run_reads_it(self) -> None:
        made = helm_process.environ(
            Renderer((), {"A": "b", "POSTRENDER_PLAN": "p"}), "first.json", first=True, resumed=False
        )
        assert made == {"A": "b", "POSTRENDER_PLAN": "p", "POSTRENDER_RUN_PLAN": "first.json"}

    @pytest.mark.parametrize(("first", "resumed"), [(True, True), (False, False)])
    def test_only_the_first_step_is_held_to_a_plan(self, first: bool, resumed: bool) -> None:
        made = helm_process.environ(Renderer((), {"POSTRENDER_PLAN": "p"}), "x.json", first=first, resumed=resumed)
        assert made == {"POSTRENDER_RUN_PLAN": "x.json"}

    def test_the_second_report_stands_beside_the_first(self, tmp_path: Path) -> None:
        report = str(tmp_path / "report.txt")
        wanted = Renderer((), {"POSTRENDER_REPORT": report})
        reports = [
            helm_process.environ(wanted, "p", first=first, resumed=False)["POSTRENDER_REPORT"]
            for first in (True, False)
        ]
        assert reports == [report, str(tmp_path / "report.upgrade.txt")]

    def test_a_pipe_gets_both(self) -> None:
        wanted = Renderer((), {"POSTRENDER_REPORT": os.devnull})
        assert helm_process.environ(wanted, "p", first=False, resumed=False)["POSTRENDER_REPORT"] == os.devnull


def test_many_names_are_counted() -> None:
    assert shorten([]) == ""
    assert shorten(list("abcde")) == "a, b, c, d, e"
    assert shorten(list("abcdefg")) == "a, b, c, d, e and 2 more"
