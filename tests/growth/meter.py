"""Counts the cost of operations in steps. A statement is one step, and so is each character, byte or element touched.

The rules follow CPython. What is built anew counts by its length; what is scanned counts up to the place where the scan
ended. A function in C, or in a library that does not count for itself, counts the texts that it takes and those that it
returns; texts within a list or dict are seen one level deep.

A regular expression counts the text that it matched, and what it read at each place where it failed, as far as
tests/growth/patterns.py finds out. How often it went back within its match is not seen: it must be linear in itself.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import takewhile
from typing import Any

from tests.growth.patterns import count_failed, count_passed

TWINS = "counting."
"""The package of the modules that count their own work."""

_TEXT = (str, bytes, bytearray)
_LISTS = (list, tuple, deque, set, frozenset)
_BUILDERS = (list, tuple, dict, set, frozenset, deque)
_NOTHING: tuple[Any, ...] = (
    *(len, isinstance, issubclass, id, type, bool, callable, iter, next, enumerate, zip, reversed, range),
    *(getattr, hasattr, setattr, ord, chr, abs, round),
)
_TOUCH_NOTHING = frozenset(map(id, _NOTHING))
"""By their ids: not all that is called has a hash."""
_TOUCH_ALL = frozenset({"index", "count", "remove", "reverse", "sort", "copy", "rotate"})
"""Methods of lists that visit all elements."""


class TooManySteps(BaseException):
    """The work was broken off. It is a BaseException so that no `except Exception` of the program catches it."""


class Meter:
    """Counts the work of all twins."""

    def __init__(self) -> None:
        self.steps = 0
        self.called: set[str] = set()
        """The full names of the functions and classes that were called, such as
        `tray_app.translate.answer.sse.SseReader`."""
        self._most_steps = math.inf

    def measure(self, work: Callable[[], object], most: float) -> int:
        """Returns the steps of `work`. It is broken off after `most` steps."""
        before, self._most_steps = self.steps, self.steps + most
        try:
            work()
        except TooManySteps:
            pass
        finally:
            self._most_steps = math.inf
        return self.steps - before

    @contextmanager
    def paused(self) -> Iterator[None]:
        before = self.steps
        yield
        self.steps = before

    def begin(self, name: str) -> None:
        """Takes notice that a function, or a method of a class, is called."""
        self.called.add(name)

    def step(self, statements: int) -> None:
        """Takes notice that so many statements are run."""
        self.steps += statements
        if self.steps > self._most_steps:
            raise TooManySteps

    def made(self, value: Any) -> Any:
        """Counts an expression that builds the value that it returns."""
        if isinstance(value, (*_TEXT, *_LISTS, dict)):
            self.steps += len(value)
        return value

    def operand(self, value: Any) -> Any:
        """Counts the right side of `+=` and the like, which a list, dict or bytearray takes in."""
        if isinstance(value, (*_LISTS, dict, bytearray)):
            self.steps += len(value)
        return value

    def grown(self, value: Any) -> None:
        """Counts the left side after `+=` and the like, which is copied if it is immutable."""
        if isinstance(value, str | bytes | tuple | frozenset):
            self.steps += len(value)

    def moved(self, value: Any) -> Any:
        """Counts a list of which a part is deleted or replaced, because the rest moves."""
        if isinstance(value, list | deque):
            self.steps += len(value)
        return value

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """Counts the elements that a comprehension or a `yield from` visits."""
        return self._count_each(iter(values))

    def _count_each(self, values: Iterator[Any]) -> Generator[Any, None, Any]:
        while True:
            try:
                value = next(values)
            except StopIteration as end:
                return end.value
            self.steps += 1
            yield value

    def contains(self, item: Any, container: Any) -> Any:
        """`item in container`"""
        found = item in container
        if isinstance(container, str | bytes | bytearray):
            is_part = isinstance(item, (str, bytes, bytearray))
            self.steps += (container.find(item) + (len(item) if is_part else 1)) if found else len(container)
        elif isinstance(container, list | tuple | deque):
            self.steps += len(container)
        return found

    def lacks(self, item: Any, container: Any) -> bool:
        """`item not in container`"""
        return not self.contains(item, container)

    def equals(self, one: Any, other: Any) -> Any:
        """`one == other`"""
        self._compare(one, other)
        return one == other

    def differs(self, one: Any, other: Any) -> Any:
        """`one != other`"""
        self._compare(one, other)
        return one != other

    def _compare(self, one: Any, other: Any) -> None:
        sized = (*_TEXT, *_LISTS, dict)
        if isinstance(one, sized) and isinstance(other, sized):
            self.steps += min(len(one), len(other))

    def call(self, function: Any, /, *arguments: Any, **named: Any) -> Any:
        """`function(*arguments, **named)`"""
        module = getattr(function, "__module__", None)
        if isinstance(module, str) and module.startswith(TWINS):
            self.steps += len(arguments) + len(named)
            return function(*arguments, **named)
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, _TEXT):
            return self._call_of_text(owner, name, function, arguments, named)
        if isinstance(owner, re.Pattern):
            return self._call_of_pattern(owner, name, function, arguments, named)
        if module == "re" and hasattr(re.Pattern, name):
            return self._call_of_re(function, name, arguments, named)
        if isinstance(owner, json.JSONDecoder) and name == "raw_decode":
            return self._decode_json(function, *arguments, **named)
        if isinstance(owner, (list, deque)):
            self.steps += _touched_of_list(owner, name, arguments)
            return function(*arguments, **named)
        if isinstance(owner, dict | set | frozenset):
            is_bulk = any(isinstance(argument, (*_LISTS, dict)) for argument in arguments)
            self.steps += len(owner) * (name == "copy") + sum(map(_size, arguments)) * is_bulk
            return function(*arguments, **named)
        if id(function) in _TOUCH_NOTHING:
            return function(*arguments, **named)
        return self._call_of_stranger(function, arguments, named)

    def _call_of_text(self, text: Any, name: str, method: Any, arguments: Any, named: Any) -> Any:
        try:
            result = method(*arguments, **named)
        except ValueError:
            self.steps += len(text)
            raise
        self.steps += 1 + _touched_of_text(text, name, arguments, result)
        return result

    def _call_of_re(self, function: Any, name: str, arguments: Any, named: Any) -> Any:
        known = dict(_signature(function).bind(*arguments, **named).arguments)
        pattern = re.compile(known.pop("pattern"), known.pop("flags", 0))
        return self._call_of_pattern(pattern, name, getattr(pattern, name), (), known)

    def _call_of_pattern(self, pattern: Any, name: str, method: Any, arguments: Any, named: Any) -> Any:
        place = 1 if name in ("sub", "subn") else 0
        text = arguments[place] if len(arguments) > place else named["string"]
        start = arguments[place + 1] if len(arguments) > place + 1 else named.get("pos", 0)
        if name == "finditer":
            return self._count_matches(pattern, text, start, method(*arguments, **named))
        if name in ("sub", "subn", "split", "findall"):
            deque(self._count_matches(pattern, text, 0, pattern.finditer(text)), maxlen=0)
            return method(*arguments, **named)
        match = method(*arguments, **named)
        if name == "search":
            end = match.start() if match else len(text)
            self.steps += count_passed(pattern, text, start, end) + _size(match and match[0])
        else:
            self.steps += 1 + (match.end() - start if match else count_failed(pattern, text, start))
        return match

    def _count_matches(
        self, pattern: re.Pattern[Any], text: Any, start: int, matches: Iterable[re.Match[Any]]
    ) -> Iterator[re.Match[Any]]:
        for match in matches:
            self.steps += 1 + count_passed(pattern, text, start, match.start()) + len(match[0])
            start = match.end()
            yield match
        self.steps += count_passed(pattern, text, start, len(text))

    def _decode_json(self, method: Any, text: str, start: int = 0) -> Any:
        try:
            value, end = method(text, start)
        except (ValueError, RecursionError):
            # mostly for a value without an end, which was read to the last character
            self.steps += len(text) - start
            raise
        self.steps += end - start
        return value, end

    def _call_of_stranger(self, function: Any, arguments: Any, named: Any) -> Any:
        texts = [*arguments, *named.values()]
        touched = sum(map(_size, texts))
        result = function(*arguments, **named)
        if isinstance(result, _BUILDERS) and function in _BUILDERS:
            self.steps += len(result)
        elif not (function in (str, bytes) and any(result is argument for argument in arguments)):
            self.steps += touched + _size(result)
        return result


METER = Meter()
"""The meter to which all twins report."""


_signature = cache(inspect.signature)


def _size(value: Any) -> int:
    """Returns how many characters, bytes and elements a value has, including the texts in it."""
    if isinstance(value, _TEXT):
        return len(value)
    if isinstance(value, dict):
        return _size([*value, *value.values()])
    if isinstance(value, _LISTS):
        return len(value) + sum(len(item) for item in value if isinstance(item, _TEXT))
    return 0


def _touched_of_text(text: Any, name: str, arguments: Any, result: Any) -> int:
    """Returns how many characters a method of a text scans and copies."""
    if name in ("find", "index", "rfind", "rindex", "count"):
        start, end, _ = slice(*(*arguments[1:3], None, None)[:2]).indices(len(text))
        if name == "count" or result < 0:
            return max(end - start, 0)
        passed: int = end - result if name.startswith("r") else result - start
        return passed + _size(arguments[0])
    if name in ("startswith", "endswith"):
        return min(_size(arguments[0]), len(text))
    if name in ("strip", "lstrip", "rstrip", "removeprefix", "removesuffix"):
        return 0 if result is text else len(text)
    if result is False and name.startswith("is"):  # found at the first character that is another
        return sum(1 for _ in takewhile(lambda n: getattr(text[n : n + 1], name)(), range(len(text))))
    if name in ("append", "extend", "clear"):  # of a bytearray
        return sum(map(_size, arguments))
    return len(text) + (_size(result) if result is not text else 0)


def _touched_of_list(items: Any, name: str, arguments: Any) -> int:
    """Returns how many elements a method of a list visits or moves."""
    if name in ("pop", "insert") and isinstance(items, list):
        place = arguments[0] if arguments else -1
        return max(len(items) - place, 1) if place >= 0 else -place
    if name in ("extend", "extendleft"):
        return sum(map(_size, arguments))
    return len(items) if name in (*_TOUCH_ALL, "insert") else 1
