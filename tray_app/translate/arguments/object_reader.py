"""Reads a JSON object as a model writes it, in fragments of any size, and writes each member once it is settled.

Text of strings is settled at once. All else is settled when what follows shows that it is complete. JSON that breaks is
held from the place where it breaks. Each character is looked at once, however the text is cut into fragments.
"""

from __future__ import annotations

import re
from enum import Enum

from tray_app.translate.arguments.json_value import ValueScanner, skip
from tray_app.translate.arguments.object_writer import ObjectWriter, encode
from tray_app.translate.json_text import decoder

_SPACE = re.compile(r"\s*+")
"""Before the object, any white space that Python knows is skipped."""
_BLANKS = re.compile(r"[ \t\n\r]*+")
"""Within the object, only the white space of JSON is skipped."""
_STRING_RUN = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")


class Part(Enum):
    """The part of the object that the next character belongs to."""

    START = "before the object"
    MEMBER = "behind the opening brace"
    KEY = "in a key"
    COLON = "behind a key"
    VALUE_START = "behind a colon"
    STRING = "in a string that is written as it comes"
    ESCAPE = "in an escape of such a string, which was cut by the end of a fragment"
    VALUE = "in another value"
    AFTER = "behind a value"
    COMMA = "behind a comma"
    END = "behind the closing brace"
    BROKEN = "behind the place where the JSON broke"
    CLOSED = "behind the end of the call"


class ObjectReader:
    """Reads one object into a writer.

    What was read is, in this order: written, then `_before`, then held, then the fragment from `_mark` on.
    """

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer
        self.part = Part.START
        self._before = ""  # a brace or comma, and what is read of the newest member but not written
        self._held: list[str] = []
        self._mark = 0
        self._key = ""  # the key of the newest member
        self._scanner = ValueScanner()  # reads the value of the newest member, or the next key
        self._whole = ""  # what is written for the newest value once it is settled
        self._is_left_out = False  # whether the newest value is not written, nor the comma behind it

    def __repr__(self) -> str:
        return f"{self.part.name}, before={self._before[:40]!r}, held={len(self._held)} pieces"

    @property
    def is_complete(self) -> bool:
        """Tells whether what was read is one whole object."""
        return self.part in (Part.END, Part.CLOSED)

    @property
    def may_be_in_text(self) -> bool:
        """Tells whether the next character is in a string, or broken JSON does not say whether it is."""
        if self.part in (Part.KEY, Part.VALUE):
            return self._scanner.is_in_string
        return self.part in (Part.STRING, Part.ESCAPE, Part.BROKEN)

    @property
    def unwritten(self) -> str:
        """The text that was read but not written."""
        return self._before + "".join(self._held)

    def to_broken_object(self) -> str:
        """Returns the open string and the text that is not written, as the text of an object that may be broken."""
        if self._writer.is_string_open:
            return f'{{{encode(self._writer.open_key)}:"{self.unwritten}'
        return "{" + self.unwritten[1:] if self._before else self.unwritten

    def read(self, fragment: str, start: int) -> int:
        """Reads a fragment from `start` on, and returns where it stopped: at another object, or at the end."""
        place = self._mark = start
        while place < len(fragment) and self.part is not Part.CLOSED:
            place = self._step(fragment, place)
        self._hold(fragment, place)
        return place

    def write_end(self) -> None:
        """Writes the newest value and the closing brace."""
        self._settle()
        self._writer.write_end()

    def close(self) -> None:
        """Ends the object. What is not written is forgotten."""
        self.part, self._before, self._held = Part.CLOSED, "", []

    def _step(self, text: str, place: int) -> int:
        """Reads to the end of a part or of the text, and returns where it stopped."""
        match self.part:
            case Part.STRING:
                return self._read_string(text, place)
            case Part.ESCAPE:
                return self._read_escape(text, place)
            case Part.KEY:
                place = self._scanner.scan(text, place)
                self.part = Part.COLON if self._scanner.is_whole else Part.KEY
                return place
            case Part.VALUE:
                return self._read_value(text, place)
            case Part.BROKEN:
                return len(text)
            case _:
                return self._read_between(text, place)

    def _read_between(self, text: str, place: int) -> int:
        """Reads white space, and the character behind it, which begins the next part."""
        place = skip(_SPACE if self.part is Part.START else _BLANKS, text, place)
        if place == len(text):
            return place
        match self.part, text[place]:
            case Part.START, "{":
                self._take_held(text, place + 1)
                self._before, self.part = "{", Part.MEMBER
            case ((Part.MEMBER | Part.COMMA), '"'):
                if not self._writer.is_string_open:  # an open string ends only before a whole key: it may hold `", "`
                    self._settle()
                self._scanner, self.part = ValueScanner(), Part.KEY
                return place
            case Part.COLON, ":":
                self.part = Part.VALUE_START
            case Part.VALUE_START, first:
                return self._begin_value(text, place, first)
            case Part.AFTER, ",":
                comma = self._take_held(text, place + 1)
                if not self._is_left_out:
                    self._before += comma
                self.part = Part.COMMA
            case ((Part.MEMBER | Part.AFTER), "}"):
                self.part = Part.END
            case Part.END, "{":
                self.write_end()
                self.part = Part.CLOSED
                return place
            case _:
                self.part = Part.BROKEN
        return place + 1

    def _begin_value(self, text: str, place: int, first: str) -> int:
        head = self._take_held(text, place)
        try:
            self._key = decoder.decode(head[: head.rindex(":")])
        except ValueError:
            self._held, self.part = [head], Part.BROKEN
            return place
        self._settle()
        self._before += self._writer.translate_head(self._key, head)
        if first == '"' and self._writer.takes_string(self._key):
            self._writer.open_string(self._key, self._before + first)
            self._before, self._mark, self.part = "", place + 1, Part.STRING
            return place + 1
        self._scanner, self.part = ValueScanner(), Part.VALUE
        return place

    def _read_string(self, text: str, place: int) -> int:
        end = skip(_STRING_RUN, text, place)
        if end > place:
            self._writer.write(text[place:end])
            self._mark = end
        if end == len(text):
            return end
        if text[end] == '"':
            self._whole, self.part, self._is_left_out = '"', Part.AFTER, False
            return end + 1
        self.part = Part.ESCAPE if text[end] == "\\" else Part.BROKEN
        return end

    def _read_escape(self, text: str, place: int) -> int:
        """Takes one more character of an escape, which has six characters at most."""
        escape = "".join(self._held) + text[self._mark : place + 1]
        if _ESCAPE.fullmatch(escape):
            self._writer.write(escape)
            self._held, self._mark, self.part = [], place + 1, Part.STRING
        elif not _HALF_ESCAPE.fullmatch(escape):
            self.part = Part.BROKEN
        return place + 1

    def _read_value(self, text: str, place: int) -> int:
        place = self._scanner.scan(text, place)
        if self._scanner.is_whole:
            raw = self._take_held(text, place)
            try:
                value = self._writer.translate_value(self._key, decoder.decode(raw), raw)
            except (ValueError, RecursionError):
                self._held, self.part = [raw], Part.BROKEN
            else:
                self._is_left_out = not value
                self._whole = self._before + value if value else ""
                self._before = self._before + raw if value else self._before[:1]
                self.part = Part.AFTER
        return place

    def _hold(self, text: str, end: int) -> None:
        if end > self._mark:
            self._held.append(text[self._mark : end])
        self._mark = end

    def _take_held(self, text: str, end: int) -> str:
        self._hold(text, end)
        held, self._held = "".join(self._held), []
        return held

    def _settle(self) -> None:
        """Writes the newest value, because it is certain now where it ends."""
        if self._whole:
            self._writer.end_member(self._writer.open_key if self._writer.is_string_open else self._key, self._whole)
            self._whole, self._before = "", ","
