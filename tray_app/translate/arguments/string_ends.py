"""Finds the ends of strings in JSON that a model has broken.

A quote in the string may not be escaped. So the text behind each quote decides whether the string ends there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tray_app.translate.arguments.json_tries import JsonTries
from tray_app.translate.arguments.json_value import skip

_KEY = r"""["'](?P<key>[^"'\\]{1,256}+)["']\s*+:"""
MEMBER = re.compile(rf"\s*+,\s*+{_KEY}")
"""Matches a comma and the key of another member."""
_BRACE = re.compile(r"\s*+(?:,\s*+)?\}")
# the text ends, perhaps within a key
_CUT = re.compile(r"""\s*+(?:,\s*+(?:["'][^"'\\]{0,256}+(?:["']\s*+:?\s*+)?)?)?\Z""")
# a string in a list or an object is followed by another value, or by brackets that close
_CLOSED = r"""[\s}\]]*+(?:,\s*+["'{\[\d]|\Z)"""
_IN_OBJECT = re.compile(rf"\s*+(?:,\s*+{_KEY}|(?:,\s*+)?\}}{_CLOSED}|\Z)")
_IN_LIST = re.compile(rf"""\s*+(?:,\s*+["'{{\[\d]|(?:,\s*+)?\]{_CLOSED}|\Z)""")


@dataclass(frozen=True, slots=True)
class Quote:
    """Matches strings between quotes of one kind."""

    inside: re.Pattern[str]
    key: re.Pattern[str]
    """Matches a key that begins where the closing quote of a string was expected: that quote is missing."""


QUOTES = {
    quote: Quote(
        re.compile(rf"(?:[^{quote}\\]++|\\.)*+", re.DOTALL),
        re.compile(rf"{quote}(?P<key>[^{quote}\\]{{1,256}}+){quote}\s*+:"),
    )
    for quote in "\"'"
}
"""The character of a quote -> its patterns."""


class StringEnds:
    """Finds the ends of the strings in one text."""

    def __init__(
        self, text: str, tries: JsonTries, members: Mapping[str, Any], is_parameter: Callable[[str], bool] | None
    ) -> None:
        """`members` are those that the object has so far. `is_parameter` tells whether the tool takes a key. It is None
        if the tool does not name its parameters.
        """
        self._text = text
        self._tries = tries
        self._members = members
        self._is_parameter = is_parameter

    def find_within(self, start: int, quote: Quote, *, is_item: bool) -> tuple[int, int]:
        """Returns where a string in a list (`is_item`) or an object ends, and where to read on. Raises ValueError."""
        follows = _IN_LIST if is_item else _IN_OBJECT
        end = skip(quote.inside, self._text, start)
        if end >= len(self._text):
            return len(self._text), len(self._text)
        while not follows.match(self._text, end + 1):
            end = skip(quote.inside, self._text, end + 1)
            if end >= len(self._text):
                raise ValueError("a string without an end")
        return end, end + 1

    def find(self, start: int, quote: Quote) -> tuple[int, int]:
        """Returns where the string of a parameter ends, and where to read on."""
        text = self._text
        first_key = last = -1
        is_pair = False  # whether the next quote closes a pair within the string
        end = skip(quote.inside, text, start)
        while end < len(text) and text[end] != "\\":
            if not is_pair and _CUT.match(text, end + 1):
                last = end
                break
            if member := MEMBER.match(text, end + 1):
                if self._is_awaited(member["key"]) or self._tries.is_rest_valid(end + 1):
                    return end, end + 1
                if first_key < 0 and self._is_parameter is None:
                    first_key = end
                    if self._tries.are_exceeded:  # so that not each string is searched to the end of the text
                        break
            elif _BRACE.match(text, end + 1):
                last = end
            elif (key := quote.key.match(text, end)) and self._is_awaited(key["key"]):
                return self._trim_comma(start, end), end
            is_pair = not is_pair
            end = skip(quote.inside, text, end + 1)
        end = first_key if first_key >= 0 else last
        return (end, end + 1) if end >= 0 else (self._trim_brace(start), len(text))

    def _is_awaited(self, key: str) -> bool:
        """Tells whether the tool takes this parameter and the object does not have it yet."""
        return self._is_parameter is not None and key not in self._members and self._is_parameter(key)

    def _trim_comma(self, start: int, end: int) -> int:
        return start + len(self._text[start:end].rstrip().removesuffix(","))

    def _trim_brace(self, start: int) -> int:
        """Returns the end of a string that was never closed. A brace that it did not open belongs to the object."""
        text = self._text[start:].rstrip()
        is_closed = text.endswith("}") and text.count("}") > text.count("{")
        return start + len(text) - 1 if is_closed else len(self._text)
