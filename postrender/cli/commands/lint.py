"""``postrender lint``: problems in a chart or a rendered stream, or in an upgrade from one version to the next.

No cluster is contacted.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
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
from postrender.lint.model import Facts, Finding, Rendering, rendering
from postrender.lint.rules import RULES, Rule
from postrender.lint.upgrade import renderings
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

Of two versions of one chart, lint shows what an upgrade from OLD to NEW does to
users: data that it deletes, objects that get another name, fields that cannot
change. Both are rendered with the same values and release name.

  postrender lint ./shop-1.4.0.tgz ./chart
  postrender lint --from old.yaml ./chart
  helm get manifest shop | postrender lint --from - ./chart --release shop
"""

EPILOG = """\
The comment "# postrender: ignore=PL101" suppresses a rule for its line, or for
the document if it has a line of its own. postrender explain PL101 explains it.
exit codes: 0 nothing found, 1 findings, 2 bad usage, 3 invalid manifests
"""

RELEASE = "release-name"
"""What helm template calls a release that has no name."""

COMPARING = "PL2"
"""How the codes of the rules begin that compare two versions."""

LINT_SETTINGS: tuple[Setting, ...] = (
    Setting("from", "str", "OLD", "compare with this older chart or stream, - for stdin", path=True),
    Setting("each", "bool", "", "check two charts or streams by themselves: they are not two versions of one"),
    Setting(
        "select",
        "list",
        "CODE",
        f"only these rules, such as PL101; PL1 is all that begin so (default for two versions: {COMPARING})",
    ),
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


class _Input(Record):
    """A chart, or a stream, as it was named; ``label`` is what findings call it."""

    name: str
    chart: str | None

    @property
    def label(self) -> str:
        return self.chart or ("stdin" if self.name == "-" else self.name)


def main(arguments: list[str]) -> int:
    """Print the findings; 1 where there are any. Raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parser().parse_args(ours)
    values = chosen(options, LINT_SETTINGS, os.environ)
    inputs = _inputs(options.what)
    versions = _versions(inputs, values, options.what, arguments)
    live = _live(values["live"])
    wishes = _Wishes(values, live, _minor(values["kube_version"]), tuple(rest))
    select = wishes.listed("select") or ((COMPARING,) if versions else ())
    rules = _rules(select, wishes.listed("ignore"))
    objects, findings = 0, list[Finding]()
    if versions:
        old, new = versions
        facts = _compared(old, new, wishes)
        if not values["from"]:
            _require_one_chart(facts, old, new, options.what, arguments)
        objects = len(facts.subjects)
        findings = engine.check(facts, rules, new.label, old.label)
    else:
        for each in inputs:
            facts = _facts_of(each, wishes)
            objects += len(facts.subjects)
            findings += engine.check(facts, rules, each.label)
    findings = [replace(each, next=of_command(each.next, "lint", arguments)) for each in findings]
    options.output, options.color = str(values["output"] or "text"), str(values["color"] or "auto")
    if values["quiet"] and options.output == "text":
        write("".join(f"{name}\n" for name in dict.fromkeys(finding.object for finding in findings)))
    else:
        show(
            options,
            FORMATS,
            LintReport(findings, objects, chosen_paint(options), versions[0].label if versions else ""),
        )
    return 1 if findings else 0


def parser() -> argparse.ArgumentParser:
    """Charts and streams, and the rules."""
    made = command_parser("lint", DESCRIPTION, epilog=EPILOG)
    made.add_argument(
        "what",
        nargs="*",
        metavar="CHART|STREAM",
        help="a chart's folder or archive, a file in a chart, a rendered stream, - for stdin (the default); "
        "two of them are the old and the new version of one chart, more are checked one by one",
    )
    add_arguments(made, "rules, input and output", LINT_SETTINGS, positional=True)
    return made


def _inputs(what: list[str]) -> list[_Input]:
    """What to look at, each chart once."""
    if not what:
        if sys.stdin is not None and sys.stdin.isatty():
            raise UsageError("no manifests: stdin is a terminal", next="postrender lint --help")
        return [_input("-")]
    found = [_input(named) for named in what]
    return list({each.chart or each.name: each for each in found}.values())


def _input(named: str) -> _Input:
    return _Input(named, chart_of(named) if named != "-" else None)


def _versions(
    inputs: list[_Input], values: Mapping[str, Value | None], what: list[str], arguments: list[str]
) -> tuple[_Input, _Input] | None:
    """The old and the new version, if two are to be compared."""
    older = values["from"]
    if older is None:
        return (inputs[0], inputs[1]) if len(inputs) == 2 and not values["each"] else None
    old = str(older)
    if values["each"]:
        hints = (_typed(arguments, {"--from", f"--from={old}", old}), _typed(arguments, {"--each"}))
        raise UsageError("cannot be used with --each", where="--from", next=hints)
    if len(inputs) > 1:
        problem = f"takes one new chart or stream, not {len(inputs)}"
        raise UsageError(problem, where="--from", next=_typed(arguments, set(what[1:])))
    if old == "-" == inputs[0].name:
        raise UsageError("only one version can be read from stdin", where="--from", next="postrender lint --help")
    return _input(old), inputs[0]


def _require_one_chart(facts: Facts, old: _Input, new: _Input, what: list[str], arguments: list[str]) -> None:
    """Raises UsageError where two arguments are of different charts: nobody said that one is the older version."""
    assert facts.before is not None
    names = [facts.before.charts, facts.charts]
    if all(names) and names[0].isdisjoint(names[1]):
        first, second = (", ".join(sorted(each)) for each in names)
        older = {named for named in what if _input(named).label == old.label}
        raise UsageError(
            f"{old.label} is chart {first} and {new.label} is chart {second}, not two versions of one chart",
            next=(_typed(arguments, set(), "--each"), _typed(arguments, older, "--from", old.name)),
        )


def _typed(arguments: list[str], without: set[str], *more: str) -> str:
    """The command that ran, without some words and with others."""
    ours, rest = parted(arguments)
    words = [word for word in ours if word not in without]
    return shlex.join(["postrender", "lint", *words, *more, *(["--", *rest] if rest else [])])


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


def _facts_of(named: _Input, wishes: _Wishes) -> Facts:
    """One version alone: a chart that keeps anything is rendered a second time, and under another name as well."""
    facts = _facts(rendering(_data(named, wishes), wishes.namespace, _crds(wishes.live)), named, wishes)
    if not named.chart or not facts.kept:
        return facts
    crds = _crds(wishes.live)
    return replace(
        facts,
        again=rendering(_data(named, wishes), wishes.namespace, crds),
        renamed=rendering(_data(named, wishes, f"{facts.release[:40]}-other"), wishes.namespace, crds),
    )


def _compared(old: _Input, new: _Input, wishes: _Wishes) -> Facts:
    """The new version, with the old one as ``before``; charts are rendered twice, to find what is generated."""

    def both() -> tuple[Rendering, Rendering]:
        streams = [_data(old, wishes), _data(new, wishes, upgrade=True)]
        return renderings(streams[0], streams[1], wishes.namespace, _crds(wishes.live))

    first, second = both()
    before, after = _facts(first, old, wishes), _facts(second, new, wishes)
    if old.chart and new.chart:
        again = both()
        before, after = replace(before, again=again[0]), replace(after, again=again[1])
    return replace(after, before=before)


def _data(named: _Input, wishes: _Wishes, release: str = "", *, upgrade: bool = False) -> bytes:
    """The stream, or the rendering of the chart."""
    if named.chart is None:
        try:
            if named.name == "-":
                return stdin("manifests are", "postrender lint --help")
            return Path(named.name).read_bytes()
        except OSError as error:
            raise UsageError(
                f"cannot be read: {error.strerror}", where=named.name, next="postrender lint --help"
            ) from error
    helm = binary.locate(str(wishes.values["helm"]) if wishes.values["helm"] else None, os.environ)
    common = [named.chart, "--namespace", wishes.namespace, "--include-crds"]
    if wishes.values["kube_version"]:
        common += ["--kube-version", str(wishes.values["kube_version"])]
    for api in wishes.listed("api_versions"):
        common += ["--api-versions", api]
    common += [*(["--is-upgrade"] if upgrade else []), *wishes.helm_arguments]
    return binary.template(helm, [release or wishes.release or RELEASE, *common], os.environ)


def _facts(stream: Rendering, named: _Input, wishes: _Wishes) -> Facts:
    live = tuple(versions[0] for versions in wishes.live.objects.values()) if wishes.live else ()
    return Facts(
        stream,
        release=wishes.release or (RELEASE if named.chart else ""),
        minor=wishes.minor,
        api_versions=wishes.listed("api_versions"),
        live=live,
        templates=templates_of(named.chart) if named.chart else {},
    )


def _crds(live: Snapshot | None) -> list[object]:
    objects = live.objects.values() if live else ()
    return [versions[0].body for versions in objects if versions[0].key.group_kind == CRD]
