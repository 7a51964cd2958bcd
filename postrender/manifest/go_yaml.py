r"""The pure-Python parser, taught what go-yaml reads and stricter parsers do not.

go-yaml v2.4 (scannerc.go) stems from an old libyaml: it takes ``"it\'s"``, ``[a:, b]``, ``!!str,`` and tabs between
tokens. Charts that only work thanks to that exist. It also serves where PyYAML was built without libyaml.
"""

from __future__ import annotations

from yaml.error import Mark
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import ScalarToken, TagToken

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t"
_WORD = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
_URI = frozenset("-;/?:@&=+$,_.!~*'()[]%")
_ENDS = "\0" + _BLANKS + _BREAKS


class GoParser(Reader, Scanner, Parser):
    """Events of a text, as go-yaml would give them."""

    def __init__(self, text: bytes) -> None:
        self.ESCAPE_REPLACEMENTS = {**Scanner.ESCAPE_REPLACEMENTS, "'": "'"}  # type: ignore[misc]
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line breaks; tabs do where no key may begin (``scan_to_next_token``)."""
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self._line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_tag(self) -> TagToken:
        """A tag, which takes ``,`` and brackets with it in flow collections too (``scan_tag``)."""
        start = self.get_mark()
        if self.peek(1) == "<":
            return super().scan_tag()
        length = 1
        while self.peek(length) in _WORD:
            length += 1
        handle = "!"
        head = self.prefix(length)[1:]
        if self.peek(length) == "!":
            handle, head = self.prefix(length + 1), ""
            length += 1
        self.forward(length)
        suffix = head
        if handle != "!" or self.peek() in _URI:
            suffix += self.scan_tag_uri("tag", start)
        if self.peek() not in _ENDS:
            raise ScannerError("while scanning a tag", start, "found no blank after it", self.get_mark())
        return TagToken((handle, suffix) if suffix else (None, "!"), start, self.get_mark())

    def scan_plain(self) -> ScalarToken:
        """A plain scalar: ends before a comment, ``: ``, and in flow collections ``,?[]{}`` (``scan_plain_scalar``)."""
        start = end = self.get_mark()
        text: list[str] = []
        gap = ""
        while self.peek() != "#" and not self._at_document_marker():
            length = 0
            while not self._ends_plain(length):
                length += 1
            if not length:
                break
            self.allow_simple_key = False
            text += [gap, self.prefix(length)]
            self.forward(length)
            end = self.get_mark()
            gap = self._gap(start)
            if not gap or (not self.flow_level and self.column <= self.indent):
                break
        return ScalarToken(value="".join(text), plain=True, start_mark=start, end_mark=end)

    def _ends_plain(self, ahead: int) -> bool:
        character = self.peek(ahead)
        if character in _ENDS or (character == ":" and self.peek(ahead + 1) in _ENDS):
            return True
        return bool(self.flow_level) and character in ",?[]{}"

    def _gap(self, start: Mark) -> str:
        """What the blanks and line breaks after a word are worth, should another word of the scalar follow."""
        blanks = ""
        breaks: list[str] = []
        while self.peek() in _BLANKS or self.peek() in _BREAKS:
            if self.peek() in _BREAKS:
                breaks.append(self._line_break())
                self.allow_simple_key = True
                if self._at_document_marker():
                    break
            else:
                if breaks and self.peek() == "\t" and self.column <= self.indent:
                    raise ScannerError(
                        "while scanning a plain scalar", start, "found a tab as indentation", self.get_mark()
                    )
                blanks += "" if breaks else self.peek()
                self.forward()
        if not breaks:
            return blanks
        if breaks[0] != "\n":
            return "".join(breaks)
        return "".join(breaks[1:]) or " "

    def _line_break(self) -> str:
        return str(self.scan_line_break())  # type: ignore[no-untyped-call]

    def _at_document_marker(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS
