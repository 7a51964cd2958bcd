"""How many calls are under way at once, and chains of requests."""

from __future__ import annotations

import threading

import pytest

from postrender.cluster import parallel
from postrender.cluster.parallel import MAX_REQUESTS, map_concurrently, paginate_concurrently


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


def test_one_thread_does_what_a_near_server_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "NEAR", 60.0)
    threads = set()

    def call(item: int) -> int:
        threads.add(threading.get_ident())
        return item * 2

    assert map_concurrently(call, range(10), total_timeout=60, default=-1) == [item * 2 for item in range(10)]
    assert len(threads) == 1


def test_all_calls_are_made_at_once_where_the_first_takes_long() -> None:
    together = threading.Barrier(MAX_REQUESTS)

    def call(item: int) -> int:
        together.wait(60)
        return item

    assert map_concurrently(call, range(MAX_REQUESTS), total_timeout=60, default=-1) == [*range(MAX_REQUESTS)]


def test_more_calls_join_where_later_ones_take_long() -> None:
    together = threading.Barrier(MAX_REQUESTS)

    def call(item: int) -> int:
        if item:
            together.wait(60)
        return item

    assert map_concurrently(call, range(MAX_REQUESTS + 1), total_timeout=60, default=-1) == [*range(MAX_REQUESTS + 1)]


def test_no_more_calls_than_allowed_are_under_way() -> None:
    turn, under_way, most = threading.Lock(), 0, 0
    full = threading.Barrier(3)

    def call(item: int) -> int:
        nonlocal under_way, most
        with turn:
            under_way += 1
            most = max(most, under_way)
        full.wait(60)
        with turn:
            under_way -= 1
        return item

    assert map_concurrently(call, range(9), total_timeout=60, default=-1, at_once=3) == [*range(9)]
    assert most == 3
