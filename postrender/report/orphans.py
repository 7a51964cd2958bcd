"""Orphans for a reader at a terminal, and as plain values for programs (``orphans.schema.json`` describes those)."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Iterator, Sequence

from postrender._record import Record
from postrender.cluster.interface import CommandHints
from postrender.models import CRD, NAMESPACE, RESOURCE_POLICY, Json, ReleaseName
from postrender.operations.orphans import OwnedObject, Search
from postrender.report.formats import Formats, names_of, structured
from postrender.text import Paint, counted, hint_data, hint_lines, joined, wrapped

VERSION = 2
"""Raised when a field goes or changes its meaning; a new field does not raise it."""

_DATE = len("2026-09-14")

_HOLDERS = (NAMESPACE, CRD)
"""Kinds whose objects take all that is in them along when they are deleted: no command is offered for that."""


class Typing(Record):
    """What is typed next for what was found, so that it reaches the same cluster."""

    cluster: CommandHints

    def take_back(self, release: ReleaseName) -> str:
        """The release installed anew: what it kept is its own."""
        command = self.cluster.typed(f"helm install {shlex.quote(release.name)} CHART", release.namespace)
        return f"{command} --post-renderer postrender"

    def adopt(self, release: ReleaseName, left: Iterable[OwnedObject]) -> str:
        """Given to another release."""
        names = " ".join(shlex.quote(each.name) for each in left)
        return f"{self.cluster.typed('postrender adopt RELEASE', release.namespace)} {names}"

    def delete(self, left: Iterable[OwnedObject]) -> Iterator[str]:
        """Deleted, a call for each namespace; nothing for what somebody applies, or what holds other objects."""
        by_namespace: dict[str, list[str]] = {}
        for each in left:
            if each.gitops_controller or each.live.key.group_kind in _HOLDERS:
                continue
            name = shlex.quote(f"{each.resource.qualified}/{each.live.key.name}")
            by_namespace.setdefault(each.live.key.namespace, []).append(name)
        for namespace, names in by_namespace.items():
            yield self.cluster.kubectl(f"delete {' '.join(names)}", namespace)


def orphans_text(
    search: Search, where: str, typing: Typing, paint: Paint, details: str = "", *, wide: bool = False
) -> str:
    """A table of all orphans, and a count; ``details`` is the command that shows what to do, ``""`` to show it here."""
    lines: list[str] = []
    if details:
        lines += _table(search.orphans, paint, wide=wide)
    else:
        for release, group in itertools.groupby(search.orphans, key=lambda each: each.owner):
            lines += [*_group(release, list(group), typing, paint), ""]
    for undecided in search.undecided:
        lines += wrapped(
            f"release {undecided.release}, named by {counted(undecided.objects, 'object')}: its release could not be "
            f"looked up: {undecided.why.reason}",
            width=paint.width,
        )
        lines += hint_lines(undecided.why.next, paint)
    for name, why in search.failed:
        lines += wrapped(f"could not list {name}: {why.reason}", width=paint.width)
        lines += hint_lines(why.next, paint)
    if search.forbidden:
        lines += wrapped(f"no permission to list, not searched: {', '.join(search.forbidden)}", width=paint.width)
    releases = len({each.owner for each in search.orphans})
    count = counted(len(search.orphans), "orphan")
    found = f"{count} of {counted(releases, 'release')}" if releases else "No orphans"
    seen = f"{counted(search.objects, 'object')}, {counted(search.kinds, 'kind')} searched"
    lines += wrapped(f"{found} ({seen}; {where})", width=paint.width)
    if details and search.orphans:
        lines += hint_lines([details], paint)
    return joined(lines)


def _table(orphans: Sequence[OwnedObject], paint: Paint, *, wide: bool) -> Iterator[str]:
    titles = ["OBJECT", "RELEASE", "CREATED", "NOTE", *(["APIVERSION", "WRITTEN BY HELM", "UID"] if wide else [])]
    rows = [
        (each.name, str(each.owner), _date(each), _note(each), each.live.api_version, each.written, each.live.uid)
        for each in orphans
    ]
    if rows:
        yield from columns(titles, rows, paint)


def columns(titles: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> Iterator[str]:
    """A table with a line of titles; a column that is empty everywhere is left out."""
    kept_columns = [index for index in range(len(titles)) if any(row[index] for row in rows)]
    table = [titles, *rows]
    widths = [max(len(row[index]) for row in table) for index in kept_columns]
    for place, row in enumerate(table):
        cells = (f"{row[index]:{width}}" for index, width in zip(kept_columns, widths, strict=True))
        line = "  ".join(cells).rstrip()
        yield line if place else paint("bold", line)


def _date(left: OwnedObject) -> str:
    return left.since[:_DATE] if left.since[:_DATE].replace("-", "").isdigit() else ""


def orphans_data(search: Search, cluster: str, namespace: str, typing: Typing) -> dict[str, Json]:
    """The same for programs; ``namespace`` is ``""`` for all."""
    return {
        "schemaVersion": VERSION,
        "kind": "Orphans",
        "cluster": cluster,
        "namespace": namespace,
        "objects": search.objects,
        "kinds": search.kinds,
        "orphans": [_orphan(each, typing) for each in search.orphans],
        "undecided": [
            {
                "release": _release(each.release),
                "objects": each.objects,
                "reason": each.why.reason,
                "hints": hint_data(each.why.next),
            }
            for each in search.undecided
        ],
        "forbidden": list(search.forbidden),
        "failed": [{"name": name, "reason": why.reason, "hints": hint_data(why.next)} for name, why in search.failed],
    }


def _group(release: ReleaseName, left: Sequence[OwnedObject], typing: Typing, paint: Paint) -> Iterator[str]:
    yield paint("bold", f"release {release} is uninstalled: {counted(len(left), 'object')} left")
    notes = [_note(each) for each in left]
    aside = 2 + _DATE + (2 + max(map(len, notes)) if any(notes) else 0)
    width = max(len(each.name) for each in left)
    if paint.width:
        width = min(width, paint.width - 2 - aside)
    for each, note in zip(left, notes, strict=True):
        rest = f"  {_date(each):{_DATE}}" + (f"  {paint('magenta', note)}" if note else "")
        if len(each.name) > width:
            yield f"  {each.name}"
            yield f"    {rest}"
        else:
            yield f"  {each.name:{width}}{rest}"
    staying = [each for each in left if not each.live.deleting]
    if not staying:
        return
    yield from _command("take back", typing.take_back(release), paint)
    yield from _command("adopt", typing.adopt(release, staying), paint)
    for call in typing.delete(staying):
        yield from _command("delete", call, paint)


def _command(what: str, call: str, paint: Paint) -> Iterator[str]:
    """A command that can be copied, over several lines if it is longer than a terminal's."""
    if not paint.width:
        yield paint("dim", f"    {what:9}") + f"  {call}"
        return
    lines: list[str] = []
    available = paint.width - 15 - len(" \\")
    for word in _words(call):
        if lines and len(lines[-1]) + 1 + len(word) <= available - (4 if len(lines) > 1 else 0):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    for index, line in enumerate(lines):
        head = f"    {what:9}" if not index else " " * 13
        end = " \\" if index < len(lines) - 1 else ""
        yield paint("dim", head) + f"  {'    ' if index else ''}{line}{end}"


def _words(call: str) -> list[str]:
    """The words of a command line as they are written, quotes and all; a flag and its value are one."""
    lexer = shlex.shlex(call, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in lexer:
        if words and words[-1].startswith("-") and " " not in words[-1] and not word.startswith("-"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def _note(left: OwnedObject) -> str:
    if left.live.deleting:
        return "being deleted"
    if left.gitops_controller:
        return f"applied by {left.gitops_controller}"
    if left.live.key.group_kind in _HOLDERS:
        return "holds others"
    if not left.live.managed_by_helm:
        return "without Helm's label"
    return "" if kept(left) else "not marked keep"


def kept(left: OwnedObject) -> bool:
    """Whether an uninstall would leave it: the policy is trimmed and lower-cased (``filterManifestsToKeep``)."""
    return left.live.annotations.get(RESOURCE_POLICY, "").strip().lower() == "keep"


def _orphan(left: OwnedObject, typing: Typing) -> dict[str, Json]:
    key = left.live.key
    alone = [left]
    return {
        "object": left.name,
        "apiVersion": left.live.api_version,
        "kind": key.group_kind.kind,
        "namespace": key.namespace,
        "name": key.name,
        "uid": left.live.uid,
        "release": _release(left.owner),
        "keep": kept(left),
        "labelled": left.live.managed_by_helm,
        "deleting": left.live.deleting,
        "appliedBy": left.gitops_controller,
        "created": left.created,
        "writtenByHelm": left.written,
        "commands": {
            "takeBack": typing.take_back(left.owner),
            "adopt": typing.adopt(left.owner, alone),
            "delete": next(typing.delete(alone), ""),
        },
    }


def _release(release: ReleaseName) -> dict[str, str]:
    return {"namespace": release.namespace, "name": release.name}


class OrphansReport(Record):
    """What a search found, and how it is shown.

    ``namespace`` is ``""`` for all, ``details`` as for ``orphans_text``.
    """

    search: Search
    cluster: str
    namespace: str
    typing: Typing
    paint: Paint
    details: str

    def text(self, *, wide: bool = False) -> str:
        """The table, or what to do about each orphan."""
        where = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        return orphans_text(self.search, f"{where}, {self.cluster}", self.typing, self.paint, self.details, wide=wide)

    def data(self) -> Json:
        """For programs."""
        return orphans_data(self.search, self.cluster, self.namespace, self.typing)


FORMATS: Formats[OrphansReport] = {
    "table": OrphansReport.text,
    "wide": lambda report: report.text(wide=True),
    "name": names_of(lambda report: [each.name for each in report.search.orphans]),
    **structured(OrphansReport.data),
}
