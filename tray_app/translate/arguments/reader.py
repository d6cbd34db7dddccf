"""The arguments of one tool call: fragments of JSON as a model writes it in, a JSON object as a client takes it out.

What has been given out can't be taken back, so only what is settled leaves: the text of strings at once, all else when
what follows shows that it is whole. Broken JSON is held from the place where it breaks, and mended at the end.
Each character is looked at once, however the text is cut into fragments.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from tray_app.translate.arguments.json_value import ValueScanner, skip
from tray_app.translate.arguments.mending import RAW_KEY, LibraryBudget, Meaning, mend_within
from tray_app.translate.arguments.object_writer import ObjectWriter, encode
from tray_app.translate.arguments.received import Received
from tray_app.translate.json_text import decoder
from tray_app.translate.schema.schema import NO_PARAMETERS, Parameters

MAX_BLANKS = 500
"""White space between values: a model that has written so much of it in a row is in a loop, and writes nothing else."""

MAX_BLANKS_IN_TEXT = 10_000
"""White space within a string, or where broken JSON no longer says whether it is within one.

A table or a drawing may hold hundreds of blanks in a row, but no file that anybody writes has so many.
"""

_SPACE = re.compile(r"\s*+")  # before the object any white space that Python knows, within it JSON's own
_BLANKS = re.compile(r"[ \t\n\r]*+")
_STRING_RUN = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")


class _At(Enum):
    """The part of the object that the next character belongs to."""

    START = "before the object"
    MEMBER = "behind the opening brace"
    KEY = "in a key"
    COLON = "behind a key"
    VALUE_START = "behind a colon"
    STRING = "in a string that is given out as it comes"
    ESCAPE = "in an escape of such a string, which a fragment's end has cut"
    VALUE = "in another value"
    AFTER = "behind a value"
    COMMA = "behind a comma"
    END = "behind the closing brace"
    BROKEN = "behind the place where the JSON broke"
    CLOSED = "behind the end of the call"


class ArgumentsReader:
    """Reads the arguments of one call. The pieces of `feed`, joined with that of `finish`, are one JSON object."""

    def __init__(self, parameters: Parameters = NO_PARAMETERS, budget: LibraryBudget | None = None) -> None:
        """`budget`: shared by the calls of one answer; None for one of its own."""
        self._parameters = parameters
        self._budget = budget or LibraryBudget()
        self._at = _At.START
        self._received = Received()

        # What was received is, in this order: written, `_before`, held, and the fragment from `_mark` on.
        self._writer = ObjectWriter(parameters)
        self._before = ""  # brace or comma, and whatever of the newest member is read, but not written
        self._held: list[str] = []
        self._mark = 0

        self._key = ""  # of the newest member
        self._scanner = ValueScanner()  # of its value, or of the next key
        self._whole = ""  # what to write for the newest value once it is settled
        self._is_left_out = False  # whether that is nothing, and no comma either

        self._meaning: Meaning | None = None  # of broken arguments, once that was asked for
        self._extra: list[str] = []
        self._surplus_start = 0

    def __repr__(self) -> str:
        return f"ArgumentsReader({self._at.name}, before={self._before[:40]!r}, held={len(self._held)} pieces)"

    @property
    def is_complete(self) -> bool:
        """Whether what was fed is one whole object."""
        return self._at in (_At.END, _At.CLOSED)

    @property
    def is_truncated(self) -> bool:
        """Whether what was fed breaks off. What is broken and has its end is another matter."""
        return self._received.last not in ("", "}") and not self.is_complete

    @property
    def is_runaway(self) -> bool:
        """Whether the model is stuck in white space."""
        most = MAX_BLANKS_IN_TEXT if self._may_be_in_text else MAX_BLANKS
        return self._received.blanks >= most and not self._is_closed

    def take_extra(self) -> tuple[str, int] | None:
        """The text that holds another object, glued to the closed one, and where it begins; None if there is none.

        The text is not cut, as thousands of objects may be glued into one.
        """
        if not self._extra:
            return None
        text = self._extra[0] if len(self._extra) == 1 else "".join(self._extra)
        start, self._extra, self._surplus_start = self._surplus_start, [], 0
        return text, start

    def restart(self, text: str) -> bool:
        """Puts other, whole arguments in the place of those that broke off, if they begin as what is given out does."""
        other = ArgumentsReader(self._parameters, self._budget)
        whole = other.feed(text) + other.finish()
        if not whole.startswith(given := self._writer.text):
            return False
        self._writer.write(whole[len(given) :])
        self._at = _At.CLOSED
        return True

    def feed(self, fragment: str, start: int = 0) -> str:
        """What `fragment`, read from `start` on, settles of the object's text; it may be empty."""
        if self._is_closed:
            self._extra.append(fragment[start:])
            return ""
        if self._at is not _At.START and not start:
            start = self._received.count_repeated(fragment)
        place = self._mark = start
        while place < len(fragment) and not self._is_closed:
            place = self._step(fragment, place)
        self._hold(fragment, place)
        self._received.add(fragment[start:place])
        self._meaning = None
        return self._writer.take()

    def finish(self, *, is_cut: bool = False) -> str:
        """The rest of the object. `is_cut`: the answer ran out of tokens, and half a call must not look like one."""
        if self._at is _At.END:
            self._settle()
            self._writer.write_end()
        elif self._received and (is_cut or self.is_runaway_in_text):
            self._writer.write(self._before + "".join(self._held))
        elif not self._is_closed:
            meant = self._find_meaning().meant
            self._writer.write_meant({RAW_KEY: self._received.text} if meant is None else meant)
        self._at, self._before, self._held = _At.CLOSED, "", []
        return self._writer.take()

    @property
    def unmended(self) -> str:
        """What only the library can read of arguments that are broken and all fed; empty where there is none.

        That is what the budget does not allow here. It may be tried elsewhere: see `mend_with_library`, `take_mended`.
        """
        return "" if self.is_complete or self.is_runaway_in_text else self._find_meaning().unread

    def take_mended(self, meant: dict[str, Any] | None) -> None:
        """Takes what the library made of `unmended`; None where it could not read that either."""
        self._meaning = Meaning(meant)

    @property
    def _is_closed(self) -> bool:
        return self._at is _At.CLOSED

    @property
    def _may_be_in_text(self) -> bool:
        if self._at in (_At.KEY, _At.VALUE):
            return self._scanner.is_in_string
        return self._at in (_At.STRING, _At.ESCAPE, _At.BROKEN)

    @property
    def is_runaway_in_text(self) -> bool:
        """Whether the model is stuck within what it wants to say, so that nobody knows the rest."""
        return self._may_be_in_text and self.is_runaway

    def _step(self, text: str, place: int) -> int:
        """Reads on to the end of a part, or of the text, and returns where it stopped."""
        match self._at:
            case _At.STRING:
                return self._read_string(text, place)
            case _At.ESCAPE:
                return self._read_escape(text, place)
            case _At.KEY:
                place = self._scanner.scan(text, place)
                self._at = _At.COLON if self._scanner.is_whole else _At.KEY
                return place
            case _At.VALUE:
                return self._read_value(text, place)
            case _At.BROKEN:
                return len(text)
            case _:
                return self._read_between(text, place)

    def _read_between(self, text: str, place: int) -> int:
        """Reads white space, and what the character behind it begins."""
        place = skip(_SPACE if self._at is _At.START else _BLANKS, text, place)
        if place == len(text):
            return place
        match self._at, text[place]:
            case _At.START, "{":
                self._take_held(text, place + 1)
                self._before, self._at = "{", _At.MEMBER
            case ((_At.MEMBER | _At.COMMA), '"'):
                if not self._writer.is_string_open:  # that ends before a whole key only: code may hold `", "`, too
                    self._settle()
                self._scanner, self._at = ValueScanner(), _At.KEY
                return place
            case _At.COLON, ":":
                self._at = _At.VALUE_START
            case _At.VALUE_START, first:
                return self._begin_value(text, place, first)
            case _At.AFTER, ",":
                comma = self._take_held(text, place + 1)
                if not self._is_left_out:
                    self._before += comma
                self._at = _At.COMMA
            case ((_At.MEMBER | _At.AFTER), "}"):
                self._at = _At.END
            case _At.END, "{":
                self._settle()
                self._writer.write_end()
                self._extra, self._surplus_start = [text], place
                self._at = _At.CLOSED
                return place
            case _:
                self._at = _At.BROKEN
        return place + 1

    def _begin_value(self, text: str, place: int, first: str) -> int:
        head = self._take_held(text, place)
        try:
            self._key = decoder.decode(head[: head.rindex(":")])
        except ValueError:
            self._held, self._at = [head], _At.BROKEN
            return place
        self._settle()
        self._before += self._writer.translate_head(self._key, head)
        if first == '"' and self._writer.takes_string(self._key):
            self._writer.open_string(self._key, self._before + first)
            self._before, self._mark, self._at = "", place + 1, _At.STRING
            return place + 1
        self._scanner, self._at = ValueScanner(), _At.VALUE
        return place

    def _read_string(self, text: str, place: int) -> int:
        end = skip(_STRING_RUN, text, place)
        if end > place:
            self._writer.write(text[place:end])
            self._mark = end
        if end == len(text):
            return end
        if text[end] == '"':
            self._whole, self._at, self._is_left_out = '"', _At.AFTER, False
            return end + 1
        self._at = _At.ESCAPE if text[end] == "\\" else _At.BROKEN
        return end

    def _read_escape(self, text: str, place: int) -> int:
        """Takes one more character of an escape; six at most are looked at together."""
        escape = "".join(self._held) + text[self._mark : place + 1]
        if _ESCAPE.fullmatch(escape):
            self._writer.write(escape)
            self._held, self._mark, self._at = [], place + 1, _At.STRING
        elif not _HALF_ESCAPE.fullmatch(escape):
            self._at = _At.BROKEN
        return place + 1

    def _read_value(self, text: str, place: int) -> int:
        place = self._scanner.scan(text, place)
        if self._scanner.is_whole:
            raw = self._take_held(text, place)
            try:
                value = self._writer.translate_value(self._key, decoder.decode(raw), raw)
            except (ValueError, RecursionError):
                self._held, self._at = [raw], _At.BROKEN
            else:
                self._is_left_out = not value
                self._whole = self._before + value if value else ""
                self._before = self._before + raw if value else self._before[:1]
                self._at = _At.AFTER
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
        """Writes the newest value, as it is sure now where it ends."""
        if self._whole:
            self._writer.end_member(self._writer.open_key if self._writer.is_string_open else self._key, self._whole)
            self._whole, self._before = "", ","

    def _find_meaning(self) -> Meaning:
        """What the arguments mean that are broken, or not all there."""
        if self._meaning is None:
            text = self._before + "".join(self._held)
            if self._writer.is_string_open:
                text = f'{{{encode(self._writer.open_key)}:"{text}'
            elif self._before:
                text = "{" + text[1:]
            is_parameter = self._writer.is_awaited if self._writer.names_parameters else None
            self._meaning = mend_within(self._budget, text, is_parameter)
        return self._meaning
