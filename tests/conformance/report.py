"""What is printed of played cases: a line for each that went wrong, a table, and the classes of what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import yaml

from tests.conformance.cases import Start
from tests.conformance.compare import NOTHING, Difference
from tests.conformance.play import Result, Verdict


def line(result: Result) -> str:
    """One case on one line."""
    case = result.case
    what = "; ".join(map(str, result.unnamed or result.differs)) or cause(result.trouble)
    said = (
        f"{case.name} helm {result.helm}: {result.verdict.value}: {case.kind.kind}, {case.start.value}, {case.change}"
    )
    said += f" | {what}" if what else ""
    said += f" | the server: {cause(result.objection)}" if result.objection else ""
    if result.mispredicted:
        said += f" | MISPREDICTED {'; '.join(map(str, result.mispredicted))}"
    return f"{said} | {' '.join(result.codes) or 'no codes'}"


def table(results: Sequence[Result]) -> str:
    """How many cases of each Helm came out how."""
    helms = sorted({each.helm for each in results}, key=lambda text: [int(part) for part in text.split(".")])
    head = ["", *helms]
    rows = [head]
    for verdict in Verdict:
        rows.append([verdict.value, *(str(_count(results, helm, verdict)) for helm in helms)])
    server = [str(sum(bool(each.undefaulted) for each in results if each.helm == helm)) for helm in helms]
    wrong = [str(sum(bool(each.mispredicted) for each in results if each.helm == helm)) for helm in helms]
    unsaid = [str(sum(not each.predicted for each in results if each.helm == helm)) for helm in helms]
    rows += [
        ["right now or then, of all", *(_share(results, helm) for helm in helms)],
        [
            "right now or then, without what the server refuses itself",
            *(_share(results, helm, Verdict.IMMUTABLE) for helm in helms),
        ],
        ["prediction did not come true", *wrong],
        ["server's defaults not predicted", *server],
        ["no prediction", *unsaid],
    ]
    rows += [[f"{reason}", *numbers] for reason, numbers in _reasons(results, helms)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def classes(results: Iterable[Result]) -> str:
    """What went wrong, the most frequent first, each with some of its cases."""
    found: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for each in results:
        for key in _classes(each):
            found[key].append(each)
    said = []
    for key, some in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        shown = " ".join(dict.fromkeys(f"{each.case.name}({each.helm})" for each in some[:4]))
        counted = (
            _counted(each.case.start.value for each in some),
            _counted(each.helm for each in some),
            _counted(code for each in some for code in each.codes) or "no codes",
        )
        said.append(f"{len(some):4}  {' | '.join((*key, *counted))} | {shown}")
    return "\n".join(said)


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} x{count}" for word, count in Counter(words).most_common())


def whole(result: Result, *, live: bool = True) -> str:
    """One case with everything that was seen of it; without ``live`` only the charts' objects."""
    case = result.case
    shown = {"old": case.old, "new": case.new}
    if case.start in (Start.READOPTED, Start.UPGRADED):
        shown["between, by Helm alone"] = case.between
    if live:
        shown |= {"live afterwards": result.live or {}, "fresh": result.fresh or {}}
    said = [line(result), *(f"--- {name}\n{yaml.safe_dump(body, sort_keys=False)}" for name, body in shown.items())]
    return "\n".join([*said, f"--- said\n{result.text}"] if live else said)


def _reasons(results: Sequence[Result], helms: Sequence[str]) -> list[tuple[str, list[str]]]:
    """By which codes cases were refused or warned about."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for each in results:
        if each.verdict.refused or each.verdict is Verdict.WARNED:
            found[f"  {each.verdict.value}: {' '.join(each.codes) or 'no code'}"][each.helm] += 1
    return [(reason, [str(some[helm]) for helm in helms]) for reason, some in sorted(found.items())]


def _classes(result: Result) -> Iterator[tuple[str, ...]]:
    """A key for each way in which it went wrong, by the first field that shows it."""
    if not result.verdict.good and result.verdict is not Verdict.TROUBLE:
        wrong = result.unnamed or result.differs
        what = _what(result, wrong) if wrong else f"{result.case.kind.kind}: {cause(result.trouble)}"
        yield (result.verdict.value, what)
    if result.mispredicted:
        yield ("MISPREDICTED", _what(result, result.mispredicted))


def _what(result: Result, wrong: Sequence[Difference]) -> str:
    first = min(wrong, key=lambda each: each.fields)
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return f"{result.case.kind.kind} {'.'.join(first.fields)} {_how(first)}{more}"


def cause(trouble: str) -> str:
    """The end of what Helm said, which has the server's words in it."""
    text = " ".join(trouble.split())
    return text if len(text) <= 200 else f"... {text[-200:]}"


def _how(difference: Difference) -> str:
    if difference.order:
        return "other order"
    return "is missing" if difference.place is None else "stays" if difference.there is NOTHING else "differs"


def _share(results: Sequence[Result], helm: str, *without: Verdict) -> str:
    """How many of the cases that were played came out right, but for those of some verdicts."""
    played = [
        each.verdict.as_charted
        for each in results
        if each.helm == helm and each.verdict not in (Verdict.TROUBLE, *without)
    ]
    return f"{100 * sum(played) / len(played):.1f} %" if played else "-"


def _count(results: Sequence[Result], helm: str, verdict: Verdict) -> int:
    return sum(each.helm == helm and each.verdict is verdict for each in results)
