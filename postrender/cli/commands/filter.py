"""``postrender`` without a subcommand: manifests on stdin, manifests on stdout, the summary on stderr."""

from __future__ import annotations

import os
import sys

from postrender import __version__
from postrender.cli.arguments import (
    CHAIN_SETTINGS,
    CONNECTION,
    FILTER_SETTINGS,
    HELM_SETTINGS,
    HOLD_SETTINGS,
    add_arguments,
    chosen,
    given,
)
from postrender.cli.commands import COMMANDS
from postrender.cli.inputs import caller_of, drift_policy, policy_of, sources_of, stdin
from postrender.cli.run_info import run_summary
from postrender.cli.run_report import REPORT_SETTINGS, RunReporter
from postrender.cli.stdout import write
from postrender.errors import PostrenderError
from postrender.operations.filter.pipeline import filter_stream
from postrender.settings import SETTINGS, Caller
from postrender.settings.table import Setting
from postrender.text import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
A Helm post-renderer that adopts existing resources and previews what Helm does.

examples:
  helm install shop ./chart --post-renderer postrender
  helm template shop ./chart | postrender --release shop --offline
  postrender --live live.yaml --release shop -n default \\
      --helm-version 3.12.3 < rendered.yaml

commands (postrender COMMAND --help for details):
"""

EPILOG = """\
Every flag has a variable too: --kube-context is POSTRENDER_KUBE_CONTEXT.
exit codes: 0 done, 2 bad usage, 3 invalid manifests, 4 refused,
            5 cannot reach the API server
"""

USAGE = """postrender [FLAG ...] < MANIFESTS > MANIFESTS
       postrender COMMAND [ARGUMENT ...]"""


GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    ("options of the filter", (*FILTER_SETTINGS, *HOLD_SETTINGS)),
    ("other post-renderers", CHAIN_SETTINGS),
    ("reporting", REPORT_SETTINGS),
    ("Helm settings (detected from the calling Helm)", HELM_SETTINGS),
    (CONNECTION, tuple(setting for setting in SETTINGS if setting not in HELM_SETTINGS)),
)
"""Every setting of the filter, under the headings of its help."""
ALL_SETTINGS = tuple(setting for _, settings in GROUPS for setting in settings)


def main(arguments: list[str]) -> int:
    """Filter stdin to stdout. Whatever goes wrong is told before the first byte is written, and ends with its code."""
    reporter = RunReporter(os.environ, arguments)
    try:
        return _filter(arguments, reporter)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("POSTRENDER_DEBUG") and not isinstance(error, PostrenderError):
            raise
        return reporter.failed(error)


def _filter(arguments: list[str], reporter: RunReporter) -> int:
    """Filter stdin to stdout; raises PostrenderError before the first byte is written."""
    ours = (*FILTER_SETTINGS, *HOLD_SETTINGS, *CHAIN_SETTINGS)
    options = given(arguments, ALL_SETTINGS) or parser().parse_args(arguments)
    reporter.values = chosen(options, REPORT_SETTINGS, os.environ)
    values = reporter.values = {**reporter.values, **chosen(options, ours, os.environ)}
    policy = policy_of(values)
    caller = reporter.caller = caller_of(options)
    data = stdin("manifests are", "postrender --help")
    empty = not data or data.isspace()
    if empty and not values["plan"]:
        write(_empty(data, caller))
        return 0
    sources = sources_of(caller, values, policy)
    if values["on_drift"] is None and sources.source is not None and not values["live"]:
        policy = drift_policy(policy, caller)
    reporter.source = sources.source
    held = bool(values["plan"])
    if held:
        from postrender.cli.saved_plan import hold

        reporter.compare = hold(str(values["plan"]), os.environ).compare
    then = None
    if values["first"] or values["then"]:
        from postrender.cli.chain import chained

        data, then = chained(data, values, reporter)
    whole = held or reporter.shows_plan
    result = filter_stream(
        data, caller.invocation, policy, sources.source, sources.writer, seen=reporter.see, whole=whole, then=then
    )
    verbose = bool(values["verbose"])
    about = (caller, sources.source, result.rewritten)

    def detailed(width: int = 0) -> str:
        return run_summary(reporter.with_hints(result.plan), *about, verbose=True, width=width)

    width = columns(sys.stderr)
    summary = detailed(width) if verbose else run_summary(result.plan, *about, width=width)
    write(_empty(data, caller) if empty else result.data)
    reporter.done(summary, detailed)
    if "HELM_PLUGIN_NAME" in os.environ:
        from postrender.helm.plugin import refresh

        refresh(os.environ, __version__)
    return 0


def parser() -> argparse.ArgumentParser:
    """Every setting, and the commands by name: what stands for the program as a whole."""
    from postrender.cli.parsers import ShowVersion, command_parser

    width = max(map(len, COMMANDS)) + 4
    listed = "".join(f"  {name:{width}}{summary}\n" for name, summary in COMMANDS.items())
    made = command_parser("", DESCRIPTION + listed, usage=USAGE, epilog=EPILOG)
    made.add_argument(
        "--version", "-V", action=ShowVersion, nargs=0, help="show the version, and which Helms are known"
    )
    for title, settings in GROUPS:
        add_arguments(made, title, settings)
    return made


def _empty(data: bytes, caller: Caller) -> bytes:
    """Helm 4 takes empty output for a failure (``RunPostRenderer``), an empty chart's included; a comment is none."""
    helm = caller.invocation.helm
    return b"# an empty stream came in\n" if helm is not None and helm.major >= 4 else data
