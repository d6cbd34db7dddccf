"""Finds the offered tool that a model means by a name that differs slightly.

Models add what surrounds a name in their training data: a namespace in front of it, or tokens of the chat template or
brackets behind it. They also change upper and lower case, and write hyphens instead of underscores.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

MOST_NAME_CHARS = 256
"""The longest name that is compared, in characters. Names sent upstream have at most 64 characters."""

_NAMESPACES = tuple(
    f"{word}{mark}"
    for word in ("functions", "function", "default_api", "tools", "tool", "mcp")
    for mark in (".", ":", "/")
)
_NAMESPACE = re.compile(f"(?:{'|'.join(map(re.escape, _NAMESPACES))})++", re.IGNORECASE)
_FIRST_MARKS = "_-"
"""Characters, besides letters and digits, with which the name of an offered tool may begin."""
_AROUND = " \t\r\n\"'`"
_RECIPIENT = "to="
_TAIL = re.compile(r"[<({\[\n]")
"""Matches the first character after the name: it begins a token, brackets, or arguments on the next line."""
_COUNT = re.compile(r":\d*+$")
"""Matches the number of the call, which Kimi writes behind the name: `functions.Read:0`."""
_NO_LETTERS = re.compile(r"[\W_]+")


class ToolNames:
    """The names of the offered tools, and the lookup of names as models write them."""

    def __init__(self, offered: Iterable[tuple[str, str]]) -> None:
        """`offered` holds two names of each tool: the one sent upstream, and the client's own."""
        self._offered = dict(offered)
        # letters of a name -> the name sent upstream, or an empty one if several tools have these letters
        self._by_letters: dict[str, str] | None = None
        self._sorted: list[str] = []  # the sorted keys of `_by_letters`

    def find(self, written: str) -> str:
        """Returns the name, as sent upstream, of the one tool that matches; empty if none or several match."""
        if written in self._offered:
            return written
        if not 0 < len(written) <= MOST_NAME_CHARS:
            return ""
        core = _trim(written)
        plain = _without_namespace(core)
        for name in (core, plain):
            if name in self._offered:
                return name
        by_letters = self._list_by_letters()
        return by_letters.get(_letters(core), "") or by_letters.get(_letters(plain), "")

    def may_begin_with(self, written: str) -> bool:
        """Returns whether more characters could turn this text into the name of a tool."""
        if len(written) > MOST_NAME_CHARS:
            return False
        self._list_by_letters()
        core = _trim(written)
        if not _letters(core):
            return not core.strip(_FIRST_MARKS)
        return (
            any(namespace.startswith(core.lower()) for namespace in _NAMESPACES)
            or self._is_beginning(_letters(core))
            or self._is_beginning(_letters(_without_namespace(core)))
        )

    def _is_beginning(self, letters: str) -> bool:
        place = bisect_left(self._sorted, letters)
        return any(known.startswith(letters) for known in self._sorted[place : place + 1])

    def _list_by_letters(self) -> dict[str, str]:
        """Makes the table on first use, because most models write most names correctly."""
        if self._by_letters is None:
            by_letters: dict[str, str] = {}
            for sent, name in self._offered.items():
                for letters in filter(None, {_letters(sent), _letters(name)}):
                    by_letters[letters] = sent if by_letters.get(letters, sent) == sent else ""
            self._by_letters, self._sorted = by_letters, sorted(by_letters)
        return self._by_letters


def _trim(written: str) -> str:
    """Returns the name without the characters around it. A namespace is kept."""
    name = written.strip(_AROUND).removeprefix(_RECIPIENT)
    if tail := _TAIL.search(name):
        name = name[: tail.start()]
    return _COUNT.sub("", name).strip(_AROUND)


def _without_namespace(name: str) -> str:
    namespace = _NAMESPACE.match(name)
    return name[namespace.end() :] if namespace else name


def _letters(name: str) -> str:
    """Returns the letters and digits of a name in lower case."""
    return _NO_LETTERS.sub("", name.lower())
