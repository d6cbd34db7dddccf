"""Reads JSON that a model has broken, in one pass. It makes one guess for each fault, and gives up if none fits.

The everyday fault is a string that holds a file of code, with a quote or a line end that is not escaped. Such a string
ends at a quote that another parameter of the tool or the end of the object follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tray_app.translate.arguments.broken_words import decode_string, read_word
from tray_app.translate.arguments.json_tries import JsonTries
from tray_app.translate.arguments.json_value import skip
from tray_app.translate.arguments.string_ends import MEMBER, QUOTES, StringEnds

_MAX_DEPTH = 64
"""How deep lists and objects may be nested. No tool takes a deeper value."""

_SPACE = re.compile(r"\s*+")
_BETWEEN = re.compile(r"[\s,]*+")
_BETWEEN_AT_TOP = re.compile(r"[\s,\]]*+")  # with closing brackets that were never opened
_BARE_KEY = re.compile(r"[A-Za-z_$][\w$-]*+")
_WORD = re.compile(r"""[^\s,:{}\[\]"']++""")


class BrokenObject:
    """Reads one object. Raises ValueError if it cannot guess what the text means."""

    def __init__(self, text: str, is_parameter: Callable[[str], bool] | None) -> None:
        """`text` begins with the object's brace. `is_parameter` tells whether the tool takes a key. It is None if the
        tool does not name its parameters.
        """
        self._text = text
        self._place = 0
        self._members: dict[str, Any] = {}
        self._tries = JsonTries(text)
        self._strings = StringEnds(text, self._tries, self._members, is_parameter)

    def read(self) -> dict[str, Any]:
        """Returns the object that the text means."""
        if (found := self._tries.read_value(self._place)) and skip(_SPACE, self._text, found[1]) == len(self._text):
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
                if depth == 1 and MEMBER.match(self._text, self._place):  # there is a brace too many
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
        if quote not in QUOTES:
            return self._read_word(_BARE_KEY)
        end = skip(QUOTES[quote].inside, self._text, self._place + 1)
        key, self._place = self._text[self._place + 1 : end], end + 1
        return decode_string(key)

    def _read_value(self, depth: int, *, is_item: bool) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        opener = self._next
        if opener in QUOTES:
            return self._read_string(depth, is_item=is_item)
        if opener not in ("{", "["):
            return read_word(self._read_word(_WORD))
        if depth == 1 and (found := self._tries.read_value(self._place)):
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
        quote = QUOTES[self._next]
        if depth == 1:
            end, self._place = self._strings.find(start, quote)
        else:
            end, self._place = self._strings.find_within(start, quote, is_item=is_item)
        return decode_string(self._text[start:end])

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
