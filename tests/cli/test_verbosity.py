"""``-q`` and ``-v`` mean the same everywhere: less and more of the same text, never another result."""

from __future__ import annotations

from importlib import import_module

import pytest

from postrender.cli.commands import COMMANDS
from postrender.cli.console import NAMES_ONLY, NOTHING
from tests.cli.test_filter import RENDERED, run

LISTS = {"plan", "orphans", "verify", "unserved", "lint"}
"""Commands that list objects: ``-q`` leaves their names."""


def helps(name: str, flag: str) -> list[str]:
    parser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
    return [str(action.help) for action in parser._actions if flag in action.option_strings]


@pytest.mark.parametrize("name", ["filter", *COMMANDS])
def test_quiet_is_names_or_nothing(name: str) -> None:
    for text in helps(name, "-q"):
        assert text == (NAMES_ONLY if name in LISTS else NOTHING)


@pytest.mark.parametrize(
    "name",
    [
        "filter",
        "plan",
        "snapshot",
        "orphans",
        "verify",
        "adopt",
        "unpin",
        "unserved",
        "move",
        "forget",
        "rename",
        "doctor",
        "flux",
        "argocd",
    ],
)
def test_what_has_one_has_the_other(name: str) -> None:
    assert len(helps(name, "-q")) == len(helps(name, "-v")) == 1
    assert helps(name, "-q") != helps(name, "-v")


def test_the_doctor_says_where_settings_come_from_only_if_asked() -> None:
    environ = {"PATH": "/nonexistent", "POSTRENDER_NAMESPACE": "shop"}
    plain, more, less = (run("doctor", "--offline", *flags, environ=environ) for flags in ((), ("-v",), ("-q",)))
    assert [done.returncode for done in (plain, more, less)] == [2, 2, 2]
    assert b"POSTRENDER_NAMESPACE" not in plain.stdout
    assert b"POSTRENDER_NAMESPACE" in more.stdout
    assert less.stdout == b"Helm\n"
    assert plain.stdout.endswith(b"\n1 check failed: Helm\n")


def test_a_snapshot_names_what_it_holds_only_if_asked() -> None:
    common = ("snapshot", "-", "--live", "examples/shirts/live.yaml", "--release", "shirts", "-n", "default")
    plain, more, less = (run(*common, *flags, stdin=RENDERED) for flags in ((), ("-v",), ("-q",)))
    assert [done.stdout.startswith(b"# what postrender snapshot found") for done in (plain, more, less)] == [True] * 3
    assert plain.stderr.count(b"\n") == 2
    lines = more.stderr.decode().splitlines()[2:]
    assert lines == ["  Shirt.beta.example.com/default/shirt", "  Shirt.stable.example.com/default/shirt"]
    assert less.stderr == b""
