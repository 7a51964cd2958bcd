"""Chains of requests, several at once."""

from __future__ import annotations

import threading

import pytest

from postrender.cluster.parallel import MAX_REQUESTS, paginate_concurrently


def down(item: tuple[str, int]) -> tuple[str, tuple[str, int] | None]:
    name, left = item
    return f"{name}{left}", (name, left - 1) if left else None


def test_each_chain_in_its_own_order() -> None:
    found = list(paginate_concurrently(down, [("a", 3), ("b", 0), ("c", 1)], total_timeout=5, default=""))
    assert [told for place, told in found if place == 0] == ["a3", "a2", "a1", "a0"]
    assert [told for place, told in found if place == 1] == ["b0"]
    assert [told for place, told in found if place == 2] == ["c1", "c0"]


def test_nothing_of_nothing() -> None:
    assert list(paginate_concurrently(down, [], total_timeout=5, default="")) == []


def test_never_more_than_the_bound_at_once() -> None:
    turn, now, most = threading.Lock(), [0], [0]
    full = threading.Barrier(MAX_REQUESTS, timeout=5)

    def call(item: int) -> tuple[int, int | None]:
        with turn:
            now[0] += 1
            most[0] = max(most[0], now[0])
        if item:
            full.wait()
        with turn:
            now[0] -= 1
        return item, item - 1 if item else None

    assert (
        len(list(paginate_concurrently(call, [1] * 2 * MAX_REQUESTS, total_timeout=10, default=-1))) == 4 * MAX_REQUESTS
    )
    assert most[0] == MAX_REQUESTS


def test_the_next_of_a_chain_is_not_asked_for_before_the_last_was_taken() -> None:
    asked: list[int] = []

    def call(item: int) -> tuple[int, int | None]:
        asked.append(item)
        return item, item + 1

    chain = paginate_concurrently(call, [0], total_timeout=5, default=-1)
    assert [next(chain)[1] for _ in range(3)] == [0, 1, 2]
    chain.close()  # type: ignore[attr-defined]
    assert asked == [0, 1, 2]


def test_what_does_not_come_is_given_up() -> None:
    over = threading.Event()

    def call(item: str) -> tuple[str, str | None]:
        if item == "stuck":
            over.wait(5)
        return item, None

    found = list(paginate_concurrently(call, ["a", "stuck", "b"], total_timeout=0.2, default="given up"))
    over.set()
    assert sorted(found) == [(0, "a"), (1, "given up"), (2, "b")]


def test_an_error_is_raised_where_the_answers_are_taken() -> None:
    def call(_: str) -> tuple[str, str | None]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(paginate_concurrently(call, ["a"], total_timeout=5, default=""))
