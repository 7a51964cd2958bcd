"""Go's unstable sort, as strategicpatch calls it: with a ``Less`` that answers yes for equal elements.

Which of two equal elements comes first then hangs on every step of the algorithm, and a strategic merge patch hangs on
it where two elements of a list share a merge key: a Service with port 53 over TCP and UDP, a variable named twice in a
container's environment. So the steps are here, as Go 1.19 and later sort (the pattern-defeating quicksort ``pdqsort``,
sort/zsortinterface.go; Helm 3.11 and later are built with it). What cannot happen with such a ``Less`` is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_INSERTION_AT_MOST = 12
_LONG = 50
_SHIFTS_AT_MOST = 5
_SWAPS_IF_DESCENDING = 12


def go_sorted(elements: Sequence[T], keys: Sequence[str]) -> list[T]:
    """The elements sorted by their keys (of the same length), equal ones in the order that Go leaves them in."""
    if len(set(keys)) == len(keys):
        return [elements[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]
    order = _Order(keys)
    order.sort(0, len(keys), len(keys).bit_length())
    return [elements[index] for index in order.indices]


class _Order:
    """The indices of the keys, while they are put in order; positions are those in ``indices``."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self.indices = list(range(len(keys)))

    def _less(self, left: int, right: int) -> bool:
        return self._keys[self.indices[left]] <= self._keys[self.indices[right]]

    def _swap(self, left: int, right: int) -> None:
        self.indices[left], self.indices[right] = self.indices[right], self.indices[left]

    def sort(self, start: int, end: int, bad_pivots: int) -> None:
        balanced = partitioned = True
        while end - start > _INSERTION_AT_MOST:
            if not bad_pivots:
                self._heap_sort(start, end)
                return
            if not balanced:
                self._break_patterns(start, end)
                bad_pivots -= 1
            pivot, swaps = self._choose_pivot(start, end)
            if swaps == _SWAPS_IF_DESCENDING:
                self.indices[start:end] = self.indices[start:end][::-1]
                pivot = end - 1 - (pivot - start)
            seems_sorted = swaps in (0, _SWAPS_IF_DESCENDING)
            if balanced and partitioned and seems_sorted and self._finish_sorting(start, end):
                return
            middle, partitioned = self._partition(start, end, pivot)
            balanced = min(middle - start, end - middle) >= (end - start) // 8
            if middle - start < end - middle:
                self.sort(start, middle, bad_pivots)
                start = middle + 1
            else:
                self.sort(middle + 1, end, bad_pivots)
                end = middle
        for position in range(start + 1, end):
            self._sink(position, start)

    def _sink(self, position: int, start: int) -> None:
        while position > start and self._less(position, position - 1):
            self._swap(position, position - 1)
            position -= 1

    def _finish_sorting(self, start: int, end: int) -> bool:
        """Whether the range was in order, or was put in order by moving a few elements."""
        position = start + 1
        for _ in range(_SHIFTS_AT_MOST):
            while position < end and not self._less(position, position - 1):
                position += 1
            if position == end:
                return True
            if end - start < _LONG:
                return False
            self._swap(position, position - 1)
            if position - start >= 2:
                self._sink(position - 1, 0)
            after = position + 1
            while after < end and self._less(after, after - 1):
                self._swap(after, after - 1)
                after += 1
        return False

    def _partition(self, start: int, end: int, pivot: int) -> tuple[int, bool]:
        """The pivot's new position, and whether nothing else had to move."""
        self._swap(start, pivot)
        low, high = start + 1, end - 1
        moved = 0
        while True:
            while low <= high and self._less(low, start):
                low += 1
            while low <= high and not self._less(high, start):
                high -= 1
            if low > high:
                self._swap(high, start)
                return high, not moved
            self._swap(low, high)
            moved += 1
            low += 1
            high -= 1

    def _choose_pivot(self, start: int, end: int) -> tuple[int, int]:
        quarter = (end - start) // 4
        candidates = [start + quarter, start + quarter * 2, start + quarter * 3]
        swaps = 0
        if end - start >= _LONG:
            for number, position in enumerate(candidates):
                candidates[number], more = self._median(position - 1, position, position + 1)
                swaps += more
        median, more = self._median(*candidates)
        return median, swaps + more

    def _median(self, left: int, middle: int, right: int) -> tuple[int, int]:
        swaps = 0
        if self._less(middle, left):
            left, middle, swaps = middle, left, swaps + 1
        if self._less(right, middle):
            middle, right, swaps = right, middle, swaps + 1
        if self._less(middle, left):
            left, middle, swaps = middle, left, swaps + 1
        return middle, swaps

    def _break_patterns(self, start: int, end: int) -> None:
        length = end - start
        random = length
        middle = start + length // 4 * 2
        for position in (middle - 1, middle, middle + 1):
            random ^= random << 13 & 0xFFFFFFFFFFFFFFFF
            random ^= random >> 7
            random ^= random << 17 & 0xFFFFFFFFFFFFFFFF
            other = random & ((1 << length.bit_length()) - 1)
            self._swap(position, start + (other - length if other >= length else other))

    def _heap_sort(self, start: int, end: int) -> None:
        length = end - start
        for root in range((length - 1) // 2, -1, -1):
            self._sift_down(root, length, start)
        for last in range(length - 1, -1, -1):
            self._swap(start, start + last)
            self._sift_down(0, last, start)

    def _sift_down(self, root: int, length: int, start: int) -> None:
        while (child := 2 * root + 1) < length:
            if child + 1 < length and self._less(start + child, start + child + 1):
                child += 1
            if not self._less(start + root, start + child):
                return
            self._swap(start + root, start + child)
            root = child
