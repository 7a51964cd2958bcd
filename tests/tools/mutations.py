"""Small faults put into the model of Helm, one at a time: the tests that need no cluster must catch each.

    python -m tests.tools.mutations              # all of mutations.yaml; minutes
    python -m tests.tools.mutations matching     # those whose file has this in its name

A fault is a text that stands once in a file and what it becomes. ``survives`` says why no test can catch it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TESTS = (
    *(
        f"tests/helm/test_{name}.py"
        for name in ("managed_fields", "hooks", "objects", "patch", "json_values", "simulate", "versions")
    ),
    "tests/operations/test_doctor.py",
    "tests/plans",
    "tests/conformance/published",
)
"""The tests of the model, those that fail soonest first."""
NOTHING = "NEWEST_TESTED = {"
"""A text of versions.py, for a fault that is none."""


@dataclass(frozen=True)
class Fault:
    """One change of ``file``, a path below postrender/helm."""

    file: str
    old: str
    new: str
    survives: str = ""

    def put_in(self, root: Path) -> None:
        """Change the file below ``root``; raises ValueError if the text does not stand there once."""
        path = root / "postrender" / "helm" / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def load() -> list[Fault]:
    """All faults."""
    return [Fault(**each) for each in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))]


def caught(faults: Sequence[Fault], tests: Sequence[str] = TESTS) -> Iterator[tuple[Fault, str]]:
    """Each fault with the test that failed first, ``""`` if none did. Works on a copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        for fault in faults:
            place = Path(name) / "tree"
            shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "site", "dist"))
            fault.put_in(place)
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
                cwd=place,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
            yield fault, failed[0].split(" - ")[0] if done.returncode and failed else ""
            shutil.rmtree(place)


def main(arguments: Sequence[str]) -> int:
    """0 if every fault that can be caught is."""
    ((_, test),) = caught([Fault("versions.py", NOTHING, NOTHING)])
    if test:
        print(f"fails without any fault: {test}")
        return 1
    faults = [each for each in load() if any(word in each.file for word in arguments or [""])]
    wrong = 0
    for fault, test in caught(faults):
        state = "caught" if test else f"survives: {fault.survives}" if fault.survives else "NOT CAUGHT"
        wrong += bool(test) == bool(fault.survives)
        print(f"{state}: {fault.file}: {fault.old} -> {fault.new} {test}", flush=True)
    print(f"{len(faults)} faults, {wrong} not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
