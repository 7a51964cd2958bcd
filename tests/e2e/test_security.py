"""The rights that docs/security.md names: each role is enough for what it is for, and none of its rights is idle."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, HelmFactory, executable
from tests.e2e.kinds import STABLE_SHIRT
from tests.e2e.test_unpin import pinned

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
Rule = dict[str, list[str]]
Done = subprocess.CompletedProcess[str]


def rules(name: str) -> list[Rule]:
    """The rules of a role on the page."""
    blocks = PAGE.read_text().split("```yaml\n")[1:]
    roles = [yaml.safe_load(block.partition("```")[0]) for block in blocks]
    (role,) = (each for each in roles if each["metadata"]["name"] == f"postrender-{name}")
    found: list[Rule] = role["rules"]
    return found


def each_without_one(whole: list[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    """The rules with one verb left out, every way there is."""
    for place, rule in enumerate(whole):
        for verb in rule["verbs"]:
            rest = [each for each in rule["verbs"] if each != verb]
            changed = [{**rule, "verbs": rest}] if rest else []
            yield f"{verb} {rule['resources'][0]}", [*whole[:place], *changed, *whole[place + 1 :]]


def call(it: Helm, *arguments: str, stdin: str = "") -> Done:
    return subprocess.run(
        [str(executable(it.home)), *arguments, "--namespace", it.namespace],
        input=stdin,
        env=it.env,
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )


def shirt(color: str) -> dict[str, Any]:
    return manifest(STABLE_SHIRT, "shirt", {"color": color}, keep=True)


def as_filter(it: Helm, *arguments: str) -> Done:
    return call(
        it,
        "--helm-version",
        "3.16.4",
        "--kubeconfig",
        it.env["KUBECONFIG"],
        *arguments,
        stdin=yaml.safe_dump(shirt("red")),
    )


def reading(admin: Helm, folder: Path) -> Callable[[Helm], Done]:
    """An upgrade."""
    admin.install("shop", chart(folder, {"a": shirt("blue")})).expect_ok()
    return lambda it: as_filter(it, "--release", "shop", "--action", "upgrade")


def adopting(admin: Helm, folder: Path) -> Callable[[Helm], Done]:
    """An installation over what another release kept."""
    admin.install("old", chart(folder, {"a": shirt("blue")})).expect_ok()
    admin.uninstall("old").expect_ok()
    return lambda it: as_filter(it, "--release", "shop", "--action", "install", "--adopt=orphans", "--on-drift=store")


def unpinning(admin: Helm, folder: Path) -> Callable[[Helm], Done]:
    """A release with a pin."""
    pinned(admin, folder)
    return lambda it: call(it, "unpin", "r", "--backup", str(folder / secrets.token_hex(4)))


def moving(admin: Helm, folder: Path) -> Callable[[Helm], Done]:
    """A release with an object, which is moved to another one, and back for whoever tries next."""
    admin.install("shop", chart(folder, {"a": shirt("blue")})).expect_ok()

    def run(it: Helm) -> Done:
        record = str(folder / secrets.token_hex(4))
        done = call(
            it, "move", "shirts.stable.example.com/shirt", "--from", "shop", "--to", "web", "--yes", "--record", record
        )
        if Path(record).is_file():
            assert call(admin, "move", "--undo", record, "--yes").returncode == 0
        return done

    return run


@pytest.mark.parametrize(
    ("name", "scene", "version"),
    [
        ("reading", reading, "3.16.4"),
        ("adopting", adopting, "3.16.4"),
        ("unpinning", unpinning, "3.12.3"),
        ("moving", moving, "3.16.4"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_rights_on_the_page_are_enough_and_needed(
    name: str,
    scene: Callable[[Helm, Path], Callable[[Helm], Done]],
    version: str,
    helm: HelmFactory,
    namespace: Namespace,
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    run = scene(helm(version), tmp_path)
    whole = rules(name)
    for number, (missing, fewer) in enumerate(each_without_one(whole)):
        done = run(helm(version, control_plane.user(namespace, fewer, name=f"less-{number}")))
        assert done.returncode == 5, f"{missing} is not needed: {done.stderr}"
        verb, resource = missing.split()
        assert f"no right to {verb} {resource}" in " ".join(done.stderr.split())
    done = run(helm(version, control_plane.user(namespace, whole, name="just-enough")))
    assert done.returncode == 0, done.stderr
