"""A live object compared with what the same manifest gives where nothing was before: fields that left the chart.

Helm's client-side patches remove a field only if the stored manifest has it and the chart has not. A reinstall over a
kept object compares the chart with itself, so nothing of the older chart is ever removed (``createPatch``,
pkg/kube/client.go, 3.2 to 4.3). The live object alone does not tell such a field from a default of the API server:
``metadata.managedFields`` names both. So the chart's object is created as a dry run under an unused name, which shows
the fields that a new object would have.

Lists are compared by the keys that the entries of ``managedFields`` name (``k:{"name":"app"}``), sets by their elements
(``v:"a"``), and every other list as a whole, as server-side apply does (structured-merge-diff v6, typed/merge.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from postrender._record import Record
from postrender.helm.managed_fields import MANAGER, Tree, union
from postrender.helm.patch import differs
from postrender.models import Json

Path = tuple[str, ...]


_ZERO_VALUES: tuple[Json, ...] = ("", 0, False, {}, [])
"""Values that the API server writes for required fields of its Go types that nobody set, without a manager."""
_OF_NULLS = ("", "0")
"""What the API server makes of a null in a map of texts or of quantities."""


class FieldOwners(Record):
    """``fieldsV1`` trees: what Helm set on the live object, what others set, what Helm would set on a new one.

    ``whole_lists`` says that Helm's patch of this kind replaces every list as a whole (a JSON merge patch);
    ``yields`` that it does not set again what another manager changed since Helm last set it.
    """

    helm: Tree | None
    others: Tree | None
    new: Tree | None
    whole_lists: bool = False
    yields: bool = False

    def at(self, entry: str) -> FieldOwners:
        """The trees below one entry, such as ``f:spec`` or ``k:{"name":"app"}``."""
        mine, others, new = (None if tree is None else tree.get(entry) for tree in self._trees)
        return FieldOwners(mine, others, new, self.whole_lists, self.yields)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The fields that identify an element of this list; ``()`` for a list without such keys."""
        for tree in self._trees:
            for entry in tree or ():
                if entry.startswith("k:"):
                    return tuple(sorted(json.loads(entry[2:])))
        return ()

    @property
    def is_set(self) -> bool:
        """Whether this list is a set of scalars."""
        return any(entry.startswith("v:") for tree in self._trees for entry in tree or ())

    @property
    def _trees(self) -> tuple[Tree | None, ...]:
        return (self.helm, self.others, self.new)


def field_owners(live: Json, fresh: Json, *, whole_lists: bool = False) -> FieldOwners:
    """The owners of a live object's fields, with those of the object as it would be created.

    What another manager or a subresource wrote (``status``, ``scale``) counts as others'.
    """
    mine: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        fields = entry.get("fieldsV1") or {}
        if entry.get("manager") == MANAGER and not entry.get("subresource"):
            mine = union(mine, fields)
        else:
            others = union(others, fields)
    new: dict[str, Any] = {}
    for entry in (fresh.get("metadata") or {}).get("managedFields") or ():
        new = union(new, entry.get("fieldsV1") or {})
    if (live.get("apiVersion"), live.get("kind")) == ("v1", "Secret"):
        mine, others = _owners_of_data(live, mine, others)
    # An empty tree stands for a value that is owned as a whole, so a manager that set nothing has none.
    return FieldOwners(mine or None, others or None, new or None, whole_lists)


def _owners_of_data(secret: Json, mine: Tree, others: Tree) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trees of a Secret with whoever set a key in ``stringData`` as the owner of that key in ``data``."""
    from_strings: dict[str, Any] = {f"f:{key}": {} for key in keys_of_string_data(secret)}
    mine = union(mine, {"f:data": from_strings}) if from_strings else dict(mine)
    theirs = others.get("f:stringData")
    return mine, union(others, {"f:data": theirs}) if theirs else dict(others)


def keys_of_string_data(secret: Json) -> list[str]:
    """The keys in a live Secret's ``data`` that come from a ``stringData``, and are no other manager's than Helm's.

    Server-side apply owns what it was sent, and no manager owns what the API server makes of it. So what no manager
    owns was in ``stringData`` once, and no apply removes it. ``[]`` for an object without ``managedFields``.
    """
    managed = (secret.get("metadata") or {}).get("managedFields") or ()
    owned = [(entry.get("fieldsV1") or {}).get("f:data") or {} for entry in managed]
    owned += [
        (entry.get("fieldsV1") or {}).get("f:stringData") or {} for entry in managed if entry.get("manager") != MANAGER
    ]
    return [key for key in secret.get("data") or {} if managed and not any(f"f:{key}" in each for each in owned)]


def may_hold_leftovers(live: Json, chart: Json) -> bool:
    """Whether Helm's manager owns a field of the live object that the chart does not set.

    Usually that is a default of the API server, which only a dry-run create tells from a field that left the chart.
    """
    mine = field_owners(live, {}).helm
    return bool(mine) and _beyond(mine or {}, live, chart)


def has_unowned_fields(live: Json, chart: Json) -> bool:
    """Whether the live object has a field that the chart does not set, and does not show who set it.

    The API server drops ``managedFields`` if it cannot compute them, such as for a list whose elements lack their keys
    (``UpdateNoErrors``, k8s.io/apimachinery v0.34.0, pkg/util/managedfields/internal/fieldmanager.go).
    """
    if (live.get("metadata") or {}).get("managedFields"):
        return False
    return _beyond({}, {name: value for name, value in live.items() if name not in ("metadata", "status")}, chart)


def has_null(chart: Json) -> bool:
    """Whether the chart says null anywhere, of which the API server may make a value of its own."""
    if isinstance(chart, (dict, list)):
        return any(map(has_null, chart.values() if isinstance(chart, dict) else chart))
    return chart is None


def holds(live: Json, chart: Json) -> bool:
    """Whether the live object says, word for word, all that the chart says; a null in the chart never is."""
    if isinstance(live, dict) and isinstance(chart, dict):
        return all(name in live and holds(live[name], value) for name, value in chart.items())
    if _all_lists(live, chart):
        return len(live) == len(chart) and all(map(holds, live, chart))
    return chart is not None and not differs(live, chart)


def _beyond(tree: Tree, live: Json, chart: Json) -> bool:
    """Whether the tree names a field that is live and that the chart does not set."""
    for entry, below in tree.items():
        if entry.startswith("f:"):
            name = entry[2:]
            now = live.get(name) if isinstance(live, dict) else None
            charted = chart.get(name) if isinstance(chart, dict) else None
            if now is not None and (charted is None or _beyond(below, now, charted)):
                return True
        elif entry.startswith("k:"):
            keys = json.loads(entry[2:])
            now, charted = (
                next((each for each in _elements(one) if _matches(each, keys)), None) for one in (live, chart)
            )
            if now is not None and (charted is None or _beyond(below, now, charted)):
                return True
        elif entry.startswith("v:") and json.loads(entry[2:]) not in (chart if isinstance(chart, list) else ()):
            return True
    if not tree and isinstance(live, dict) and isinstance(chart, dict):
        # A map that is owned as a whole; Helm's patch merges it all the same.
        return any(chart.get(name) is None or _beyond({}, now, chart[name]) for name, now in live.items())
    return False


def expected_object(live: Json, chart: Json, fresh: Json, owners: FieldOwners) -> Json:
    """The live object as the chart wants it: the chart's values, the server's defaults, and what is not Helm's.

    What Helm set and a new object would not have is left out, unless another manager set it too. What the server
    allocates, and no manager owns, stays as it is live.
    """
    if isinstance(live, dict) and isinstance(fresh, dict) and not _atomic(live, fresh, owners):
        return _expected_map(live, chart if isinstance(chart, dict) else {}, fresh, owners)
    if owners.yields and owners.helm is None and owners.others is not None:
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
    default = owners.new is not None or fresh in _ZERO_VALUES
    helms = owners.helm is not None and owners.others is None
    return fresh if chart is not None or (default and helms) else live


def _atomic(live: Json, fresh: Json, owners: FieldOwners) -> bool:
    """Whether a map is owned as a whole: it has fields, and its owner's tree has no entries below it."""
    return (owners.helm == {} and bool(live)) or (owners.new == {} and bool(fresh))


def _expected_map(live: Json, chart: Json, fresh: Json, owners: FieldOwners) -> Json:
    result = {}
    for name in _names(live, fresh):
        now, wanted, charted = live.get(name), fresh.get(name), chart.get(name)
        below = owners.at(f"f:{name}")
        value = None
        if wanted is None:
            value = now if below.helm is None else _without_helms(now, below)
        elif charted is not None:
            value = wanted if now is None else expected_object(now, charted, wanted, below)
        elif now is not None:
            value = now if below.helm is None else expected_object(now, None, wanted, below)
        elif name in chart and wanted in _OF_NULLS:
            value = wanted
        if value is not None or (name in live and now is None):
            result[name] = value
    return result


def _expected_list(live: Json, fresh: Json, own: Json, foreign: Json, owners: FieldOwners) -> Json:
    """A list of Helm's ``own`` elements and those of other managers; a patch of whole lists cannot add the latter."""
    if not owners.whole_lists:
        return [*own, *foreign]
    stays = not differs([each for each in live if each not in foreign], own)
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
            result.append(expected_object(now, charted, wanted, owners.at(_entry(wanted, names))))
        elif charted is not None:
            result.append(wanted)
    foreign = []
    for element in before.values():
        below = owners.at(_entry(element, names))
        rest = element if below.helm is None else _without_helms(element, below)
        # An element cannot do without its keys: what others set in it goes with it.
        if rest is not None and _key(rest, names) == _key(element, names):
            foreign.append(rest)
    return result, foreign


def _without_helms(value: Json, owners: FieldOwners) -> Json:
    """What is left of a value that Helm set and no longer sets; ``None`` for nothing."""
    mine, others = owners.helm or {}, owners.others
    whole = "." in mine or not any(entry[:2] in ("f:", "k:", "v:") for entry in mine)
    if whole and others is None:
        return None
    if whole and others == {}:
        return value
    names = owners.key_names
    if isinstance(value, dict):
        fields = ((name, _others_part(item, owners.at(f"f:{name}"), whole=whole)) for name, item in value.items())
        return {name: item for name, item in fields if item is not None} or None
    if isinstance(value, list) and names and _keyed(value, names):
        elements = ((each, _others_part(each, owners.at(_entry(each, names)), whole=whole)) for each in value)
        return [rest for each, rest in elements if rest is not None and _key(rest, names) == _key(each, names)] or None
    if isinstance(value, list) and owners.is_set:
        return [each for each in value if not _set_by_helm_alone(owners, each)] or None
    return value if others is not None else None


def _others_part(item: Json, owners: FieldOwners, *, whole: bool) -> Json:
    """One entry of a value of which Helm no longer sets anything; what no manager owns goes with the ``whole``."""
    if owners.helm is not None:
        return _without_helms(item, owners)
    return None if whole and owners.others is None else item


def _set_by_helm_alone(owners: FieldOwners, element: Json) -> bool:
    below = owners.at("v:" + json.dumps(element, separators=(",", ":"), ensure_ascii=False))
    return below.helm is not None and below.others is None


def as_stored(body: Json, chart: Json, fresh: Json, expected: Json, owners: FieldOwners) -> Json:
    """What the API server makes of a predicted object: the chart's values as it writes them, and its defaults.

    ``fresh`` shows both. A default is filled in only if the object is expected to have one. A null in a map of texts
    is an empty text in a new object, which is no default.
    """
    if chart is not None and fresh is not None and not differs(body, chart):
        return fresh
    if isinstance(body, dict) and isinstance(fresh, dict):
        charted = chart if isinstance(chart, dict) else {}
        shall = expected if isinstance(expected, dict) else {}
        result = {
            name: as_stored(value, charted.get(name), fresh.get(name), shall.get(name), owners.at(f"f:{name}"))
            for name, value in body.items()
            # What the chart says and no new object has is dropped by the server: a field that the schema lacks.
            if value is not None and (name in fresh or name in shall or bool(differs(value, charted.get(name))))
        }
        for name, value in fresh.items():
            default = charted.get(name) is None and not (name in charted and value in _OF_NULLS)
            if name not in result and default and shall.get(name) is not None and value is not None:
                result[name] = value
        return result
    if _all_lists(body, fresh):
        names = owners.key_names
        if names and all(isinstance(each, dict) for each in (*body, *fresh)):
            return [_element_as_stored(each, chart, fresh, expected, owners) for each in body]
        if len(body) == len(fresh):
            charteds = chart if isinstance(chart, list) and len(chart) == len(fresh) else [None] * len(fresh)
            shall_by_index = expected if isinstance(expected, list) and len(expected) == len(fresh) else fresh
            below = FieldOwners(None, None, None)
            return [as_stored(*each, below) for each in zip(body, charteds, fresh, shall_by_index, strict=True)]
    return body


def _element_as_stored(element: Json, chart: Json, fresh: Json, expected: Json, owners: FieldOwners) -> Json:
    names = owners.key_names
    keys = {name: element[name] for name in names if name in element}
    for index, wanted in enumerate(fresh):
        if _matches(wanted, keys):
            charted = _counterpart(chart, index, wanted, len(fresh))
            shall = next((each for each in _elements(expected) if _key(each, names) == _key(wanted, names)), None)
            return as_stored(element, charted, wanted, shall, owners.at(_entry(wanted, names)))
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
        if differs(now, expected):
            yield path
        return
    names = owners.key_names
    if _all_lists(now, expected) and names and _keyed(now, names) and _keyed(expected, names):
        before = {_key(each, names): each for each in now}
        after = {_key(each, names): each for each in expected}
        for key in {**before, **after}:
            element = after[key] if key in after else before[key]
            label = ",".join(f"{name}={element[name]}" for name in names if name in element)
            below = owners.at(_entry(element, names))
            yield from _differences(before.get(key), after.get(key), below, (*path, label))
        if [key for key in before if key in after] != [key for key in after if key in before]:
            yield path
        return
    if _all_lists(now, expected) and owners.is_set:
        now, expected = sorted(now, key=json.dumps), sorted(expected, key=json.dumps)
    if differs(now, expected):
        yield path


def dropped(chart: Json, fresh: Json, path: Path = ()) -> Iterator[Path]:
    """The paths that the chart sets and a new object would not have; lists are not looked into."""
    if isinstance(chart, dict) and isinstance(fresh, dict):
        for name, value in chart.items():
            if value not in (None, {}, []) and (*path, name) != ("status",):
                yield from dropped(value, fresh.get(name), (*path, name))
    elif fresh is None:
        yield path


def with_null_values(chart: Json, fresh: Json, path: Path) -> Json:
    """The chart's document with the empty text, or 0, that the API server makes of a null at or below the path.

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
    """The chart's document with the value that is live wherever that is not the expected one.

    Stored so, the manifest is true, and the next upgrade with the chart removes or changes exactly these fields.
    ``now`` is the object as it will be live. ``None`` where the chart says nothing and nothing has to be added.
    """
    if not differs(now, expected):
        return chart
    if isinstance(now, dict) and isinstance(expected if expected is not None else {}, dict):
        return _map_with_leftovers(chart, now, expected, owners)
    if owners.whole_lists:
        return chart if now is None else now
    names = owners.key_names
    if isinstance(now, list) and names and _keyed(now, names) and _keyed(expected or [], names):
        return _elements_with_leftovers(chart, now, expected or [], owners)
    if isinstance(now, list) and owners.is_set:
        shall = expected or []
        stored = [each for each in chart or () if each in now or each not in shall]
        return [*stored, *(each for each in now if each not in shall)]
    return chart if now is None else now


def _map_with_leftovers(chart: Json, now: Json, expected: Json, owners: FieldOwners) -> Json:
    charted = chart if isinstance(chart, dict) else {}
    shall = expected or {}
    whole = _atomic(now, shall, owners)
    result = {}
    for name in _names(charted, now):
        below = owners if whole else owners.at(f"f:{name}")
        value, right = now.get(name), shall.get(name)
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
    if mine is None:
        return None
    if not any(entry[:2] in ("f:", "k:", "v:") for entry in mine):
        return value
    if isinstance(value, dict):
        part = {}
        for name, item in value.items():
            left = _helms_part(item, owners.at(f"f:{name}"))
            if left is not None:
                part[name] = left
        return part or ({} if "." in mine else None)
    names = () if owners.whole_lists else owners.key_names
    if isinstance(value, list) and names and _keyed(value, names):
        mines = [each for each in value if owners.at(_entry(each, names)).helm is not None]
        return [_keyed_part(each, names, owners) for each in mines]
    return value


def _keyed_part(element: Json, names: Sequence[str], owners: FieldOwners) -> Json:
    part = _helms_part(element, owners.at(_entry(element, names)))
    keys = {name: element[name] for name in names if name in element}
    return {**keys, **part} if isinstance(part, dict) else element


def _elements_with_leftovers(chart: Json, now: Json, expected: Json, owners: FieldOwners) -> Json:
    """The elements in their live order: in another one, Helm's patch would move those that the chart has."""
    names = owners.key_names
    live = {_key(each, names): each for each in now}
    shall = {_key(each, names): each for each in expected}
    stored: dict[Any, Json] = {}
    unknown = []
    for charted in _elements(chart):
        keys = {name: charted[name] for name in names if name in charted}
        key = next((key for key, each in live.items() if _matches(each, keys)), None)
        if key is not None:
            below = owners.at(_entry(live[key], names))
            stored[key] = with_leftovers(charted, live[key], shall.get(key), below)
        elif not any(_matches(each, keys) for each in expected):
            unknown.append(charted)
    for key, element in live.items():
        if key in stored:
            continue
        below = owners.at(_entry(element, names))
        if key not in shall:
            left = None if below.helm is None else _keyed_part(element, names, owners)
        else:
            left = with_leftovers(None, element, shall[key], below)
            if isinstance(left, dict):
                left = {**{name: element[name] for name in names if name in element}, **left}
        if left is not None:
            stored[key] = left
    return [*(stored[key] for key in live if key in stored), *unknown] or chart


def _elements(value: Json) -> list[Any]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _matches(element: Json, keys: Json) -> bool:
    """Whether an element has these key fields, as far as it says them."""
    return bool(keys) and all(element.get(name, value) == value for name, value in keys.items())


def _counterpart(chart: Json, index: int, wanted: Json, count: int) -> Json:
    """The chart's element that the server made this one of: the order stays as it was sent."""
    if isinstance(chart, list) and len(chart) == count:
        return chart[index]
    return next((each for each in _elements(chart) if all(wanted.get(name) == each[name] for name in each)), None)


def _entry(element: Json, names: Sequence[str]) -> str:
    """The entry under which ``managedFields`` names an element."""
    keys = {name: element[name] for name in sorted(names) if name in element}
    return "k:" + json.dumps(keys, separators=(",", ":"), ensure_ascii=False)


def _key(element: Json, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(json.dumps(element.get(name)) for name in names)


def _keyed(value: Json, names: Sequence[str]) -> bool:
    """Whether the list's elements can be told apart by these keys."""
    if not all(isinstance(each, dict) for each in value):
        return False
    keys = [_key(each, names) for each in value]
    return len(set(keys)) == len(keys)


def _all_lists(*values: Json) -> bool:
    return all(isinstance(each, list) for each in values)


def _names(one: Json, other: Json) -> list[str]:
    return [*one, *(name for name in other if name not in one)]
