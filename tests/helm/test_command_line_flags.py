"""The table of Helm's flags, held against what real Helms say and do."""

from __future__ import annotations

import re
import subprocess

import pytest

from postrender.helm.command_line import COMMANDS, KEPT, ROOT
from postrender.settings.table import SETTINGS
from tests.tools import assets

VERSIONS = ("3.12.3", "3.17.3", "4.3.1")
_FLAG = re.compile(r"^ +(?:-(?P<letter>\w), |    )--(?P<name>[\w-]+)(?P<value>(?: [\w.-]+)?(?:\[=\S+\])?)  +\S")


def helm(version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    nowhere = {"HOME": "/nonexistent", "HELM_NO_PLUGINS": "1"}
    return subprocess.run(
        [assets.helm(version), *arguments], env=nowhere, capture_output=True, text=True, check=False, timeout=60
    )


def documented(version: str, command: str) -> dict[str, tuple[str, bool]]:
    """Name to letter and whether it takes the next argument, as ``helm COMMAND --help`` lists them."""
    flags = {}
    for text in helm(version, command, "--help").stdout.splitlines():
        found = _FLAG.match(text)
        if found:
            takes_next = bool(found["value"]) and "[=" not in found["value"]
            flags[found["name"]] = (found["letter"] or "", takes_next)
    return flags


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_flag_that_helm_documents_is_known(version: str, command: str) -> None:
    flags = documented(version, command)
    assert len(flags) > 40
    known = COMMANDS[command]
    letters = {name: letter for letter, name in known.letters.items()}
    assert {name: (letters.get(name, ""), known.takes_next.get(name)) for name in flags} == flags


def test_no_flag_is_known_that_no_helm_has() -> None:
    hidden = {
        *("add-dir-header", "alsologtostderr", "alsologtostderrthreshold", "legacy-stderr-threshold-behavior"),
        *("log-backtrace-at", "log-dir", "log-file", "log-file-max-size", "logtostderr", "one-output"),
        *("skip-headers", "skip-log-headers", "stderrthreshold", "v", "vmodule"),
        *("recreate-pods", "atomic", "force", "validate", "hide-notes", "render-subchart-notes"),
    }
    for command, known in COMMANDS.items():
        everywhere = {name for version in VERSIONS for name in documented(version, command)}
        assert set(known.takes_next) - everywhere - hidden == set()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "name", ["add-dir-header", "alsologtostderr", "log-backtrace-at", "log-dir", "logtostderr", "v", "vmodule"]
)
def test_hidden_flags_in_front_of_the_command(version: str, name: str) -> None:
    """A flag that takes the next argument takes ``version`` away, and no command is left to run."""
    answer = helm(version, f"--{name}", "version", "--client=true" if version[0] == "3" else "--short=false")
    ran = "version.BuildInfo" in answer.stdout
    assert ran is not ROOT.takes_next[name], answer.stdout + answer.stderr


def test_every_flag_that_a_setting_reads_is_kept_and_known() -> None:
    read = {name for setting in SETTINGS for name in setting.helm_flags}
    assert read <= KEPT
    assert all(any(name in known.takes_next for known in COMMANDS.values()) for name in KEPT)


def test_what_is_secret_is_not_kept_but_for_the_token() -> None:
    assert {"password", "username", "set", "values", "registry-config", "post-renderer-args"} & KEPT == set()


def test_real_helm_agrees_on_where_the_command_is() -> None:
    """The command lines that are refused to be read here are refused by Helm too."""
    for arguments in (
        ("--atomic", "template", "shop", "c"), ("-i", "upgrade", "shop", "c"), ("-in", "web", "upgrade", "shop", "c")
    ):  # fmt: skip
        answer = helm("3.12.3", *arguments)
        assert answer.returncode != 0
        assert "unknown command" in answer.stderr or "unknown shorthand" in answer.stderr, answer.stderr
