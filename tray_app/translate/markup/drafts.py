"""Calls of a block that is not complete yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tray_app.translate.markup.cursor import Cursor
from tray_app.translate.markup.grammar import Elements
from tray_app.translate.markup.json_calls import read_values
from tray_app.translate.markup.pieces import WrittenCall
from tray_app.translate.schema.limits import Schema
from tray_app.translate.schema.schema import type_value

Schemas = Mapping[str, Schema]
"""Name of a tool -> schema of its input."""

Span = tuple[int, int]
"""A part of the text: the place of its first character, and the place behind its last one."""


@dataclass(slots=True)
class Draft:
    """A call whose block is not complete yet."""

    name: str
    spans: list[Span] = field(default_factory=list)
    """Where the arguments stand: each key followed by its value, or one span if they are one JSON object."""
    elements: Elements | None = None
    """How the arguments are written. None if they are one JSON object."""

    def to_call(self, cursor: Cursor, schemas: Schemas) -> WrittenCall | None:
        """Returns the call. None if its arguments should be a JSON object but are not."""
        texts = [cursor.cut(*span) for span in self.spans]
        if self.elements is None:
            values = read_values(texts[0])
            return WrittenCall(self.name, values[0]) if len(values) == 1 and isinstance(values[0], dict) else None
        arguments: dict[str, Any] = {}
        for key, value in zip(map(str.strip, texts[::2]), texts[1::2], strict=True):
            arguments[key] = type_value(_trim(value, self.elements.margin), schemas[self.name], key)
        return WrittenCall(self.name, arguments)


def to_calls(drafts: list[Draft], cursor: Cursor, schemas: Schemas) -> list[WrittenCall]:
    """Returns the calls of a complete block. The list is empty if the arguments of one are no JSON object."""
    calls: list[WrittenCall] = []
    for draft in drafts:
        if (call := draft.to_call(cursor, schemas)) is None:
            return []
        calls.append(call)
    return calls


def _trim(value: str, margin: str) -> str:
    return value.removeprefix(margin).removesuffix(margin)
