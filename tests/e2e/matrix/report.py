"""Cells, for a reader: lines while they are played, a score, and the page of the documentation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from postrender.planner.policy import OnDrift
from tests.e2e.matrix.alone import text
from tests.e2e.matrix.cells import Cell
from tests.e2e.matrix.promise import Verdict
from tests.e2e.matrix.steps import Applied, Column, Deleted, Run, Scenario, Step, Thing, Touched, Uninstall


def lines(cell: Cell) -> str:
    """A cell in some lines."""
    told = [f"{'ok ' if cell.good else 'BAD'} {cell.scenario.name} [{cell.column}]"]
    if cell.alone:
        told.append(f"    alone: {cell.alone.outcome}{'' if cell.alone.predicted else ' (not predicted)'}")
        told += [f"    DISAGREES {each}" for each in cell.alone.disagreements]
    if cell.filtered:
        told.append(f"    filter: {cell.filtered.verdict.value} {cell.filtered.remark}".rstrip())
        told += [f"    BROKEN {each}" for each in cell.filtered.wrong]
    if cell.trouble:
        told.append(f"    TROUBLE {cell.trouble}")
    return "\n".join(told)


def steps(scenario: Scenario) -> str:
    """What is played, a line a step."""
    told = f" adopt={','.join(each.value for each in scenario.adopt)}" if scenario.adopt else ""
    told += f" on-drift={scenario.on_drift.value}" if scenario.on_drift is not OnDrift.STORE else ""
    return "\n".join([*(f"      {_step(step)}" for step in scenario.before), f"      => {_step(scenario.run)}{told}"])


def _step(step: Step) -> str:
    if isinstance(step, Run):
        flags = "".join(f" {flag.value}" for flag in step.flags)
        return f"{step.action.value} {step.release}{flags}: {'; '.join(_thing(thing) for thing in step.things)}"
    if isinstance(step, Uninstall):
        return f"uninstall {step.release}"
    if isinstance(step, Applied):
        return f"kubectl apply {_thing(step.thing)}"
    if isinstance(step, Touched):
        return f"somebody patches {step.ref} {text(dict(step.patch))}"
    assert isinstance(step, Deleted)
    return f"kubectl delete {step.ref}"


def _thing(thing: Thing) -> str:
    keep = f" keep={thing.keep}" if thing.keep else ""
    notes = f" labels={text(dict(thing.labels))}" if thing.labels else ""
    notes += f" annotations={text(dict(thing.annotations))}" if thing.annotations else ""
    return f"{thing.ref}{keep}{notes} {text(thing.content)}"


def score(played: Sequence[Cell]) -> str:
    """How many cells came out as predicted and as promised, the written and the random ones apart."""
    written = [cell for cell in played if not cell.scenario.random]
    random = [cell for cell in played if cell.scenario.random]
    return "\n".join(_score(name, cells) for name, cells in (("written", written), ("random", random)) if cells)


def _score(name: str, played: Sequence[Cell]) -> str:
    predicted = [cell for cell in played if cell.alone and cell.alone.predicted]
    verdicts = Counter(cell.filtered.verdict for cell in played if cell.filtered)
    return "\n".join(
        [
            f"{len(played)} {name} cells",
            f"Helm alone: {len(predicted)} predicted, {sum(cell.agrees for cell in predicted)} came out so",
            "with the filter: " + ", ".join(f"{verdicts[each]} {each.value}" for each in Verdict),
            *([f"{missing} could not be played"] if (missing := sum(bool(cell.trouble) for cell in played)) else []),
        ]
    )


_INTRO = """\
# Helm behavior by version

## In short

- **Helm 3.17.0 and older** treat two objects with the same Kind, namespace and name in two API groups as one.
  Installing a kept pair again fails; an upgrade can skip fields of the second. The filter corrects most cases and
  stops in the others.
- **Every Helm 3** leaves a kept custom resource unchanged and reports success. With the filter, the next `helm
  upgrade` applies the chart.
- **Helm 3.17** adds `--take-ownership`, which skips the owner check; in 3.17 custom resources do not change, from
  3.18 only fields that left the chart stay.
- **Helm 3.17.1 and newer, and Helm 4,** delete an object that moved to another API group. The filter stops.
- **Helm 3.22, 4.0.5 and 4.2** update objects that no stored manifest contains from their live state; rollbacks over
  kept built-in objects work. Helm 4.1 does not.
- **Helm 4.0.0** cannot adopt with server-side apply; 4.0.1 can.
- **Helm 4.0.0 to 4.1.0** delete an object if only the version in its `apiVersion` changes.
- **Helm 4 with server-side apply** applies kept custom resources correctly and stops at fields of other managers.
- **Every Helm** deletes an object that leaves the chart in an upgrade without checking its owner, and deletes adopted
  objects when a failed `--atomic` install is undone. The filter stops.

## How to read the tables

`bin/matrix --write` writes them. Each cell was tested twice with the real Helm and a real kube-apiserver. The first
line of a cell is Helm alone; the second is Helm with the filter, including the `helm upgrade` with the same chart
after it. Helm 4 applies server-side unless the column says otherwise.

| sign | Helm alone |
|---|---|
| ok | Helm reports success, and the live objects are as the model predicts |
| fails | Helm fails, with the predicted message and live objects |
| (...) | the same, without a prediction |
| **≠** | the model predicts another result |
| – | this Helm has no such flag, or the case cannot occur |

| sign | with the filter |
|---|---|
| right | the live objects match the chart |
| later | the summary announces that the next upgrade applies the chart, and it does |
| PR101 ... | stopped with that code (`postrender explain PR101`); nothing was changed |
| **broken** | none of these |
"""


Texts: TypeAlias = dict[tuple[str, Column], str]
"""What stands in the cells of the page, by scenario and column."""


def read(page: str, columns: Sequence[Column]) -> Texts:
    """Cells of a page written before, of these columns."""
    found: Texts = {}
    for table in re.findall(r"^\| Helm \d \|.*(?:\n\|.*)+", page, re.M):
        (_, *heads), _, *rows = ([part.strip() for part in row.strip("|").split("|")] for row in table.splitlines())
        known = [Column.parse(head.replace("<br>", " ")) for head in heads]
        found.update(
            {
                (name, column): text
                for name, *texts in rows
                for column, text in zip(known, texts, strict=True)
                if column in columns and text != MISSING
            }
        )
    return found


def page(
    played: Sequence[Cell], families: Mapping[str, Sequence[Scenario]], before: str, columns: Sequence[Column]
) -> str:
    """The page: for each family a table of its scenarios for Helm 3 and one for Helm 4, then the score.

    Cells of ``columns`` that were not played now are those of the page ``before``; so is the score of random ones.
    """
    cells = {
        **read(before, columns),
        **{(cell.scenario.name, cell.column): _cell(cell) for cell in played if not cell.scenario.random},
    }
    columns = sorted({column for _, column in cells}, key=lambda column: (column.client_side, column.helm))
    told = [_INTRO]
    for family, scenarios in families.items():
        told.append(f"## {family}\n")
        for major in sorted({column.helm.major for column in columns}):
            of_major = [column for column in columns if column.helm.major == major]
            heads = [str(column).replace(" client-side", "<br>client-side") for column in of_major]
            told.append(f"| Helm {major} | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
            for scenario in scenarios:
                texts = [cells.get((scenario.name, column), MISSING) for column in of_major]
                if set(texts) != {MISSING}:
                    told.append(f"| {scenario.name} | {' | '.join(texts)} |")
            told.append("")
        told += [f"- **{scenario.name}**: {scenario.about}" for scenario in scenarios]
        told.append("")
    told += ["## Score", "", *_written(list(cells.values()))]
    random = score([cell for cell in played if cell.scenario.random])
    told += [f"- {line}" for line in random.splitlines()] or re.findall(r"- \d+ random cells\n(?s:.*)", before)
    return "\n".join(told).rstrip() + "\n"


def _written(texts: Sequence[str]) -> list[str]:
    """The score of written cells, of what stands in them."""
    predicted = [text for text in texts if text.startswith(("ok", "fails"))]
    counted = Counter(_VERDICTS.get(text.rpartition("<br>")[2], Verdict.REFUSED) for text in texts if "<br>" in text)
    return [
        f"- {len(texts)} written cells",
        f"- Helm alone: {len(predicted)} predicted, {sum('≠' not in text for text in predicted)} came out so",
        "- with the filter: " + ", ".join(f"{counted[each]} {each.value}" for each in Verdict),
    ]


_SHORT = {Verdict.RIGHT: "right", Verdict.ANNOUNCED: "later", Verdict.BROKEN: "**broken**"}
_VERDICTS = {text: verdict for verdict, text in _SHORT.items()}
MISSING = "–"


def _cell(cell: Cell) -> str:
    if cell.alone is None or cell.filtered is None:
        return "?"
    alone = "ok" if cell.alone.outcome.startswith("ok") else "fails"
    alone = alone if cell.alone.predicted else f"({alone})"
    alone = alone if cell.agrees else f"{alone} **≠**"
    refused = cell.filtered.verdict is Verdict.REFUSED
    return f"{alone}<br>{cell.filtered.remark if refused else _SHORT[cell.filtered.verdict]}"
