"""``postrender doctor``: one screen with what this machine and this caller have, and whether the filter could work."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from postrender import __version__, manifest
from postrender._record import Record, replace
from postrender.cli.arguments import FILTER_SETTINGS, add_arguments, add_caller, chosen, flags
from postrender.cli.console import add_color, chosen_paint
from postrender.cli.hints import of_command
from postrender.cli.inputs import policy_of, stdin
from postrender.cli.output import add_output, show
from postrender.cli.parsers import command_parser
from postrender.cli.run_info import setting_origins
from postrender.errors import UsageError
from postrender.models import GroupVersionKind, Json
from postrender.operations.doctor import Check, DoctorOptions, State, checks
from postrender.planner.policy import OnDrift
from postrender.report.formats import Formats, structured
from postrender.settings import SETTINGS, Caller, find
from postrender.text import Paint, hint_data, hint_lines, joined, wrapped

DESCRIPTION = """\
Check that postrender works in this environment: Helm, the plugin, the cluster
and your permissions. Nothing is written.

  postrender doctor
  postrender doctor --helm helm3 -n shop --kube-context prod
  helm template shop ./chart | postrender doctor -f - -n shop --adopt orphans
"""

EPILOG = """\
exit codes: 0 postrender works; else the filter's exit code: 2 no Helm,
            4 an unsuitable Helm or plugin, 5 no cluster or no permission
"""

_STYLES = {State.OK: "green", State.WARNING: "magenta", State.FAILED: "bold red"}
_SIGNS = {State.OK: "ok", State.WARNING: "note", State.FAILED: "BAD"}


def main(arguments: list[str]) -> int:
    """Check everything, and print what was found; raises UsageError for settings that make no sense."""
    options = parser().parse_args(arguments)
    values = chosen(options, FILTER_SETTINGS, os.environ)
    policy = policy_of(values)
    caller = find(flags(options, SETTINGS), os.environ)
    writes = bool(policy.adopt) or policy.on_drift is OnDrift.APPLY
    offline = bool(values["offline"] or values["live"])
    found = list(
        checks(DoctorOptions(__version__, options.helm, _kinds(options.file), writes, offline), caller, os.environ)
    )
    found = [replace(check, next=of_command(check.next, "doctor", arguments)) for check in found]
    origins = (*setting_origins(caller), *_variables(caller))
    code = next((check.code for check in found if check.state is State.FAILED), 0)
    report = DoctorReport(
        found, origins, chosen_paint(options), verbose=bool(values["verbose"]), quiet=bool(values["quiet"])
    )
    show(options, FORMATS, report)
    return code


def parser() -> argparse.ArgumentParser:
    """Which Helm, which stream, and all that the filter takes."""
    made = command_parser("doctor", DESCRIPTION, epilog=EPILOG)
    made.add_argument("--helm", metavar="PATH", help="the Helm to check (default: the calling one, or the one on PATH)")
    made.add_argument(
        "-f", "--file", metavar="STREAM", help="check the permissions that these manifests need; - is stdin"
    )
    add_output(made, FORMATS)
    add_color(made)
    add_arguments(made, "options of the filter", FILTER_SETTINGS, positional=True)
    add_caller(made)
    return made


def _kinds(file: str | None) -> tuple[GroupVersionKind, ...]:
    if file is None:
        return ()
    try:
        data = stdin("manifests are", "postrender doctor --help") if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=file, next="postrender doctor --help") from error
    return tuple(dict.fromkeys(ref.gvk for ref in manifest.read(data).objects))


def _variables(caller: Caller) -> Iterator[str]:
    """Variables of ours that are set, and that no setting of the caller was taken from."""
    known = {setting.variable for setting in FILTER_SETTINGS}
    used = set(caller.origins.values())
    return (name for name in sorted(known) if os.environ.get(name) and name not in used)


class DoctorReport(Record):
    """Every check, where settings come from, and how both are shown."""

    checks: Sequence[Check]
    origins: Sequence[str]
    paint: Paint
    verbose: bool
    quiet: bool


def _text(report: DoctorReport) -> str:
    """The screen: a sign and a name for each check, what was found beside it, what to type below."""
    bad = [check.name for check in report.checks if check.state is State.FAILED]
    if report.quiet:
        return "".join(f"{name}\n" for name in bad)
    return joined(_screen(report, bad))


def _screen(report: DoctorReport, bad: Sequence[str]) -> Iterator[str]:
    paint = report.paint
    for check in report.checks:
        first = f"{_SIGNS[check.state]:5}{check.name:9}"
        for index, line in enumerate(check.found):
            sign, rest = (first, " " * len(first)) if index == 0 else (f"{'':{len(first)}}- ", " " * (len(first) + 2))
            for place, text in enumerate(wrapped(line, first=sign, rest=rest, width=paint.width)):
                yield text if index or place else paint(_STYLES[check.state], text[:4]) + text[4:]
        yield from hint_lines(check.next, paint, first=" " * len(first))
    if report.verbose:
        origins = f"from {', '.join(report.origins) or 'defaults'}"
        yield from wrapped(origins, first=f"{'':5}{'settings':9}", rest=" " * 14, width=paint.width)
    if bad:
        yield f"{len(bad)} check{'s' * (len(bad) != 1)} failed: {', '.join(bad)}"
    else:
        yield "All checks passed."


def _data(report: DoctorReport) -> Json:
    return {
        "schemaVersion": 2,
        "kind": "Doctor",
        "works": all(check.state is not State.FAILED for check in report.checks),
        "checks": [
            {"name": check.name, "state": check.state.value, "found": list(check.found), "hints": hint_data(check.next)}
            for check in report.checks
        ],
        "settings": list(report.origins),
    }


FORMATS: Formats[DoctorReport] = {"text": _text, **structured(_data)}
