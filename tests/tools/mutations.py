"""Small faults put into the model, one at a time: the published tables, or else other tests, must catch each.

    python -m tests.tools.mutations              # all of mutations.yaml; half an hour
    python -m tests.tools.mutations matching     # those whose file has this in its name

A fault is a text that stands once in a file and what it becomes. ``no_table`` says what no published table does that
would catch it, ``survives`` why no test can.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TABLES = ("tests/conformance/published",)
_HELM = (
    *("json_values", "managed_fields", "hooks", "objects", "patch", "simulate"),
    *("versions", "ownership", "payload", "storage", "server_side"),
)
TESTS = (
    *(f"tests/helm/test_{name}.py" for name in _HELM),
    "tests/manifest",
    "tests/operations/test_doctor.py",
    "tests/plans",
)
"""Other tests of the model, those that fail soonest first."""
NOTHING = "NEWEST_TESTED = {"
"""A text of versions.py, for a fault that is none."""


@dataclass(frozen=True)
class Fault:
    """One change of ``file``, a path below postrender."""

    file: str
    old: str
    new: str
    no_table: str = ""
    survives: str = ""

    @contextmanager
    def put_in(self, root: Path) -> Iterator[None]:
        """Change the file below ``root`` for a while; raises ValueError if the text does not stand there once."""
        path = root / "postrender" / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        _write(path, text.replace(self.old, self.new))
        try:
            yield
        finally:
            _write(path, text)


def _write(path: Path, text: str) -> None:
    """Write a module, and forget what it was compiled to: that counts as new within the same second."""
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


def load() -> list[Fault]:
    """All faults."""
    return [Fault(**each) for each in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))]


def caught(faults: Sequence[Fault], tests: Sequence[Sequence[str]]) -> Iterator[tuple[Fault, list[str]]]:
    """Each fault with the first failed test of each of ``tests`` until one has any, ``""`` for those that have none.

    Works on a copy of the tree.
    """
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        place = Path(name) / "tree"
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "site", "dist"))
        for fault in faults:
            with fault.put_in(place):
                failed: list[str] = []
                for each in tests:
                    if not any(failed):
                        failed.append(_first_failure(place, each))
            yield fault, failed


def _first_failure(place: Path, tests: Sequence[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0].split(" - ")[0].partition(" ")[2] if done.returncode and failed else ""


def judged(fault: Fault, failed: Sequence[str]) -> tuple[str, bool]:
    """What is printed of a fault by the tests of ``caught``, the tables first, and whether it is as expected."""
    caught_by = next((each for each in failed if each), "")
    if not caught_by:
        return (f"survives: {fault.survives}", True) if fault.survives else ("NOT CAUGHT", False)
    if fault.survives or bool(failed[0]) == bool(fault.no_table):
        return f"NOT AS WRITTEN, {fault.survives or fault.no_table or 'not caught by a table'}: {caught_by}", False
    return f"caught by {caught_by}" + (f"; no table {fault.no_table}" if fault.no_table else ""), True


def main(arguments: Sequence[str]) -> int:
    """0 if every fault is caught as its file says."""
    groups = (TABLES, TESTS)
    ((_, failed),) = caught([Fault("helm/versions.py", NOTHING, NOTHING)], groups)
    if any(failed):
        print(f"fails without any fault: {''.join(failed)}")
        return 1
    faults = [each for each in load() if any(word in each.file for word in arguments or [""])]
    wrong = 0
    for fault, failed in caught(faults, groups):
        line, good = judged(fault, failed)
        wrong += not good
        print(f"{fault.file}: {fault.old!r} -> {fault.new!r}\n  {line}", flush=True)
    by_tables = sum(not each.no_table and not each.survives for each in faults)
    print(f"{len(faults)} faults, {by_tables} of them for the tables, {wrong} not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
