"""``postrender run -- helm install ...``: one command, and the release is finished."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from postrender import __version__
from postrender._record import replace
from postrender.cli.arguments import CHAIN_SETTINGS, FILTER_SETTINGS, HOLD_SETTINGS, add_arguments, chosen
from postrender.cli.hints import own_flags
from postrender.cli.inputs import no_namespace, policy_of
from postrender.cli.parsers import command_parser, parted
from postrender.cli.run_report import REPORT_SETTINGS
from postrender.errors import UsageError
from postrender.helm import binary
from postrender.helm.binary import HelmBinary
from postrender.helm.plugin import installed
from postrender.operations.filter.pipeline import require_known
from postrender.operations.run import helm_process
from postrender.operations.run.request import HelmCommand, RunRequest, parse_helm_command
from postrender.operations.run.workflow import run
from postrender.settings import Setting, find
from postrender.settings.connection import reached
from postrender.settings.parse import Value
from postrender.settings.table import RUN_COMMAND
from postrender.text import to_stderr

DESCRIPTION = """\
Run a helm install or helm upgrade with postrender as its post-renderer. Then
remove resourceVersion from the stored release, run the helm upgrade that the
plan announced, and compare the release with the cluster.

  postrender run -- helm install shop ./chart -n prod
  postrender run --adopt orphans -- helm upgrade --install shop ./chart
  postrender run --no-upgrade -- helm install shop ./chart

If it is interrupted, run the same command again to continue. With --report
plan.json, the report of the helm upgrade is in plan.upgrade.json.
"""

EPILOG = """\
exit codes: 0 done, Helm's own if Helm fails, 2 bad usage,
            5 cannot reach the API server
"""

USAGE = "postrender run [FLAG ...] -- HELM install|upgrade [ARGUMENT ...]"

_SETTINGS = (
    *(setting for setting in FILTER_SETTINGS if setting.name not in ("live", "offline", "quiet")),
    *HOLD_SETTINGS,
    *CHAIN_SETTINGS,
    *REPORT_SETTINGS,
)


def main(arguments: list[str]) -> int:
    """Run it; raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    named, *behind = rest or [""]
    if not named:
        raise UsageError("the Helm command is missing; write it after --", next="postrender run --help")
    command = parse_helm_command(behind)
    kept = own_flags(ours)
    environ = {**_environ(options), RUN_COMMAND: shlex.join([*kept, "--", named])}
    helm = binary.locate(named, os.environ)
    require_known(helm.version)
    own = installed(sys.argv[0], sys.executable)
    if command.is_dry_run or command.release is None:
        return _alone(helm, command, own, environ)
    flags = replace(command.flags(os.getcwd()), helm_version=str(helm.version))
    caller = find(flags, os.environ)
    release = caller.invocation.release
    if release is None:
        raise no_namespace(caller, "-n")
    request = RunRequest(
        helm=helm,
        typed=(named, *behind),
        flags=kept,
        command=command,
        cluster=reached(caller),
        release=release,
        driver=caller.invocation.driver,
        program=own,
        version=__version__,
        environ=environ,
        folder=os.getcwd(),
        upgrade=not options.no_upgrade,
    )
    return run(request, _print)


def parser() -> argparse.ArgumentParser:
    """Our own flags; all that stands behind ``--`` is Helm's."""
    made = command_parser("run", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    made.add_argument("--no-upgrade", action="store_true", help="do not run the announced helm upgrade")
    add_arguments(made, "options of the filter", _SETTINGS)
    return made


def _alone(helm: HelmBinary, command: HelmCommand, own: str, environ: dict[str, str]) -> int:
    """A dry run, and an installation under a name that is made up: nothing to finish, and nothing kept to take back."""
    with helm_process.renderer(helm, own, __version__, environ) as renderer:
        code = helm_process.run(helm, command.with_flags(*renderer.flags), renderer.environ)
    why = "a dry run" if command.is_dry_run else "a release with a generated name"
    _print(f"postrender: {why}: nothing to finish\n" if not code else "")
    return code


def _environ(options: argparse.Namespace) -> dict[str, str]:
    """Our environment, with the filter's settings as variables: it is Helm that calls the filter."""
    values = chosen(options, _SETTINGS, os.environ)
    policy_of({**values, "quiet": None})
    settings = {
        setting.variable: _text(setting, value) for setting in _SETTINGS if (value := values[setting.name]) is not None
    }
    return {**os.environ, **settings}


def _text(setting: Setting, value: Value) -> str:
    """The value as its variable holds it, wherever Helm runs the filter."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return os.path.abspath(value) if setting.path else value


def _print(text: str) -> None:
    sys.stdout.flush()
    to_stderr(text)
