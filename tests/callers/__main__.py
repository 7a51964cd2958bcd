"""``bin/callers``: every program that calls Helm or the filter, run for real against a real API server.

    bin/callers                     # all of them
    bin/callers argocd helmfile     # these
    bin/callers --write             # and put the results on docs/callers.md and docs/callers-evidence.md

Each caller is set up as its page and its folder in examples/ say, and goes through the scenes of
tests/callers/scenes.py. Programs are built once into the cache folder of bin/assets. Ends with 1 if a scene does not go
as expected or a program cannot be built. A program that is nowhere to be had, such as Terraform's provider outside of
its own registry, is listed at the end, and is an error only if its caller was named or ``CI`` is set.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from tests.callers.ansible_helm import Ansible
from tests.callers.argocd import ArgoCD
from tests.callers.driver import Driver
from tests.callers.flux import Flux
from tests.callers.helm import Helm3, Helm4
from tests.callers.helmfile import Helmfile
from tests.callers.kustomize import Kustomize
from tests.callers.operator import Operator
from tests.callers.page import PAGE, USERS, Results, used, written
from tests.callers.precommit import PreCommit
from tests.callers.pulumi import Chart, Release
from tests.callers.scenes import SCENES, Cell, play, summary
from tests.callers.terraform import Terraform
from tests.callers.world import HELM, World
from tests.e2e.controlplane import ControlPlane
from tests.tools import assets

DRIVERS: dict[str, type[Driver]] = {
    "helm3": Helm3,
    "helm4": Helm4,
    "argocd": ArgoCD,
    "flux": Flux,
    "helmfile": Helmfile,
    "ansible": Ansible,
    "terraform": Terraform,
    "pulumi-release": Release,
    "pulumi-chart": Chart,
    "kopf": Operator,
    "kustomize": Kustomize,
    "pre-commit": PreCommit,
}
"""By the name that ``bin/callers`` takes, those first whose results matter to most users."""
_NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", f"helm@{HELM}", f"helm@{Helm4.helm}")


def main(arguments: Sequence[str]) -> int:
    """0 if every scene went as expected."""
    parser = argparse.ArgumentParser(
        prog="callers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"only these (choose: {', '.join(DRIVERS)})")
    parser.add_argument("--scene", action="append", metavar="SCENE", help="only scenes whose name has this in it")
    parser.add_argument("--write", action="store_true", help="put the results into the documentation")
    options = parser.parse_args(arguments)
    if unknown := set(options.name) - set(DRIVERS):
        parser.error(f"invalid value '{min(unknown)}' for NAME (choose: {', '.join(DRIVERS)})")
    if options.write and options.scene:
        parser.error("--write takes whole callers; omit --scene")
    chosen = [driver for name, driver in DRIVERS.items() if name in (options.name or DRIVERS)]
    try:
        programs = [assets.build(name) for name in _NEEDED]
    except assets.BuildError as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="postrender-callers-") as folder:
        found, missing = _run(chosen, options.scene or [""], programs, Path(folder), write=options.write)
    right = sum(each.right for each in found)
    absent = f"; not to be had: {', '.join(missing)}" if missing else ""
    print(f"{right} of {len(chosen)} callers as expected{absent}")
    strict = bool(options.name or os.environ.get("CI"))
    return int(right < len(chosen) - (0 if strict else len(missing)))


def _run(
    drivers: Sequence[type[Driver]], scenes: Sequence[str], programs: Sequence[Path], folder: Path, *, write: bool
) -> tuple[list[Results], list[str]]:
    """Results, and callers that need what cannot be built; ``write`` puts each on the pages at once."""
    found, missing = [], []
    with ControlPlane(programs[0], programs[1], folder, programs[2]) as control_plane:
        for driver in drivers:
            place = folder / re.sub(r"\W+", "-", driver.name.lower())
            place.mkdir()
            try:
                for name in driver.needs:
                    assets.build(name)
                found.append(_through(driver, control_plane, scenes, place))
            except assets.BuildError as error:
                print(f"{driver.name}: {error}", file=sys.stderr)
                if isinstance(error, assets.Missing):
                    missing.append(driver.name)
                continue
            print(f"{driver.name}: {found[-1].seconds / 60:.1f} min", flush=True)
            if write:
                evidence = written(PAGE.read_text(encoding="utf-8"), found[-1:])
                PAGE.write_text(evidence, encoding="utf-8")
                USERS.write_text(used(USERS.read_text(encoding="utf-8"), evidence), encoding="utf-8")
    return found, missing


def _through(driver: type[Driver], control_plane: ControlPlane, chosen: Sequence[str], folder: Path) -> Results:
    """One caller through its scenes."""
    began = time.monotonic()
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    plays: dict[str, Callable[[Driver, World], Cell]] = {
        scene.name: lambda made, world, scene=scene: play(scene, made, world)  # type: ignore[misc]
        for scene in SCENES
        if driver.expected.get(scene.name) != "–"
    }
    for name, own in driver.own.items():
        plays[name] = lambda made, _, name=name, own=own: Cell(name, own(made) or "right", "right", "")  # type: ignore[misc]
    cells = []
    driver.prepare(control_plane, folder)
    try:
        for name, play_it in plays.items():
            if any(part in name for part in chosen):
                cells.append(_one(driver, control_plane, folder, name, play_it))
    finally:
        driver.finish()
    if {"fresh", "owner"} <= {cell.scene for cell in cells}:
        cells.append(Cell("summary", summary(cells), driver.summary, ""))
    return Results(driver.name, driver.version(), today, time.monotonic() - began, cells)


def _one(
    driver: type[Driver], control_plane: ControlPlane, folder: Path, name: str, play_it: Callable[[Driver, World], Cell]
) -> Cell:
    """One scene in a namespace of its own, with its result printed."""
    began = time.monotonic()
    unique = f"{re.sub(r'[^a-z0-9]+', '-', f'{driver.name} {name}'.lower())[:40].strip('-')}-{secrets.token_hex(3)}"
    place = folder / unique
    place.mkdir()
    world = World(control_plane, control_plane.namespace(unique), place)
    made = driver(world)
    try:
        cell = play_it(made, world)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        cell = Cell(name, "took too long", "", f"{error}\n{made.state()}")
    finally:
        made.close()
    right = cell.happened == cell.wanted
    print(f"{driver.name}: {name}: {cell.happened} ({time.monotonic() - began:.0f} s)", flush=True)
    if not right:
        print(f"  expected: {cell.wanted}\n" + "".join(f"  | {line}\n" for line in cell.said.splitlines()), flush=True)
    return cell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
