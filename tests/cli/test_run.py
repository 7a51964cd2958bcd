"""``postrender run`` as a subprocess: what it says before any Helm runs. The rest is in ``tests/e2e/test_run.py``."""

from __future__ import annotations

from tests.cli.test_filter import refused, run


def test_no_helm_is_named() -> None:
    for arguments in ((), ("--",), ("--adopt", "orphans")):
        assert refused(run("run", *arguments), 2) == (
            "error: the Helm command is missing; write it after --\nhint: postrender run --help\n"
        )


def test_a_helm_that_is_not_there() -> None:
    assert refused(run("run", "--", "nohelm", "install", "r", "c"), 2) == (
        "error: nohelm: is not on PATH\nnote: install Helm, or give the path of its program\nhint: command -v helm\n"
    )


def test_a_post_renderer_of_its_own() -> None:
    given = ("--adopt", "orphans", "--", "nohelm", "install", "r", "c", "--post-renderer", "x", "--kube-token=t0ken")
    assert refused(run("run", *given), 2) == (
        "error: helm install: --post-renderer is not allowed: postrender is the post-renderer\n"
        "note: without --post-renderer\nhint: postrender run --adopt=orphans -- nohelm install r c\n"
        "note: to run the other post-renderer as well, give its program to postrender run with --then\n"
    )


def test_a_command_that_makes_no_release_is_told_before_helm_is_asked() -> None:
    assert refused(run("run", "--", "nohelm", "list"), 2) == (
        "error: helm list: only helm install and helm upgrade can be run\nhint: postrender run --help\n"
    )


def test_a_setting_that_makes_no_sense_is_told_before_helm_is_asked() -> None:
    message = refused(run("run", "--adopt", "everything", "--", "nohelm", "install", "r", "c"), 2)
    assert (
        message
        == "error: --adopt: invalid value 'everything'; choose orphans, unmanaged\nhint: postrender run --help\n"
    )
