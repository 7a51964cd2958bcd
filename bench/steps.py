"""``python -m bench.steps HELM [FLAG ...] < STREAM``: the filter's own steps, one after the other, each timed.

It makes the calls that ``postrender.cli.commands.filter`` makes, and prints seconds by step as JSON.
"""

from __future__ import annotations

import time

_START = time.perf_counter()

import json  # noqa: E402  the imports are what is measured
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402

IMPORTS = "imports of the filter"
VERSION = "running `helm version`"
PACKAGE = "imports of what connects"
CONNECT = "reading the kubeconfig, connecting"
READ = "reading the stream"
LOOK = "looking up live objects"
DECIDE = "deciding"
WRITE = "writing and checking the edits"

STEPS = (IMPORTS, VERSION, PACKAGE, CONNECT, READ, LOOK, DECIDE, WRITE)
"""In the order in which they are taken."""


def main(helm: str, arguments: list[str]) -> dict[str, float]:
    """Seconds by step."""
    taken: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        before = time.perf_counter()
        yield
        taken[name] = time.perf_counter() - before

    from postrender import manifest
    from postrender.cli.arguments import FILTER_SETTINGS, chosen, given
    from postrender.cli.inputs import caller_of, policy_of, sources_of
    from postrender.helm.detect_version import version_of
    from postrender.manifest.edit import splice
    from postrender.operations.filter.collect import collect_facts
    from postrender.operations.filter.dry_runs import with_dry_run_results
    from postrender.planner.decide import decide
    from postrender.settings import SETTINGS

    taken[IMPORTS] = time.perf_counter() - _START
    with step(VERSION):
        version_of(helm)
    options = given(arguments, (*FILTER_SETTINGS, *SETTINGS))
    assert options is not None, "flags that the filter does not know"
    values = chosen(options, FILTER_SETTINGS, os.environ)
    policy, caller = policy_of(values), caller_of(options)
    with step(PACKAGE):
        import postrender.cluster.client  # noqa: F401
    with step(CONNECT):
        source = sources_of(caller, values, policy).source
    data = sys.stdin.buffer.read()
    with step(READ):
        stream = manifest.read(data)
    with step(LOOK):
        facts = collect_facts(stream, caller.invocation, source)
    with step(DECIDE):
        plan = decide(facts, policy)
        plan = plan if source is None else with_dry_run_results(plan, facts, policy, source)
    with step(WRITE):
        splice(stream, plan.edits)
    return taken


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
