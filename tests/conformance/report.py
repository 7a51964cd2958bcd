"""What is printed of played cases: a line for each that went wrong, a table, and the classes of what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import yaml

from tests.conformance.compare import NOTHING, Difference
from tests.conformance.play import Result, Verdict


def line(result: Result) -> str:
    """One case on one line."""
    case = result.case
    what = "; ".join(map(str, result.unnamed or result.differs)) or result.trouble.replace("\n", " ")[:300]
    said = (
        f"{case.name} helm {result.helm}: {result.verdict.value}: {case.kind.kind}, {case.start.value}, {case.change}"
    )
    said += f" | {what}" if what else ""
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
    for key, some in sorted(found.items(), key=lambda pair: -len(pair[1])):
        helms = Counter(each.helm for each in some)
        shown = " ".join(dict.fromkeys(each.case.name for each in some[:6]))
        codes = Counter(code for each in some for code in each.codes)
        said.append(
            f"{len(some):4}  {' | '.join(key)} | helm {', '.join(f'{helm} x{n}' for helm, n in helms.items())} "
            f"| codes {dict(codes)} | cases {shown}"
        )
    return "\n".join(said)


def whole(result: Result) -> str:
    """One case with everything that was seen of it."""
    return "\n".join(
        (
            line(result),
            f"--- old\n{yaml.safe_dump(result.case.old, sort_keys=False)}",
            f"--- new\n{yaml.safe_dump(result.case.new, sort_keys=False)}",
            f"--- live afterwards\n{yaml.safe_dump(result.live, sort_keys=False)}",
            f"--- fresh\n{yaml.safe_dump(result.fresh, sort_keys=False)}",
            f"--- said\n{result.text}",
        )
    )


def _reasons(results: Sequence[Result], helms: Sequence[str]) -> list[tuple[str, list[str]]]:
    """By which codes cases were refused or warned about."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for each in results:
        if each.verdict in (Verdict.REFUSED, Verdict.WARNED):
            by = f"{' '.join(each.codes) or 'no code'}{', as the server refuses any such update' * each.impossible}"
            found[f"  {each.verdict.value}: {by}"][each.helm] += 1
    return [(reason, [str(some[helm]) for helm in helms]) for reason, some in sorted(found.items())]


def _classes(result: Result) -> set[tuple[str, ...]]:
    kind, start = result.case.kind.kind, result.case.start.value
    keys: set[tuple[str, ...]] = set()
    if not result.verdict.good and result.verdict is not Verdict.TROUBLE:
        wrong = result.unnamed or result.differs
        for each in wrong:
            keys.add((result.verdict.value, start, f"{kind} {'.'.join(each.fields)} {_how(each)}"))
        if not wrong:
            keys.add((result.verdict.value, start, kind, result.trouble.replace("\n", " ")[:160]))
    for each in result.mispredicted:
        keys.add(("MISPREDICTED", start, f"{kind} {'.'.join(each.fields)} {_how(each)}"))
    return keys


def _how(difference: Difference) -> str:
    if difference.order:
        return "other order"
    return "is missing" if difference.place is None else "stays" if difference.there is NOTHING else "differs"


def _count(results: Sequence[Result], helm: str, verdict: Verdict) -> int:
    return sum(each.helm == helm and each.verdict is verdict for each in results)
