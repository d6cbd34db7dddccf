"""Which of the offered tools a model means by a name that it wrote a little differently.

Models write the name of a tool with what stood around it in their training: a namespace before it, tokens of their chat
template or a pair of brackets behind it, another case, hyphens for underscores.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

MOST_NAME_CHARS = 256
"""A longer name is not looked into. Names as they are sent have at most 64 characters."""

_NAMESPACES = tuple(
    f"{word}{mark}"
    for word in ("functions", "function", "default_api", "tools", "tool", "mcp")
    for mark in (".", ":", "/")
)
_NAMESPACE = re.compile(f"(?:{'|'.join(map(re.escape, _NAMESPACES))})++", re.IGNORECASE)
_FIRST_MARKS = "_-"
"""Beside letters and digits, a name that was sent may begin with these."""
_AROUND = " \t\r\n\"'`"
_RECIPIENT = "to="
_TAIL = re.compile(r"[<({\[\n]")
"""Begins what is no part of a name: a token, brackets, or arguments on the next line."""
_COUNT = re.compile(r":\d*+$")
"""Kimi counts its calls behind the name: `functions.Read:0`."""
_NO_LETTERS = re.compile(r"[\W_]+")


class ToolNames:
    """The names of the offered tools, to look up what a model wrote."""

    def __init__(self, offered: Iterable[tuple[str, str]]) -> None:
        """`offered`: the name of each tool as it was sent, and as the client knows it."""
        self._offered = dict(offered)
        self._by_letters: dict[str, str] | None = None  # a name's letters -> the name as sent; empty if several fit
        self._sorted: list[str] = []  # the keys of that

    def find(self, written: str) -> str:
        """The name, as sent, of the one tool that fits; empty if none does, or several do."""
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
        """Whether the name of a tool may begin like this."""
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
        """Made when it is first needed: most models write most names as they were sent."""
        if self._by_letters is None:
            by_letters: dict[str, str] = {}
            for sent, name in self._offered.items():
                for letters in filter(None, {_letters(sent), _letters(name)}):
                    by_letters[letters] = sent if by_letters.get(letters, sent) == sent else ""
            self._by_letters, self._sorted = by_letters, sorted(by_letters)
        return self._by_letters


def _trim(written: str) -> str:
    """The name without what stands around it, its namespace apart."""
    name = written.strip(_AROUND).removeprefix(_RECIPIENT)
    if tail := _TAIL.search(name):
        name = name[: tail.start()]
    return _COUNT.sub("", name).strip(_AROUND)


def _without_namespace(name: str) -> str:
    namespace = _NAMESPACE.match(name)
    return name[namespace.end() :] if namespace else name


def _letters(name: str) -> str:
    """What remains of a name if neither case nor marks count."""
    return _NO_LETTERS.sub("", name.lower())
