"""Where a finding is: its line in the rendering, and that line's in the template where it can be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from postrender.lint.facts import Facts, Subject
from postrender.lint.findings import Trouble
from postrender.manifest.documents import document_tree
from postrender.manifest.nodes import Kind, Node
from postrender.manifest.reader import Span
from postrender.manifest.stream import place
from postrender.record import Record

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
        """The place to tell: in the template where the rendered line is there once, else in the stream.

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
