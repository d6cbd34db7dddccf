"""Finds out how much text a regular expression reads. The engine does not tell, so it is asked again.

At a place where the expression fails, as many of its parts are matched as match there; the next one was looked at from
their end on, in each of its alternatives. That is the least that the engine has read: it may have gone back and forth.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")  # what `re` itself is made of; it has no other door
_compiler: Any = importlib.import_module("re._compiler")
_constants: Any = importlib.import_module("re._constants")

_LONGEST_BEGINNING_CHARS = 100


def count_failed(pattern: re.Pattern[Any], text: Any, start: int) -> int:
    """Returns how many characters the failed `pattern.match(text, start)` has read."""
    return _read(pattern).count_failed(text, start)


def count_passed(pattern: re.Pattern[Any], text: Any, start: int, end: int) -> int:
    """Returns how many characters a search has read that failed at each place from `start` to before `end`."""
    return _read(pattern).count_passed(text, start, end)


@cache
def _read(pattern: re.Pattern[Any]) -> _Expression:
    return _Expression(_parser.parse(pattern.pattern, pattern.flags), pattern.flags)


class _Expression:
    """Returns the parts of an expression, or of an alternative in one, one after another."""

    def __init__(self, parts: Any, flags: int) -> None:
        self._beginnings = [_compiler.compile(parts[:n], flags) for n in range(len(parts))]
        self._inner = [[_Expression(inner, flags) for inner in _find_inner(part)] for part in parts]
        self._is_choice = len(parts) == 1 and parts[0][0] is _constants.BRANCH
        self._filter = _compile_filter(parts, flags)

    def count_failed(self, text: Any, start: int) -> int:
        for n in reversed(range(len(self._beginnings))):
            if begun := self._beginnings[n].match(text, start):
                end: int = begun.end()
                inner = sum(expression.count_failed(text, end) for expression in self._inner[n])
                return end - start + max(inner, 1)
        return 1

    def count_passed(self, text: Any, start: int, end: int) -> int:
        if self._is_choice:
            return sum(alternative.count_passed(text, start, end) for alternative in self._inner[0])
        places: Iterable[int] = range(start, end)
        if self._filter is not None:
            places = (match.start() for match in self._filter.finditer(text, start, end))
        return end - start + sum(self.count_failed(text, place) for place in places)


def _compile_filter(parts: Any, flags: int) -> re.Pattern[Any] | None:
    """Returns a pattern for the places where a search looks further than a few characters. None: all places."""
    for n in range(1, len(parts) + 1):
        least, most = parts[:n].getwidth()
        if most > _LONGEST_BEGINNING_CHARS:
            return None
        if least:
            ahead = _parser.SubPattern(parts.state, [(_constants.ASSERT, (1, parts[:n]))])
            compiled: re.Pattern[Any] = _compiler.compile(ahead, flags)
            return compiled
    return None


def _find_inner(part: Any) -> list[Any]:
    """Returns the parts of a group, a repetition or an alternative."""
    operator, argument = part
    match str(operator):
        case "BRANCH":
            return list(argument[1])
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT" | "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [argument[-1]]
        case "ATOMIC_GROUP":
            return [argument]
    return []
