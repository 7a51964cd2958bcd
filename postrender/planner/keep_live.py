"""Live values to keep: which fields the user and the chart name, and the edits that carry the live values.

A list or a plain value is replaced as a whole. A mapping is merged: its live keys win, those that the chart lacks are
added, and those that only the chart has stay.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from postrender._record import Record
from postrender.errors import UsageError
from postrender.helm.objects import folded
from postrender.manifest.edit import Edit, Remove, Set
from postrender.manifest.edit.changes import same
from postrender.manifest.field_paths import InvalidPath, parse_path, path_text, split_paths
from postrender.models import KEEP_LIVE, SECRET, GroupKind, Json
from postrender.planner.facts import DesiredObject, Facts, KeptValues, Place, place_of
from postrender.planner.verdict import Finding, error, note, warning
from postrender.text import Advice, Hint, shorten

FLAG = "--keep-live"
_EXAMPLE = f"{FLAG} secrets/login:data.password"
_DATA = frozenset({SECRET, GroupKind("", "ConfigMap")})
"""Kinds whose values all stand in ``data`` and ``binaryData``, which the chart need not set."""
_NOT_CONTENT = ("apiVersion", "kind", "metadata", "status")

Path = tuple[str, ...]


class Selector(Record):
    """One value of ``--keep-live``. ``kind``, ``namespace`` (``""`` for any) and ``name`` may have wildcards.

    ``path`` is ``()`` for the whole object.
    """

    text: str
    kind: str
    namespace: str
    name: str
    path: Path

    @property
    def exact(self) -> bool:
        """True without wildcards: the user expects one object to match."""
        return not any(character in self.kind + self.namespace + self.name for character in "*?[")

    def matches(self, item: DesiredObject) -> bool:
        """True for an object of the kind (plural or singular, with or without the group) and name."""
        kind = item.key.group_kind
        names = (item.resource.plural, item.resource.qualified, kind.kind.lower(), str(kind).lower())
        return (
            any(fnmatchcase(name, self.kind) for name in names)
            and fnmatchcase(item.key.name, self.name)
            and (not self.namespace or fnmatchcase(item.key.namespace, self.namespace))
        )


class Asked(Record):
    """A field to keep, ``()`` for the whole object; ``exact`` is set if the chart is expected to set it."""

    path: Path
    exact: bool


def selectors(texts: Sequence[str]) -> tuple[Selector, ...]:
    """The values of ``--keep-live``, several in a text with commas; raises UsageError."""
    return tuple(_selector(text) for text in split_paths(",".join(texts)))


def named(items: Sequence[DesiredObject], texts: Sequence[str]) -> frozenset[Place]:
    """The places of the objects of which the user or the chart names values; raises UsageError."""
    chosen = selectors(texts)
    return frozenset(
        place_of(item.ref)
        for item in items
        if KEEP_LIVE in item.ref.annotations or any(each.matches(item) for each in chosen)
    )


def kept_values(facts: Facts, policy_texts: Sequence[str], unavailable: str) -> dict[Place, KeptValues]:
    """The live values to keep of each object that has any, by its place in the stream.

    ``unavailable`` says why live values are not emitted, as a sentence without a full stop, ``""`` if they are. Raises
    UsageError for a selector without wildcards that matches no object, and ManifestError.
    """
    chosen = selectors(policy_texts)
    for selector in chosen:
        if selector.exact and not any(map(selector.matches, facts.items)):
            raise _unmatched(selector, facts.items)
    found: dict[Place, KeptValues] = {}
    for item in facts.items:
        asked, invalid = _asked(item, chosen)
        if invalid:
            found[place_of(item.ref)] = KeptValues(findings=(invalid,))
        elif asked:
            found[place_of(item.ref)] = _of_object(facts, item, asked, unavailable)
    return found


def _selector(text: str) -> Selector:
    where, colon, field = text.partition(":")
    kind, *names = where.split("/")
    if len(names) not in (1, 2) or not all((kind, *names)):
        raise UsageError(f"{text!r} is not KIND/NAME or KIND/NAME:FIELD", where=FLAG, next=_EXAMPLE)
    try:
        path = parse_path(field) if colon else ()
    except InvalidPath as problem:
        raise UsageError(f"{text!r}: {problem}", where=FLAG, next=_EXAMPLE) from None
    if reason := _not_keepable(path):
        raise UsageError(f"{text!r}: {reason}", where=FLAG, next=_EXAMPLE)
    return Selector(text, kind.lower(), names[0] if len(names) == 2 else "", names[-1], path)


def _not_keepable(path: Path) -> str:
    """Why a field cannot be kept; ``""`` if it can."""
    if path[:1] == ("metadata",):
        if len(path) == 3 and path[1] in ("labels", "annotations"):
            return ""
        return f"{path_text(path)} cannot be kept; of metadata only single labels and annotations can"
    return f"{path[0]} is not a value of the chart" if path and path[0] in _NOT_CONTENT else ""


def _unmatched(selector: Selector, items: Sequence[DesiredObject]) -> UsageError:
    known = [f"{item.resource.qualified}/{item.key.name}" for item in items if item.key.name]
    near = get_close_matches(f"{selector.kind}/{selector.name}", known, n=1)
    field = f":{path_text(selector.path)}" if selector.path else ""
    return UsageError(
        f"{selector.text!r} matches no object of the chart",
        where=FLAG,
        next=(
            *(Advice(f"did you mean {each}{field}?") for each in near),
            Advice("to let it match nothing, use a wildcard, as in secrets/*login"),
        ),
    )


def _asked(item: DesiredObject, chosen: Sequence[Selector]) -> tuple[list[Asked], Finding | None]:
    """The fields to keep of one object, each once; or the error about its annotation."""
    asked = {each.path: Asked(each.path, exact=each.exact) for each in chosen if each.matches(item)}
    for text in split_paths(item.ref.annotations.get(KEEP_LIVE, "")):
        try:
            path = parse_path(text)
            problem = _not_keepable(path)
        except InvalidPath as invalid:
            problem = str(invalid)
        if problem:
            return [], error(
                "PR321",
                f"its annotation {KEEP_LIVE} is invalid: {problem}",
                (Advice(f"in the chart, correct the annotation, as in {KEEP_LIVE}: data.password"),),
            )
        asked[path] = Asked(path, exact=True)
    return [Asked(_folded(item, each.path), each.exact) for each in asked.values()], None


def _folded(item: DesiredObject, path: Path) -> Path:
    """The path in the object as the API server stores it: a Secret's ``stringData`` stands in ``data``."""
    return ("data", *path[1:]) if item.key.group_kind == SECRET and path[:1] == ("stringData",) else path


def _of_object(facts: Facts, item: DesiredObject, asked: Sequence[Asked], unavailable: str) -> KeptValues:
    paths = tuple(each.path for each in asked)
    if item.hook:
        reason = "it is a hook, which Helm deletes and creates again"
        return KeptValues(paths, findings=(_cannot(_names(paths), reason, _UNNAME),))
    if unavailable:
        return KeptValues(paths, findings=(_unavailable(_names(paths), unavailable),))
    chart = facts.desired.document(item.ref)
    live = item.live.body if item.live else None
    kept: list[str] = []
    edits: dict[tuple[str | int, ...], Edit] = {}
    problems: list[Finding] = []
    for each in asked:
        if any(_contains(other.path, each.path) for other in asked):
            continue
        try:
            for path, value in _live_values(item, each, folded(item.ref.gvk, chart), live):
                kept.append(path_text(path))
                edits.update({edit.path: edit for edit in _edits(item, chart, path, value)})
        except _NotKept as problem:
            problems.append(problem.finding)
    if kept:
        kept = [*dict.fromkeys(kept)]
        problems.insert(0, note("PR320", f"kept as live: {shorten(kept)}"))
    return KeptValues(paths, tuple(kept), tuple(edits.values()), tuple(problems))


def _contains(whole: Path, part: Path) -> bool:
    """True if keeping ``whole`` keeps ``part``, which is another field: a whole object is so without its metadata."""
    return len(whole) < len(part) and part[: len(whole)] == whole and (bool(whole) or part[0] != "metadata")


class _NotKept(Exception):
    """A field cannot be kept."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.finding = finding


def _live_values(item: DesiredObject, asked: Asked, chart: Json, live: Json) -> Iterator[tuple[Path, Json]]:
    """Each named field that is live, with its live value; raises _NotKept. ``live`` is ``None`` for a new object."""
    if not asked.path:
        for name in _content(item, chart, live):
            if live and live.get(name) is not None:
                yield (name,), live[name]
        return
    value = _at(asked.path, live)
    if not _set_by_chart(asked, chart, is_live=value is not None):
        return
    if value is not None:
        yield asked.path, value


def _content(item: DesiredObject, chart: Json, live: Json) -> list[str]:
    """The top-level fields of a whole object: those that the chart sets, and all data of Secrets and ConfigMaps."""
    data = ("data", "binaryData") if live and item.key.group_kind in _DATA else ()
    return [name for name in dict.fromkeys((*chart, *data)) if name not in _NOT_CONTENT]


def _at(path: Path, body: Json) -> Json:
    """The value at a path; ``None`` if there is none."""
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _set_by_chart(asked: Asked, chart: Json, *, is_live: bool) -> bool:
    """True if the chart sets the field; raises _NotKept if it cannot, or should."""
    for place, key in enumerate(asked.path):
        above, last = path_text(asked.path[:place]), place == len(asked.path) - 1
        if isinstance(chart, list):
            raise _NotKept(_cannot(path_text(asked.path), f"{above} is a list; name the whole list", _RENAME))
        if chart is not None and not isinstance(chart, dict):
            raise _NotKept(_cannot(path_text(asked.path), f"{above} has no fields in the chart", _RENAME))
        if chart is None or key not in chart:
            if not asked.exact:
                return False
            if last and is_live and chart is not None:
                raise _NotKept(_not_added(path_text(asked.path)))
            missing = path_text(asked.path[: place + 1]) if chart is not None else above
            raise _NotKept(_cannot(path_text(asked.path), f"the chart does not set {missing}", _RENAME))
        chart = chart[key]
    return True


def _edits(item: DesiredObject, chart: Json, path: Path, value: Json) -> Iterator[Edit]:
    """The edits of the chart's document after which the field has the live value; raises _NotKept."""
    stored = folded(item.ref.gvk, chart)
    for place, live in _overlaid(path, _at(path, stored), value):
        if item.key.group_kind == SECRET and len(place) == 2 and place[0] == "data":
            yield from _data_edits(item, chart, place[1], live)
        else:
            yield Set(item.ref, place, live)


def _overlaid(path: Path, chart: Json, live: Json) -> Iterator[tuple[Path, Json]]:
    """The fields at and below the path that have to be set, with their live values; raises _NotKept."""
    if isinstance(chart, dict) and isinstance(live, dict):
        for key, value in live.items():
            if key in chart:
                yield from _overlaid((*path, key), chart[key], value)
            else:
                yield (*path, key), value
    elif chart is not None and _shape(chart) != _shape(live):
        reason = f"it is {_shape(live)} in the cluster, and {_shape(chart)} in the chart"
        raise _NotKept(_cannot(path_text(path), reason, _RENAME))
    elif not same(chart, live):
        yield path, live


def _shape(value: Json) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a plain value"


def _data_edits(item: DesiredObject, chart: Mapping[str, Json], key: str, live: Json) -> Iterator[Edit]:
    """The edits that give a Secret's key its live value, in ``stringData`` if it stands there and is UTF-8 text."""
    plain = chart.get("stringData")
    if not (isinstance(plain, dict) and key in plain):
        yield Set(item.ref, ("data", key), live)
        return
    from postrender.redact import is_digest  # A file of live objects may hold digests instead of values.

    if is_digest(live):
        yield Set(item.ref, ("stringData", key), live)
        return
    try:
        yield Set(item.ref, ("stringData", key), base64.b64decode(live, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, TypeError, ValueError):
        yield Remove(item.ref, ("stringData", key))
        yield Set(item.ref, ("data", key), live)


def _names(paths: Sequence[Path]) -> str:
    return shorten([path_text(path) or "the object" for path in paths])


_RENAME = Advice(f"correct the field in {FLAG}, or in the annotation {KEEP_LIVE}")
_UNNAME = Advice(f"take the object out of {FLAG}, or the annotation {KEEP_LIVE} out of the chart")


def _cannot(field: str, reason: str, advice: str) -> Finding:
    allow = Hint("helm ... --post-renderer-args=--allow=PR321", "to use the chart's value")
    return error("PR321", f"cannot keep the live value of {field}: {reason}", (advice, allow))


def _not_added(field: str) -> Finding:
    return warning(
        "PR321",
        f"{field} is live, and the chart does not set it: the live value is not added to the manifest",
        (Advice(f"to keep all live values of the object, name it without a field in {FLAG}"),),
    )


def _unavailable(field: str, reason: str) -> Finding:
    return warning("PR321", f"has the chart's value of {field}, not the live one: {reason}", (Advice(_LOOK_UP),))


_LOOK_UP = "live values are kept in a helm install or helm upgrade with postrender as its post-renderer"
