"""The table of scenes, and how one is played and judged. A caller that a scene is not for says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tests.callers.driver import Driver
from tests.callers.world import DELETED, KEPT, Run, State, World

RIGHT = "as in the chart"
UNCHANGED = "changes nothing"
KEEPS = "kept objects stay"
OLD = "old values until the next run (PR301)"
PUT_RIGHT = "applies the chart"
STAMPED = "on every object"
SUMMARY = re.compile(r"\b\d+ objects?(?: modified|, no changes needed|, \d+ patch|, none of which needs a patch)")
"""How each summary of a run ends."""
RELEASE = "meta.helm.sh/release-name"


class Step(NamedTuple):
    """One thing done: by the caller that is tried, or by a plain Helm for a release called ``old``."""

    who: str
    does: str
    size: str = "M"
    adopt: bool = False
    stamp: bool = False


class Scene(NamedTuple):
    """Steps, of which the last one is judged, and the cell that it should get."""

    name: str
    title: str
    steps: tuple[Step, ...]
    wants: str


_APPLY, _DELETE = Step("caller", "apply"), Step("caller", "delete")
_CHANGED = Step("caller", "apply", "L")
_OLD = Step("helm", "apply")
_OLD_GONE = Step("helm", "delete")

SCENES = (
    Scene("fresh", "first run", (_APPLY,), RIGHT),
    Scene("again", "second run", (_APPLY, _APPLY), UNCHANGED),
    Scene("stamp", "ownership metadata", (_APPLY._replace(stamp=True),), STAMPED),
    Scene("upgrade", "changed chart", (_APPLY, _CHANGED), RIGHT),
    Scene("delete", "delete", (_APPLY, _DELETE), KEEPS),
    Scene("kept", "kept, same chart", (_APPLY, _DELETE, _APPLY), RIGHT),
    Scene("changed", "kept, changed chart", (_APPLY, _DELETE, _CHANGED), RIGHT),
    Scene("changed-again", "the run after that", (_APPLY, _DELETE, _CHANGED, _CHANGED), UNCHANGED),
    Scene("orphan", "kept by another release", (_OLD, _OLD_GONE, _APPLY), "refused (PR102)"),
    Scene("adopt", "the same with --adopt", (_OLD, _OLD_GONE, _APPLY._replace(adopt=True)), RIGHT),
    Scene("owner", "owned by another release", (_OLD, _CHANGED), "refused (PR101)"),
)
"""What every caller is put through."""


class Cell(NamedTuple):
    """The result of one scene: what happened, what should have, and what the user saw."""

    scene: str
    happened: str
    wanted: str
    said: str


def play(scene: Scene, driver: Driver, world: World) -> Cell:
    """Play the steps; a step before the last that fails ends the scene."""
    wanted = driver.expected.get(scene.name, scene.wants)
    before = world.state()
    for step in scene.steps[:-1]:
        ran = _do(step, driver, world)
        if ran.code:
            return Cell(scene.name, f"{step.who} {step.does} before it failed", wanted, ran.said)
    before = world.state()
    last = scene.steps[-1]
    ran = _do(last, driver, world)
    happened = judged(scene, last, before, world.state(), ran)
    if scene.wants == STAMPED and happened == RIGHT:
        happened = stamped(world.state(), world.manifest("shop"))
    return Cell(scene.name, happened, wanted, ran.said)


def judged(scene: Scene, step: Step, before: State, after: State, ran: Run) -> str:
    """What the step did to the live objects, in a few words."""
    if ran.code:
        codes = re.findall(r"\bPR\d{3}\b", ran.said)
        reason = f"refused ({codes[0]})" if codes else "failed without a code"
        return reason if before == after else f"{reason}, with changes made"
    replaced = [name for name, live in before.items() if name in after and after[name].uid != live.uid]
    if replaced:
        return f"replaced {', '.join(replaced)}"
    if step.does == "delete":
        kept = {f"{kind.kind}.{kind.group}" for kind, _ in KEPT}
        return KEEPS if after.keys() == kept else f"{len(after)} objects stay"
    if len(after) != len(KEPT) + len(DELETED):
        return f"{len(after)} objects"
    stale = [name for name, live in after.items() if live.size != step.size]
    if stale:
        return OLD if "PR301" in ran.said else "old values, and no word of it"
    if scene.wants == UNCHANGED:
        return UNCHANGED if before == after else PUT_RIGHT
    return RIGHT


def stamped(live: State, manifest: Sequence[str]) -> str:
    """Whether all live objects, and all that the release stores, if there is one, have Helm's ownership metadata."""
    bare = [name for name, each in live.items() if RELEASE not in each.metadata["annotations"]]
    bare += [document for document in manifest if RELEASE not in document]
    return f"not on {len(bare)} objects" if bare else STAMPED


def summary(cells: Sequence[Cell]) -> str:
    """When the user sees the summary, of all that one saw in the scenes."""
    if any(cell.scene == "fresh" and SUMMARY.search(cell.said) for cell in cells):
        return "each time"
    return "on failure" if any(cell.happened.startswith("refused (") for cell in cells) else "never"


def _do(step: Step, driver: Driver, world: World) -> Run:
    world.write_chart(step.size)
    driver.stamp = step.stamp
    if step.who == "caller":
        return driver.apply(adopt=step.adopt) if step.does == "apply" else driver.delete()
    helm = world.helm()
    # With the filter, so that Helm lets the two kinds with one name be.
    done = helm.install("old", world.chart, filter=True) if step.does == "apply" else helm.uninstall("old")
    return Run(done.exit_code, done.stdout + done.stderr)
