"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle

import pytest

from postrender._record import COMPILE_AFTER, Record, asdict, replace


class Point(Record):
    x: int
    y: int = 2

    @property
    def total(self) -> int:
        return self.x + self.y


class Other(Record):
    x: int
    y: int = 2


class Nothing(Record):
    pass


def test_fields_in_order_with_defaults() -> None:
    assert (Point(1).x, Point(1).y) == (1, 2)
    assert Point(y=5, x=4).total == 9


@pytest.mark.parametrize("made", [0, COMPILE_AFTER])
def test_wrong_arguments(made: int) -> None:
    """Be ``__init__`` compiled by then or not."""

    class Fresh(Record):
        x: int
        y: int = 2

    for _ in range(made):
        Fresh(1)
    assert ("__init__" in Fresh.__dict__) is bool(made)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Fresh()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Fresh(1, z=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="multiple values for argument 'x'"):
        Fresh(1, x=3)  # type: ignore[misc]
    with pytest.raises(TypeError, match="takes from 2 to 3 positional arguments but 4 were given"):
        Fresh(1, 2, 3)  # type: ignore[call-arg]


def test_the_same_before_and_after_init_is_compiled() -> None:
    class Fresh(Record):
        x: int
        y: int = 2
        z: int = 3

    made = [Fresh(1, z=4) for _ in range(COMPILE_AFTER + 1)]
    assert {(each.x, each.y, each.z) for each in made} == {(1, 2, 4)}
    assert len(set(made)) == 1


def test_immutable() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is immutable: x cannot be set"):
        point.x = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Point is immutable: z cannot be set"):
        point.z = 3
    with pytest.raises(AttributeError, match="Point is immutable: x cannot be deleted"):
        del point.x
    assert not hasattr(point, "__dict__")


def test_compared_by_fields_and_class() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert Nothing() == Nothing()
    assert len({Point(1), Point(1, 2), Other(1), Nothing()}) == 3


def test_replace() -> None:
    point = Point(1)
    assert replace(point, y=7) == Point(1, 7)
    assert point == Point(1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        replace(point, z=1)


def test_shown_copied_and_matched() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
    assert copy.deepcopy(Point(1)) == Point(1)
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)


class Version(Record, order=True):
    major: int
    minor: int


class Login(Record, hidden=("token",)):
    user: str
    token: str = ""


def test_ordered_where_asked_for() -> None:
    assert Version(1, 2) < Version(1, 10) <= Version(2, 0)
    assert sorted([Version(2, 0), Version(1, 2)]) == [Version(1, 2), Version(2, 0)]
    with pytest.raises(TypeError):
        assert Point(1) < Point(2)  # type: ignore[operator]


def test_hidden_fields_are_not_shown() -> None:
    assert repr(Login("me", "s3cr3t")) == "Login(user='me')"
    assert Login("me", "a") != Login("me", "b")


def test_as_a_dict() -> None:
    assert asdict(Login("me", "x")) == {"user": "me", "token": "x"}
    assert asdict((Point(1), {"a": Nothing()}, 5)) == [{"x": 1, "y": 2}, {"a": {}}, 5]
