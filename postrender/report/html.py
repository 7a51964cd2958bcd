"""A plan as one page for a browser: self-contained, nothing is fetched, and it can be read without its script."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence

from postrender.planner.view import ObjectView, View
from postrender.report import wording
from postrender.report.diff import live_diff, stored_diff
from postrender.report.ownership_svg import picture
from postrender.text import counted, one_line, packaged, parts

_SEVERITIES = ("error", "warning", "info")
_CLASSES = {"+": "add", "-": "del", "@": "hunk"}


def plan_html(view: View, commands: Sequence[str] = ()) -> str:
    """The whole page; ``commands`` are what to type where it goes on."""
    title = f"postrender plan: {view.about.release or view.about.source}"
    return page(title, _header(view, commands), _main(view), _asset("page.js"))


def page(title: str, header: Iterable[str], main: Iterable[str], script: str = "") -> str:
    """A page that needs nothing from elsewhere, and lets a browser fetch nothing."""
    return "".join(f"{line}\n" for line in _page(title, header, main, script))


def _page(title: str, header: Iterable[str], main: Iterable[str], script: str) -> Iterator[str]:
    style = _asset("page.css")
    runs = f"script-src '{_hash(script)}'; " if script else ""
    policy = f"default-src 'none'; style-src '{_hash(style)}'; {runs}img-src data:; base-uri 'none'; form-action 'none'"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{shown(policy)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<link rel="icon" href="data:,">'
    yield f"<title>{shown(title)}</title><style>{style}</style></head><body>"
    yield from header
    yield "<main>"
    yield from main
    yield "</main>"
    if script:
        yield f"<script>{script}</script>"
    yield "</body></html>"


def _main(view: View) -> Iterator[str]:
    yield f'<section aria-label="Ownership" class="picture">{picture(view)}</section>'
    yield from _toolbar(view)
    yield '<section id="objects" aria-label="Objects">'
    cards = sorted(enumerate(view.objects), key=lambda card: wording.rank(card[1]))
    rest = [
        (index, each) for index, each in cards if wording.verdict(each) == "unchanged" and not wording.warnings(each)
    ]
    for index, each in cards:
        if (index, each) not in rest:
            yield from _card(index, each)
    if rest:
        yield f'<details id="rest"><summary>{counted(len(rest), "object")} unchanged</summary>'
        for index, each in rest:
            yield from _card(index, each)
        yield "</details>"
    yield '<p id="none" hidden>No object matches. <kbd>Esc</kbd> clears the filter.</p></section>'


def _header(view: View, commands: Sequence[str]) -> Iterator[str]:
    yield f'<header class="{view.outcome}"><h1>postrender plan</h1>'
    yield f'<p class="about">{shown(wording.heading(view.about))}</p>'
    yield f'<p class="summary">{shown(wording.summary(view))}</p>'
    for note in view.about.notes:
        yield f'<p class="note">{shown(note)}</p>'
    next_steps = {"blocked": wording.steps(view), "change": tuple(commands)}.get(view.outcome, ())
    if next_steps:
        yield f"<h2>Next</h2>{steps(next_steps)}"
    if view.about.setting_origins:
        yield f'<p class="settings">settings from {shown(", ".join(view.about.setting_origins))}</p>'
    yield "</header>"


def _toolbar(view: View) -> Iterator[str]:
    words = [wording.verdict(each) for each in view.objects]
    counts = {word: words.count(word) for word in wording.RANKS if word in words}
    yield '<div class="toolbar" role="search"><label for="text">Filter</label>'
    yield '<input id="text" type="search" placeholder="name, kind, owner, code" autocomplete="off" spellcheck="false">'
    yield '<span role="group" aria-label="Action">'
    for word, count in counts.items():
        chip = f'class="chip {word}" data-word="{word}" aria-pressed="false"'
        yield f'<button type="button" {chip}>{word} {count}</button>'
    yield "</span>"
    yield '<label for="severity">Findings</label><select id="severity"><option value="">any or none</option>'
    for severity in _SEVERITIES:
        yield f'<option value="{severity}">{severity}</option>'
    yield "</select>"
    yield '<button type="button" id="all">Unfold all</button><output id="count" aria-live="polite"></output>'
    yield (
        '<p class="keys"><kbd>/</kbd> filter <kbd>j</kbd> <kbd>k</kbd> next, previous <kbd>Enter</kbd> unfold '
        "<kbd>e</kbd> all <kbd>Esc</kbd> no filter</p></div>"
    )


def _card(index: int, each: ObjectView) -> Iterator[str]:
    word = wording.verdict(each)
    severities = " ".join(dict.fromkeys(finding.severity.value for finding in each.findings))
    codes = " ".join(finding.code for finding in each.findings)
    text = f"{each.name} {each.object.kind} {wording.owner(each)} {' '.join(each.actions)} {word} {codes}".lower()
    opened = " open" if each.refused or "warning" in severities else ""
    yield (
        f'<details id="object-{index}" class="card {word}" data-word="{word}" data-severities="{severities}" '
        f'data-text="{shown(text)}"{opened}>'
    )
    yield (
        f'<summary><span class="badge {word}">{word}</span> <span class="name">{shown(each.name)}</span> '
        f'<span class="does">{shown(wording.helm(each))}</span></summary><dl>'
    )
    for term, shown_value in (
        ("owner", wording.owner(each)),
        ("filter", wording.filter(each)),
        ("Helm", wording.helm(each)),
        ("stored", wording.stored(each)),
        ("line", f"{each.line} of the {'stored manifest' if each.leaving else 'stream'}"),
    ):
        yield f"<dt>{term}</dt><dd>{shown(shown_value)}</dd>"
    yield "</dl>"
    if each.findings:
        yield '<ul class="findings">'
        for finding in each.findings:
            yield (
                f'<li class="{finding.severity.value}"><b>{finding.severity.value}</b> {shown(finding.text)} '
                f"<code>{finding.code}</code>{steps(finding.next)}</li>"
            )
        yield "</ul>"
    for title, diff in (("Live", live_diff(each) if not each.refused else []), ("Stored", stored_diff(each))):
        if diff:
            yield f'<h3>{title}</h3><pre tabindex="0">{_diff(diff)}</pre>'
    yield "</details>"


def _diff(lines: Sequence[str]) -> str:
    kinds = ["file" if place < 2 else _CLASSES.get(line[:1], "same") for place, line in enumerate(lines)]
    return "".join(f'<span class="{kind}">{shown(line)}\n</span>' for kind, line in zip(kinds, lines, strict=True))


def steps(hints: Sequence[str]) -> str:
    """A list of hints; ``""`` if there are none."""
    return f'<ul class="steps">{"".join(map(_step, hints))}</ul>' if hints else ""


def _step(step: str) -> str:
    command, note = parts(step)
    texts = [*([shown(note)] if note else []), *([f"<code>{shown(command)}</code>"] if command else [])]
    return f"<li>{'<br>'.join(texts)}</li>"


def _asset(name: str) -> str:
    return packaged(__name__, name)


def _hash(text: str) -> str:
    """What lets a browser run this script, and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def shown(text: str) -> str:
    """Text that came from outside, as HTML."""
    return html.escape(one_line(text))
