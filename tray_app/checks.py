"""What a value in the settings file may be. Each check returns the value to use; ValueError means that it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Check = tuple[Callable[[object], Any], str]
"""A check, and what it wants, for the sentence that names a wrong value."""


class Refused(ValueError):
    """A wrong value that must not be shown. Its text goes on after the setting's name: "must not hold ..."."""


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value.strip()


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def whole_number(minimum: int) -> Callable[[object], int]:
    """The check for a whole number of `minimum` or more."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError
        return value

    return check


def one_of(ids: Iterable[str]) -> str:
    """What a check wants that takes an id of these."""
    return "one of " + ", ".join(f'"{model_id}"' for model_id in ids)
