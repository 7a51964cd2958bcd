"""What every command has in common: a parser, help that fits a terminal, a line in the program's own help."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import postrender.cli.commands
from postrender.cli.arguments import CONNECTION
from postrender.cli.commands import COMMANDS
from tests.cli.test_filter import refused, run


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal_and_names_the_command(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert done.stderr == b""
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith(f"usage: postrender {name}")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", ["filter", *COMMANDS])
def test_a_command_offers_its_parser(name: str) -> None:
    parser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
    assert parser.prog == ("postrender" if name == "filter" else f"postrender {name}")
    flagless = [each for each in parser._actions if not each.help]
    assert flagless == [], "an argument without help"


def test_every_module_that_runs_is_listed() -> None:
    folder = Path(postrender.cli.commands.__file__).parent
    running = {path.stem for path in folder.glob("*.py") if "\ndef main(" in path.read_text()}
    assert running == {"filter", *(name.replace("-", "_") for name in COMMANDS)}


def test_the_programs_help_shows_calls_then_commands_then_flags() -> None:
    text = run("--help").stdout.decode()
    places = [text.index("examples:"), text.index("commands ("), text.index("\n  --version")]
    assert places == sorted(places)
    for name, summary in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, summary] for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 80


def test_the_three_calls_of_the_help_are_calls_that_exist() -> None:
    calls = run("--help").stdout.decode().partition("examples:\n")[2].partition("\n\n")[0]
    assert calls.count("postrender") == 3
    flags = {word for word in calls.split() if word.startswith("--") and word != "--post-renderer"}
    assert flags == {"--release", "--offline", "--live", "--helm-version"}
    assert "unrecognized" not in refused(run("--stamp", "x", "--release", "x", "--offline", "--live", "x"), 2)


def test_a_command_that_does_not_exist() -> None:
    assert refused(run("explaim", "PR101"), 2) == (
        'error: unknown command "explaim"; did you mean "explain"?\nhint: postrender explain --help\n'
    )
    assert refused(run("xyzzy"), 2) == 'error: unknown command "xyzzy"\nhint: postrender --help\n'


@pytest.mark.parametrize("name", ["filter", *COMMANDS])
def test_flags_of_the_connection_stand_last_in_one_group(name: str) -> None:
    parser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
    groups = [
        (group.title, [flag for action in group._group_actions for flag in action.option_strings])
        for group in parser._action_groups
        if group._group_actions
    ]
    titles = [title for title, _ in groups]
    assert len(set(titles)) == len(titles)
    holding = [title for title, flags in groups if any(flag.startswith("--kube") for flag in flags)]
    if name != "lint":  # Its --kube-version is that of a chart.
        assert holding == [CONNECTION] * bool(holding)
        assert CONNECTION not in titles or titles[-1] == CONNECTION
