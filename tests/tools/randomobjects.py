"""Random objects that follow client-go's structs, with everything in them that a patch can stumble over.

A little of what is written fits no struct: wrong types, nulls, fields nobody knows, merge keys missing or there twice.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from postrender.models import GroupVersionKind
from tools.patchschema import SCHEMA

Json = Any

_DESCRIPTION = json.loads(SCHEMA.read_text())
_TYPES: dict[str, dict[str, str]] = _DESCRIPTION["types"]

OFTEN = tuple(
    GroupVersionKind.parse(*each.rsplit(" ", 1))
    for each in (
        *("apps/v1 Deployment", "apps/v1 StatefulSet", "apps/v1 DaemonSet", "batch/v1 CronJob", "v1 Pod", "v1 Service"),
        *("v1 ServiceAccount", "v1 ConfigMap", "v1 Secret", "v1 PersistentVolumeClaim", "v1 Node", "v1 Namespace"),
        *(
            "networking.k8s.io/v1 Ingress",
            "autoscaling/v2 HorizontalPodAutoscaler",
            "rbac.authorization.k8s.io/v1 Role",
        ),
        *("apiextensions.k8s.io/v1 CustomResourceDefinition", "networking.k8s.io/v1 NetworkPolicy"),
        *("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "discovery.k8s.io/v1 EndpointSlice"),
    )
)
EVERY = tuple(
    GroupVersionKind.parse(version, kind)
    for version, kinds in _DESCRIPTION["kinds"].items()
    for kind, struct in kinds.items()
    if struct.partition(" ")[2].rpartition(" ")[2] in ("", "-")
)
WORDS = ("a", "b", "c", "d", "http", "10", "2", "é")
NUMBERS = (0, 1, 2, 80, 443, 8080, -1, 1.5, 3.0, 10**6, 1e21, 2**53, 2**53 + 1, 2**63)


class RandomObjects:
    """Objects out of one source of randomness; ``odd`` is how often something unfitting is written."""

    def __init__(self, random: Random, odd: float = 0.02) -> None:
        self._random = random
        self._odd = odd

    def kind(self) -> GroupVersionKind:
        """One of the kinds people write, or any."""
        return self._random.choice(OFTEN if self._random.random() < 0.8 else EVERY)

    def object(self, gvk: GroupVersionKind) -> dict[str, Json]:
        """A whole object of a kind."""
        struct = _DESCRIPTION["kinds"][gvk.api_version][gvk.kind].partition(" ")[0]
        made = self._struct(struct, 0, "")
        return {**made, "apiVersion": gvk.api_version, "kind": gvk.kind}

    def changed(self, gvk: GroupVersionKind, value: dict[str, Json]) -> dict[str, Json]:
        """The object with some fields gone, some new and some different."""
        struct = _DESCRIPTION["kinds"][gvk.api_version][gvk.kind].partition(" ")[0]
        made = self._changed(struct, value, 0, "")
        return {**made, "apiVersion": gvk.api_version, "kind": gvk.kind}

    def json(self, depth: int = 0) -> Json:
        """Any JSON value."""
        chance = self._random.random()
        if depth < 4 and chance < 0.4:
            return {self._word(): self.json(depth + 1) for _ in range(self._random.randrange(4))}
        if depth < 4 and chance < 0.55:
            return [self.json(depth + 1) for _ in range(self._random.randrange(4))]
        return self._random.choice((None, True, False, "", "x", *WORDS, *NUMBERS))

    def json_object(self) -> dict[str, Json]:
        """Any JSON object."""
        return {self._word(): self.json(1) for _ in range(self._random.randrange(5))}

    def changed_members(self, value: dict[str, Json]) -> dict[str, Json]:
        """A JSON object that has much in common with the one given."""
        changed = self._changed_json(value)
        return changed if isinstance(changed, dict) else {}

    def _changed_json(self, value: Json) -> Json:
        if self._chance(0.15):
            return self.json(2)
        if isinstance(value, dict):
            kept = {key: self._changed_json(member) for key, member in value.items() if not self._chance(0.2)}
            return {**kept, self._word(): self.json(2)} if self._chance(0.3) else kept
        if isinstance(value, list) and self._chance(0.5):
            return [self._changed_json(element) for element in value if not self._chance(0.2)]
        return value

    def _chance(self, of: float) -> bool:
        return self._random.random() < of

    def _word(self) -> str:
        return self._random.choice(WORDS)

    def _value(self, reference: str, depth: int, merge_key: str) -> Json:
        if self._chance(self._odd):
            return self._random.choice((None, "odd", 7, [], {}, [None], [[1]], ["x", 1], {"odd": {"x": 1}}, [{"x": 1}]))
        reference = reference.removeprefix("*")
        if reference.startswith("[]"):
            return self._list(reference[2:], depth, merge_key)
        if reference in _TYPES:
            written_as_object = any(name[0].islower() for name in _TYPES[reference])
            return self._struct(reference, depth, merge_key) if written_as_object else "1"
        if reference == "map":
            return {self._word(): self._random.choice((*WORDS, "x")) for _ in range(self._random.randrange(4))}
        if reference == "bool":
            return self._chance(0.5)
        if reference.startswith(("int", "uint", "float")):
            return self._random.choice(NUMBERS)
        return self._random.choice((*WORDS, ""))

    def _list(self, element: str, depth: int, merge_key: str) -> list[Json]:
        length = self._random.randrange(4) if self._chance(0.95) else self._random.randrange(10, 40)
        elements = [self._value(element, depth + 1, merge_key) for _ in range(length)]
        return elements if self._chance(0.15) else self._told_apart(elements, merge_key)

    def _told_apart(self, elements: list[Json], merge_key: str) -> list[Json]:
        """The elements whose merge key, or value, none before has."""
        kept: dict[str, Json] = {}
        for element in elements:
            value = element.get(merge_key) if merge_key and isinstance(element, dict) else element
            kept.setdefault(json.dumps(value, sort_keys=True), element)
        return list(kept.values())

    def _struct(self, struct: str, depth: int, merge_key: str) -> dict[str, Json]:
        fields = _TYPES[struct]
        wanted = 6 if depth == 0 else max(1, 4 - depth // 2)
        names = [name for name in fields if name == merge_key or self._chance(min(1.0, wanted / len(fields)))]
        if depth < 9:
            names += [name for name in ("metadata", "spec", "template", "containers") if name in fields]
        if self._chance(self._odd / 2):
            names = [name for name in names if name != merge_key]
        made: dict[str, Json] = {}
        for name in dict.fromkeys(names):
            reference, _, tags = fields[name].partition(" ")
            if depth > 9 and reference.lstrip("*[]") in _TYPES:
                continue
            written = name.upper() if self._chance(self._odd / 4) else name
            made[written] = (
                self._merge_value(reference)
                if name == merge_key
                else self._value(reference, depth + 1, tags.partition(" ")[2])
            )
        if self._chance(self._odd):
            made["unheardOf"] = self._random.choice(({"a": self._word()}, [self._word()], 1))
        return made

    def _merge_value(self, reference: str) -> Json:
        if self._chance(self._odd):
            return self._random.choice((None, "80", 7, 1.5, True))
        return self._word() if reference == "string" else self._random.choice((1, 2, 53, 80, 443))

    def _changed(self, struct: str, value: dict[str, Json], depth: int, merge_key: str) -> dict[str, Json]:
        fresh = self._struct(struct, depth + 2, merge_key) if self._chance(0.5) else {}
        made: dict[str, Json] = {}
        for name, member in value.items():
            if name != merge_key and self._chance(0.12):
                continue
            reference, _, tags = _TYPES[struct].get(name, "").partition(" ")
            element_key = tags.partition(" ")[2]
            core = reference.lstrip("*[]")
            if name == merge_key or self._chance(0.25):
                made[name] = member
            elif isinstance(member, dict) and core in _TYPES and "[]" not in reference:
                made[name] = self._changed(core, member, depth + 1, "")
            elif isinstance(member, list) and "[]" in reference:
                made[name] = self._changed_list(core, member, depth + 1, element_key)
            elif self._chance(0.4) and reference:
                made[name] = self._value(reference, depth + 3, element_key)
            else:
                made[name] = self._random.choice((member, member, None)) if self._chance(0.05) else member
        for name, member in fresh.items():
            made.setdefault(name, member)
        return made

    def _changed_list(self, core: str, elements: list[Json], depth: int, merge_key: str) -> list[Json]:
        made = [
            self._changed(core, element, depth, merge_key)
            if isinstance(element, dict) and core in _TYPES and self._chance(0.6)
            else element
            for element in elements
            if not self._chance(0.15)
        ]
        if self._chance(0.4):
            made.insert(self._random.randrange(len(made) + 1), self._value(core, depth + 2, merge_key))
        if self._chance(0.3):
            self._random.shuffle(made)
        return made if self._chance(0.15) else self._told_apart(made, merge_key)
