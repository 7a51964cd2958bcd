"""``bin/adopt-helm 3.22.0``: hold what is known of Helm against more versions, and take them in if all of it holds.

Builds each Helm, compares the Go source that is cited, and plays against a real API server: the written cells of the
matrix, random ones, and adoptions judged by fresh installations. If nothing differs and the version is the newest of
its major, ``NEWEST_TESTED`` is raised, which ``--version``, the tests and the columns of the matrix's page follow. The
result is a row of docs/compatibility.md; what each step printed is in build/helm-VERSION.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from postrender.helm import versions
from postrender.helm.versions import NEWEST_TESTED, HelmVersion
from tests.e2e.matrix.steps import COLUMNS
from tests.tools import assets
from tools.steps import COMPATIBILITY, report, run, with_row

ROOT = Path(__file__).parents[1]


def commands(version: HelmVersion, cells: Path, *, random: int, fresh: int, seed: int) -> list[tuple[str, list[str]]]:
    """The title and the arguments for Python of each step; ``cells`` is where the matrix keeps what it played."""
    columns = f"{version},{version} client-side" if version.major >= 4 else str(version)
    matrix = ["-m", "tests.e2e.matrix", "--versions", columns, "--resume", str(cells)]
    on_page = version in {column.helm for column in COLUMNS} or _is_newer(version)
    return [
        ("Cited source", ["-m", "tools.facts", "--helm", f"v{version}"]),
        ("Written cells", [*matrix, *(["--write"] if on_page else [])]),
        ("Random cells", [*matrix, "--random", str(random), "--seed", str(seed)]),
        (
            "Adopted as if fresh",
            ["-m", "tests.conformance", "--helm", str(version), "-n", str(fresh), "--seed", str(seed)],
        ),
    ]


def raised(source: str, version: HelmVersion) -> str:
    """The source of versions.py with this one as the newest of its major; unchanged if a newer one is there."""
    if not _is_newer(version):
        return source
    newest = {**NEWEST_TESTED, version.major: version}
    text = ", ".join(f"{major}: HelmVersion{each.major, each.minor, each.patch}" for major, each in newest.items())
    found, count = re.subn(r"^NEWEST_TESTED = \{.*\}$", f"NEWEST_TESTED = {{{text}}}", source, flags=re.M)
    if not count:
        raise ValueError("there is no NEWEST_TESTED in one line")
    return found


def _is_newer(version: HelmVersion) -> bool:
    return version > NEWEST_TESTED.get(version.major, HelmVersion(0, 0, 0))


def adopt(version: HelmVersion, *, random: int, fresh: int, seed: int) -> bool:
    """Whether nothing differs; writes the row and the report, and raises ``NEWEST_TESTED``."""
    assets.build(f"helm@{version}")
    cells = assets.cache_folder() / f"adopt-helm-{version}.cells"
    steps = [run(title, each) for title, each in commands(version, cells, random=random, fresh=fresh, seed=seed)]
    page = with_row(COMPATIBILITY.read_text(encoding="utf-8"), "Helm", str(version), steps)
    COMPATIBILITY.write_text(page, encoding="utf-8")
    good = all(step.good for step in steps)
    if good:
        table = Path(versions.__file__)
        table.write_text(raised(table.read_text(encoding="utf-8"), version), encoding="utf-8")
    print(report(f"Helm {version}", steps, ROOT / "build" / f"helm-{version}.md"))
    return good


def main(arguments: Sequence[str]) -> int:
    """0 if nothing differs."""
    parser = argparse.ArgumentParser(
        prog="adopt-helm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("version", nargs="+", metavar="VERSION", type=_version, help="a Helm, such as 3.22.0")
    parser.add_argument("--random", type=int, default=300, metavar="N", help="so many random cells (default: 300)")
    parser.add_argument("--fresh", type=int, default=50, metavar="N", help="so many adoptions (default: 50)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    good = [adopt(each, random=options.random, fresh=options.fresh, seed=options.seed) for each in options.version]
    return 0 if all(good) else 1


def _version(text: str) -> HelmVersion:
    if (version := HelmVersion.parse(text)) is None:
        raise argparse.ArgumentTypeError("no version of Helm; one is 3.22.0")
    return version


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
