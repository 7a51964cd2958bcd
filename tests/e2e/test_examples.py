"""The commands in the READMEs of the examples that need a cluster, run as they stand there, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_examples import HELM, path, shell
from tests.e2e.conftest import program
from tests.e2e.controlplane import ControlPlane
from tests.tools import ansible, readmes

WITH_CLUSTER = [folder for folder in readmes.examples() if readmes.blocks(folder, readmes.WITH_CLUSTER)]


@pytest.mark.parametrize("example", WITH_CLUSTER, ids=lambda folder: folder.name)
def test_the_commands_of_the_readme(example: Path, control_plane: ControlPlane, tmp_path: Path) -> None:
    folder = readmes.copy(tmp_path)
    callers = [ansible.playbook()] if example.name == "ansible" else []
    environ = {
        "PATH": path(program(f"helm@{HELM}"), *callers),
        "LC_ALL": "C.UTF-8",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(control_plane.kubeconfig),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for block in readmes.blocks(example, readmes.WITH_CLUSTER):
        printed = shell(block.commands, folder, environ)
        if block.shown is not None:
            assert printed == block.shown
