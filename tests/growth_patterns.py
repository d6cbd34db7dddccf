"""How far a regular expression looked before it failed at a place. The engine does not tell, so it is asked again.

As many parts of the expression as match there are matched; the next one was looked at from their end on, in each of its
alternatives. That is the least that the engine has read.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")  # what `re` itself is made of; it has no other door
_compiler: Any = importlib.import_module("re._compiler")


def count_looked_at(pattern: re.Pattern[Any], text: Any, start: int) -> int:
    """The characters that `pattern.match(text, start)`, which failed, has read."""
    return _Expression.of(pattern).count_looked_at(text, start)


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

    def count_looked_at(self, text: Any, start: int) -> int:
        for n in reversed(range(len(self._parts))):
            if begun := self._beginnings[n].match(text, start):
                end: int = begun.end()
                inner = sum(expression.count_looked_at(text, end) for expression in self._inner[n])
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
