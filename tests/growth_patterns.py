"""How much text a regular expression reads. The engine does not tell, so it is asked again.

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


def count_failed(pattern: re.Pattern[Any], text: Any, start: int) -> int:
    """The characters that `pattern.match(text, start)`, which failed, has read."""
    return _Expression.of(pattern).count_failed(text, start)


def count_passed(pattern: re.Pattern[Any], text: Any, start: int, end: int) -> int:
    """The characters that a search has read, which failed at each place from `start` to before `end`."""
    expression = _Expression.of(pattern)
    return end - start + sum(expression.count_failed(text, place) for place in expression.find_places(text, start, end))


class _Expression:
    """A whole expression, or an alternative within one, as its parts one after another."""

    def __init__(self, parts: Any, flags: int) -> None:
        self._parts = parts
        self._flags = flags
        self._beginnings = [_compiler.compile(parts[:n], flags) for n in range(len(parts))]
        self._inner = [[_Expression(inner, flags) for inner in _find_inner(part)] for part in parts]

    @staticmethod
    @cache
    def of(pattern: re.Pattern[Any]) -> _Expression:
        return _Expression(_parser.parse(pattern.pattern, pattern.flags), pattern.flags)

    def find_places(self, text: Any, start: int, end: int) -> Iterable[int]:
        """Where more than the first character was looked at."""
        if not self._parts or self._parts[:1].getwidth() != (1, 1):
            return range(start, end)
        first = self._beginnings[1] if len(self._parts) > 1 else _compiler.compile(self._parts, self._flags)
        return (match.start() for match in first.finditer(text, start, end))

    def count_failed(self, text: Any, start: int) -> int:
        for n in reversed(range(len(self._parts))):
            if begun := self._beginnings[n].match(text, start):
                end: int = begun.end()
                inner = sum(expression.count_failed(text, end) for expression in self._inner[n])
                return end - start + max(inner, 1)
        return 1


def _find_inner(part: Any) -> list[Any]:
    """What is written within a group, a repetition or an alternative."""
    operator, argument = part
    match str(operator):
        case "BRANCH":
            return list(argument[1])
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT" | "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [argument[-1]]
        case "ATOMIC_GROUP":
            return [argument]
    return []
