"""A plan as one page for a browser: self-contained, nothing is fetched, and it can be read without its script."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator, Sequence

from postrender.planner.view import ObjectView, View
from postrender.report import wording
from postrender.report.diff import live_diff, stored_diff
from postrender.report.ownership_svg import picture
from postrender.text import one_line, packaged, parts

_SEVERITIES = ("error", "warning", "info")
_CLASSES = {"+": "add", "-": "del", "@": "hunk"}


def plan_html(view: View, commands: Sequence[str] = ()) -> str:
    """The whole page; ``commands`` are what to type where it goes on."""
    return "".join(f"{line}\n" for line in _page(view, commands))


def _page(view: View, commands: Sequence[str]) -> Iterator[str]:
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = _shown(f"postrender plan: {view.about.release or view.about.source}")
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_shown(policy)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<link rel="icon" href="data:,">'
    yield f"<title>{title}</title><style>{style}</style></head><body>"
    yield from _header(view, commands)
    yield f'<main><section aria-label="Ownership" class="picture">{picture(view)}</section>'
    yield from _toolbar(view)
    yield '<section id="objects" aria-label="Objects">'
    for index, each in enumerate(view.objects):
        yield from _card(index, each)
    yield '<p id="none" hidden>No object is left by this filter. <kbd>Esc</kbd> takes it away.</p></section></main>'
    yield f"<script>{script}</script></body></html>"


def _header(view: View, commands: Sequence[str]) -> Iterator[str]:
    yield f'<header class="{view.outcome}"><h1>postrender plan</h1>'
    yield f'<p class="about">{_shown(wording.heading(view.about))}</p>'
    yield f'<p class="summary">{_shown(wording.summary(view))}</p>'
    for note in view.about.notes:
        yield f'<p class="note">{_shown(note)}</p>'
    steps = {"blocked": wording.steps(view), "change": tuple(commands)}.get(view.outcome, ())
    if steps:
        yield f'<h2>What to type</h2><ul class="steps">{"".join(_step(step) for step in steps)}</ul>'
    if view.about.setting_origins:
        yield f'<p class="settings">settings from {_shown(", ".join(view.about.setting_origins))}</p>'
    yield "</header>"


def _toolbar(view: View) -> Iterator[str]:
    counts: dict[str, int] = {}
    for each in view.objects:
        counts[wording.verdict(each)] = counts.get(wording.verdict(each), 0) + 1
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
        f'data-text="{_shown(text)}"{opened}>'
    )
    yield (
        f'<summary><span class="badge {word}">{word}</span> <span class="name">{_shown(each.name)}</span> '
        f'<span class="does">{_shown(wording.helm(each))}</span></summary><dl>'
    )
    for term, shown_value in (
        ("owner", wording.owner(each)),
        ("filter", wording.filter(each)),
        ("Helm", wording.helm(each)),
        ("stored", wording.stored(each)),
        ("line", f"{each.line} of the {'stored manifest' if each.leaving else 'stream'}"),
    ):
        yield f"<dt>{term}</dt><dd>{_shown(shown_value)}</dd>"
    yield "</dl>"
    if each.findings:
        yield '<ul class="findings">'
        for finding in each.findings:
            steps = "".join(_step(step) for step in finding.next)
            inner = f'<ul class="steps">{steps}</ul>' if steps else ""
            yield (
                f'<li class="{finding.severity.value}"><b>{finding.severity.value}</b> {_shown(finding.text)} '
                f"<code>{finding.code}</code>{inner}</li>"
            )
        yield "</ul>"
    for title, diff in (("Live", live_diff(each) if not each.refused else []), ("Stored", stored_diff(each))):
        if diff:
            yield f'<h3>{title}</h3><pre tabindex="0">{_diff(diff)}</pre>'
    yield "</details>"


def _diff(lines: Sequence[str]) -> str:
    kinds = ["file" if place < 2 else _CLASSES.get(line[:1], "same") for place, line in enumerate(lines)]
    return "".join(f'<span class="{kind}">{_shown(line)}\n</span>' for kind, line in zip(kinds, lines, strict=True))


def _step(step: str) -> str:
    command, note = parts(step)
    texts = [*([_shown(note)] if note else []), *([f"<code>{_shown(command)}</code>"] if command else [])]
    return f"<li>{'<br>'.join(texts)}</li>"


def _asset(name: str) -> str:
    return packaged(__name__, name)


def _hash(text: str) -> str:
    """What lets a browser run this script, and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(text: str) -> str:
    """Text that came from outside, as HTML."""
    return html.escape(one_line(text))
