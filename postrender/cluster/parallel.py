"""Many requests at once, never more than ``MAX_REQUESTS``, with the answers in order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

MAX_REQUESTS = 16
"""How many requests are under way at once, and so how many connections are open: far below what the API server's
priority and fairness gives one user, and enough to take the latency out of a thousand objects.
"""

TURN = 0.1
"""Seconds that one wait lasts at most. A signal that comes between Python's look for signals and the wait of a lock
wakes nobody (``SimpleQueue.get`` of CPython 3.10 to 3.13 then sleeps to its end): it is seen after this.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    In = TypeVar("In")
    Out = TypeVar("Out")


def each(
    call: Callable[[In], Out],
    items: Sequence[In],
    *,
    patience: float,
    given_up: Out,
    at_once: int = MAX_REQUESTS,
) -> list[Out]:
    """``call`` of each item, in order, ``at_once`` of them together; an exception of one is raised here.

    Where nothing came back for ``patience`` seconds, all that is still missing is ``given_up``. The threads are
    daemons, so that a Ctrl-C ends the program at once whatever the network does.
    """
    results = [given_up] * len(items)
    if not items:
        return results
    left = iter(range(len(items)))
    turn = threading.Lock()
    over = threading.Event()
    done: queue.SimpleQueue[tuple[int, Out | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        while not over.is_set():
            with turn:
                place = next(left, None)
            if place is None:
                return
            try:
                done.put((place, call(items[place]), None))
            except BaseException as error:
                done.put((place, None, error))

    for _ in range(min(at_once, len(items))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in items:
            place, result, error = _next(done, patience)
            if error is not None:
                raise error
            results[place] = result  # type: ignore[assignment]
    except queue.Empty:
        pass
    finally:
        over.set()
    return results


def _next(done: queue.SimpleQueue[In], patience: float) -> In:
    """What comes next; raises queue.Empty where nothing does within ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        left = deadline - time.monotonic()
        try:
            return done.get(timeout=max(0.0, min(left, TURN)))
        except queue.Empty:
            if left <= TURN:
                raise


def one(call: Callable[[], Out], *, patience: float, given_up: Out) -> Out:
    """``call``, in a thread and with patience as ``each`` has."""
    return each(lambda _: call(), [None], patience=patience, given_up=given_up)[0]


def unfold(
    call: Callable[[In], tuple[Out, In | None]], items: Sequence[In], *, patience: float, given_up: Out
) -> Iterator[tuple[int, Out]]:
    """What ``call`` gives for each item, with the item's place, as it comes; the item it gives beside that is the next.

    The next one is asked for only when what came before it was taken. Exceptions and patience are as for ``each``.
    """
    asked: queue.SimpleQueue[tuple[int, In] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, tuple[Out, In | None] | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        while (task := asked.get()) is not None:
            place, item = task
            try:
                done.put((place, call(item), None))
            except BaseException as error:
                done.put((place, None, error))

    threads = min(MAX_REQUESTS, len(items))
    under_way = set(range(len(items)))
    for task in enumerate(items):
        asked.put(task)
    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    try:
        while under_way:
            place, result, error = _next(done, patience)
            if error is not None:
                raise error
            given, onward = result  # type: ignore[misc]
            yield place, given
            if onward is None:
                under_way.remove(place)
            else:
                asked.put((place, onward))
    except queue.Empty:
        for place in sorted(under_way):
            yield place, given_up
    finally:
        for _ in range(threads):
            asked.put(None)
