"""What the filter imports, which is most of its time, so that nothing comes in unnoticed.

Each of our modules is about 0.2 ms, ``typing`` 3, ``argparse`` 4, ``dataclasses`` 20, ``kubernetes`` 700. Who needs one
of those on this path imports it where it is needed, or writes into the lists here that it is worth its time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.test_filter import RENDERED, ROOT
from tests.wire.server import TLS, Server

RUN = """
import sys
from pathlib import Path
before = set(sys.modules)
from postrender.cli.main import main
code = main(sys.argv[1:])
import json
sys.stderr.write("\\n" + json.dumps(sorted(set(sys.modules) - before)))
sys.exit(code)
"""

SECRET = b"---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  a: YQ==\n"

OTHERS = frozenset(
    """
    base64 binascii collections copyreg cython_runtime datetime enum functools gc importlib itertools json keyword math
    operator re reprlib sre_compile sre_constants sre_parse struct time types warnings yaml
    """.split()  # noqa: SIM905 - one word a line hides the whole
)
"""Packages and modules that are not ours, by their first name; PyYAML and what it imports itself, most of them."""

OURS = frozenset(
    """
    _record errors models text
    cli cli.arguments cli.commands cli.commands.filter cli.inputs cli.main cli.run_info cli.run_report cli.stdout
    cluster cluster.builtin_kinds cluster.interface cluster.kubeconfig_files cluster.offline
    helm helm.command_line helm.detect_version helm.invocation helm.objects helm.ownership
    helm.process helm.versions
    manifest manifest.composer manifest.decode manifest.documents manifest.edit manifest.edit.changes
    manifest.edit.document manifest.edit.editor manifest.edit.equivalence manifest.edit.placement
    manifest.line_parser manifest.nodes manifest.object_refs manifest.reader manifest.scalars
    manifest.stream manifest.top_level_fields
    operations operations.filter operations.filter.collect operations.filter.pipeline
    planner planner.context planner.decide planner.facts planner.findings planner.hazards
    planner.policy planner.rewrite planner.verdict
    report report.plan_summary
    settings settings.parse settings.resolve settings.sources settings.table
    """.split()  # noqa: SIM905 - as above
)


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that an offline run imports, beside those that a bare interpreter has."""
    flags = ("--offline", "--stamp", "all", "--release", "shop", "--namespace", "shop", "--helm-version", "3.12.3")
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, *flags],
        input=RENDERED + SECRET,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    return set(json.loads(done.stderr.rpartition(b"\n")[2]))


def test_no_package_comes_in_unnoticed(imported: set[str]) -> None:
    others = {name.partition(".")[0] for name in imported} - {"postrender"}
    assert {name for name in others if not name.startswith("_")} <= OTHERS


def test_none_of_our_modules_comes_in_unnoticed(imported: set[str]) -> None:
    ours = {name.removeprefix("postrender.") for name in imported if name.startswith("postrender.")}
    assert sorted(ours - OURS) == []
    assert sorted(OURS - ours) == [], "is not imported any more: take it off the list"


ONLINE = frozenset(
    """
    cluster.client cluster.connect cluster.connections cluster.credentials cluster.diagnose cluster.discovery
    cluster.exec_plugin cluster.http cluster.kubeconfig cluster.parallel cluster.reads cluster.release_lookup
    cluster.tls operations.filter.dry_runs settings.connection settings.single_run
    """.split()  # noqa: SIM905 - as above
)
"""What an installation of new objects imports more of ours, if it looks them up."""

NEVER = frozenset(
    """
    asyncio concurrent dataclasses decimal gzip importlib.metadata importlib.resources inspect kubernetes logging
    multiprocessing pathlib requests subprocess tempfile typing urllib.request urllib3 encodings.idna
    """.split()  # noqa: SIM905 - as above
)
"""What takes longer to import than to look ten objects up."""


def test_what_a_look_up_imports(imported: set[str], tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    with Server(tls=True) as server:
        context = {"name": "dev", "context": {"cluster": "c", "user": "u"}}
        cluster = {"server": server.url, "certificate-authority": str(TLS / "ca.pem")}
        config = {
            "current-context": "dev",
            "contexts": [context],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        path.write_text(yaml.safe_dump(config))
        flags = ("--kubeconfig", str(path), "--release", "shop", "--namespace", "shop", "--helm-version", "3.12.3")
        done = subprocess.run(
            [sys.executable, "-I", "-c", RUN, *flags, "--action", "install"],
            input=SECRET,
            capture_output=True,
            cwd=ROOT,
            check=True,
        )
        assert server.asked("GET .*/secrets/a")
    found = set(json.loads(done.stderr.rpartition(b"\n")[2]))
    assert sorted(NEVER & found) == []
    ours = {name.removeprefix("postrender.") for name in found - imported if name.startswith("postrender.")}
    assert sorted(ours - ONLINE) == []
