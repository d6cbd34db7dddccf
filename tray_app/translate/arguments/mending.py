"""Repairs broken arguments: first with this program's own reader, then with a library within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tray_app.translate.arguments.broken_json import BrokenObject
from tray_app.translate.arguments.json_value import skip
from tray_app.translate.json_text import decoder

RAW_KEY = "arguments"
"""The key under which arguments that are no object are kept, so that the tool's own error shows them."""

MAX_LIBRARY_COST = 200_000
"""Budget for the library on the event loop. A text costs its characters squared, times its opening brackets plus one.

The library's time grows in the same way. A text within the budget, such as 300 characters with one bracket or 60 that
are mostly brackets, took 5 ms at worst (json-repair 0.64 on one core, 2026).
"""

_FENCE = re.compile(r"\s*+```\w*+(?=\s*+\{)")


@dataclass(slots=True)
class LibraryBudget:
    """The remaining budget for the library in one answer. All calls of the answer share it."""

    left: int = MAX_LIBRARY_COST

    def allows(self, text: str) -> bool:
        """Tells whether the budget allows the library to read `text`, and subtracts the cost if so."""
        cost = len(text) ** 2 * (1 + sum(map(text.count, "{[(")))
        if cost > self.left:
            return False
        self.left -= cost
        return True


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a broken text."""

    meant: dict[str, Any] | None
    """The object that the text means. None if that is not known."""
    unread: str = ""
    """The text, if only the library can tell but would take too long here. Empty otherwise."""


def mend_within(budget: LibraryBudget, text: str, is_parameter: Callable[[str], bool] | None) -> Meaning:
    """Returns the meaning of a text: that of `mend`, or of the library if the budget allows it."""
    meant = mend(text, is_parameter)
    if meant is None and budget.allows(text):
        return Meaning(mend_with_library(text))
    return Meaning(meant, text if meant is None else "")


def mend(text: str, is_parameter: Callable[[str], bool] | None = None) -> dict[str, Any] | None:
    """Returns the object that a text means, in one pass. None if only the library could tell.

    `is_parameter` tells whether the tool takes a key. It is None if the tool does not name its parameters.
    """
    text = text[skip(_FENCE, text, 0) :].lstrip()
    if not text:
        return {}
    try:
        if text.startswith("{"):
            return BrokenObject(text, is_parameter).read()
        value = decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if isinstance(value, str):  # the arguments were encoded twice
        meant = mend(value, is_parameter)
        return as_object(value) if meant is None else meant
    return as_object(value)


def mend_with_library(text: str) -> dict[str, Any] | None:
    """Returns the object that json-repair reads in a text, or None. Its time grows with the square of the length."""
    from json_repair import loads  # imported here because it is seldom needed

    text = _without_dangling_key(text)
    if not text.strip("{} \n\r\t"):
        return {}
    meant: object = None
    with suppress(Exception):  # the library may raise anything for such input
        meant = loads(text, skip_json_loads=True)
    return meant if isinstance(meant, dict) and meant else None


def as_object(value: Any) -> dict[str, Any]:
    """Returns a JSON value as the input of a call: null as an empty object, any other non-object under one key."""
    if isinstance(value, dict):
        return value
    return {} if value is None else {RAW_KEY: value}


def _without_dangling_key(text: str) -> str:
    """Removes a key without a value from the end of a text, because the library would invent a value."""
    rest = text.rstrip()
    if not rest.endswith(":") or not (rest := rest[:-1].rstrip()).endswith('"'):
        return text
    start = rest.rfind('"', 0, -1)
    return rest[:start].rstrip().removesuffix(",") if start >= 0 else text
