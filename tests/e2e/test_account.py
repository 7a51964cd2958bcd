"""The account reaches a person: on a terminal, through a pipe and in the file, whatever Helm does with our stderr."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import subprocess
import termios
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.charts import chart, manifest
from tests.e2e.helm import RUN_WITHIN, Filter, Helm, HelmFactory
from tests.e2e.kinds import BETA_SHIRT, STABLE_SHIRT

VERSIONS = ("3.12.3", "3.21.4", "4.1.4", "4.3.1")
FAILURE = "--stamp: invalid value 'nonsense'; choose adopt, all, none"
BAD = Filter(("--stamp=nonsense",))


@pytest.fixture
def shirts(tmp_path: Path) -> Path:
    return chart(
        tmp_path, {kind.group: manifest(kind, "shirt", {"color": "blue"}) for kind in (BETA_SHIRT, STABLE_SHIRT)}
    )


def on_terminal(
    it: Helm, arguments: tuple[str, ...], filter: Filter, stderr: IO[bytes] | None = None
) -> tuple[int, str]:
    """Run Helm on a terminal of its own, its stderr there or in a file: the exit code, and what it showed."""
    command, environment = it.command(*arguments, filter=filter)
    reader, terminal = pty.openpty()
    try:
        running = subprocess.Popen(
            command,
            env=environment,
            cwd=it.home,
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=stderr or terminal,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
    finally:
        os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # which ends the reading when nobody has the terminal open any more
        while data := os.read(reader, 10_000):
            seen += data
    os.close(reader)
    return running.wait(RUN_WITHIN), seen.decode().replace("\r\n", "\n")


def template(shirts: Path) -> tuple[str, ...]:
    return ("template", "shop", str(shirts))


def report(it: Helm) -> Path:
    return it.home / "state" / "postrender" / "reports" / it.namespace / "shop.txt"


@pytest.mark.parametrize("version", VERSIONS)
class TestOnATerminal:
    def test_success_is_seen_once(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        code, screen = on_terminal(helm(version), template(shirts), Filter())
        assert code == 0
        assert screen.startswith(f"postrender: helm {version} template, release")
        assert " ".join(screen.split()).count("label added") == 2, screen
        assert screen.endswith("  2 of 2 objects modified\n")

    def test_failure_is_seen_once(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        code, screen = on_terminal(helm(version), template(shirts), BAD)
        assert code == 1
        assert screen.count(FAILURE) == 1, screen


@pytest.mark.parametrize("version", VERSIONS)
class TestThroughAPipe:
    def test_success_is_read_once(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        run = helm(version).template("shop", shirts, filter=True).expect_ok()
        assert run.stderr.count(f"postrender: helm {version} template") == 1, run.stderr

    def test_what_a_program_reads_stays_clean(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        it = helm(version)
        for arguments in (template(shirts), ("install", "shop", str(shirts), "-o", "json")):
            command, environment = it.command(*arguments, filter=True)
            both = subprocess.run(
                command,
                env=environment,
                cwd=it.home,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=True,
                start_new_session=True,
            ).stdout.decode()
            assert "no cluster was asked" not in both
            assert "PR201" not in both
            assert "kind: Shirt" in both or json.loads(both)["name"] == "shop"

    def test_failure_is_read_once(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        run = helm(version).template("shop", shirts, filter=BAD)
        assert run.exit_code == 1
        assert run.stderr.count(FAILURE) == 1, run.stderr

    def test_failure_is_read_once_where_the_version_is_told(
        self, helm: HelmFactory, shirts: Path, version: str
    ) -> None:
        other = "4.0.1" if version < "4" else "3.12.3"
        run = helm(version).template("shop", shirts, filter=Filter((f"--helm-version={other}", "--then=false")))
        assert run.stderr.count("--then false: ended with exit code 1") == 1, run.stderr

    def test_quiet_says_nothing_but_failures(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        it = helm(version)
        assert "postrender" not in it.template("shop", shirts, filter=Filter(("--quiet",))).expect_ok().stderr
        assert it.template("shop", shirts, filter=Filter(("--quiet", *BAD.args))).stderr.count(FAILURE) == 1


@pytest.mark.parametrize("version", VERSIONS)
class TestWithStderrInAFile:
    """Helm's later writes would go over ours: a plain file is never written to."""

    def test_success_is_seen_on_the_terminal(
        self, helm: HelmFactory, shirts: Path, tmp_path: Path, version: str
    ) -> None:
        with (tmp_path / "log").open("wb") as log:
            code, screen = on_terminal(helm(version), template(shirts), Filter(), log)
        assert (code, (tmp_path / "log").read_text()) == (0, "")
        assert screen.count(f"postrender: helm {version} template") == 1

    def test_failure_is_seen_where_helm_does_not_tell_it(
        self, helm: HelmFactory, shirts: Path, tmp_path: Path, version: str
    ) -> None:
        with (tmp_path / "log").open("wb") as log:
            _, screen = on_terminal(helm(version), template(shirts), BAD, log)
        told = (tmp_path / "log").read_text()
        assert told.count(FAILURE) == (version < "4")
        assert screen.count(FAILURE) == (version >= "4")


@pytest.mark.parametrize("version", VERSIONS)
class TestTheReportFile:
    def test_success(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        it = helm(version)
        run = it.install("shop", shirts, filter=True).expect_ok()
        assert f"\n  report: {report(it)}\n" in run.stderr
        assert report(it).stat().st_mode & 0o777 == 0o600
        head, _, account = report(it).read_text().partition("\n")
        assert head.startswith("postrender 0.1.0, 20")
        assert head.endswith("Z, exit code 0")
        assert account.startswith(f"postrender: helm {version} install, release {it.namespace}/shop, ")
        assert account in run.stderr

    def test_failure(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        it = helm(version)
        it.install("shop", shirts, filter=BAD)
        head, _, said = report(it).read_text().partition("\n")
        assert head.endswith("exit code 2")
        assert said == f"error: {FAILURE}\nhint: postrender --help\n"

    def test_a_file_of_ones_own(self, helm: HelmFactory, shirts: Path, tmp_path: Path, version: str) -> None:
        it, own = helm(version), tmp_path / "own.txt"
        run = it.template("shop", shirts, filter=Filter((f"--report={own}",))).expect_ok()
        assert f"\n  report: {own}\n" in run.stderr
        assert f"postrender: helm {version} template" in own.read_text()

    def test_a_rendering_leaves_the_report_of_the_last_run_that_did_something(
        self, helm: HelmFactory, shirts: Path, version: str
    ) -> None:
        it = helm(version)
        assert "  report:" not in it.template("shop", shirts, filter=True).expect_ok().stderr
        assert not report(it).exists()

    def test_a_file_that_cannot_be_written_is_said_and_no_failure(
        self, helm: HelmFactory, shirts: Path, version: str
    ) -> None:
        run = helm(version).template("shop", shirts, filter=Filter(("--report=/proc/none/report",))).expect_ok()
        assert "\n  note: no report could be written to /proc/none/report: No such file or directory\n" in run.stderr

    def test_none_is_written_where_none_is_wanted(self, helm: HelmFactory, shirts: Path, version: str) -> None:
        it = helm(version)
        assert "  report:" not in it.install("shop", shirts, filter=Filter(("--no-report",))).expect_ok().stderr
        assert not report(it).exists()
