"""Who has each object today and who will have it: an SVG, from left to right, one line for each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from postrender._record import Record
from postrender.planner.view import ObjectView, View
from postrender.report import wording

WIDTH = 1000
LEFT, RIGHT = 440, 660
"""Where the left column ends and the right one begins."""

ROW, HEAD, GAP = 22, 30, 18
ROWS = 12
"""Objects of one group that get a line each; the rest share one."""

LETTERS = 56
"""Letters of a name that fit the left column."""


class _Row(Record):
    """A line of the picture: one object, or several that go the same way."""

    label: str
    link: str
    word: str
    target: str
    count: int


def picture(view: View) -> str:
    """The ``<svg>`` element; ``""`` where there are not an objects. Links lead to the ids ``object-N``."""
    groups = _groups(view)
    if not groups:
        return ""
    targets = list(dict.fromkeys(row.target for members in groups.values() for row in members))
    for members in groups.values():
        members.sort(key=lambda row: targets.index(row.target))
    left, rows, bottom = [], [], 0
    for owner, members in groups.items():
        height = HEAD + ROW * len(members)
        left.append((bottom, owner, height))
        rows += [(bottom + HEAD + ROW * index + ROW // 2, row) for index, row in enumerate(members)]
        bottom += height + GAP
    heights = {target: HEAD + ROW * sum(1 for _, row in rows if row.target == target) for target in targets}
    total = max(bottom, sum(heights.values()) + GAP * len(targets)) - GAP
    step = (total - sum(heights.values())) / max(1, len(targets))
    tops: dict[str, float] = {}
    at = step / 2
    for target in targets:
        tops[target] = at
        at += heights[target] + step
    return "\n".join(_svg(view, left, rows, tops, heights, total))


def _groups(view: View) -> Mapping[str, list[_Row]]:
    """The rows by where they come from, each group and the rows in it in the order in which they come."""
    found: dict[str, dict[str, list[tuple[int, ObjectView]]]] = {}
    for index, each in enumerate(view.objects):
        found.setdefault(_from(each), {}).setdefault(_to(view, each), []).append((index, each))
    return {
        owner: [row for target, members in targets.items() for row in _rows(target, members)]
        for owner, targets in found.items()
    }


def _rows(target: str, members: list[tuple[int, ObjectView]]) -> Iterator[_Row]:
    shown = members if len(members) <= ROWS else members[: ROWS - 1]
    for index, each in shown:
        yield _Row(_short(each.name), f"object-{index}", wording.verdict(each), target, 1)
    if len(members) > len(shown):
        index, each = members[len(shown)]
        more = len(members) - len(shown)
        same = {wording.verdict(other) for _, other in members[len(shown) :]} == {wording.verdict(each)}
        yield _Row(f"and {more} more", f"object-{index}", wording.verdict(each) if same else "several", target, more)


def _from(each: ObjectView) -> str:
    owner = each.ownership
    if owner is None:
        return "a hook" if each.prediction.request == "hook" else "not looked up"
    return "new objects" if owner.standing == "absent" else wording.owner(each)


def _to(view: View, each: ObjectView) -> str:
    word = wording.verdict(each)
    if word == "blocked":
        return "blocked: unchanged"
    if word == "delete":
        return "deleted"
    if word == "keep":
        return "kept without a release"
    return f"release {view.about.release}" if view.about.release else "the release"


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2 - 1]}…{name[-LETTERS // 2 :]}"


def _svg(
    view: View,
    left: list[tuple[int, str, int]],
    rows: list[tuple[int, _Row]],
    tops: dict[str, float],
    heights: dict[str, int],
    total: float,
) -> Iterator[str]:
    label = escape(f"Who has each object today, and who will have it. {wording.summary(view)}", quote=True)
    yield f'<svg viewBox="0 -24 {WIDTH} {total + 28:g}" role="group" aria-label="{label}">'
    yield '<text class="column" x="0" y="-8">today</text>'
    then = "afterwards, if not blocked" if view.outcome == "blocked" else "afterwards"
    yield f'<text class="column" x="{RIGHT}" y="-8">{then}</text>'
    for top, owner, height in left:
        yield f'<rect class="box" x="0.5" y="{top + 0.5}" width="{LEFT}" height="{height}" rx="6"/>'
        yield f'<text class="head" x="12" y="{top + 20}">{escape(owner)}</text>'
    filled = dict.fromkeys(tops, 0)
    for target in tops:
        yield (
            f'<rect class="box" x="{RIGHT}" y="{tops[target]:g}" width="{WIDTH - RIGHT - 1}" '
            f'height="{heights[target]}" rx="6"/>'
        )
        yield f'<text class="head" x="{RIGHT + 12}" y="{tops[target] + 20:g}">{escape(target)}</text>'
    for y, row in rows:
        end = tops[row.target] + HEAD + ROW * filled[row.target] + ROW / 2
        filled[row.target] += 1
        middle = (LEFT + RIGHT) / 2
        yield f'<a href="#{row.link}" class="flow {row.word}">'
        yield f"<title>{escape(row.label)}: {escape(row.word)}, {escape(row.target)}</title>"
        yield f'<path d="M{LEFT} {y}C{middle:g} {y} {middle:g} {end:g} {RIGHT} {end:g}"/>'
        yield f'<text x="12" y="{y + 5}">{escape(row.label)}</text>'
        counted = f" ({row.count})" if row.count > 1 else ""
        yield f'<text x="{RIGHT + 12}" y="{end + 5:g}">{escape(row.word)}{counted}</text>'
        yield "</a>"
    yield "</svg>"
