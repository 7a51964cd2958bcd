"""Frozen, slotted, typed classes as ``@dataclass(frozen=True, slots=True)`` makes them, but quick to import.

The filter runs once for every Helm call, and its time is mostly imports: ``dataclasses`` takes about 20 ms to import
and each class about 1 ms to make, because it writes and compiles the source of every method of every class. Here a
class costs some microseconds, and ``__init__`` is compiled once so many instances were made that it pays. Type checkers
see dataclasses (PEP 681).
"""

from __future__ import annotations

from operator import attrgetter, ge, gt, le, lt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar, TypeVar

    from typing_extensions import dataclass_transform

    R = TypeVar("R", bound="Record")
else:

    def dataclass_transform(**_: Any) -> Any:
        """Stand in for PEP 681's decorator, which Python 3.10 lacks."""
        return lambda decorated: decorated


COMPILE_AFTER = 80
"""So many instances cost about as much to fill in field by field as to compile ``__init__``."""


def _compares(by: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    return lambda self, other: by(self._key(self), self._key(other)) if type(self) is type(other) else NotImplemented


@dataclass_transform(frozen_default=True)
class RecordType(type):
    """Makes the annotated names of a class its fields, in order; a value given in the class body is the default.

    Defaults are shared between instances, so they must be immutable. A record cannot add fields to another record.
    ``repr`` leaves out the fields that ``hidden`` names, and every field whose type is JSON or bytes: it may be the
    body of a Secret, and a ``repr`` stands in logs and tracebacks. With ``order``, instances compare as tuples of their
    fields do.
    """

    _made: int
    _setters: tuple[Any, ...]

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        hidden: tuple[str, ...] = (),
        order: bool = False,
    ) -> RecordType:
        """Make the class; an ``__init__`` of its own follows when it pays."""
        fields = tuple(namespace.get("__annotations__", ()))
        types = namespace.get("__annotations__", {})
        namespace["_shown"] = tuple(
            field
            for field in fields
            if field not in hidden and "Json" not in types[field] and "bytes" not in types[field]
        )
        if order:
            namespace.update({f"__{each.__name__}__": _compares(each) for each in (lt, le, gt, ge)})
        namespace["_defaults"] = {field: namespace.pop(field) for field in fields if field in namespace}
        namespace["_fields"] = namespace["__match_args__"] = fields
        namespace["__slots__"] = fields
        namespace["_key"] = attrgetter(*fields or ("__class__",))
        namespace["_made"] = 0
        made = super().__new__(mcs, name, bases, namespace)
        made._setters = tuple([made.__dict__[field].__set__ for field in fields])
        return made


class Record(metaclass=RecordType):
    """Base of all records: compared, hashed and shown by its fields, and never changed."""

    if TYPE_CHECKING:
        _fields: ClassVar[tuple[str, ...]]
        _shown: ClassVar[tuple[str, ...]]
        _defaults: ClassVar[dict[str, Any]]
        _key: ClassVar[Any]
    else:

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            """Fill in the fields one by one; a class that is used often gets an ``__init__`` of its own instead."""
            cls = type(self)
            values = _values_given(cls, args, kwargs)
            cls._made += 1
            if values is None or cls._made >= COMPILE_AFTER:
                _compile(cls)
                self.__init__(*args, **kwargs)
                return
            for set_field, value in zip(cls._setters, values, strict=True):
                set_field(self, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(self._key(self) == self._key(other))

    def __hash__(self) -> int:
        return hash((type(self), self._key(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{field}={getattr(self, field)!r}' for field in self._shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple([getattr(self, field) for field in self._fields])


def replace(record: R, /, **changes: Any) -> R:
    """A copy with other values in some fields; raises TypeError for a name that is no field."""
    values = {field: getattr(record, field) for field in record._fields}
    return type(record)(**{**values, **changes})


def asdict(value: Any) -> Any:
    """A record as a dict by field, records inside included; tuples become lists, anything else stays as it is."""
    if isinstance(value, Record):
        return {field: asdict(getattr(value, field)) for field in value._fields}
    if isinstance(value, (tuple, list)):
        return [asdict(element) for element in value]
    return {key: asdict(below) for key, below in value.items()} if isinstance(value, dict) else value


def _values_given(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any] | None:
    """The value of each field; ``None`` where the arguments do not fit, which ``__init__`` says in Python's words."""
    left = cls._fields[len(args) :]
    if not left and not kwargs:
        return args if len(args) == len(cls._fields) else None
    by_name = {**cls._defaults, **kwargs}
    if not kwargs.keys() <= set(left) <= by_name.keys():
        return None
    return (*args, *[by_name[field] for field in left])


def _compile(cls: RecordType) -> None:
    """Write the ``__init__`` of a class: positional and keyword arguments in the order of its fields."""
    fields: tuple[str, ...] = cls.__dict__["_fields"]
    defaults: dict[str, Any] = cls.__dict__["_defaults"]
    parameters = [f"{field}=_default_{field}" if field in defaults else field for field in fields]
    body = [f"    _set_{field}(self, {field})" for field in fields] or ["    pass"]
    scope: dict[str, Any] = {f"_default_{field}": value for field, value in defaults.items()}
    scope.update(zip([f"_set_{field}" for field in fields], cls._setters, strict=True))
    exec("\n".join([f"def __init__(self, {', '.join(parameters)}):", *body]), scope)
    type.__setattr__(cls, "__init__", scope["__init__"])
