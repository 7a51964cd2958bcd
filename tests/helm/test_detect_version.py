"""Which process counts as the calling Helm, and which program is ever run to ask for its version."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from postrender.helm import detect_version as versions
from postrender.helm import process as helms
from postrender.helm.detect_version import VersionUnknown, ask_version, exact
from postrender.helm.process import Helm, Process, is_helm
from postrender.helm.versions import HelmVersion
from tests.helm.processes import Chain, chain
from tests.tools import assets

HELM = ("/usr/bin/helm", "helm install shop ./c")


@pytest.mark.parametrize(
    ("above", "pid"),
    [
        ([], None),
        ([HELM], 100),
        ([("/bin/sh", "sh -c postrender"), ("/usr/bin/env", "env"), HELM], 102),
        # the nearest one that renders: a plugin runs another Helm, a helmfile runs Helm
        ([HELM, ("/p/secrets", "secrets"), ("/usr/bin/helm", "helm secrets install other ./c")], 100),
        ([("/p/diff", "diff"), ("/usr/bin/helm", "helm diff upgrade other ./c")], None),
        ([("/usr/bin/helm", "helm postrender plan"), HELM], 101),
        ([("/usr/bin/helmfile", "helmfile apply")], None),
        ([HELM, ("/usr/bin/helmfile", "helmfile apply")], 100),
        # a script called helm is a shell, whose first argument is the script's path
        ([("/bin/bash", "/bin/bash /usr/local/bin/helm install other ./c")], None),
        ([HELM, ("/bin/bash", "/bin/bash /usr/local/bin/helm install other ./c")], 100),
        # a program of another name that says it is helm is believed, but never run
        ([("/opt/helm.real", "helm install shop ./c")], 100),
        ([("", "/usr/bin/helm install shop ./c")], 100),
        ([("/bin/busybox", "helm install shop ./c")], 100),
        # a program called helm under whatever name it was started
        ([("/usr/bin/helm", "h install shop ./c")], 100),
        ([("/usr/bin/helm", "")], None),
    ],
)
def test_which_process_is_the_caller(above: list[tuple[str, str]], pid: int | None) -> None:
    found = helms.find(0, chain(*above))
    assert (found.process.pid if found else None) == pid


@pytest.mark.parametrize(
    "name",
    [
        "helm",
        "helm3",
        "helm4",
        "helm-3.12.3",
        "helm-v3.12.3",
        "helm-3",
        "helmv3",
        "helm3.12",
        "helm.exe",
        "helm_3.12.3",
        "helm-linux-amd64",
        "helm-v3.12.3-darwin-arm64",
        "helm_3.12.3_linux_amd64",
    ],
)
def test_names_of_helm(name: str) -> None:
    assert is_helm(f"/opt/{name}")


@pytest.mark.parametrize(
    "name",
    ["", "nothelm", "helmfile", "helm-diff", "helm-secrets", "helm.sh", "helm.real", "helm-3.12.3.sh", "HELM",
     "helmsman", "helm-linux", "helm-amd64", "helm-", "helm-v", "helm ", "busybox", "bash"],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert not is_helm(f"/opt/{name}")


def helm(exe: str = "/usr/bin/helm", *, ours: bool = True) -> Helm:
    found = helms.find(0, Chain((Process(100, 1, exe, ("helm", "template", "./c"), whole=True, ours=ours),)))
    assert found is not None
    return found


def program(path: Path, body: str) -> str:
    """A script that stands for Helm's program (and is one only here: a script's process has its shell's name)."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def asked(caller: Helm, path: str) -> HelmVersion | VersionUnknown:
    return ask_version(caller, Chain((caller.process,), {100: path}), os.environ)


def test_only_a_program_called_helm_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = program(tmp_path / "program", f"echo v3.12.3; touch {mark}")
    for exe in ("/opt/nothelm", "/opt/helm.real", "/usr/bin/helmfile", "/bin/busybox", "/bin/bash", ""):
        answer = asked(helm(exe), path)
        assert answer == VersionUnknown(
            f"process 100 runs as helm, but its program {'is ' + exe if exe else 'cannot be seen'}"
        )
        assert not mark.exists()
    assert asked(helm("/opt/helm"), path) == HelmVersion(3, 12, 3)
    assert mark.exists()


def test_another_users_program_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = program(tmp_path / "program", f"touch {mark}")
    assert asked(helm(ours=False), path) == VersionUnknown("/usr/bin/helm (pid 100) runs as another user")
    assert not mark.exists()


def test_what_the_program_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, no kubeconfig, no storage driver, no credentials and nothing on stdin."""
    for name in ("HELM_DRIVER", "HELM_DRIVER_SQL_CONNECTION_STRING", "KUBECONFIG", "HELM_KUBETOKEN", "HELM_PLUGINS"):
        monkeypatch.setenv(name, "s3cret")
    told = tmp_path / "told"
    path = program(
        tmp_path / "program", f'env > {told}; pwd >> {told}; echo "$@" >> {told}; cat >> {told}; echo v3.17.3'
    )
    assert asked(helm(), path) == HelmVersion(3, 17, 3)
    lines = told.read_text().splitlines()
    assert lines[-2:] == ["/", "version --template {{.Version}}"]
    given = {line.partition("=")[0] for line in lines[:-2]} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert given == {"HOME", "HELM_NO_PLUGINS", "GOGC"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 3", "/usr/bin/helm version failed with exit code 3"),
        ("kill -9 $$", "/usr/bin/helm version failed with exit code -9"),
        ("echo nonsense", "/usr/bin/helm version said 'nonsense', which is not a version"),
        ("echo", "/usr/bin/helm version said '', which is not a version"),
        ("printf '\\377\\033[2J'", "/usr/bin/helm version said '\ufffd\\x1b[2J', which is not a version"),
        ("yes", None),
        ("echo v3.17", "/usr/bin/helm version said 'v3.17', whose patch releases behave differently"),
    ],
)
def test_answers_that_are_none(body: str, reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "VERSION_TIMEOUT", 0.5)
    answer = asked(helm(), program(tmp_path / "program", body))
    assert isinstance(answer, VersionUnknown)
    assert answer.reason == (reason or "/usr/bin/helm version gave no answer within 0.5 s")


def test_a_program_that_does_not_answer_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "VERSION_TIMEOUT", 0.3)
    pid = tmp_path / "pid"
    begun = time.monotonic()
    answer = asked(helm(), program(tmp_path / "program", f"echo $$ > {pid}; exec sleep 60"))
    assert answer == VersionUnknown("/usr/bin/helm version gave no answer within 0.3 s")
    assert time.monotonic() - begun < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    reason = "/usr/bin/helm version could not be run: No such file or directory"
    assert asked(helm(), str(tmp_path / "none")) == VersionUnknown(reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.12.3", HelmVersion(3, 12, 3)),
        ("v3.12.3+g3a31588", HelmVersion(3, 12, 3)),
        ("3.17.0-rc.1\n", HelmVersion(3, 17, 0)),
        ("v3.12", HelmVersion(3, 12, 0)),
        ("v3.17", VersionUnknown("whose patch releases behave differently")),
        ("v4.0", VersionUnknown("whose patch releases behave differently")),
        ("", VersionUnknown("which is not a version")),
        ("version.BuildInfo{}", VersionUnknown("which is not a version")),
    ],
)
def test_versions(text: str, expected: HelmVersion | VersionUnknown) -> None:
    assert exact(text) == expected


@pytest.mark.parametrize("version", ["3.12.3", "3.17.3", "4.3.1"])
def test_real_helms_answer(version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(assets.helm(version))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert asked(helm(), path) == HelmVersion.parse(version)


def test_a_driver_that_would_connect_is_not_inherited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With it, Helm panics before it says its version."""
    path = str(assets.helm("3.12.3"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HELM_DRIVER", "sql")
    monkeypatch.setenv("HELM_DRIVER_SQL_CONNECTION_STRING", "host=127.0.0.1 port=1 connect_timeout=1")
    assert asked(helm(), path) == HelmVersion(3, 12, 3)
