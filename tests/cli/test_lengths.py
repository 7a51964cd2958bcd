"""How many lines a reader gets: the fixed scenes of ``tests/cli/scenes.py``, in a file and on a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import scenes
from tests.cli.terminal import on_a_terminal
from tests.cli.test_filter import LIVE, RENDERED, run
from tests.cli.test_plan import live_file, plan, stored
from tests.wire.kinds import CONFIG_MAP
from tests.wire.server import Server
from tests.wire.test_orphans import left

SCENES = [
    (scenes.four, ("--adopt", "orphans"), 25),
    (scenes.thirty_new, (), 40),
    (scenes.one_of_thirty, (), 15),
]


@pytest.mark.parametrize(("scene", "flags", "most"), SCENES)
def test_a_plan_is_short(
    tmp_path: Path, scene: Callable[[Path], tuple[str, str]], flags: tuple[str, ...], most: int
) -> None:
    stream, live = scene(tmp_path)
    lines = plan(stream, live, *flags).stdout.decode().splitlines()
    assert len(lines) <= most, "\n".join(lines)
    assert re.match(r"hint: helm (install|upgrade) shop CHART ", lines[-1])
    file = tmp_path / "rendered.yaml"
    file.write_text(stream)
    common = ("--live", live, "--release", "shop", "-n", "shop", "--helm-version", "3.21.4")
    code, seen = on_a_terminal("plan", "--manifests", str(file), *common, *flags)
    assert code == 0
    shown = re.sub(r"\x1b\[[0-9;]*[mK]", "", seen.decode()).splitlines()
    assert max(len(line) for line in shown if not line.startswith("hint: ") and live not in line) <= 80


def test_a_file_gets_lines_that_are_not_wrapped(tmp_path: Path) -> None:
    text = plan("\n---\n".join([scenes.config("x" * 70), scenes.config("y" * 60)]), live_file(tmp_path)).stdout.decode()
    assert f"\ncreate     configmaps/shop/{'x' * 70}  new object\n" in text


def test_problems_come_first(tmp_path: Path) -> None:
    stream, live = scenes.four(tmp_path)
    done = plan(stream, live)
    assert done.returncode == 4
    words = re.findall(r"^([a-z]+) +configmaps/", done.stdout.decode(), re.MULTILINE)
    assert words == ["blocked", "change", "adopt", "create"]


def test_an_upgrade_whose_labels_are_live_changes_nothing(tmp_path: Path) -> None:
    emitted = run(*LIVE, "--helm-version", "3.21.4").stdout.decode()
    installed = [f"{part}\n" for part in emitted.split("---\n") if part.strip()]
    live = live_file(tmp_path, *installed, stored(emitted, name="shirts", namespace="default"))
    common = ("--live", live, "--release", "shirts", "-n", "default", "--helm-version", "3.21.4")
    done = run("plan", "-", *common, "--detailed-exitcode", stdin=RENDERED)
    assert (done.returncode, done.stdout.decode().splitlines()[-1]) == (0, "2 objects: 2 unchanged."), done.stdout


def test_the_filter_says_little_if_it_succeeds(tmp_path: Path) -> None:
    stream, live = scenes.four(tmp_path)
    common = ("--live", live, "--release", "shop", "-n", "shop", "--helm-version", "3.21.4", "--action", "install")
    report = tmp_path / "report.txt"
    done = run(*common, "--adopt", "orphans", "--dry-run", "server", "--report", str(report), stdin=stream.encode())
    assert done.returncode == 0, done.stderr
    lines = done.stderr.decode().splitlines()
    warnings = [line for line in lines if line.startswith("  warning: ")]
    assert len(lines) <= 3 + len(warnings), "\n".join(lines)
    assert lines[0].endswith(" of 4 objects modified")
    assert "configmaps/shop/kept: " in report.read_text()


def test_orphans_are_a_table(server: Server, cluster: tuple[str, str]) -> None:
    keep = {"helm.sh/resource-policy": "keep"}
    for number in range(73):
        server.put(CONFIG_MAP, left(CONFIG_MAP, f"config-{number:02}", f"old-{number // 10}", annotations=keep))
    done = run("orphans", *cluster, stdin=b"")
    lines = done.stdout.decode().splitlines()
    assert len(lines) <= 80
    assert lines[0].split() == ["OBJECT", "RELEASE"]
    assert lines[1].split() == ["configmaps/shop/config-00", "shop/old-0"]
    assert lines[-2].startswith("73 orphans of 8 releases (73 objects, ")
    assert lines[-1] == f"hint: postrender orphans -n shop {' '.join(cluster)} --verbose"
