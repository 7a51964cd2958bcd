"""Cases played with a real Helm and judged by what a fresh installation of the same chart gives.

Many cases share a chart and a run, since a run costs far more than an object. Whatever is not right there is played
once more alone, and only that counts.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.cases import Case, Start
from tests.conformance.compare import NOTHING, Difference, comparable, differences, not_of_others
from tests.conformance.server import placed
from tests.e2e.api import ApiError, Namespace, Object
from tests.e2e.charts import chart
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Filter, Helm, Run
from tests.e2e.kinds import Kind
from tests.tools import assets

RELEASE = "r"
QUICKLY = "--disable-openapi-validation"
"""Helm then does not fetch all schemas to check the manifests before it begins."""
KEEP = "helm.sh/resource-policy"
REFUSALS = ("error while running post render", "error running post renderer", "post-renderer")
"""What Helm says where the filter failed."""
WORKERS = 2
OLDER = {"3": "3.12.3", "4": "3.21.4"}
"""The Helm before, by the major version of the one that is judged."""
ADOPT = {Start.ORPHAN: "orphans", Start.APPLIED: "unmanaged", Start.APPLIED_SERVER_SIDE: "unmanaged"}
"""What the filter has to be allowed."""
_NUMBERS = itertools.count(1)


class Verdict(Enum):
    """What came of a case."""

    RIGHT = "right"
    LATER = "right after the announced upgrade"
    REFUSED = "refused"
    IMMUTABLE = "refused, and the server refuses the change itself"
    WARNED = "warned"
    SILENT = "SILENT"
    LOST = "lost"
    ERROR = "error"
    TROUBLE = "not played"

    @property
    def good(self) -> bool:
        """Whether the promise was kept."""
        return self.as_charted or self.refused or self is Verdict.WARNED

    @property
    def as_charted(self) -> bool:
        """Whether the object became what a fresh installation gives."""
        return self in (Verdict.RIGHT, Verdict.LATER)

    @property
    def refused(self) -> bool:
        """Whether the run was refused before anything changed."""
        return self in (Verdict.REFUSED, Verdict.IMMUTABLE)


@dataclass(frozen=True)
class Result:
    """A played case. ``mispredicted`` is where the filter's report said something else than what then was live,
    ``undefaulted`` where it only lacks what the server adds to, or drops from, whatever is written.

    ``objection`` is what the server says to the fresh object put in the place of the live one, where the filter
    refused the run.
    ``differs`` is what is not as in the fresh installation at the end, ``unnamed`` the part of it that no warning
    names. ``text`` is what was said by Helm and the filter.
    """

    case: Case
    helm: str
    verdict: Verdict
    codes: tuple[str, ...] = ()
    differs: tuple[Difference, ...] = ()
    unnamed: tuple[Difference, ...] = ()
    mispredicted: tuple[Difference, ...] = ()
    undefaulted: tuple[Difference, ...] = ()
    predicted: bool = False
    objection: str = ""
    trouble: str = ""
    text: str = ""
    live: Object | None = None
    fresh: Object | None = None

    @property
    def good(self) -> bool:
        """Whether the promise was kept and the prediction came true."""
        return self.verdict.good and not self.mispredicted


@dataclass
class ObjectReport:
    """What the report of one run says of one object: findings and the object predicted."""

    findings: list[Any] = field(default_factory=list)
    after: Object | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({each["code"] for each in self.findings}))

    @property
    def announces(self) -> bool:
        """Whether a further upgrade is said to be needed."""
        return any("next helm upgrade" in each["text"] for each in self.findings)

    def unnamed(self, found: Sequence[Difference]) -> list[Difference]:
        """Those of which no warning names the field."""
        texts = [each["text"] for each in self.findings if each["severity"] == "warning"]
        left = [each for each in found if not any(_names(text, each) for text in texts)]
        named_some = len(left) < len(found)
        if named_some and any(re.search(r"and \d+ more", text) for text in texts):
            return []
        return left


class Player:
    """Plays cases on one control plane with one Helm."""

    def __init__(
        self, plane: ControlPlane, version: str, folder: Path, cache: Path, batch: int = 8, *, filter: bool = True
    ) -> None:
        """``batch`` is how many cases may share a chart; without ``filter`` it is Helm alone that is judged."""
        self._filter = filter
        self._plane = plane
        self._version = version
        self._folder = folder
        self._cache = cache
        self._batch = batch

    def all(self, cases: Sequence[Case]) -> Iterator[Result]:
        """The results, as they come."""
        by_start: dict[Any, list[Case]] = {}
        for case in cases:
            by_start.setdefault((case.start, case.force_conflicts), []).append(case)
        batches = [some[at : at + self._batch] for some in by_start.values() for at in range(0, len(some), self._batch)]
        with ThreadPoolExecutor(WORKERS) as pool:
            for results in pool.map(self.batch, batches):
                yield from results

    def batch(self, cases: Sequence[Case]) -> list[Result]:
        """The results of cases of one start, played together where that does no harm."""
        if len(cases) == 1:
            return [self.one(cases[0])]
        found = self._play(cases)
        if found and all(each.verdict.refused for each in found):
            refused = [each.case for each in found if each.codes]
            rest = [case for case in cases if case not in refused]
            if not refused or not rest:
                return [self.one(case) for case in cases]
            return [*(self.one(case) for case in refused), *self.batch(rest)]
        if any(each.verdict in (Verdict.ERROR, Verdict.TROUBLE) for each in found):
            half = len(cases) // 2
            return [*self.batch(cases[:half]), *self.batch(cases[half:])]
        return [each if each.good else self.one(each.case) for each in found]

    def one(self, case: Case) -> Result:
        """The result of one case, played alone; without its chart between where Helm does not take that one."""
        (found,) = self._play([case])
        if found.verdict is Verdict.TROUBLE and case.between != case.old:
            (found,) = self._play([replace(case, between=case.old)])
        return found

    def candidates(self, cases: Sequence[Case]) -> list[Result]:
        """The results of smaller cases of one, each under a number of its own, which share a run where they can."""
        numbered = [replace(case, number=case.number * 100 + at) for at, case in enumerate(cases)]
        found = self._play(numbered)
        if all(each.verdict in (Verdict.ERROR, Verdict.TROUBLE) or each.verdict.refused for each in found):
            found = [self.one(case) for case in numbered[:6]]
            found += [Result(case, self._version, Verdict.TROUBLE) for case in numbered[6:]]
        return found

    def _play(self, cases: Sequence[Case]) -> list[Result]:
        with _Stage(self._plane, self._version, self._folder, self._cache, cases, self._filter) as stage:
            try:
                return stage.play()
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                return [Result(case, self._version, Verdict.TROUBLE, trouble=reason) for case in cases]


class _Stage:
    """Two namespaces for some cases: in one the new chart is installed fresh, in the other over what was there."""

    def __init__(
        self, plane: ControlPlane, version: str, folder: Path, cache: Path, cases: Sequence[Case], filter: bool
    ) -> None:
        self._filter = filter
        number = next(_NUMBERS)
        self._version = version
        self._cases = cases
        self._folder = folder / f"{number}"
        self._over, self._fresh = plane.namespace(f"adopted-{number}"), plane.namespace(f"fresh-{number}")
        self._helm = self._of(plane, version, self._over, cache)
        self._older_helm = self._of(plane, OLDER[version[0]], self._over, cache)
        self._fresh_helm = self._of(plane, version, self._fresh, cache)

    def __enter__(self) -> _Stage:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the files and what is not in a namespace; namespaces stay, since nothing would collect them."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for case in self._cases:
            for namespace in (self._over, self._fresh):
                if not case.kind.namespaced and namespace.get(case.kind, _name(case, namespace)) is not None:
                    namespace.delete(case.kind, _name(case, namespace))

    def play(self) -> list[Result]:
        """One result a case, in their order; AssertionError where the start or the fresh installation fails."""
        new = [case.new for case in self._cases]
        self._fresh_helm.install(RELEASE, self._chart(self._fresh, new), QUICKLY).expect_ok()
        fresh = [self._get(case, self._fresh) for case in self._cases]
        self._start()
        before = [self._get(case, self._over) for case in self._cases]
        run, reports = self._filtered("upgrade" if self._cases[0].start is Start.UPGRADED else "install", new)
        now = [self._get(case, self._over) for case in self._cases]
        text = f"{run.stdout}{run.stderr}"
        if not run.ok:
            return [
                self._failed(case, run, reports.get(_key(case), ObjectReport()), was, live, expected)
                for case, was, live, expected in zip(self._cases, before, now, fresh, strict=True)
            ]
        later, upgrade = list(now), None
        again: Mapping[str, ObjectReport] = {}
        if any(each.announces for each in reports.values()):
            upgrade, again = self._filtered("upgrade", new)
            later = [self._get(case, self._over) for case in self._cases]
            text += f"--- upgrade\n{upgrade.stdout}{upgrade.stderr}"
        return [
            self._judged(
                case,
                (reports.get(_key(case), ObjectReport()), again.get(_key(case))),
                live,
                last,
                expected,
                upgrade,
                text,
            )
            for case, live, last, expected in zip(self._cases, now, later, fresh, strict=True)
        ]

    def _start(self) -> None:
        """Make the old objects live as the start of the cases says."""
        start = self._cases[0].start
        old = [case.old for case in self._cases]
        if start in (Start.APPLIED, Start.APPLIED_SERVER_SIDE):
            for case, body in zip(self._cases, old, strict=True):
                named = placed({**body, "metadata": self._metadata(case, body, self._over)}, self._over.name)
                if start is Start.APPLIED:
                    self._over.kubectl_apply(named, kind_of(case, body))
                else:
                    self._over.apply(named, kind_of(case, body), "kubectl")
            return
        helm = self._older_helm if start is Start.OLDER else self._helm
        release = "other" if start is Start.ORPHAN else RELEASE
        helm.install(release, self._chart(self._over, old), QUICKLY).expect_ok()
        helm.uninstall(release).expect_ok()
        if start in (Start.READOPTED, Start.UPGRADED):
            between = self._chart(self._over, [case.between for case in self._cases])
            helm.install(RELEASE, between, QUICKLY).expect_ok()
        if start is Start.READOPTED:
            helm.uninstall(RELEASE).expect_ok()

    def _filtered(self, action: str, bodies: Sequence[Object]) -> tuple[Run, Mapping[str, ObjectReport]]:
        """The run that is judged, and what the filter's report says of each object."""
        report = self._folder / f"{action}-{next(_NUMBERS)}.json"
        adopt = ADOPT.get(self._cases[0].start)
        arguments = ("--report", str(report), *(("--adopt", adopt) if adopt else ()))
        flags = ("--force-conflicts",) if self._cases[0].force_conflicts else ()
        filtered = self._filter and Filter(arguments)
        run = self._helm.run(action, RELEASE, str(self._chart(self._over, bodies)), QUICKLY, *flags, filter=filtered)
        plan = json.loads(report.read_text()) if report.is_file() else {}
        reports = {}
        for each in plan.get("objects", ()):
            key = f"{each['object']['kind']}.{each['object']['group']}/{each['object']['name'].rpartition('-')[2]}"
            reports[key] = ObjectReport(each["findings"], each["after"])
        return run, reports

    def _failed(
        self, case: Case, run: Run, report: ObjectReport, was: Object | None, live: Object | None, fresh: Object | None
    ) -> Result:
        codes = tuple(sorted({each["code"] for each in report.findings if each["severity"] == "error"}))
        text = f"{run.stdout}{run.stderr}"
        result = Result(case, self._version, Verdict.ERROR, codes, trouble=run.error, text=text, live=live, fresh=fresh)
        refused = any(sentence in run.stderr for sentence in REFUSALS)
        if not refused or _version(was) != _version(live):
            return result
        said = "; ".join(each["text"] for each in report.findings if each["severity"] == "error")
        objection = self._objection(case, live, fresh) if live is not None and fresh is not None else ""
        return replace(
            result,
            verdict=Verdict.IMMUTABLE if objection else Verdict.REFUSED,
            objection=objection,
            trouble=said or run.error,
        )

    def _objection(self, case: Case, live: Object, fresh: Object) -> str:
        """Why no update makes the live object the fresh one: the server's words; ``""`` if it takes one that does.

        Asked with dry-run updates to the chart's object, and to the fresh one, which has what the server sets only when
        it creates an object (a Job's selector).
        """
        metadata = self._metadata(case, case.new, self._over)
        text = json.dumps(fresh).replace(fresh["metadata"]["uid"], live["metadata"]["uid"])
        complete: Object = json.loads(text.replace(self._fresh.name, self._over.name))
        objections = []
        for body in ({**case.new, "metadata": metadata}, complete):
            sent = placed(body, self._over.name)
            sent["metadata"] = {**sent["metadata"], **_identity(live)}
            path = case.kind.path(self._over.name, _name(case, self._over))
            try:
                now = self._over.api.request("PUT", path, sent, query={"dryRun": "All"})
            except ApiError as error:
                objections.append(str(error))
                continue
            wrong = differences(comparable(now, case.new), comparable(complete, case.new))
            left = [str(each) for each in wrong if each.fields[0] != "metadata"]
            if not left:
                return ""
            objections.append(f"the server takes it and leaves {'; '.join(left)}")
        return objections[0]

    def _judged(
        self,
        case: Case,
        reports: tuple[ObjectReport, ObjectReport | None],
        live: Object | None,
        last: Object | None,
        fresh: Object | None,
        upgrade: Run | None,
        text: str,
    ) -> Result:
        assert fresh is not None, "the fresh installation made nothing"
        report, again = reports
        result = Result(case, self._version, Verdict.RIGHT, report.codes, text=text, live=last, fresh=fresh)
        if live is None or last is None:
            return replace(result, verdict=Verdict.LOST)
        result = replace(result, **_prediction(case, report, live, fresh))
        if again is not None and upgrade is not None and upgrade.ok:
            second = _prediction(case, again, last, fresh)
            result = replace(result, mispredicted=(*result.mispredicted, *second.get("mispredicted", ())))
        wrong_now, wrong_last = _against(case, live, fresh), _against(case, last, fresh)
        if report.announces and upgrade is not None and not upgrade.ok:
            return replace(result, verdict=Verdict.ERROR, differs=tuple(wrong_last), trouble=upgrade.error)
        left = wrong_last if report.announces or not wrong_now else wrong_now
        unnamed = report.unnamed(left)
        if self._version.startswith("4."):
            # An apply leaves the fields of other managers, and has to be said to.
            kept = differences(comparable(last, case.new), comparable(fresh, case.new))
            unnamed = report.unnamed(kept)
            left = left or unnamed
        if left:
            verdict = Verdict.SILENT if unnamed else Verdict.WARNED
        else:
            verdict = Verdict.LATER if wrong_now else Verdict.RIGHT
        return replace(result, verdict=verdict, differs=tuple(left), unnamed=tuple(unnamed))

    def _get(self, case: Case, namespace: Namespace) -> Object | None:
        return namespace.get(case.kind, _name(case, namespace))

    def _chart(self, namespace: Namespace, bodies: Sequence[Object]) -> Path:
        templates = {}
        for case, body in zip(self._cases, bodies, strict=True):
            metadata = self._metadata(case, body, namespace)
            templates[f"c{case.number}"] = written(placed({**body, "metadata": metadata}, namespace.name))
        return chart(self._folder, templates)

    def _metadata(self, case: Case, body: Object, namespace: Namespace) -> Object:
        metadata = {**body["metadata"], "name": _name(case, namespace)}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), KEEP: "keep"}
        return metadata

    def _of(self, plane: ControlPlane, version: str, namespace: Namespace, cache: Path) -> Helm:
        home = self._folder / f"home-{namespace.name}-{version}"
        return Helm(assets.find(f"helm@{version}"), version, home, plane.kubeconfig, namespace.name, cache)


def _name(case: Case, namespace: Namespace) -> str:
    """The object's name there; cluster-scoped ones have one of their own for each namespace."""
    return f"c{case.number}" if case.kind.namespaced else f"{namespace.name}-c{case.number}"


def kind_of(case: Case, body: Object) -> Kind:
    """The kind of one of the case's manifests, whose version may be another than the new chart's."""
    return replace(case.kind, version=str(body["apiVersion"]).rpartition("/")[2])


def _key(case: Case) -> str:
    return f"{case.kind.kind}.{case.kind.group}/c{case.number}"


def _identity(live: Object) -> Object:
    """The metadata by which the server knows the live object."""
    return {name: live["metadata"][name] for name in ("name", "uid", "resourceVersion", "creationTimestamp")}


def _version(live: Object | None) -> str | None:
    return None if live is None else live["metadata"]["resourceVersion"]


def written(body: Object) -> str:
    """A template that renders to the object, whatever stands in its strings."""
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=2**31)
    return text.replace("{{", '{{ "{{" }}')


class _Dumper(yaml.SafeDumper):
    """YAML for Helm's reader, for which more words are numbers and booleans than for PyYAML's."""


def _quoted(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _ODD.match(text) else None)


_ODD = re.compile(r"[yYnN]$|[-+.\d]")
_Dumper.add_representer(str, _quoted)


def _against(case: Case, live: Object, fresh: Object) -> list[Difference]:
    found = differences(comparable(live, case.new), comparable(fresh, case.new))
    return not_of_others(found, live, case.new)


def _prediction(case: Case, report: ObjectReport, live: Object, fresh: Object) -> dict[str, Any]:
    """Where the object predicted is not the one that is live; values of Secrets, which a report digests, count not."""
    if report.after is None:
        return {"predicted": False}
    said, there, new = (comparable(each, case.new) for each in (report.after, live, fresh))
    if case.kind.kind == "Secret":
        for body in (said, there, new):
            body["data"] = dict.fromkeys(body.get("data") or {}, "(a value)")
            body.pop("stringData", None)
    # A text that is also a value of the Secret is a digest wherever it stands.
    digested = [each for each in differences(there, said) if not str(each.there).startswith("digest:")]
    found = report.unnamed(digested if case.kind.kind == "Secret" else differences(there, said))
    not_fresh = {each.fields for each in differences(there, new)}
    completed = [each for each in found if each.fields not in not_fresh and _completed(each.there, each.here)]
    return {
        "predicted": True,
        "mispredicted": tuple(each for each in found if each not in completed),
        "undefaulted": tuple(completed),
    }


def _completed(written: Any, stored: Any) -> bool:
    """Whether the server may have stored this for that: nothing is different but what one of them does not have."""
    written, stored = (None if each is NOTHING else each for each in (written, stored))
    if isinstance(written, dict) and isinstance(stored, dict):
        return all(_completed(written.get(key), stored.get(key)) for key in {**written, **stored})
    if isinstance(written, list) and isinstance(stored, list):
        return len(written) == len(stored) and all(map(_completed, written, stored))
    return written == stored or written is None or (not written and stored is None)


_TOKEN = re.compile(r"[\w./=*-]+")


def _names(text: str, difference: Difference) -> bool:
    """Whether a sentence names the field, one that holds it, or one in it; positions in lists do not matter."""
    path = ".".join(difference.fields)
    for token in _TOKEN.findall(re.sub(r"\[[^\]]*\]|\.\w+=[^\s.,]+", "", text)):
        name = re.sub(r"\.\d+(?=\.|$)", "", token).rstrip(".")
        if path == name:
            return True
        if name in ("", "spec", "metadata", "data"):
            continue
        if path.startswith(f"{name}.") or name.startswith(f"{path}."):
            return True
    return False
