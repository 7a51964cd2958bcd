"""``bin/adopt-kubernetes 1.37.2``: hold what is known of the API server against one more version of it.

    bin/adopt-kubernetes 1.37.2
    bin/adopt-kubernetes --quick 20 1.30.14 1.37.2    # the kinds and 20 random cells on each; writes no row
    bin/adopt-kubernetes --tables                     # the tables of kinds, patches and lists, and what differs

Builds that kube-apiserver, and plays against it: its own kinds compared with the table, random cells of the matrix,
adoptions judged by fresh installations with the newest Helm of each major, and the end-to-end tests that rest on the
server more than on Helm. The result is a row of docs/compatibility.md; what each step printed is in
build/kubernetes-VERSION.md. ``--tables`` writes the tables that describe Kubernetes from the servers of ``SERVERS``
(``tools.builtin``), each client-go since Helm 3.9 (``tools.patchschema``) and k8s.io/api (``tools.kubernetes``), and
lists what these versions differ in, in tools/kubernetes_differences.txt.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from postrender.helm.versions import NEWEST_TESTED
from tests.tools import assets
from tools import builtin, kubernetes, patchschema
from tools.steps import COMPATIBILITY as PAGE
from tools.steps import report, run, with_row

ROOT = Path(__file__).parents[1]
DIFFERENCES = ROOT / "tools" / "kubernetes_differences.txt"
TESTS = (
    *("test_helm_alone", "test_cluster", "test_kept_resources", "test_field_ownership", "test_string_data"),
    *("test_left_the_chart", "test_on_drift_apply", "test_refused_patches", "test_dry_runs", "test_data_loss"),
)
"""The modules of tests/e2e that rest on what the server itself does: defaults, managed fields, dry runs, refusals."""


def commands(*, random: int, fresh: int, seed: int) -> list[tuple[str, list[str]]]:
    """The title and the arguments for Python of each step."""
    tests = [f"tests/e2e/{name}.py" for name in TESTS]
    return [
        ("Kinds", ["-m", "tools.builtin", "--check"]),
        ("Random cells", ["-m", "tests.e2e.matrix", "--random", str(random), "--seed", str(seed)]),
        *(
            (
                f"Adopted as if fresh, Helm {helm}",
                ["-m", "tests.conformance", "--helm", str(helm), "-n", str(fresh), "--seed", str(seed)],
            )
            for helm in NEWEST_TESTED.values()
        ),
        ("End-to-end tests", ["-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *tests]),
    ]


def listing(servers: Sequence[str]) -> str:
    """The text of ``DIFFERENCES``: what the servers differ in, and what the tables say that versions differ in."""
    oldest = int(builtin.SERVERS[0].split(".")[1])
    sections = {
        f"Kinds and types of lists of API servers ({', '.join(builtin.SERVERS)})": servers,
        "Kinds of Kubernetes": kubernetes.differences(json.loads(kubernetes.TABLE.read_text()), oldest),
        "Kinds and patches of client-go": patchschema.differences(json.loads(patchschema.SCHEMA.read_text())),
    }
    return "\n".join("\n".join([f"# {title}", *lines, ""]) for title, lines in sections.items())


def main(arguments: Sequence[str]) -> int:
    """0 if nothing differs."""
    parser = argparse.ArgumentParser(
        prog="adopt-kubernetes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("version", nargs="*", metavar="VERSION", help="a kube-apiserver, such as 1.37.2")
    parser.add_argument("--random", type=int, default=60, metavar="N", help="so many random cells (default: 60)")
    parser.add_argument("--fresh", type=int, default=40, metavar="N", help="so many adoptions a Helm (default: 40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", type=int, metavar="N", help="only the kinds and N random cells; write no row")
    parser.add_argument("--tables", action="store_true", help="write the tables of Kubernetes' kinds and what differs")
    options = parser.parse_args(arguments)
    if bool(options.version) == options.tables:
        parser.error("VERSION or --tables required")
    for version in options.version:
        if not re.fullmatch(r"1\.\d+\.\d+", version):
            parser.error("VERSION: no version of Kubernetes; one is 1.37.2")
    if options.tables:
        servers = builtin.write()
        patchschema.write()
        kubernetes.write()
        DIFFERENCES.write_text(listing(servers))
        return 0
    good = True
    for version in options.version:
        assets.build(f"kube-apiserver@{version}")
        environ = {"POSTRENDER_TEST_KUBERNETES": version}
        wanted = commands(random=options.quick or options.random, fresh=options.fresh, seed=options.seed)
        steps = [run(title, each, environ) for title, each in (wanted[:2] if options.quick else wanted)]
        if not options.quick:
            page = with_row(PAGE.read_text(encoding="utf-8"), "API server", version, steps)
            PAGE.write_text(page, encoding="utf-8")
        print(report(f"Kubernetes {version}", steps, ROOT / "build" / f"kubernetes-{version}.md"))
        good = good and all(step.good for step in steps)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
