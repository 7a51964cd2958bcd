"""Lint: every rule run on one chart, and each finding given its line in the rendering and in the template.

A comment at that line can tell lint to ignore the finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from postrender._record import Record
from postrender.errors import ManifestError
from postrender.lint.model import Facts, Finding, Subject, Trouble
from postrender.lint.rules import Rule
from postrender.manifest.documents import document_tree
from postrender.manifest.nodes import Kind, Node
from postrender.manifest.reader import Span
from postrender.manifest.stream import place
from postrender.models import SECRET
from postrender.text import Advice

_ACTION = re.compile(r"\{\{.*?\}\}")
_KEY = re.compile(r"\s*(?:- )?([A-Za-z_\"'][^:\s]*:)")


class Place(Record):
    """A line of a file and its text; line and column are 0 where only the file is known."""

    file: str
    line: int
    column: int
    text: str


class Places:
    """Places in one rendering, called ``file``."""

    def __init__(self, facts: Facts, file: str) -> None:
        self._facts = facts
        self._manifest = facts.stream.manifest
        self._file = file
        self._lines = self._manifest.data.decode(errors="replace").split("\n")
        self._trees: dict[int, Node | None] = {}

    def of(self, trouble: Trouble) -> Place:
        """The place to report: in the template if the rendered line occurs there once, else in the stream.

        A chart has no stream that a user could open: there, the template without a line.
        """
        rendered = self.rendered(trouble)
        source = trouble.subject.source
        if not source or not self._facts.templates:
            return rendered
        template = self._facts.templates.get(source)
        if template is None:
            return Place(source, 0, 0, rendered.text)
        found = _only(template.text.split("\n"), rendered.text)
        if found is None:
            return Place(template.path, 0, 0, rendered.text)
        line, shown = found
        if shown.strip() != rendered.text.strip() and "Secret" in template.text and "{{" not in shown:
            # Found by its key alone, it may be a line of another object, with a value that nobody asked about.
            shown = rendered.text
        return Place(template.path, line, len(shown) - len(shown.lstrip()) + 1, shown)

    def rendered(self, trouble: Trouble) -> Place:
        """The place in the rendering."""
        line, column = place(self._manifest.data, self._offset(trouble.subject, trouble.path))
        return Place(self._file, line, column, self._lines[line - 1].rstrip("\r"))

    def comments(self, trouble: Trouble) -> list[str]:
        """The lines of its document that hold nothing but a comment."""
        document = self._manifest.documents[trouble.subject.ref.document]
        text = self._manifest.data[document.start : document.end].decode(errors="replace")
        return [line for line in text.split("\n") if line.lstrip().startswith("#")]

    def _offset(self, subject: Subject, path: Iterable[str]) -> int:
        """Where the field begins, or the nearest to it that is there."""
        index = subject.ref.document
        document = self._manifest.documents[index]
        if index not in self._trees:
            span = Span(self._manifest.data, document.start, document.end)
            self._trees[index] = None if document.json else document_tree(span).root
        node = self._trees[index]
        if node is None:
            return document.start
        for item in subject.ref.path:
            items = _field(node, "items")
            if items is None or items[1].kind is not Kind.SEQUENCE or item >= len(items[1].children):
                return node.start
            node = items[1].children[item]
        offset = node.start
        for name in path:
            found = _field(node, name)
            if found is None:
                break
            offset, node = found[0].start, found[1]
        return offset


def _field(node: Node, name: str) -> tuple[Node, Node] | None:
    node = node.target or node
    if node.kind is not Kind.MAPPING:
        return None
    return next(((key, value) for key, value in node.pairs() if key.text == name), None)


def _only(lines: list[str], rendered: str) -> tuple[int, str] | None:
    """The one line that reads like the rendered one, could give it, or has its key; ``None`` for none or several."""
    wanted = rendered.strip()
    key = _KEY.match(rendered)
    kinds: tuple[Callable[[str], bool], ...] = (
        lambda line: line.strip() == wanted,
        lambda line: "{{" in line and _gives(line.strip(), wanted),
        lambda line: bool(key and (own := _KEY.match(line)) and own[1] == key[1]),
    )
    for fits in kinds if wanted else ():
        found = [(number, line) for number, line in enumerate(lines, 1) if fits(line)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _gives(template: str, rendered: str) -> bool:
    """Whether a line of a template may become the rendered one; one that is nothing but an action may be anything."""
    fixed = [re.escape(part) for part in _ACTION.split(template)]
    return any(fixed) and re.fullmatch(".*".join(fixed), rendered) is not None


_PLAIN = re.compile(r"\s*(?:- )?(?:\"[^\"]*\"|'[^']*'|[\w./-]+):(?:\s+(?:[\w./:-]|\{\{[^{}]*\}\})*)?\s*")
"""A line with one key and at most one plain value, or actions of a template."""

_SHOWN = frozenset({"apiVersion", "kind", "metadata"})
"""Fields of a Secret whose lines are shown."""

_IGNORE = re.compile(r"postrender:\s*ignore=([A-Z0-9, ]*[A-Z0-9])")


def check(facts: Facts, rules: Iterable[Rule], file: str, old_file: str = "") -> list[Finding]:
    """The findings in the order of their places; ``file`` is what the stream is called, ``old_file`` the older one."""
    new = _Judged(facts, file)
    old = _Judged(facts.before, old_file) if facts.before else new
    found = [
        (old if trouble.old else new).finding(rule.code, trouble)
        for rule in rules
        for trouble in rule.check(facts)
        if not (old if trouble.old else new).ignored(rule.code, trouble)
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.column, finding.code, finding.object))


class _Judged:
    """One version of the chart: its places, and the values of its Secrets."""

    def __init__(self, facts: Facts, file: str) -> None:
        self._places = Places(facts, file)
        self._secrets = _secrets(facts)

    def finding(self, code: str, trouble: Trouble) -> Finding:
        return _finding(code, trouble, self._places.of(trouble), self._secrets.get(trouble.subject.ref.document))

    def ignored(self, code: str, trouble: Trouble) -> bool:
        """Whether the line says so, or a comment on a line of its own in the same document."""
        places = self._places
        lines = [places.rendered(trouble).text, places.of(trouble).text, *places.comments(trouble)]
        return any(code in _listed(found[1]) for line in lines for found in _IGNORE.finditer(line))


def _secrets(facts: Facts) -> dict[int, frozenset[str]]:
    """For each document with a Secret in it, by its number, the values that its lines may hold."""
    from postrender import redact

    found: dict[int, frozenset[str]] = {}
    made = redact.Digests(b"lint")
    for subject in facts.subjects:
        try:
            body = facts.stream.value(subject)
        except ManifestError:
            continue
        kind = subject.key.group_kind
        if kind == SECRET or redact.redacted(body, kind, "", made) != body:
            known = found.get(subject.ref.document, frozenset())
            found[subject.ref.document] = known | redact.values(body, kind)
    return found


def _finding(code: str, trouble: Trouble, place: Place, secret: frozenset[str] | None) -> Finding:
    shown = place.text
    if secret is not None:
        from postrender.redact import scrubbed

        plain = _PLAIN.fullmatch(shown) and trouble.path[:1] and trouble.path[0] in _SHOWN
        shown = scrubbed(shown, secret) if plain else _without_value(shown)
    if trouble.hide:
        shown = _without_value(shown)
    return Finding(
        code,
        trouble.severity,
        trouble.subject.name,
        trouble.text,
        # What the rules advise are edits of the chart.
        tuple(step if step.startswith("--") else Advice(step) for step in trouble.next),
        place.file,
        place.line,
        place.column,
        shown.rstrip(),
    )


def _without_value(line: str) -> str:
    if line.lstrip().startswith(("{", "[", "- {", "- [")):
        return "…"
    key, colon, value = line.partition(":")
    return f"{key}: …" if colon and value.strip() else line if colon else "…" if line.strip() else ""


def _listed(text: str) -> list[str]:
    return [code.strip() for code in text.split(",")]
