"""Under Skaffold silence would empty a release: a filter that fails prints what nobody can take for manifests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from postrender.helm.process import UNREADABLE, ignores_exit_code
from tests.helm.processes import chain

HELM = ("/usr/bin/helm", "helm upgrade shop ./chart --post-renderer /usr/bin/skaffold")
SKAFFOLD = ("/usr/bin/skaffold", "/usr/bin/skaffold")
SHELL = ("/bin/sh", "sh ./postrender-skaffold")


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ((SKAFFOLD, HELM), True),
        ((SHELL, SKAFFOLD, HELM), True),
        ((("", "skaffold-linux-amd64"), HELM), True),
        ((HELM, SKAFFOLD), False),
        ((HELM,), False),
        ((), False),
    ],
)
def test_who_takes_no_notice(above: tuple[tuple[str, str], ...], expected: bool) -> None:
    assert ignores_exit_code(0, chain(*above)) is expected


def test_what_is_printed_then_is_no_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        list(yaml.safe_load_all(UNREADABLE))


@pytest.mark.skipif(sys.platform != "linux", reason="a shell is called something else here by copying it")
@pytest.mark.parametrize(("name", "printed"), [("skaffold", UNREADABLE), ("other", "")])
def test_a_refusal_under_such_a_caller(name: str, printed: str, tmp_path: Path) -> None:
    shutil.copy(Path("/bin/sh").resolve(), tmp_path / name)
    call = f"'{sys.executable}' -m postrender --offline --stamp some; true"
    done = subprocess.run([tmp_path / name, "-c", call], input=b"", capture_output=True)
    assert done.stdout.decode() == printed
    assert done.stderr == b"error: --stamp: invalid value 'some'; choose adopt, all, none\nhint: postrender --help\n"
