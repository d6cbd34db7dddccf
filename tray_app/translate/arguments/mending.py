"""The object that broken arguments mean: this program's own reader first, then a library within a budget."""

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
"""Holds arguments that are no object at all, for the tool's own error to show."""

MAX_LIBRARY_COST = 200_000
"""How much the library may be given while others wait: characters squared, times one more than the brackets opened.

Its time grows like that. What is within this bound took 5 ms at worst (json-repair 0.64 on one core, 2026): that is
300 characters with one bracket, or 60 that are brackets almost all.
"""

_FENCE = re.compile(r"\s*+```\w*+(?=\s*+\{)")


@dataclass(slots=True)
class LibraryBudget:
    """What the library may still cost in one answer; all calls of the answer share it."""

    left: int = MAX_LIBRARY_COST

    def allows(self, text: str) -> bool:
        """Whether the library may read `text` here; if so, that is taken from what is left."""
        cost = len(text) ** 2 * (1 + sum(map(text.count, "{[(")))
        if cost > self.left:
            return False
        self.left -= cost
        return True


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a broken text means."""

    meant: dict[str, Any] | None
    """None where that is not known."""
    unread: str = ""
    """The text, if the library may know, but would take too long here."""


def mend_within(budget: LibraryBudget, text: str, is_parameter: Callable[[str], bool] | None) -> Meaning:
    """What a text means by `mend`, or by the library as far as the budget goes."""
    meant = mend(text, is_parameter)
    if meant is None and budget.allows(text):
        return Meaning(mend_with_library(text))
    return Meaning(meant, text if meant is None else "")


def mend(text: str, is_parameter: Callable[[str], bool] | None = None) -> dict[str, Any] | None:
    """The object that a text means, in one pass; None where only the library could tell.

    `is_parameter` says of a key whether the tool takes it; None where the tool does not name its parameters.
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
    if isinstance(value, str):  # encoded twice
        meant = mend(value, is_parameter)
        return as_object(value) if meant is None else meant
    return as_object(value)


def mend_with_library(text: str) -> dict[str, Any] | None:
    """What json-repair makes of a text; None where that is no object. Its time grows with the square of the length."""
    from json_repair import loads  # here, as it is seldom needed

    text = _without_dangling_key(text)
    if not text.strip("{} \n\r\t"):
        return {}
    meant: object = None
    with suppress(Exception):  # it promises none, but its input is any text at all
        meant = loads(text, skip_json_loads=True)
    return meant if isinstance(meant, dict) and meant else None


def as_object(value: Any) -> dict[str, Any]:
    """A JSON value as a call's input: what is no object is kept under one key, and null is no input."""
    if isinstance(value, dict):
        return value
    return {} if value is None else {RAW_KEY: value}


def _without_dangling_key(text: str) -> str:
    """The text less a key at its end that has no value: none is better than one that the library invents."""
    rest = text.rstrip()
    if not rest.endswith(":") or not (rest := rest[:-1].rstrip()).endswith('"'):
        return text
    start = rest.rfind('"', 0, -1)
    return rest[:start].rstrip().removesuffix(",") if start >= 0 else text
