"""Fields that left the chart: a live object compared with a new object of the same manifest.

Helm's client-side patches remove a field only if the stored manifest has it and the chart has not. A reinstall over a
kept object compares the chart with itself, so nothing of the older chart is ever removed (``createPatch``,
pkg/kube/client.go, 3.2 to 4.3). The live object alone does not show whether a field is a default of the API server:
``metadata.managedFields`` names both. So the chart's object is created as a dry run under an unused name, which shows
the fields that a new object would have.

Lists are compared by the keys that the entries of ``managedFields`` name (``k:{"name":"app"}``), sets by their elements
(``v:"a"``), and every other list as a whole, as server-side apply does (structured-merge-diff v6, typed/merge.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from postrender._record import Record
from postrender.helm.field_set import EMPTY, WHOLE, Element, FieldSet, element_of, has_keys, key_names
from postrender.helm.managed_fields import fields_by_manager, fields_of_others, is_secret
from postrender.helm.patch import deep_equal, without_nulls
from postrender.models import Json

Path = tuple[str, ...]


_ZERO_VALUES: tuple[Json, ...] = ("", 0, False, {}, [])
"""Values that the API server writes for required fields of its Go types that nobody set, without a manager."""
_OF_NULLS = ("", "0")
"""What the API server makes of a null in a map of texts or of quantities."""


class FieldOwners(Record):
    """The fields that Helm set on the live object, that other managers set, and that Helm would set on a new object.

    ``whole_lists`` says that Helm's patch of this kind replaces every list as a whole (a JSON merge patch);
    ``yields`` that it does not set again what another manager changed since Helm last set it.
    """

    helm: FieldSet = EMPTY
    others: FieldSet = EMPTY
    new: FieldSet = EMPTY
    whole_lists: bool = False
    yields: bool = False

    def at(self, element: Element) -> FieldOwners:
        """The owners of the fields at and below one element, such as ``f:spec`` or ``k:{"name":"app"}``."""
        mine, others, new = (fields.at(element) for fields in (self.helm, self.others, self.new))
        return FieldOwners(mine, others, new, self.whole_lists, self.yields)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The fields that identify an element of this list; ``()`` for a list without such keys."""
        return self._key_names or ()

    @property
    def is_set(self) -> bool:
        """Whether this list is a set of scalars."""
        return self._key_names == ()

    @property
    def _key_names(self) -> tuple[str, ...] | None:
        return key_names((self.helm, self.others, self.new))


def field_owners(live: Json, fresh: Json, manager: str, *, whole_lists: bool = False) -> FieldOwners:
    """The owners of a live object's fields, and of the fields of a new object (``fresh``).

    ``manager`` is Helm's field manager. What another manager or a subresource wrote (``status``, ``scale``) counts as
    others'.
    """
    mine = fields_by_manager(live).get((manager, ""), EMPTY)
    new = reduce(FieldSet.union, fields_by_manager(fresh).values(), EMPTY)
    if is_secret(live):
        # Whoever set a key in ``stringData`` owns that key in ``data``.
        from_strings = FieldSet({f"f:{key}": WHOLE for key in keys_of_string_data(live, manager)})
        mine = mine.union(FieldSet({"f:data": from_strings})) if from_strings else mine
    return FieldOwners(mine, fields_of_others(live, manager), new, whole_lists)


def keys_of_string_data(secret: Json, manager: str) -> list[str]:
    """The keys in a live Secret's ``data`` that come from ``stringData`` and that no other field manager owns.

    Server-side apply owns what it was sent, and no manager owns what the API server makes of it. So what no manager
    owns was in ``stringData`` once, and no apply removes it. ``[]`` for an object without ``managedFields``.
    """
    managed, by_manager = (secret.get("metadata") or {}).get("managedFields"), fields_by_manager(secret)
    owned = [fields.at("f:data") for fields in by_manager.values()]
    owned += [fields.at("f:stringData") for (name, _), fields in by_manager.items() if name != manager]
    return [key for key in secret.get("data") or {} if managed and not any(each.at(f"f:{key}") for each in owned)]


def may_hold_leftovers(live: Json, chart: Json, manager: str) -> bool:
    """True if Helm's field manager owns a field of the live object that the chart does not set.

    Usually that is a default of the API server, which only a dry-run create tells from a field that left the chart.
    """
    mine = field_owners(live, {}, manager).helm
    return bool(mine) and _beyond(mine, live, chart)


def has_unowned_fields(live: Json, chart: Json) -> bool:
    """True if the live object has a field that the chart does not set, and has no ``managedFields``.

    The API server drops ``managedFields`` if it cannot compute them, such as for a list whose elements lack their keys
    (``UpdateNoErrors``, k8s.io/apimachinery v0.34.0, pkg/util/managedfields/internal/fieldmanager.go). Since v0.37.0 it
    keeps those from before an update, and drops none but a new object's.
    """
    if (live.get("metadata") or {}).get("managedFields"):
        return False
    return _beyond(EMPTY, {name: value for name, value in live.items() if name not in ("metadata", "status")}, chart)


def has_null(chart: Json) -> bool:
    """True if the chart has a null anywhere, which the API server may turn into a value of its own."""
    if isinstance(chart, (dict, list)):
        return any(map(has_null, chart.values() if isinstance(chart, dict) else chart))
    return chart is None


def holds(live: Json, chart: Json) -> bool:
    """True if the live object has every value of the chart exactly; False if the chart has a null."""
    if isinstance(live, dict) and isinstance(chart, dict):
        return all(name in live and holds(live[name], value) for name, value in chart.items())
    if _all_lists(live, chart):
        return len(live) == len(chart) and all(map(holds, live, chart))
    return chart is not None and deep_equal(live, chart)


def _beyond(fields: FieldSet, live: Json, chart: Json) -> bool:
    """Whether one of the fields is live and not set by the chart."""
    for element, below in fields.children.items():
        if element.startswith("f:"):
            name = element[2:]
            now = live.get(name) if isinstance(live, dict) else None
            charted = chart.get(name) if isinstance(chart, dict) else None
            if now is not None and (charted is None or _beyond(below, now, charted)):
                return True
        elif element.startswith("k:"):
            keys = json.loads(element[2:])
            now, charted = (
                next((each for each in _elements(one) if has_keys(each, keys)), None) for one in (live, chart)
            )
            if now is not None and (charted is None or _beyond(below, now, charted)):
                return True
        elif element.startswith("v:") and json.loads(element[2:]) not in (chart if isinstance(chart, list) else ()):
            return True
    if not fields.children and isinstance(live, dict) and isinstance(chart, dict):
        # A map that is owned as a whole; Helm's patch merges it all the same.
        return any(chart.get(name) is None or _beyond(EMPTY, now, chart[name]) for name, now in live.items())
    return False


def expected_object(live: Json, chart: Json, fresh: Json, owners: FieldOwners) -> Json:
    """The live object as it should be: the chart's values, the server's defaults, and the fields of other managers.

    What Helm set and a new object would not have is left out, unless another manager set it too. What the server
    allocates, and no manager owns, stays as it is live.
    """
    if isinstance(live, dict) and isinstance(fresh, dict) and not _atomic(live, fresh, owners):
        return _expected_map(live, chart if isinstance(chart, dict) else {}, fresh, owners)
    if owners.yields and owners.others and not owners.helm:
        return live
    if _all_lists(live, fresh):
        names = owners.key_names
        if names and _keyed(live, names) and _keyed(fresh, names):
            own, foreign = _expected_elements(live, chart, fresh, owners)
            return _expected_list(live, fresh, own, foreign, owners)
        if owners.is_set:
            foreign = [each for each in live if each not in fresh and not _set_by_helm_alone(owners, each)]
            return _expected_list(live, fresh, fresh, foreign, owners)
    # A value that the server allocates to each object has no manager in a new one, and neither has a zero value.
    default = bool(owners.new) or fresh in _ZERO_VALUES
    helms = owners.helm and not owners.others
    return fresh if chart is not None or (default and helms) else live


def _atomic(live: Json, fresh: Json, owners: FieldOwners) -> bool:
    """Whether a map is owned as a whole: it has fields, and its owner has none of them.

    One with fields of others is not: Helm lost all of its own to them, and kept the map.
    """
    theirs = any(element.startswith("f:") for element in owners.others.children)
    return (owners.helm.is_whole and bool(live) and not theirs) or (owners.new.is_whole and bool(fresh))


def _expected_map(live: Json, chart: Json, fresh: Json, owners: FieldOwners) -> Json:
    result = {}
    for name in _names(live, fresh):
        now, wanted, charted = live.get(name), fresh.get(name), chart.get(name)
        below = owners.at(f"f:{name}")
        value = None
        if wanted is None:
            value = _without_helms(now, below) if below.helm else now
        elif charted is not None:
            value = wanted if now is None else expected_object(now, charted, wanted, below)
        elif now is not None:
            value = expected_object(now, None, wanted, below) if below.helm else now
        elif name in chart and wanted in _OF_NULLS:
            value = wanted
        if value is not None or (name in live and now is None):
            result[name] = value
    return result


def _expected_list(live: Json, fresh: Json, own: Json, foreign: Json, owners: FieldOwners) -> Json:
    """A list of Helm's ``own`` elements and those of other managers; a patch of whole lists cannot add the latter."""
    if not owners.whole_lists:
        return [*own, *foreign]
    stays = deep_equal([each for each in live if each not in foreign], own)
    return live if stays and all(each in live for each in foreign) else fresh


def _expected_elements(live: Json, chart: Json, fresh: Json, owners: FieldOwners) -> tuple[Json, Json]:
    """The elements that the chart wants, and those that other managers set."""
    names = owners.key_names
    before = {_key(each, names): each for each in live}
    result = []
    for index, wanted in enumerate(fresh):
        charted = _counterpart(chart, index, wanted, len(fresh))
        now = before.pop(_key(wanted, names), None)
        if now is not None:
            result.append(expected_object(now, charted, wanted, owners.at(element_of(wanted, names))))
        elif charted is not None:
            result.append(wanted)
    foreign = []
    for element in before.values():
        below = owners.at(element_of(element, names))
        rest = _without_helms(element, below) if below.helm else element
        # An element cannot do without its keys: what others set in it goes with it.
        if rest is not None and _key(rest, names) == _key(element, names):
            foreign.append(rest)
    return result, foreign


def _without_helms(value: Json, owners: FieldOwners) -> Json:
    """What is left of a value that Helm set and no longer sets; ``None`` for nothing."""
    others, whole = owners.others, owners.helm.owned or not owners.helm
    if whole and not others:
        return None
    if whole and others.is_whole:
        return value
    names = owners.key_names
    if isinstance(value, dict):
        fields = ((name, _others_part(item, owners.at(f"f:{name}"), whole=whole)) for name, item in value.items())
        return {name: item for name, item in fields if item is not None} or None
    if isinstance(value, list) and names and _keyed(value, names):
        elements = ((each, _others_part(each, owners.at(element_of(each, names)), whole=whole)) for each in value)
        return [rest for each, rest in elements if rest is not None and _key(rest, names) == _key(each, names)] or None
    if isinstance(value, list) and owners.is_set:
        return [each for each in value if not _set_by_helm_alone(owners, each)] or None
    return value if others else None


def _others_part(item: Json, owners: FieldOwners, *, whole: bool) -> Json:
    """One entry of a value of which Helm no longer sets anything; what no manager owns goes with the ``whole``."""
    if owners.helm:
        return _without_helms(item, owners)
    return None if whole and not owners.others else item


def _set_by_helm_alone(owners: FieldOwners, element: Json) -> bool:
    below = owners.at(element_of(element, ()))
    return bool(below.helm) and not below.others


def as_stored(body: Json, chart: Json, fresh: Json, expected: Json, owners: FieldOwners) -> Json:
    """A predicted object as the API server stores it: the chart's values in its notation, and its defaults.

    ``fresh`` shows both. A default is filled in only if the object is expected to have one. A null in a map of texts
    is an empty text in a new object, which is no default.
    """
    if chart is not None and fresh is not None and deep_equal(body, chart):
        return fresh
    if isinstance(body, dict) and isinstance(fresh, dict):
        charted = chart if isinstance(chart, dict) else {}
        target = expected if isinstance(expected, dict) else {}
        result = {
            name: as_stored(value, charted.get(name), fresh.get(name), target.get(name), owners.at(f"f:{name}"))
            for name, value in body.items()
            # What the chart says and no new object has is dropped by the server: a field that the schema lacks.
            if value is not None and (name in fresh or name in target or not deep_equal(value, charted.get(name)))
        }
        for name, value in fresh.items():
            default = charted.get(name) is None and not (name in charted and value in _OF_NULLS)
            if name not in result and default and target.get(name) is not None and value is not None:
                result[name] = value
        return result
    if _all_lists(body, fresh):
        names = owners.key_names
        if names and all(isinstance(each, dict) for each in (*body, *fresh)):
            return [_element_as_stored(each, chart, fresh, expected, owners) for each in body]
        if len(body) == len(fresh):
            charteds = chart if isinstance(chart, list) and len(chart) == len(fresh) else [None] * len(fresh)
            targets = expected if isinstance(expected, list) and len(expected) == len(fresh) else fresh
            return [as_stored(*each, FieldOwners()) for each in zip(body, charteds, fresh, targets, strict=True)]
    return body


def _element_as_stored(element: Json, chart: Json, fresh: Json, expected: Json, owners: FieldOwners) -> Json:
    names = owners.key_names
    keys = {name: element[name] for name in names if name in element}
    for index, wanted in enumerate(fresh):
        if has_keys(wanted, keys):
            charted = _counterpart(chart, index, wanted, len(fresh))
            target = next((each for each in _elements(expected) if _key(each, names) == _key(wanted, names)), None)
            return as_stored(element, charted, wanted, target, owners.at(element_of(wanted, names)))
    return element


def differences(now: Json, expected: Json, owners: FieldOwners) -> tuple[Path, ...]:
    """The paths at which two objects differ, such as ``("spec", "containers", "name=app", "env", "name=DEBUG")``.

    A null counts as a field that is not there. The elements of a keyed list are compared by key; their order counts
    among those that both lists have.
    """
    return tuple(_differences(now, expected, owners, ()))


def _differences(now: Json, expected: Json, owners: FieldOwners, path: Path) -> Iterator[Path]:
    if isinstance(now, dict) and isinstance(expected, dict):
        for name in _names(now, expected):
            yield from _differences(now.get(name), expected.get(name), owners.at(f"f:{name}"), (*path, name))
        return
    if owners.whole_lists:
        if not _same(now, expected):
            yield path
        return
    names = owners.key_names
    if _all_lists(now, expected) and names and _keyed(now, names) and _keyed(expected, names):
        before = {_key(each, names): each for each in now}
        after = {_key(each, names): each for each in expected}
        for key in {**before, **after}:
            element = after[key] if key in after else before[key]
            label = ",".join(f"{name}={element[name]}" for name in names if name in element)
            below = owners.at(element_of(element, names))
            yield from _differences(before.get(key), after.get(key), below, (*path, label))
        if [key for key in before if key in after] != [key for key in after if key in before]:
            yield path
        return
    if _all_lists(now, expected) and owners.is_set:
        now, expected = sorted(now, key=json.dumps), sorted(expected, key=json.dumps)
    if not _same(now, expected):
        yield path


def _same(now: Json, expected: Json) -> bool:
    """True if two values are equal but for nulls in objects, also in those of a list.

    A new object of a custom resource can have such a null, and no merge patch can write one: the API server drops the
    nulls in what a patch adds (``apply_merge_patch``).
    """
    return deep_equal(now, expected) or deep_equal(without_nulls(now), without_nulls(expected))


def left_chart(chart: Json, path: Path) -> bool:
    """True if the chart sets nothing at a path of ``differences``, so that the live value there left the chart."""
    for label in path:
        if isinstance(chart, list):
            chart = next((each for each in chart if _is_element(each, label)), None)
        else:
            chart = chart.get(label) if isinstance(chart, dict) else None
    return chart is None


def dropped(chart: Json, fresh: Json, path: Path = ()) -> Iterator[Path]:
    """The paths that the chart sets and a new object would lack; a list counts as one value."""
    if isinstance(chart, dict) and isinstance(fresh, dict) and chart is not fresh:
        for name, value in chart.items():
            if value not in (None, {}, []) and (*path, name) != ("status",):
                yield from dropped(value, fresh.get(name), (*path, name))
    elif fresh is None:
        yield path


def with_null_values(chart: Json, fresh: Json, path: Path) -> Json:
    """The chart's document with the empty string or 0 that the API server makes of a null at or below the path.

    It does so in a map of texts or of quantities of a new object, while Helm's patch removes the key.
    """
    if isinstance(chart, dict) and isinstance(fresh, dict):
        names = path[:1] or tuple(chart)
        return {
            name: with_null_values(value, fresh.get(name), path[1:]) if name in names else value
            for name, value in chart.items()
        }
    if _all_lists(chart, fresh) and len(chart) == len(fresh):
        return [
            with_null_values(value, wanted, path[1:]) if not path or _is_element(wanted, path[0]) else value
            for value, wanted in zip(chart, fresh, strict=True)
        ]
    return fresh if chart is None and fresh in _OF_NULLS else chart


def _is_element(element: Json, label: str) -> bool:
    """Whether this is the element that a path names so, such as ``name=app`` or ``port=80,protocol=TCP``."""
    return isinstance(element, dict) and all(
        str(element.get(name)) == value for name, _, value in (part.partition("=") for part in label.split(","))
    )


def with_leftovers(chart: Json, now: Json, expected: Json, owners: FieldOwners) -> Json:
    """The chart's document with live values wherever the live object is not as expected.

    Stored so, the manifest is true, and the next upgrade with the chart removes or changes exactly these fields.
    ``now`` is the object as it will be live. ``None`` where the chart says nothing and nothing has to be added.
    """
    if _same(now, expected):
        return chart
    if isinstance(now, dict) and isinstance(expected if expected is not None else {}, dict):
        return _map_with_leftovers(chart, now, expected, owners)
    if owners.whole_lists:
        return chart if now is None else now
    names = owners.key_names
    if isinstance(now, list) and names and _keyed(now, names) and _keyed(expected or [], names):
        return _elements_with_leftovers(chart, now, expected or [], owners)
    if isinstance(now, list) and owners.is_set:
        target = expected or []
        stored = [each for each in chart or () if each in now or each not in target]
        return [*stored, *(each for each in now if each not in target)]
    return chart if now is None else now


def _map_with_leftovers(chart: Json, now: Json, expected: Json, owners: FieldOwners) -> Json:
    charted = chart if isinstance(chart, dict) else {}
    target = expected or {}
    whole = _atomic(now, target, owners)
    result = {}
    for name in _names(charted, now):
        below = owners if whole else owners.at(f"f:{name}")
        value, right = now.get(name), target.get(name)
        if value is None:
            left = charted.get(name) if right is None else None
        elif charted.get(name) is not None or right is not None:
            left = with_leftovers(charted.get(name), value, right, below)
        else:
            left = _helms_part(value, below)
        if left is not None or (name in charted and value is None and right is None):
            result[name] = left
    return result if result or isinstance(chart, dict) else None


def _helms_part(value: Json, owners: FieldOwners) -> Json:
    """The part of a live value that Helm set; ``None`` for nothing."""
    mine = owners.helm
    if not mine:
        return None
    if mine.is_whole:
        return value
    if isinstance(value, dict):
        part = {}
        for name, item in value.items():
            left = _helms_part(item, owners.at(f"f:{name}"))
            if left is not None:
                part[name] = left
        return part or ({} if mine.owned else None)
    names = () if owners.whole_lists else owners.key_names
    if isinstance(value, list) and names and _keyed(value, names):
        mines = [each for each in value if owners.at(element_of(each, names)).helm]
        return [_keyed_part(each, names, owners) for each in mines]
    return value


def _keyed_part(element: Json, names: Sequence[str], owners: FieldOwners) -> Json:
    part = _helms_part(element, owners.at(element_of(element, names)))
    keys = {name: element[name] for name in names if name in element}
    return {**keys, **part} if isinstance(part, dict) else element


def _elements_with_leftovers(chart: Json, now: Json, expected: Json, owners: FieldOwners) -> Json:
    """The elements in their live order: in another one, Helm's patch would move those that the chart has."""
    names = owners.key_names
    live = {_key(each, names): each for each in now}
    target = {_key(each, names): each for each in expected}
    stored: dict[Any, Json] = {}
    unknown = []
    for charted in _elements(chart):
        keys = {name: charted[name] for name in names if name in charted}
        key = next((key for key, each in live.items() if has_keys(each, keys)), None)
        if key is not None:
            below = owners.at(element_of(live[key], names))
            stored[key] = with_leftovers(charted, live[key], target.get(key), below)
        elif not any(has_keys(each, keys) for each in expected):
            unknown.append(charted)
    for key, element in live.items():
        if key in stored:
            continue
        below = owners.at(element_of(element, names))
        if key not in target:
            left = _keyed_part(element, names, owners) if below.helm else None
        else:
            left = with_leftovers(None, element, target[key], below)
            if isinstance(left, dict):
                left = {**{name: element[name] for name in names if name in element}, **left}
        if left is not None:
            stored[key] = left
    return [*(stored[key] for key in live if key in stored), *unknown] or chart


def _elements(value: Json) -> list[Any]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _counterpart(chart: Json, index: int, wanted: Json, count: int) -> Json:
    """The chart's element that the server made this one of: the order stays as it was sent."""
    if isinstance(chart, list) and len(chart) == count:
        return chart[index]
    return next((each for each in _elements(chart) if all(wanted.get(name) == each[name] for name in each)), None)


def _key(element: Json, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(json.dumps(element.get(name)) for name in names)


def _keyed(value: Json, names: Sequence[str]) -> bool:
    """True if the list's elements are objects with unique values of these keys."""
    if not all(isinstance(each, dict) for each in value):
        return False
    keys = [_key(each, names) for each in value]
    return len(set(keys)) == len(keys)


def _all_lists(*values: Json) -> bool:
    return all(isinstance(each, list) for each in values)


def _names(one: Json, other: Json) -> list[str]:
    return [*one, *(name for name in other if name not in one)]
