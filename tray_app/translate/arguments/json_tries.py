"""Parses parts of a broken text as valid JSON, a limited number of times."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from tray_app.translate.json_text import lenient_decoder

_MAX_TRIES = 16
"""How often a part of the text is parsed as valid JSON. There are few tries because each may read all of the text."""

_KEY = re.compile(r'\s*+"(?:[^"\\\x00-\x1f]++|\\.)*+"\s*+:\s*+')
_COMMA = re.compile(r'\s*+,(?=\s*+")')
_END = re.compile(r"\s*+\}\s*+\Z")


class JsonTries:
    """The tries that are left for one text. Line ends in strings need not be escaped, and NaN is valid."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = _MAX_TRIES

    @property
    def are_exceeded(self) -> bool:
        """Tells whether a try was refused."""
        return self._left < 0

    def read_value(self, place: int) -> tuple[Any, int] | None:
        """Returns the value at `place` and where it ends. None if it is not valid JSON."""
        if self._may_try():
            with suppress(ValueError, RecursionError):
                return lenient_decoder.raw_decode(self._text, place)
        return None

    def is_rest_valid(self, place: int) -> bool:
        """Tells whether members of an object follow the comma at `place`, and then its end, all of it valid."""
        if not self._may_try():
            return False
        while comma := _COMMA.match(self._text, place):
            key = _KEY.match(self._text, comma.end())
            try:
                place = lenient_decoder.raw_decode(self._text, key.end() if key else len(self._text))[1]
            except (ValueError, RecursionError):
                return False
        return _END.match(self._text, place) is not None

    def _may_try(self) -> bool:
        """Tells whether there is a try left, and uses it."""
        self._left -= 1
        return self._left >= 0
