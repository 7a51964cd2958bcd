"""The account, or the message of a failure, brought to a person past the Helm that called, and into the report file.

A run that no Helm called and that writes no report, the quickest there is, imports nothing for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

from postrender import __version__
from postrender.caller import Caller, Flags, Setting, find
from postrender.caller.options import RUN_PLAN, unseen_beside
from postrender.caller.values import Value
from postrender.errors import PostrenderError, code, message
from postrender.helm.invocation import Action, DryRun
from postrender.pipeline import Planned
from postrender.record import Record
from postrender.source import Source
from postrender.text import harmless

REPORT_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "report",
        "str",
        "FILE",
        "write what is said to this file, or the plan where it is called .json (default, where a Helm called: "
        "~/.local/state/postrender/reports/NAMESPACE/RELEASE.txt)",
        path=True,
    ),
    Setting("no_report", "bool", "", "write no report file"),
)
"""What becomes of the account beside stderr."""

_JSON = ".json"
"""How the name of a report ends that is to be the plan."""


class Telling:
    """Everything that one run of the filter says, and where to. It learns on the way who called and what was asked."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.caller: Caller | None = None
        self.values: Mapping[str, Value | None] = {}
        self.source: Source | None = None
        self.planned: Planned | None = None
        self.others: dict[str, str] = {}
        self.compare: Callable[[Planned, Caller, Source | None], None] | None = None

    def see(self, planned: Planned) -> None:
        """Keep the plan for the report; raises Refused where it departs from the one it is held to."""
        self.planned = planned
        if self.compare is not None and self.caller is not None:
            self.compare(planned, self.caller, self.source)

    def heard(self, name: str, said: str) -> None:
        """Keep what another program of the chain said, for whoever reads the account."""
        self.others[name] = "".join(f"{name}: {line}\n" for line in said.splitlines())

    def done(self, account: str) -> None:
        """Tell the account of a run that succeeded, unless it is to be quiet; the report file is written anyway."""
        account = harmless("".join(self.others.values()) + account)
        said = account + self._report(account, 0)
        if self.values.get("quiet"):
            return
        _say(said)
        helm = self._helm()
        if helm is not None:
            from postrender.screen import show

            show(said, helm.pid, apart=self._prints_data())

    def failed(self, error: Exception) -> int:
        """Tell what went wrong; answers the exit code.

        Helm 3 shows what it heard on our stderr after a failure, Helm 4 never does (``Run``, pkg/postrender/exec.go of
        3.9.0 to 3.21.4; ``runPostrenderer``, internal/plugin/runtime_subprocess.go of 4.0.0 to 4.3.1).
        """
        said = harmless("".join(self.others.values())) + message(error)
        said += self._report(said, code(error))
        _say(said)
        helm = self._helm()
        if helm is not None:
            from postrender.screen import is_pipe, show

            if not (helm.shows_failures and is_pipe(2)) and not show(said, helm.pid):
                self._leave(said)
        return code(error)

    def _leave(self, said: str) -> None:
        """Leave what nobody could see, as if Helm 4 writes to a plain file, to ``postrender run`` if that runs Helm."""
        plan = self.environ.get(RUN_PLAN)
        if not plan:
            return
        from postrender.state import replace_private

        try:
            replace_private(unseen_beside(plan), said.encode("utf-8", "backslashreplace"))
        except OSError as error:
            _say(f"  note: {unseen_beside(plan)} could not be written: {error.strerror}\n")

    def _helm(self) -> _Helm | None:
        """The Helm that called, also where the run ended before anything was known of it."""
        if self.caller is not None:
            parent, version = self.caller.parent, self.caller.invocation.helm
            if parent is None:
                return None
            asked = version is not None and self.caller.origins["helm_version"].startswith("parent helm")
            return _Helm(parent.pid, version.major < 4 if version and asked else self._by_path())
        from postrender.caller import helm as helms
        from postrender.caller.processes import here

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

    def _report(self, text: str, exit_code: int) -> str:
        """Write the report file, and what ``postrender run`` reads; says where the report is, or what went wrong."""
        path, plan = self._path(exit_code), self.environ.get(RUN_PLAN)
        said = ""
        if path:
            said += self._written(path, text, exit_code) or f"  report: {path}\n"
        if plan:
            said += self._written(plan, text, exit_code)
        return said

    def _written(self, path: str, text: str, exit_code: int) -> str:
        """Write one report; a line that says why it could not be written, ``""`` where it was."""
        from postrender.state import replace_private

        try:
            content = self._json(text, exit_code) if path.endswith(_JSON) else _text(text, exit_code)
            replace_private(path, content.encode("utf-8", "backslashreplace"))
        except OSError as error:
            return f"  note: no report could be written to {path}: {error.strerror}\n"
        except Exception as error:
            # The manifests may be written by now, and nobody is helped by a run that fails because of its report.
            reason = str(error) if isinstance(error, PostrenderError) else type(error).__name__
            return f"  note: no report could be written to {path}: {reason}\n"
        return ""

    def _json(self, text: str, exit_code: int) -> str:
        """The plan, refused or not, as ``postrender plan -o json`` shows it; without one, what went wrong."""
        from postrender.commands.output import structured

        if self.planned is None or self.caller is None:
            return structured({"schemaVersion": 1, "kind": "Failure", "exitCode": exit_code, "message": text}, "json")
        from postrender import redact
        from postrender.commands.about import about_of
        from postrender.report.build import view
        from postrender.report.json import plan_json

        plan, facts = self.planned.plan, self.planned.facts
        about = about_of(self.caller, facts, self.source)
        return structured(plan_json(view(plan, facts, about, redact.digests(self.environ))), "json")

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
        from postrender.state import folder

        return os.path.join(folder(self.environ), "reports", namespace or "unknown", f"{name}.txt")


def _say(text: str) -> None:
    """Write to stderr, if there is one that takes it: the manifests may be written by now."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return


def _text(said: str, exit_code: int) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"postrender {__version__}, {now}, exit code {exit_code}\n{said}"


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
