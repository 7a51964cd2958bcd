"""The summary of a run, or the message of its failure, brought to a person and written into the report file.

If Helm hides a post-renderer's stderr, the text goes to Helm's own stderr (a terminal or a pipe), else to the terminal.
A run without a calling Helm and without a report file, the quickest there is, imports nothing for that.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from postrender import __version__
from postrender._record import Record, replace
from postrender.cluster.interface import ClusterReader
from postrender.errors import PostrenderError, code, message
from postrender.helm.invocation import Action, DryRun
from postrender.operations.filter.pipeline import Planned
from postrender.planner.verdict import Plan
from postrender.settings import Caller, Flags, Setting, find
from postrender.settings.parse import Value
from postrender.settings.table import RUN_PLAN, unseen_beside
from postrender.text import CHOICES, folded, harmless, one_line, paint, quoted, to_stderr

PATIENCE = 1.0
"""Seconds for a reader that does not read: a pipe nobody empties, a terminal that was stopped."""

_OPEN = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def show(
    text: str,
    pid: int,
    *,
    apart: bool = False,
    color: str = "never",
    ours: int = 2,
    proc: str = "/proc",
    terminal: str = "/dev/tty",
) -> bool:
    """Show a text on the stderr of the process ``pid``, else on the terminal; whether anybody could see it.

    The stderr counts where it is a terminal or a pipe: in a plain file Helm's own later writes would go over it. What
    is read through our own stderr ``ours`` is not shown a second time. ``apart`` says that a program may read the
    stdout of that process: a pipe that takes both is left alone then. ``color`` is the value of ``--color``.
    """
    if os.isatty(ours):
        return True
    theirs = f"{proc}/{pid}/fd"
    places = [(f"{theirs}/2", _terminal_or_pipe), (terminal, os.isatty)]
    for place, fits in places[apart and _one_pipe(theirs) :]:
        descriptor = _opened(place, fits)
        if descriptor is None:
            continue
        try:
            if _same(descriptor, ours):
                return True
            with open(descriptor, "wb", buffering=0, closefd=False) as stream:
                painted = paint(color, stream, os.environ)
                shown = painted.heads(folded(text, painted.width))
            return _write(descriptor, shown.encode("utf-8", "backslashreplace"))
        finally:
            os.close(descriptor)
    return False


def is_pipe(descriptor: int) -> bool:
    """Whether what is written there goes to another program."""
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _terminal_or_pipe(descriptor: int) -> bool:
    return os.isatty(descriptor) or is_pipe(descriptor)


def _one_pipe(folder: str) -> bool:
    """Whether stdout and stderr are one pipe, as after ``2>&1 |``."""
    try:
        out, err = os.stat(f"{folder}/1"), os.stat(f"{folder}/2")
    except OSError:
        return False
    return stat.S_ISFIFO(out.st_mode) and os.path.samestat(out, err)


def _opened(path: str, fits: Callable[[int], bool]) -> int | None:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None
    if fits(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _same(one: int, other: int) -> bool:
    return os.path.sameopenfile(one, other)


def _write(descriptor: int, data: bytes) -> bool:
    """Write what can be written without waiting for ever: Helm waits for us."""
    deadline = time.monotonic() + PATIENCE
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            import select  # Only a pipe that is full is waited for.

            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [descriptor], [], left)[1]:
                return False
        except OSError:
            return False
    return True


REPORT_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "report",
        "str",
        "FILE",
        "write the summary to this file, or the plan if its name ends in .json (default if Helm runs postrender: "
        "~/.local/state/postrender/reports/NAMESPACE/RELEASE.txt)",
        path=True,
    ),
    Setting("no_report", "bool", "", "write no report file"),
    Setting("color", "str", "WHEN", "colour errors, warnings and hints", choices=CHOICES),
)
"""What becomes of the account beside stderr."""

_JSON = ".json"
"""How the name of a report ends that is to be the plan."""


class RunReporter:
    """Everything that one run of the filter says, and where to. It learns on the way who called and what was asked."""

    def __init__(self, environ: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
        self.environ = environ
        self.arguments = arguments
        self.caller: Caller | None = None
        self.values: Mapping[str, Value | None] = {}
        self.source: ClusterReader | None = None
        self.planned: Planned | None = None
        self.others: dict[str, str] = {}
        self.compare: Callable[[Planned, Caller, ClusterReader | None], None] | None = None

    def see(self, planned: Planned) -> None:
        """Keep the plan for the report; raises Refused where it departs from the one it is held to."""
        self.planned = planned
        if self.compare is not None and self.caller is not None:
            self.compare(planned, self.caller, self.source)

    def on_stderr(self, name: str, text: str) -> None:
        """Keep what another program of the chain said, for whoever reads the account."""
        self.others[name] = quoted(text, name)

    def done(self, summary: str, detailed: Callable[[], str]) -> None:
        """Print the account of a run that succeeded, unless it is to be quiet; the report file gets the details."""
        others = "".join(self.others.values())
        text = harmless(others + summary) + self._report(lambda: harmless(others + detailed()), 0)
        if self.values.get("quiet"):
            return
        self._print(text)
        helm = self._helm()
        if helm is not None:
            show(text, helm.pid, apart=self._prints_data(), color=self._color)

    def failed(self, error: Exception) -> int:
        """Tell what went wrong; answers the exit code.

        Helm 3 shows what it heard on our stderr after a failure, Helm 4 never does (``Run``, pkg/postrender/exec.go of
        3.9.0 to 3.21.4; ``runPostrenderer``, internal/plugin/runtime_subprocess.go of 4.0.0 to 4.3.1).
        """
        if isinstance(error, PostrenderError) and error.next:
            error.next = self.whole(error.next)
        text = harmless("".join(self.others.values())) + message(error)
        reported = text
        text += self._report(lambda: reported, code(error))
        self._print(text)
        helm = self._helm()
        shown = helm is None or (helm.shows_failures and is_pipe(2)) or show(text, helm.pid, color=self._color)
        if not shown:
            self._leave(text)
        return code(error)

    def whole(self, steps: Sequence[str]) -> tuple[str, ...]:
        """Hints as whole commands, by the Helm that called."""
        from postrender.cli.hints import of_filter

        return of_filter(steps, self.caller, self.arguments)

    def with_hints(self, plan: Plan) -> Plan:
        """The plan with the hints of its findings as whole commands."""
        if not any(finding.next for each in (*plan.verdicts, *plan.removed) for finding in each.findings):
            return plan
        from postrender.cli.hints import in_findings

        verdicts, removed = in_findings(plan.verdicts, self.whole), in_findings(plan.removed, self.whole)
        return replace(plan, verdicts=verdicts, removed=removed)

    @property
    def _color(self) -> str:
        return str(self.values.get("color") or "auto")

    def _print(self, text: str) -> None:
        painted = paint(self._color, sys.stderr, self.environ)
        to_stderr(painted.heads(folded(text, painted.width)), coloured=painted.on)

    def _leave(self, text: str) -> None:
        """Leave what nobody could see, as if Helm 4 writes to a plain file, to ``postrender run`` if that runs Helm."""
        plan = self.environ.get(RUN_PLAN)
        if not plan:
            return
        from postrender.operations.state_files import replace_private

        try:
            replace_private(unseen_beside(plan), text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            to_stderr(f"  note: {one_line(unseen_beside(plan))} could not be written: {error.strerror}\n")

    def _helm(self) -> _Helm | None:
        """The Helm that called, also where the run ended before anything was known of it."""
        if self.caller is not None:
            parent, version = self.caller.parent, self.caller.invocation.helm
            if parent is None:
                return None
            asked = version is not None and self.caller.origins["helm_version"].startswith("parent helm")
            return _Helm(parent.pid, version.major < 4 if version and asked else self._by_path())
        from postrender.helm import process as helms
        from postrender.helm.process import here

        found = helms.find(os.getpid(), here())
        return _Helm(found.process.pid, self._by_path()) if found else None

    def _prints_data(self) -> bool:
        """Whether what Helm prints on stdout may be read by a program: manifests, or JSON and YAML (``--output``)."""
        if self.caller is None or self.caller.parent is None:
            return False
        invocation, flags = self.caller.invocation, self.caller.parent.flags
        only_shows = invocation.action is Action.TEMPLATE or invocation.dry_run is not DryRun.NO
        return only_shows or any(flag in ("--output=json", "--output=yaml") for flag in flags)

    def _by_path(self) -> bool:
        """Whether a Helm that said no version ran us by our path, as Helm 3 does: a plugin is told its folder."""
        return "HELM_PLUGIN_DIR" not in self.environ

    @property
    def shows_plan(self) -> bool:
        """Whether the plan itself is written somewhere, and what is live is to be in it."""
        return RUN_PLAN in self.environ or str(self.values.get("report") or "").endswith(_JSON)

    def _report(self, whole: Callable[[], str], exit_code: int) -> str:
        """Write the report file, and what ``postrender run`` reads; says where the report is, or what went wrong."""
        path, plan = self._path(exit_code), self.environ.get(RUN_PLAN)
        lines = ""
        text = whole() if path or plan else ""
        if path:
            lines += self._written(path, text, exit_code) or f"  report: {one_line(path)}\n"
        if plan:
            lines += self._written(plan, text, exit_code)
        return lines

    def _written(self, path: str, text: str, exit_code: int) -> str:
        """Write one report; a line that says why it could not be written, ``""`` where it was."""
        from postrender.operations.state_files import replace_private

        try:
            content = harmless(self._json(text, exit_code) if path.endswith(_JSON) else _text(text, exit_code))
            replace_private(path, content.encode("utf-8", "backslashreplace"))
        except OSError as error:
            return f"  note: no report could be written to {one_line(path)}: {error.strerror}\n"
        except Exception as error:
            # The manifests may be written by now, and nobody is helped by a run that fails because of its report.
            reason = str(error) if isinstance(error, PostrenderError) else type(error).__name__
            return f"  note: no report could be written to {one_line(path)}: {one_line(reason)}\n"
        return ""

    def _json(self, text: str, exit_code: int) -> str:
        """The plan, refused or not, as ``postrender plan -o json`` shows it; without one, what went wrong."""
        from postrender.report.formats import as_json

        if self.planned is None or self.caller is None:
            return as_json({"schemaVersion": 1, "kind": "Failure", "exitCode": exit_code, "message": text})
        from postrender import redact
        from postrender.cli.run_info import about_of
        from postrender.planner.build_view import view
        from postrender.planner.view_json import plan_json

        plan, facts = self.with_hints(self.planned.plan), self.planned.facts
        about = about_of(self.caller, facts, self.source)
        return as_json(plan_json(view(plan, facts, about, redact.digests(self.environ))))

    def _path(self, exit_code: int) -> str:
        """Where the report goes, ``""`` for nowhere.

        Where no Helm stands between, whoever called hears all of it on stderr. A rendering that went well changes
        nothing, and leaves the report of the last run that did.
        """
        if self.values.get("no_report"):
            return ""
        if self.values.get("report"):
            return os.path.abspath(str(self.values["report"]))
        if self._helm() is None:
            return ""
        caller = self.caller or _by_helm()
        if exit_code == 0 and caller and caller.invocation.action is Action.TEMPLATE:
            return ""
        release = caller.invocation.release if caller else None
        namespace = release.namespace if release else caller.namespace if caller else None
        name = release.name if release else "unknown"
        from postrender.operations.state_files import folder

        return os.path.join(folder(self.environ), "reports", namespace or "unknown", f"{name}.txt")


def _text(text: str, exit_code: int) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"postrender {__version__}, {now}, exit code {exit_code}\n{text}"


def _by_helm() -> Caller | None:
    """Who called, by Helm alone: what we were told may be the very thing that is wrong."""
    try:
        return find(Flags(), {})
    except PostrenderError:
        return None


class _Helm(Record):
    """The process of the Helm that called, and whether it shows our stderr itself where we fail."""

    pid: int
    shows_failures: bool
