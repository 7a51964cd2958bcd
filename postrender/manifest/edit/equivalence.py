"""The proof that an edited text says what was meant: both texts read again by libyaml, side by side."""

from __future__ import annotations

from postrender.manifest import scalars
from postrender.manifest.edit.changes import Changes, DeleteValue, SetValue, build, normalized, same
from postrender.manifest.reader import (
    ERRORS,
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    Parser,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Span,
    YamlError,
)
from postrender.models import Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class NotEquivalent(Exception):
    """The edited text does not have the intended value, or that cannot be verified."""


def verify_edit(before: Span, after: Span, changes: Changes, *, pure: bool = False) -> None:
    """Raises NotEquivalent unless the two texts differ by the changes and no more. Neither may hold anchors or aliases.

    ``pure`` as in Tree.
    """
    try:
        proof = _Proof(before, after, pure=pure)
        proof.document(changes)
    except ERRORS as error:
        raise NotEquivalent(f"the edited text is not YAML: {proof.after.unreadable(error)}") from None
    except YamlError as error:
        raise NotEquivalent(f"the edited text is not YAML: {error}") from None
    except scalars.ScalarError as error:
        raise NotEquivalent(str(error)) from None


class _Proof:
    def __init__(self, before: Span, after: Span, *, pure: bool) -> None:
        self.before = Parser(before, pure=pure)
        self.after = Parser(after, pure=pure)

    def document(self, changes: Changes) -> None:
        for _ in ("stream start", "document start"):
            self._like(self.before.next(), self.after.next())
        self._changed(self.before.next(), self.after.next(), changes)
        end = self.before.next()
        self._like(end, self.after.next())
        if end.__class__ is not DocumentEndEvent:
            self._fail()

    def _changed(self, old: Any, new: Any, changes: Changes) -> None:
        self._like(old, new)
        if old.__class__ is MappingStartEvent:
            self._mapping(changes)
        elif old.__class__ is SequenceStartEvent:
            self._sequence(changes)
        else:
            self._fail()

    def _sequence(self, changes: Changes) -> None:
        index = 0
        while True:
            old = self.before.next()
            change = changes.get(index)
            if isinstance(change, DeleteValue) and old.__class__ is not SequenceEndEvent:
                self._skip(self.before, old)
            else:
                new = self.after.next()
                if old.__class__ is SequenceEndEvent:
                    self._like(old, new)
                    return
                self._value(old, new, change)
            index += 1

    def _mapping(self, changes: Changes) -> None:
        """Keys come in the order of the old text, with new ones between and dropped ones missing."""
        left: dict[Any, Any] = dict(changes)
        old, new = self.before.next(), self.after.next()
        while old.__class__ is not MappingEndEvent or new.__class__ is not MappingEndEvent:
            old_key, new_key = _key(old), _key(new)
            if old_key == new_key and not isinstance(left.get(old_key), DeleteValue):
                self._like(old, new)
                if new_key is None:
                    self._rest(old)
                self._value(self.before.next(), self.after.next(), left.pop(new_key, None))
                old, new = self.before.next(), self.after.next()
            elif isinstance(left.get(old_key), DeleteValue):
                self._skip(self.before, self.before.next())
                old = self.before.next()
            elif new_key in left:
                made = build({str(new_key): left.pop(new_key)})
                if new_key not in made:
                    self._fail()
                self._expect(self.after.next(), made[new_key])
                new = self.after.next()
            else:
                self._fail()
        if left and build(left):
            self._fail()

    def _value(self, old: Any, new: Any, change: Any) -> None:
        if change is None:
            self._like(old, new)
            if old.__class__ is not ScalarEvent:
                self._rest(old)
        elif isinstance(change, SetValue):
            self._skip(self.before, old)
            self._expect(new, normalized(change.value))
        elif isinstance(change, DeleteValue):
            self._fail()
        elif old.__class__ is ScalarEvent and _scalar(old) is None:
            self._expect(new, build(change) or None)
        else:
            self._changed(old, new, change)

    def _expect(self, event: Any, value: Json) -> None:
        """The next node of the new text has this value."""
        cls = event.__class__
        if isinstance(value, dict):
            if cls is not MappingStartEvent:
                self._fail()
            left = dict(value)
            while (key := self.after.next()).__class__ is not MappingEndEvent:
                name = _key(key)
                if name not in left:
                    self._fail()
                self._expect(self.after.next(), left.pop(name))
            if left:
                self._fail()
        elif isinstance(value, list):
            if cls is not SequenceStartEvent:
                self._fail()
            for item in value:
                self._expect(self.after.next(), item)
            if self.after.next().__class__ is not SequenceEndEvent:
                self._fail()
        elif cls is not ScalarEvent or not same(_scalar(event), value):
            self._fail()

    def _rest(self, start: Any) -> None:
        """What follows the start of a node is the same in both texts, up to its end."""
        depth = _step(start)
        before, after = self.before.next, self.after.next
        while depth:
            old, new = before(), after()
            if old.__class__ is not ScalarEvent or old.tag or old.anchor or old.value == "<<":
                self._like(old, new)
                depth += _step(old)
            elif (
                new.__class__ is not ScalarEvent
                or old.value != new.value
                or old.implicit != new.implicit
                or new.tag
                or new.anchor
            ):
                self._fail()

    def _skip(self, parser: Parser, start: Any) -> None:
        depth = _step(start)
        while depth:
            depth += _step(parser.next())

    def _like(self, old: Any, new: Any) -> None:
        cls = old.__class__
        if cls is not new.__class__ or cls is AliasEvent:
            self._fail()
        if cls is ScalarEvent:
            if old.value != new.value or old.implicit != new.implicit or old.value == "<<":
                self._fail()
        elif cls is not MappingStartEvent and cls is not SequenceStartEvent:
            return
        if old.anchor or new.anchor or old.tag != new.tag:
            self._fail()

    def _fail(self) -> NoReturn:
        raise NotEquivalent("the edited text does not read as meant")


def _step(event: Any) -> int:
    cls = event.__class__
    if cls is MappingStartEvent or cls is SequenceStartEvent:
        return 1
    return -1 if cls is MappingEndEvent or cls is SequenceEndEvent else 0


def _key(event: Any) -> str | None:
    """The string a key becomes; ``None`` for what is no scalar."""
    if event.__class__ is not ScalarEvent:
        return None
    return scalars.key(event.value, event.tag or "", plain=event.implicit[0])


def _scalar(event: Any) -> Json:
    return scalars.as_json(scalars.resolve(event.value, event.tag or "", plain=event.implicit[0]))
