"""``postrender lint``: what in a chart, or in a rendered stream, would make trouble when Helm adopts; no cluster."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from postrender._record import Record, replace
from postrender.cli.arguments import add_arguments, chosen
from postrender.cli.console import NAMES_ONLY, chosen_paint
from postrender.cli.hints import of_command
from postrender.cli.inputs import stdin
from postrender.cli.output import show, write
from postrender.cli.parsers import command_parser, parted
from postrender.errors import UsageError
from postrender.helm import binary
from postrender.lint import engine
from postrender.lint.chart import chart_of, templates_of
from postrender.lint.model import Facts, Finding, rendering
from postrender.lint.rules import RULES, Rule
from postrender.models import CRD
from postrender.report.lint import FORMATS, LintReport
from postrender.settings.parse import Value
from postrender.settings.table import Setting
from postrender.text import CHOICES

if TYPE_CHECKING:
    from postrender.cluster.snapshot_file import Snapshot

DESCRIPTION = """\
Find problems in a chart, or in rendered manifests, for adopting kept objects.
No cluster is contacted. A chart is rendered with helm template; arguments after
-- are passed to it.

  postrender lint ./chart
  postrender lint ./chart -- -f prod.yaml
  helm template shop ./chart | postrender lint --release shop -o github
"""

EPILOG = """\
The comment "# postrender: ignore=PL101" suppresses a rule for its line, or for
the document if it has a line of its own. postrender explain PL101 explains it.
exit codes: 0 nothing found, 1 findings, 2 bad usage, 3 invalid manifests
"""

LINT_SETTINGS: tuple[Setting, ...] = (
    Setting("select", "list", "CODE", "only these rules, such as PL101; PL1 is all that begin so"),
    Setting("ignore", "list", "CODE", "all rules but these"),
    Setting("output", "str", "FORMAT", f"the format: {', '.join(FORMATS)}", choices=tuple(FORMATS), aliases=("-o",)),
    Setting(
        "kube_version", "str", "VERSION", "the Kubernetes it is meant for, such as 1.29 (default: the newest known)"
    ),
    Setting(
        "api_versions",
        "list",
        "API",
        "what its server serves in addition to Kubernetes' own kinds: group/version[/Kind]",
    ),
    Setting("live", "str", "FILE", "live objects (kubectl get ... -o yaml) to compare names with", path=True),
    Setting("helm", "str", "PATH", "the Helm that renders a chart (default: helm)"),
    Setting("release", "str", "NAME", "the release's name (default for a chart: release-name)"),
    Setting("namespace", "str", "NAMESPACE", "the release's namespace (default: default)", aliases=("-n",)),
    Setting("quiet", "bool", "", NAMES_ONLY, aliases=("-q",)),
    Setting("color", "str", "WHEN", "colours (default: on a terminal, unless NO_COLOR is set)", choices=CHOICES),
)


class _Wishes(Record):
    """What was asked for, but for the charts and streams themselves."""

    values: Mapping[str, Value | None]
    live: Snapshot | None
    minor: int | None
    helm_arguments: tuple[str, ...]

    def listed(self, name: str) -> tuple[str, ...]:
        value = self.values[name] or ()
        assert isinstance(value, tuple)
        return value

    @property
    def release(self) -> str:
        return str(self.values["release"] or "")

    @property
    def namespace(self) -> str:
        return str(self.values["namespace"] or "default")


def main(arguments: list[str]) -> int:
    """Print the findings; 1 where there are any. Raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    values = chosen(options, LINT_SETTINGS, os.environ)
    live = _live(values["live"])
    wishes = _Wishes(values, live, _minor(values["kube_version"]), tuple(rest))
    rules = _rules(wishes.listed("select"), wishes.listed("ignore"))
    objects, findings = 0, list[Finding]()
    for named in _named(options.what):
        chart = chart_of(named) if named != "-" else None
        facts = _of_chart(chart, wishes) if chart else _of_stream(named, wishes)
        objects += len(facts.subjects)
        findings += engine.check(facts, rules, chart or ("stdin" if named == "-" else named))
    findings = [replace(each, next=of_command(each.next, "lint", arguments)) for each in findings]
    options.output, options.color = str(values["output"] or "text"), str(values["color"] or "auto")
    if values["quiet"] and options.output == "text":
        write("".join(f"{name}\n" for name in dict.fromkeys(finding.object for finding in findings)))
    else:
        show(options, FORMATS, LintReport(findings, objects, chosen_paint(options)))
    return 1 if findings else 0


def parser() -> argparse.ArgumentParser:
    """Charts and streams, and the rules."""
    made = command_parser("lint", DESCRIPTION, epilog=EPILOG)
    made.add_argument(
        "what",
        nargs="*",
        metavar="CHART|STREAM",
        help="a chart's folder or archive, a file in a chart, a rendered stream, - for stdin (the default)",
    )
    add_arguments(made, "rules, input and output", LINT_SETTINGS, positional=True)
    return made


def _named(what: list[str]) -> list[str]:
    """What to look at, each chart once."""
    if not what:
        if sys.stdin is not None and sys.stdin.isatty():
            raise UsageError("nothing to look at: stdin is a terminal", next="postrender lint --help")
        return ["-"]
    return list(dict.fromkeys((chart_of(named) or named) if named != "-" else named for named in what))


def _rules(select: tuple[str, ...], ignore: tuple[str, ...]) -> list[Rule]:
    for flag, codes in (("--select", select), ("--ignore", ignore)):
        for code in codes:
            if not any(known.startswith(code.upper()) for known in RULES):
                raise UsageError(f"no rule's code begins with {code!r}", where=flag, next="postrender explain")
    wanted = [code.upper() for code in select] or [""]
    return [
        rule
        for code, rule in RULES.items()
        if code.startswith(tuple(wanted)) and not (ignore and code.startswith(tuple(each.upper() for each in ignore)))
    ]


def _minor(version: Value | None) -> int | None:
    if version is None:
        return None
    found = re.fullmatch(r"v?1\.(\d+)(?:[.+-].*)?", str(version))
    if not found:
        raise UsageError(
            f"{version!r} is not a version of Kubernetes", where="--kube-version", next="--kube-version 1.29"
        )
    return int(found[1])


def _live(path: Value | None) -> Snapshot | None:
    if path is None:
        return None
    from postrender.cluster import snapshot_file

    return snapshot_file.load(str(path))


def _of_stream(named: str, wishes: _Wishes) -> Facts:
    try:
        data = stdin("manifests are", "postrender lint --help") if named == "-" else Path(named).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=named, next="postrender lint --help") from error
    return _facts(data, wishes)


def _of_chart(chart: str, wishes: _Wishes) -> Facts:
    """The chart rendered; where it keeps anything, a second time and under another name as well."""
    helm = binary.locate(str(wishes.values["helm"]) if wishes.values["helm"] else None, os.environ)
    release = wishes.release or "release-name"
    common = [chart, "--namespace", wishes.namespace, "--include-crds"]
    if wishes.values["kube_version"]:
        common += ["--kube-version", str(wishes.values["kube_version"])]
    for api in wishes.listed("api_versions"):
        common += ["--api-versions", api]
    common += wishes.helm_arguments

    def rendered(name: str) -> bytes:
        return binary.template(helm, [name, *common], os.environ)

    facts = replace(_facts(rendered(release), wishes), templates=templates_of(chart), release=release)
    if not facts.kept:
        return facts
    crds = _crds(wishes.live)
    return replace(
        facts,
        again=rendering(rendered(release), wishes.namespace, crds),
        renamed=rendering(rendered(f"{release[:40]}-other"), wishes.namespace, crds),
    )


def _facts(data: bytes, wishes: _Wishes) -> Facts:
    live = tuple(versions[0] for versions in wishes.live.objects.values()) if wishes.live else ()
    return Facts(
        rendering(data, wishes.namespace, _crds(wishes.live)),
        release=wishes.release,
        minor=wishes.minor,
        api_versions=wishes.listed("api_versions"),
        live=live,
    )


def _crds(live: Snapshot | None) -> list[object]:
    objects = live.objects.values() if live else ()
    return [versions[0].body for versions in objects if versions[0].key.group_kind == CRD]
