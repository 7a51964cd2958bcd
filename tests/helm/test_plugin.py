"""The folder that makes this installation a plugin of Helm 4: written, read, brought up to date, removed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from postrender.errors import UsageError
from postrender.helm import plugin as files
from postrender.helm.plugin import Plugin, claims, installed


def plugin(folder: Path, version: str = "0.1.0", program: str = "/opt/postrender") -> Plugin:
    made = Plugin(str(folder / "postrender"), version, program)
    files.write(made)
    return made


def claim(folder: Path, text: str) -> str:
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text(text)
    return str(folder)


def test_what_is_written_is_what_helm_wants(tmp_path: Path) -> None:
    plugin(tmp_path)
    assert (tmp_path / "postrender" / "plugin.yaml").read_text() == (
        "# Written by `postrender helm-plugin install`, and rewritten by a newer postrender: changes are lost.\n"
        "apiVersion: v1\n"
        "type: postrenderer/v1\n"
        "name: postrender\n"
        "version: 0.1.0\n"
        "runtime: subprocess\n"
        "runtimeConfig:\n"
        "  platformCommand:\n"
        "  - command: ${HELM_PLUGIN_DIR}/postrender\n"
    )


def test_what_is_written_is_read_back_and_not_written_again(tmp_path: Path) -> None:
    made = plugin(tmp_path, program="/opt/it's here/postrender")
    assert files.read(made.folder) == made
    assert not files.write(made)
    assert sorted(os.listdir(made.folder)) == ["plugin.yaml", "postrender"]


def test_the_script_hands_on_arguments_and_stdin(tmp_path: Path) -> None:
    program = tmp_path / "a b" / "postrender"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@"; cat; exit 4\n')
    program.chmod(0o755)
    made = plugin(tmp_path, program=str(program))
    done = subprocess.run([f"{made.folder}/postrender", "a b", "--c"], input=b"in", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (4, b"<a b><--c>in", b"")


def test_the_script_says_where_its_program_is_gone(tmp_path: Path) -> None:
    made = plugin(tmp_path, program="/nowhere/postrender")
    assert not made.works
    done = subprocess.run(
        [f"{made.folder}/postrender"], input=b"", capture_output=True, check=False, start_new_session=True
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "error: /nowhere/postrender is gone\nhint: install it again, then: postrender helm-plugin install\n"
    )


def test_a_newer_version_writes_its_own_plugin_anew(tmp_path: Path) -> None:
    made = plugin(tmp_path)
    environ = {"HELM_PLUGIN_NAME": "postrender", "HELM_PLUGIN_DIR": made.folder}
    files.refresh(environ, "0.2.0")
    assert files.read(made.folder) == Plugin(made.folder, "0.2.0", made.program)


@pytest.mark.parametrize(
    "text", ["name: postrender\nversion: 0.0.1\n", "# Written by hand\nname: postrender\n"], ids=["plain", "comment"]
)
def test_a_plugin_of_somebody_elses_is_never_written_anew(tmp_path: Path, text: str) -> None:
    folder = claim(tmp_path / "postrender", text)
    files.refresh({"HELM_PLUGIN_NAME": "postrender", "HELM_PLUGIN_DIR": folder}, "0.2.0")
    assert (tmp_path / "postrender" / "plugin.yaml").read_text() == text
    assert files.read(folder) is None


def test_another_plugins_variables_mean_nothing(tmp_path: Path) -> None:
    made = plugin(tmp_path)
    files.refresh({"HELM_PLUGIN_NAME": "diff", "HELM_PLUGIN_DIR": made.folder}, "0.2.0")
    files.refresh({}, "0.2.0")
    assert files.read(made.folder) == made


def test_removing_leaves_the_files_of_others(tmp_path: Path) -> None:
    made = plugin(tmp_path)
    (tmp_path / "postrender" / "notes").write_text("mine")
    assert not files.remove(made)
    assert os.listdir(made.folder) == ["notes"]
    plugin(tmp_path)
    (tmp_path / "postrender" / "notes").unlink()
    assert files.remove(made)
    assert os.listdir(tmp_path) == []


def test_who_claims_the_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    mine = plugin(one)
    command = claim(one / "other", "name: postrender\nusage: another\ncommand: $HELM_PLUGIN_DIR/x\n")
    hidden = claim(two / ".hidden", 'apiVersion: v1\ntype: cli/v1\nname: "postrender"\n')
    claim(two / "diff", "name: diff\n")
    claim(two / "broken", "name: [postrender\n")
    assert claims([str(one), str(two), str(tmp_path / "none")], mine.folder) == [command, hidden]


def test_who_holds_the_place(tmp_path: Path) -> None:
    place = str(tmp_path / "postrender")
    assert claims([str(tmp_path)], place) == []
    claim(tmp_path / "postrender", "name: something\n")
    assert claims([str(tmp_path)], place) == [place]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "postrender").symlink_to(tmp_path / "nowhere")
    linked = str(tmp_path / "elsewhere" / "postrender")
    assert claims([str(tmp_path / "elsewhere")], linked) == [linked]


@pytest.mark.parametrize(
    ("version", "semver"),
    [
        ("0.1.0", "0.1.0"),
        ("0.2.0rc1", "0.2.0-rc1"),
        ("1.0.0.dev3+g1a2b", "1.0.0-dev3+g1a2b"),
        ("1.0", "0.0.0"),
    ],
)
def test_the_version_is_a_semantic_one(version: str, semver: str) -> None:
    assert files.semver(version) == semver


def script(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_program_of_an_installation(tmp_path: Path) -> None:
    beside = script(tmp_path / "venv" / "bin" / "postrender")
    python = str(beside.with_name("python"))
    assert installed("-c", python) == str(beside)
    user = script(tmp_path / "user" / "bin" / "postrender")
    assert installed(str(user), python) == str(user)


def test_the_program_of_a_clone_is_the_one_that_makes_its_environment(tmp_path: Path) -> None:
    inner = script(tmp_path / ".venv" / "bin" / "postrender")
    assert installed(str(inner), str(inner.with_name("python"))) == str(inner)
    outer = script(tmp_path / "bin" / "postrender")
    (tmp_path / "pyproject.toml").write_text("")
    assert installed(str(inner), str(inner.with_name("python"))) == str(outer)


def test_what_was_not_installed_has_no_program(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        installed(str(tmp_path / "__main__.py"), str(tmp_path / "python3"))
    assert str(error.value) == (
        f"{tmp_path}/python3: this postrender was not installed, so there is no program that Helm could run\n"
        "note: in a clone; or run its bin/postrender\nhint: pipx install ."
    )
