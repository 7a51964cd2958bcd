"""Calls in several threads, at most ``MAX_REQUESTS`` at once, with their results in order."""

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

NEAR = 0.01
"""Seconds within which a near server answers. To such a server connections are opened one after the other: a TLS
handshake costs both sides more than several small requests.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    In = TypeVar("In")
    Out = TypeVar("Out")


def map_concurrently(
    call: Callable[[In], Out], items: Sequence[In], *, total_timeout: float, default: Out, at_once: int = MAX_REQUESTS
) -> list[Out]:
    """The result of ``call`` for each item, in order, up to ``at_once`` at a time; raises what one of them raises.

    One call begins. The others begin if it takes longer than ``NEAR`` seconds; else as many as are under way join them
    every ``NEAR`` seconds. If none ends for ``total_timeout`` seconds, each result that is still missing is
    ``default``. The threads are daemons, so that Ctrl-C ends the program at once whatever the network does.
    """
    results = [default] * len(items)
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

    workers = _Workers(work, min(at_once, len(items)))
    try:
        for _ in items:
            place, result, error = _next(done, total_timeout, workers)
            workers.answered = True
            if error is not None:
                raise error
            results[place] = result  # type: ignore[assignment]
    except queue.Empty:
        pass
    finally:
        over.set()
    return results


class _Workers:
    """Threads that do the same work: one, and more as they are worth a connection each."""

    def __init__(self, work: Callable[[], None], most: int) -> None:
        self.answered = False
        self._work = work
        self._started = 0
        self._left = most
        self._due = 0.0
        self._start(1)

    def grow(self) -> float:
        """Start the threads that are due; seconds after which to look again."""
        if self._left and time.monotonic() >= self._due:
            self._start(min(self._started, self._left) if self.answered else self._left)
        return min(max(0.0, self._due - time.monotonic()), TURN) if self._left else TURN

    def _start(self, count: int) -> None:
        self._started += count
        self._left -= count
        self._due = time.monotonic() + NEAR
        for _ in range(count):
            threading.Thread(target=self._work, daemon=True).start()


def _next(done: queue.SimpleQueue[In], total_timeout: float, workers: _Workers | None = None) -> In:
    """The next entry of the queue; raises queue.Empty if there is none within ``total_timeout`` seconds."""
    deadline = time.monotonic() + total_timeout
    while True:
        left, turn = deadline - time.monotonic(), workers.grow() if workers else TURN
        try:
            return done.get(timeout=max(0.0, min(left, turn)))
        except queue.Empty:
            if left <= turn:
                raise


def call_with_timeout(call: Callable[[], Out], *, total_timeout: float, default: Out) -> Out:
    """``call`` in a thread, as ``map_concurrently`` has it."""
    return map_concurrently(lambda _: call(), [None], total_timeout=total_timeout, default=default)[0]


def paginate_concurrently(
    call: Callable[[In], tuple[Out, In | None]], items: Sequence[In], *, total_timeout: float, default: Out
) -> Iterator[tuple[int, Out]]:
    """Yield the results of ``call`` for each item, in the order they come, each with the item's index.

    ``call`` returns a result and the item to call it with next for the same index, ``None`` at the end. The next call
    is made only when the result before it was consumed. Exceptions and timeouts are as for ``map_concurrently``.
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
            place, result, error = _next(done, total_timeout)
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
            yield place, default
    finally:
        for _ in range(threads):
            asked.put(None)
