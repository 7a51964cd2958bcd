"""``postrender completion``, in real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from postrender.cli.commands import COMMANDS
from postrender.cli.commands.completion import SHELLS
from tests.cli.test_filter import refused, run
from tests.tools.installed import needed
from tools.completion.describe import commands
from tools.completion.scripts import FOLDER, scripts

Complete = Callable[..., list[str]]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_file_is_what_the_parsers_make(shell: str) -> None:
    assert (FOLDER / f"{shell}.txt").read_text() == scripts()[f"{shell}.txt"], "run: python -m tools.completion"


def test_there_is_a_file_for_each_shell_and_no_other() -> None:
    assert {path.name for path in FOLDER.iterdir()} == scripts().keys() == {f"{shell}.txt" for shell in SHELLS}


def script(name: str, folder: Path) -> Path:
    done = run("completion", name, stdin=b"")
    assert (done.returncode, done.stderr) == (0, b"")
    path = folder / f"completion.{name}"
    path.write_bytes(done.stdout)
    return path


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Complete:
    """``bash("plan", "--out")``: what is offered for the last word."""
    made = script("bash", tmp_path_factory.mktemp("bash"))
    program = (
        f'source {made}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postrender; '
        'for each in "${COMPREPLY[@]}"; do printf "%s\\n" "$each"; done'
    )

    def complete(*words: str, folder: Path | None = None) -> list[str]:
        done = subprocess.run(
            [needed("bash"), "--norc", "-c", program, "bash", "postrender", *words],
            capture_output=True,
            cwd=folder,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return complete


def test_bash_offers_every_command(bash: Complete) -> None:
    assert bash("") == list(COMMANDS)
    assert bash("or") == ["orphans"]
    assert bash("orphans", "or") == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_bash_offers_every_flag(bash: Complete, command: str) -> None:
    (described,) = (each for each in commands() if each.name == command)
    words = [command] if command else []
    spellings = [spelling for flag in described.flags for spelling in flag.spellings]
    assert sorted(bash(*words, "-")) == sorted(spellings)
    assert "--help" in spellings


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("orphans", "--out"), ["--output"]),
        (("orphans", "--output", ""), ["table", "wide", "name", "json", "yaml", "text"]),
        (("orphans", "-A", "-o", "j"), ["json"]),
        (("orphans", "--output", "=", "y"), ["yaml"]),
        (("orphans", "--output", "="), ["table", "wide", "name", "json", "yaml", "text"]),
        (("--stamp", ""), ["adopt", "all", "none"]),
        (("--action", "up"), ["upgrade", "upgrade-install"]),
        (("--release", ""), []),
        (("verify", "shop", "--f"), ["--fix", "--field-manager"]),
        (("explain", "PR10"), [f"PR10{digit}" for digit in range(1, 8)]),
        (("helm-plugin", "un"), ["uninstall"]),
        (("completion", ""), ["bash", "zsh", "fish", "powershell"]),
    ],
)
def test_bash_offers_values(bash: Complete, words: tuple[str, ...], offered: list[str]) -> None:
    assert bash(*words) == offered


def test_bash_offers_files(bash: Complete, tmp_path: Path) -> None:
    (tmp_path / "live file.yaml").touch()
    (tmp_path / "chart").mkdir()
    assert sorted(bash("--live", "", folder=tmp_path)) == ["chart", "live file.yaml"]
    assert bash("plan", "shop", "ch", folder=tmp_path) == ["chart"]
    assert bash("adopt", "--undo", "li", folder=tmp_path) == ["live file.yaml"]
    assert bash("verify", "ch", folder=tmp_path) == []


@pytest.fixture(scope="module")
def fish(tmp_path_factory: pytest.TempPathFactory) -> Complete:
    """``fish("plan --out")``: what is offered for the end of the line."""
    folder = tmp_path_factory.mktemp("fish")
    path, made = needed("fish"), script("fish", folder)

    def complete(line: str) -> list[str]:
        done = subprocess.run(
            [path, "--no-config", "-c", f"source {made}; complete -C 'postrender {line}'"],
            capture_output=True,
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return [each.partition("\t")[0] for each in done.stdout.splitlines()]

    return complete


def test_fish(fish: Complete) -> None:
    assert sorted(fish("")) == sorted(COMMANDS)
    assert fish("or") == ["orphans"]
    assert fish("orphans --out") == ["--output"]
    assert fish("orphans -o j") == ["json"]
    assert sorted(fish("orphans --color ")) == ["always", "auto", "never"]
    assert fish("--acti") == ["--action"]
    assert fish("--action ins") == ["install"]
    assert fish("completion z") == ["zsh"]
    assert fish("--live completion") == ["completion.fish"]
    for command in commands():
        # A flag whose value may be left out is offered with = as well.
        offered = {each.rstrip("=") for each in fish(f"{command.name} --" if command.name else "--")}
        long = {each for flag in command.flags for each in flag.spellings if each.startswith("--")}
        assert offered == long, command.name


@pytest.fixture(scope="module")
def zsh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], None]]:
    """``zsh("plan --outp", "--output")``: a line and a press of the Tab key, and what must then stand there."""
    folder = tmp_path_factory.mktemp("zsh")
    path, made = needed("zsh"), script("zsh", folder)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "PS1": "READY "}
        os.execve(path, [path, "-f", "-i"], environ)
    read_until(terminal, b"READY ")
    setup = f"autoload -U compinit; compinit -u -D; source {made}; unsetopt LIST_AMBIGUOUS BEEP\n"
    os.write(terminal, setup.encode())
    read_until(terminal, b"READY ")

    def complete(line: str, expected: str) -> None:
        os.write(terminal, f"postrender {line}\t".encode())
        read_until(terminal, expected.encode())
        os.write(terminal, b"\x15\n")
        read_until(terminal, b"READY ")

    yield complete
    os.kill(process, signal.SIGHUP)
    os.waitpid(process, 0)


def read_until(terminal: int, mark: bytes) -> None:
    """Wait until the terminal shows it; the marks of a terminal's own are taken out first."""
    seen, deadline = b"", time.monotonic() + 60
    while mark not in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x07|.\x08", b"", seen):
        left = deadline - time.monotonic()
        assert left > 0, seen
        if select.select([terminal], [], [], left)[0]:
            seen += os.read(terminal, 65536)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("orph", "orphans"),
        ("orphans --outp", "--output"),
        ("orphans -o js", "json"),
        ("verify shop --f", "--fix"),
        ("--take-o", "--take-ownership"),
        ("--stamp no", "none"),
        ("completion fi", "fish"),
        ("adopt --undo compl", "completion.zsh"),
    ],
)
def test_zsh(zsh: Callable[[str, str], None], line: str, expected: str) -> None:
    assert expected not in line
    zsh(line, expected)


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_scripts_name_every_flag(name: str) -> None:
    text = run("completion", name, stdin=b"").stdout.decode()
    for command in commands():
        for flag in command.flags:
            for spelling in flag.spellings:
                assert (spelling in text) if name == "zsh" else (f" {spelling[2:] or spelling[1:]} " in text), spelling


def test_powershell_parses_its_script_with_every_flag() -> None:
    """No PowerShell runs it here: its grammar is tested, and what its tables hold."""
    text = run("completion", "powershell", stdin=b"").stdout
    tree = Parser(Language(tree_sitter_powershell.language())).parse(text)
    assert not tree.root_node.has_error
    for command in commands():
        _, _, flags = (
            text.decode().partition("    $flags = @{\n")[2].partition(f"        '{command.name}' = [ordered]@{{\n")
        )
        table = dict(re.findall(r"^ +'([^']+)' = '((?:[^']|'')*)'$", flags.partition("        }\n")[0], re.MULTILINE))
        expected = {name: flag.help.replace("'", "''") for flag in command.flags for name in flag.spellings}
        assert table == expected, command.name


@pytest.mark.parametrize(
    "line",
    [
        "'orphans:--output' = @('table', 'wide', 'name', 'json', 'yaml', 'text')",
        "':--stamp' = @('adopt', 'all', 'none')",
        "':--release' = @()",
        "'completion' = @('bash', 'zsh', 'fish', 'powershell')",
        "'plan' = @()",
    ],
)
def test_powershell_offers_values(line: str) -> None:
    assert f"        {line}\n" in run("completion", "powershell", stdin=b"").stdout.decode()


def test_a_shell_that_is_not_known() -> None:
    assert "invalid choice: 'csh'" in refused(run("completion", "csh", stdin=b""), 2)
