"""How a Helm is taken in among the tested ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from postrender.helm import versions
from postrender.helm.versions import NEWEST_TESTED, HelmVersion
from tools.adopt_helm import commands, main, raised
from tools.steps import COMPATIBILITY, run, verdicts

SOURCE = Path(versions.__file__).read_text(encoding="utf-8")


def test_a_newer_one_becomes_the_newest_of_its_major() -> None:
    newest = NEWEST_TESTED[3]
    newer = HelmVersion(3, newest.minor + 1, 0)
    (line,) = set(raised(SOURCE, newer).splitlines()) - set(SOURCE.splitlines())
    assert line.startswith(f"NEWEST_TESTED = {{3: HelmVersion(3, {newer.minor}, 0), 4: HelmVersion(4, ")


@pytest.mark.parametrize("version", [NEWEST_TESTED[4], HelmVersion(4, 0, 1)])
def test_an_older_one_does_not(version: HelmVersion) -> None:
    assert raised(SOURCE, version) == SOURCE


def test_helm_4_is_played_in_both_ways() -> None:
    (_, written, random, fresh) = (
        each for _, each in commands(HelmVersion(4, 3, 2), Path("c"), random=9, fresh=5, seed=2)
    )
    assert written[-1] == "--write"
    assert "4.3.2,4.3.2 client-side" in written
    assert random[-4:] == ["--random", "9", "--seed", "2"]
    assert fresh[-6:] == ["--helm", "4.3.2", "-n", "5", "--seed", "2"]


def test_a_version_between_those_of_the_page_gets_no_column() -> None:
    (_, written, *_) = (each for _, each in commands(HelmVersion(3, 10, 3), Path("c"), random=9, fresh=5, seed=2))
    assert "--write" not in written


def test_a_step_tells_what_differs() -> None:
    program = "print('ok  cell'); print('    alone: ok'); print('BAD cell'); raise SystemExit(1)"
    step = run("Cells", ["-c", program])
    assert (step.good, step.output) == (False, "BAD cell")
    assert str(step).startswith("## Cells: failed\n\n`python -c '")


def test_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["newest"])
    assert capsys.readouterr().err.endswith("adopt-helm: error: argument VERSION: no version of Helm; one is 3.22.0\n")


def test_the_page_has_a_row_of_every_minor_that_it_calls_supported() -> None:
    page = COMPATIBILITY.read_text(encoding="utf-8")
    found = verdicts(page, "Helm").items()
    tested = [version for text, verdict in found if verdict == "tested" and (version := HelmVersion.parse(text))]
    assert {version.major: version for version in sorted(tested)} == NEWEST_TESTED
    minors = {major: sorted({each.minor for each in tested if each.major == major}) for major in NEWEST_TESTED}
    assert all(those == list(range(those[0], those[-1] + 1)) for those in minors.values()), minors
    ranges = [f"{major}.{those[0]} to {major}.{those[-1]}" for major, those in minors.items()]
    assert f"| Helm | {', '.join(ranges)};" in page
