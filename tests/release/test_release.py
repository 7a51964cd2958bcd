"""Wheel, sdist and bill of materials: what is in them, that they are always the same, and that they work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

import postrender
from tests.cli.test_filter import EXAMPLE, LIVE, RENDERED, ROOT
from tools import logged, release
from tools.release import Unfit

VERSION = postrender.__version__


class Built(NamedTuple):
    """The files built from a clone without git, as from a download."""

    clone: Path
    wheel: Path
    sdist: Path


def tracked() -> list[str]:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [name for name in files.rstrip("\0").split("\0") if (ROOT / name).is_file()]


def clone(folder: Path) -> Path:
    """The project's files and nothing made from them; git's metadata neither."""
    for name in tracked():
        if not name.startswith(("tests/", "docs/", "bench/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    source = clone(tmp_path_factory.mktemp("source"))
    sdist, wheel = sorted(release.build(source, tmp_path_factory.mktemp("dist")), key=lambda file: file.suffix)
    return Built(source, wheel, sdist) if wheel.suffix == ".whl" else Built(source, sdist, wheel)


@pytest.fixture(scope="module")
def python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it."""
    return release.environment(tmp_path_factory.mktemp("env") / "venv", built.wheel)


def test_the_names_say_the_version(built: Built) -> None:
    assert built.wheel.name == f"postrender-{VERSION}-py3-none-any.whl"
    assert built.sdist.name == f"postrender-{VERSION}.tar.gz"


def test_twine_finds_no_fault(built: Built) -> None:
    release.checked([built.wheel, built.sdist])


def test_the_wheel_holds_the_package_its_manual_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    about = f"postrender-{VERSION}.dist-info/"
    manual = f"postrender-{VERSION}.data/data/share/man/man1/postrender.1"
    assert {name for name in names if not name.startswith(about)} == {
        manual,
        *(name for name in tracked() if name.startswith("postrender/")),
    }
    assert {name.removeprefix(about) for name in names if name.startswith(about)} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }


def test_the_sdist_holds_what_the_wheel_is_made_of_and_the_examples(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    wanted = {name for name in tracked() if name.startswith(("postrender/", "examples/"))}
    files = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml"}
    made = {"PKG-INFO", "setup.cfg"}
    named = {name for name in names if not name.startswith("postrender.egg-info/")}
    assert named - {"README.zh-CN.md"} == wanted | files | made


def test_two_builds_are_the_same_bytes(built: Built, tmp_path: Path) -> None:
    again = clone(tmp_path / "another place")
    for file in again.rglob("*.py"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    files = {file.name: file.read_bytes() for file in release.build(again, tmp_path / "dist")}
    assert files == {file.name: file.read_bytes() for file in (built.wheel, built.sdist)}


def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path)
    (wheel,) = release.build(tmp_path / f"postrender-{VERSION}", tmp_path / "dist", "--wheel")
    assert wheel.read_bytes() == built.wheel.read_bytes()


def call(python: Path, *arguments: str, stdin: bytes = b"", cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [python.with_name("postrender"), *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": str(cwd)},
        check=False,
    )


def test_the_quick_start_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "examples" / "shirts")
    done = call(python, *LIVE, "--helm-version", "3.12.3", stdin=RENDERED, cwd=tmp_path)
    readme = (EXAMPLE / "README.md").read_text()
    assert done.returncode == 0, done.stderr.decode()
    assert f"```yaml\n{done.stdout.decode()}```" in readme
    assert f"```text\n{done.stderr.decode()}```" in readme


def test_the_command_of_the_readme_installs_from_a_clone(tmp_path: Path) -> None:
    """Into an empty home."""
    command = "pipx install ."
    assert f"\n{command} " in (ROOT / "README.md").read_text()
    source, home = clone(tmp_path / "clone"), tmp_path / "home"
    environ = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}", "HOME": str(home)}
    index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    done = subprocess.run(
        ["sh", "-c", command], cwd=source, env={**index, **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    installed = home / ".local" / "bin" / "python"
    assert call(installed, "--version", cwd=tmp_path).stdout.startswith(f"postrender {VERSION}\n".encode())


def test_what_lies_beside_the_code_is_in_the_wheel(python: Path, tmp_path: Path) -> None:
    """Tables, schemas and the page's style are read at run time."""
    assert call(python, "--version", cwd=tmp_path).stdout.startswith(f"postrender {VERSION}\n".encode())
    found = call(python, "lint", stdin=b"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n", cwd=tmp_path)
    assert b"PL107" in found.stdout
    offline = ("plan", "-", "--offline", "--release", "shirts", "-n", "default")
    for output in ("text", "json", "html"):
        done = call(python, *offline, "-o", output, stdin=RENDERED, cwd=tmp_path)
        assert b"Shirt" in done.stdout or b"shirt" in done.stdout, done.stderr.decode()


def test_nothing_but_what_is_needed_comes_with_it(python: Path) -> None:
    code = "from importlib.metadata import requires; print(*sorted(requires('postrender')), sep='\\n')"
    told = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    needed = [each.partition(">")[0] for each in told if "extra ==" not in each]
    assert needed == ["kubernetes", "psutil", "pyyaml", "ruamel.yaml"]


def test_the_bill_names_what_is_installed(python: Path, tmp_path: Path) -> None:
    path = tmp_path / "bill.json"
    release.bill(python, path)
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    named = {component["name"].lower() for component in bill["components"]}
    assert {"kubernetes", "pyyaml", "ruamel.yaml"} <= named
    assert bill["metadata"]["component"]["name"] == "postrender"
    again = tmp_path / "again.json"
    release.bill(python, again)
    assert again.read_bytes() == path.read_bytes()


CHANGELOG = "# Changelog\n\n## Unreleased\n\n## [1.2.3] - 2026-01-01\n"


def test_a_commit_without_a_tag_may_say_anything() -> None:
    release.agreed("1.2.4", [], CHANGELOG)


def test_a_tag_that_says_the_same() -> None:
    release.agreed("1.2.3", ["v1.2.3"], CHANGELOG)


@pytest.mark.parametrize(
    ("version", "tag", "message"),
    [
        ("1.2.3", "v1.2.4", "the tag is v1.2.4, and postrender.__version__ is 1.2.3"),
        ("1.2.4", "v1.2.4", "CHANGELOG.md has no section for 1.2.4"),
    ],
)
def test_a_tag_that_says_otherwise(version: str, tag: str, message: str) -> None:
    with pytest.raises(Unfit) as error:
        release.agreed(version, [tag], CHANGELOG)
    assert str(error.value) == message


def test_all_of_a_release_is_checked_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    plugin = f"postrender-{VERSION}.tgz"
    assert [*release.check()] == [
        f"the same bytes twice: postrender-{VERSION}-py3-none-any.whl, postrender-{VERSION}.cdx.json, "
        f"postrender-{VERSION}.tar.gz, {plugin}, postrender.pyz",
        "twine finds no fault",
        f"a signature by a key made for this: {plugin}.prov",
        "the checksums match",
    ]


def test_builds_that_differ_are_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    def built(place: Path) -> Path:
        place.mkdir()
        (place / "same").write_text("same")
        (place / "other").write_text(place.name)
        (place / f"only {place.name}").touch()
        return place

    monkeypatch.setattr(release, "_built", built)
    with pytest.raises(Unfit) as error:
        next(release.check())
    assert str(error.value) == "two builds differ in only a, only b, other"


def test_checksums_name_every_file(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("b\n")
    (tmp_path / "a").write_text("a\n")
    path = release.checksums(tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", path.name], cwd=tmp_path, check=True, capture_output=True)
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["a", "b"]


def test_a_build_is_quiet_unless_it_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(logged, "LOG", tmp_path / "build" / "output.log")
    logged.run(["echo", "fine"])
    assert capfd.readouterr() == ("", "")
    with pytest.raises(subprocess.CalledProcessError):
        logged.run(["sh", "-c", "seq 30; echo wrong >&2; exit 3"])
    last = "".join(f"{number}\n" for number in range(12, 31))
    assert capfd.readouterr().err == f"{last}wrong\nthe whole output is in {tmp_path}/build/output.log\n"
    assert logged.LOG.read_text().startswith("fine\n1\n2\n")
