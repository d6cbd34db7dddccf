"""Reads JSON that a model has broken, in one pass. It makes one guess for each fault, and gives up if none fits.

The everyday fault is a string that holds a file of code, with a quote or a line end that is not escaped. Such a string
ends at a quote that another parameter of the tool or the end of the object follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tray_app.translate.arguments.broken_words import decode_string, read_word
from tray_app.translate.arguments.json_value import skip
from tray_app.translate.json_text import lenient_decoder

_MAX_DEPTH = 64
"""How deep lists and objects may be nested. No tool takes a deeper value."""

_MAX_TRIES = 16
"""How often a part of the text is parsed as valid JSON. There are few tries because each may read all of the text."""

_SPACE = re.compile(r"\s*+")
_BETWEEN = re.compile(r"[\s,]*+")
_BETWEEN_AT_TOP = re.compile(r"[\s,\]]*+")  # with closing brackets that were never opened
_BARE_KEY = re.compile(r"[A-Za-z_$][\w$-]*+")
_WORD = re.compile(r"""[^\s,:{}\[\]"']++""")

_KEY = r"""["'](?P<key>[^"'\\]{1,256}+)["']\s*+:"""
_MORE = re.compile(rf"\s*+,\s*+{_KEY}")
_STRICT_KEY = re.compile(r'\s*+"(?:[^"\\\x00-\x1f]++|\\.)*+"\s*+:\s*+')
_STRICT_COMMA = re.compile(r'\s*+,(?=\s*+")')
_STRICT_END = re.compile(r"\s*+\}\s*+\Z")
_BRACE = re.compile(r"\s*+(?:,\s*+)?\}")
# the text ends, perhaps within a key
_CUT = re.compile(r"""\s*+(?:,\s*+(?:["'][^"'\\]{0,256}+(?:["']\s*+:?\s*+)?)?)?\Z""")
# a string in a list or an object is followed by another value, or by brackets that close
_CLOSED = r"""[\s}\]]*+(?:,\s*+["'{\[\d]|\Z)"""
_IN_OBJECT = re.compile(rf"\s*+(?:,\s*+{_KEY}|(?:,\s*+)?\}}{_CLOSED}|\Z)")
_IN_LIST = re.compile(rf"""\s*+(?:,\s*+["'{{\[\d]|(?:,\s*+)?\]{_CLOSED}|\Z)""")


@dataclass(frozen=True, slots=True)
class _Quote:
    """Matches strings between quotes of one kind."""

    inside: re.Pattern[str]
    key: re.Pattern[str]
    """Matches a key that begins where the closing quote of a string was expected: that quote is missing."""


_QUOTES = {
    quote: _Quote(
        re.compile(rf"(?:[^{quote}\\]++|\\.)*+", re.S),
        re.compile(rf"{quote}(?P<key>[^{quote}\\]{{1,256}}+){quote}\s*+:"),
    )
    for quote in "\"'"
}


class BrokenObject:
    """Reads one object. Raises ValueError if it cannot guess what the text means."""

    def __init__(self, text: str, is_parameter: Callable[[str], bool] | None) -> None:
        """`text` begins with the object's brace. `is_parameter` tells whether the tool takes a key. It is None if the
        tool does not name its parameters.
        """
        self._text = text
        self._place = 0
        self._is_parameter = is_parameter
        self._tries = _MAX_TRIES
        self._members: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Returns the object that the text means."""
        if (found := self._read_good()) and skip(_SPACE, self._text, found[1]) == len(self._text):
            return dict(found[0])  # the only faults are NaN, or line ends that are not escaped
        self._place = 1
        self._read_members(self._members, depth=1)
        return self._members

    def _read_members(self, members: dict[str, Any], depth: int) -> None:
        while True:
            self._skip(_BETWEEN if depth > 1 else _BETWEEN_AT_TOP)
            if self._next in ("", "]"):  # the brace is missing
                return
            if self._take("}"):
                if depth == 1 and _MORE.match(self._text, self._place):  # there is a brace too many
                    continue
                return
            key = self._read_key()
            self._skip(_SPACE)
            if self._take(":"):
                self._skip(_SPACE)
            elif self._next:
                raise ValueError("a key without a colon")
            if self._next not in ("", ",", "}"):  # a missing value is not invented
                members[key] = None
                members[key] = self._read_value(depth, is_item=False)

    def _read_list(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while True:
            self._skip(_BETWEEN)
            if self._take("]") or self._next in ("", "}"):  # the bracket may be missing
                return items
            items.append(self._read_value(depth, is_item=True))

    def _read_key(self) -> str:
        quote = self._next
        if quote not in _QUOTES:
            return self._read_word(_BARE_KEY)
        end = skip(_QUOTES[quote].inside, self._text, self._place + 1)
        key, self._place = self._text[self._place + 1 : end], end + 1
        return decode_string(key)

    def _read_value(self, depth: int, *, is_item: bool) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        opener = self._next
        if opener in _QUOTES:
            return self._read_string(depth, is_item=is_item)
        if opener not in ("{", "["):
            return read_word(self._read_word(_WORD))
        if depth == 1 and (found := self._read_good()):
            value, self._place = found
            return value
        self._place += 1
        if opener == "[":
            return self._read_list(depth + 1)
        members: dict[str, Any] = {}
        self._read_members(members, depth + 1)
        return members

    def _read_word(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._place)
        if match is None:
            raise ValueError("neither a word nor a number")
        self._place = match.end()
        return match[0]

    def _read_string(self, depth: int, *, is_item: bool) -> str:
        start = self._place + 1
        quote = _QUOTES[self._next]
        if depth == 1:
            end, self._place = self._find_end(start, quote)
        else:
            end, self._place = self._find_end_within(start, quote, _IN_LIST if is_item else _IN_OBJECT)
        return decode_string(self._text[start:end])

    def _find_end_within(self, start: int, quote: _Quote, follows: re.Pattern[str]) -> tuple[int, int]:
        """Returns where a string in a list or an object ends, and where to read on."""
        end = skip(quote.inside, self._text, start)
        if end >= len(self._text):
            return len(self._text), len(self._text)
        while not follows.match(self._text, end + 1):
            end = skip(quote.inside, self._text, end + 1)
            if end >= len(self._text):
                raise ValueError("a string without an end")
        return end, end + 1

    def _find_end(self, start: int, quote: _Quote) -> tuple[int, int]:
        """Returns where the string of a parameter ends, and where to read on."""
        text = self._text
        first_key = last = -1
        is_pair = False  # whether the next quote closes a pair within the string
        end = skip(quote.inside, text, start)
        while end < len(text) and text[end] != "\\":
            if not is_pair and _CUT.match(text, end + 1):
                last = end
                break
            if more := _MORE.match(text, end + 1):
                if self._is_open(more["key"]) or self._is_good(end + 1):
                    return end, end + 1
                if first_key < 0 and self._is_parameter is None:
                    first_key = end
                    if self._tries < 0:  # so that not each string is searched to the end of the text
                        break
            elif _BRACE.match(text, end + 1):
                last = end
            elif (key := quote.key.match(text, end)) and self._is_open(key["key"]):
                return self._trim_comma(start, end), end
            is_pair = not is_pair
            end = skip(quote.inside, text, end + 1)
        end = first_key if first_key >= 0 else last
        return (end, end + 1) if end >= 0 else (self._trim_brace(start), len(text))

    def _is_open(self, key: str) -> bool:
        """Tells whether the tool takes this parameter and the object does not have it yet."""
        return self._is_parameter is not None and key not in self._members and self._is_parameter(key)

    def _is_good(self, place: int) -> bool:
        """Tells whether the text from the comma at `place` on is valid JSON."""
        if not self._may_try():
            return False
        while comma := _STRICT_COMMA.match(self._text, place):
            key = _STRICT_KEY.match(self._text, comma.end())
            try:
                place = lenient_decoder.raw_decode(self._text, key.end() if key else len(self._text))[1]
            except (ValueError, RecursionError):
                return False
        return _STRICT_END.match(self._text, place) is not None

    def _read_good(self) -> tuple[Any, int] | None:
        """Returns the next value and where it ends. None if it is not valid JSON."""
        if self._may_try():
            with suppress(ValueError, RecursionError):
                return lenient_decoder.raw_decode(self._text, self._place)
        return None

    def _may_try(self) -> bool:
        """Tells whether there is a try left, and uses it."""
        self._tries -= 1
        return self._tries >= 0

    def _trim_comma(self, start: int, end: int) -> int:
        return start + len(self._text[start:end].rstrip().removesuffix(","))

    def _trim_brace(self, start: int) -> int:
        """Returns the end of a string that was never closed. A brace that it did not open belongs to the object."""
        text = self._text[start:].rstrip()
        is_closed = text.endswith("}") and text.count("}") > text.count("{")
        return start + len(text) - 1 if is_closed else len(self._text)

    @property
    def _next(self) -> str:
        """The next character. Empty at the end of the text."""
        return self._text[self._place : self._place + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._place = skip(pattern, self._text, self._place)

    def _take(self, character: str) -> bool:
        is_there = self._next == character
        self._place += is_there
        return is_there
