"""The row of one setting: which values it takes, how an error describes them, and which variables set it.

`settings.py` holds the table of all rows, and `parsing.py` applies them to a file and to the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

_ROW = "row"


@dataclass(frozen=True, slots=True)
class Row:
    """The facts about a setting besides its name, its type and its default, which the field itself has."""

    check: Callable[[object], Any]
    """Returns the value to use. ValueError if the given value is wrong."""
    wanted: str
    """Describes the right values: the error says that the setting must be this."""
    variables: tuple[str, ...]
    """Environment variables that set it. The first one that is set counts."""
    is_number: bool
    """Tells whether the text of a variable is read as a whole number."""
    is_secret: bool
    """Tells whether the setting is a key, which no error and no repr may show."""


def setting(
    default: object, check: Callable[[object], Any], wanted: str, *variables: str, is_secret: bool = False
) -> Any:
    """Returns a dataclass field with its default and its row."""
    row = Row(check, wanted, variables, is_number=type(default) is int, is_secret=is_secret)
    return field(default=default, repr=not is_secret, metadata={_ROW: row})


def read_rows(table: Any) -> dict[str, Row]:
    """Returns the rows of a dataclass by the names of their fields. Fields without a row are left out."""
    return {found.name: found.metadata[_ROW] for found in fields(table) if _ROW in found.metadata}
