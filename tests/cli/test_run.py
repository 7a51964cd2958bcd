"""``postrender run`` as a subprocess: what it says before any Helm runs. The rest is in ``tests/e2e/test_run.py``."""

from __future__ import annotations

from tests.cli.test_filter import refused, run


def test_no_helm_is_named() -> None:
    for arguments in ((), ("--",), ("--adopt", "orphans")):
        assert refused(run("run", *arguments), 2) == (
            "error: the Helm command is missing; write it after --\nhint: postrender run -- helm install NAME CHART\n"
        )


def test_a_helm_that_is_not_there() -> None:
    assert refused(run("run", "--", "nohelm", "install", "r", "c"), 2) == (
        "error: nohelm: is not on PATH\nhint: postrender run -- helm install r c\n"
    )


def test_a_command_that_makes_no_release_is_told_before_helm_is_asked() -> None:
    assert refused(run("run", "--", "nohelm", "list"), 2) == (
        "error: helm list: only helm install and helm upgrade make a release that can be finished\n"
        "hint: postrender run -- helm install NAME CHART ...\n"
    )


def test_a_setting_that_makes_no_sense_is_told_before_helm_is_asked() -> None:
    message = refused(run("run", "--adopt", "everything", "--", "nohelm", "install", "r", "c"), 2)
    assert (
        message
        == "error: --adopt: invalid value 'everything'; choose orphans, unmanaged\nhint: postrender run --help\n"
    )
