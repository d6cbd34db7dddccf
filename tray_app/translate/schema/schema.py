"""The parameters of a tool: their schema in the form for upstream, and their values in the form for the client.

simplified.py says how the two forms differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from tray_app.translate.schema.json_types import NULL, STRING, fits, read_as, read_json, write_json
from tray_app.translate.schema.limits import Schema, check_limits
from tray_app.translate.schema.simplified import simplify
from tray_app.translate.schema.subschemas import Subschemas
from tray_app.translate.schema.union_types import as_list

_MAX_DEPTH = 100
"""Most levels of nested lists and objects that are restored or renamed. Tools use far fewer. Deeper values stay
unchanged, so that recursion stays far from Python's limit of 1,000 calls."""
_TEXT_LEVELS = 25
"""The levels that a text counts for if it is read as JSON. So at most four nested texts are read, and the work is
proportional to the outermost text."""

_NOTHING = frozenset({"", "null", "none", "undefined"})
"""Strings, in lower case, with which models say that a parameter has no value."""
_MOST_NOTHING_CHARS = 20
"""Longest string, in characters with its white space, that is compared with these."""


class LeftOut(Enum):
    """Marks a value that is not passed to the client: the parameter is optional, and its schema forbids null."""

    LEFT_OUT = "left out"


LEFT_OUT = LeftOut.LEFT_OUT


class Parameters:
    """The parameters of one tool, as described by the client."""

    def __init__(self, schema: Schema | None = None, where: str = "input_schema") -> None:
        """Raises InvalidRequest if the schema is too deep or too large. `where` names its field in the request."""
        self.schema: Schema = {} if schema is None else schema
        check_limits(self.schema, where)
        self._parts = Subschemas(self.schema)
        self._shape = self._parts.shape(self.schema)
        self._nullables: list[str] | None = None  # read on first use, because most tools are never called

    @property
    def sent(self) -> Schema:
        """Returns the simplified schema for upstream. A parameter that may be null need not be given in it."""
        sent = simplify(self.schema, is_root=True) or {}
        if left_out := set(self._required_nullables):
            sent["required"] = [name for name in sent["required"] if self.client_name(name) not in left_out]
        if not sent.get("required", True):
            del sent["required"]
        return sent

    def client_name(self, sent_name: str) -> str:
        """Returns the client's name of a parameter."""
        return self._shape.client_names.get(sent_name, sent_name)

    def takes_string(self, sent_name: str) -> bool:
        """Returns whether the schema allows a string, so that its text can be streamed unconverted."""
        allowed = self._parts.types(self._property(sent_name))
        return not allowed or STRING in allowed

    def restore(self, sent_name: str, value: Any, raw: str | None = None) -> Any:
        """Returns the value of a parameter in the client's form, or LEFT_OUT. `raw` is its JSON text; None if unknown.

        A required parameter that is null stays null. If the tool refuses it, its error tells the model why.
        """
        return self._restore_property(value, self.schema, self.client_name(sent_name), raw=raw)

    def rename(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the client's arguments under the names for upstream. Earlier calls of the conversation need it."""
        renamed: dict[str, Any] = self._rename(dict(arguments), self.schema)
        return renamed

    def missing(self, sent_names: Iterable[str]) -> Iterator[str]:
        """Yields the client's names of missing parameters that are required and may be null."""
        given = {self.client_name(name) for name in sent_names}
        yield from (name for name in self._required_nullables if name not in given)

    @property
    def _required_nullables(self) -> list[str]:
        """Returns the client's names of the parameters that are required and may be null."""
        if self._nullables is None:
            required = dict.fromkeys(name for name in as_list(self.schema.get("required")) if isinstance(name, str))
            types = ((name, self._parts.types(self._shape.properties.get(name))) for name in required)
            self._nullables = [name for name, allowed in types if NULL in allowed]
        return self._nullables

    def _property(self, sent_name: str) -> object:
        return self._shape.properties.get(self.client_name(sent_name), self._shape.others)

    def _restore(self, value: Any, schema: object, depth: int = 0, raw: str | None = None) -> Any:
        if depth >= _MAX_DEPTH:
            return value
        allowed = self._parts.types(schema)
        if allowed and not fits(value, allowed):
            if isinstance(value, str):
                read = read_as(value, allowed)
                return value if isinstance(read, str) else self._restore(read, schema, depth + _TEXT_LEVELS)
            if STRING in allowed and value is not None:
                return raw if raw is not None else write_json(value)
        shape = self._parts.shape(schema)
        if isinstance(value, dict) and (shape.properties or shape.others):
            named = {shape.client_names.get(name, name): item for name, item in value.items()}
            restored = {name: self._restore_property(item, schema, name, depth + 1) for name, item in named.items()}
            return {name: item for name, item in restored.items() if item is not LEFT_OUT}
        if isinstance(value, list) and shape.items is not None:
            return [self._restore(item, shape.items, depth + 1) for item in value]
        return value

    def _restore_property(self, value: Any, schema: object, name: str, depth: int = 0, raw: str | None = None) -> Any:
        """Returns the value of a property in the client's form, or LEFT_OUT. `schema` is that of its object."""
        shape = self._parts.shape(schema)
        part = shape.properties.get(name, shape.others)
        if _is_nothing(value, STRING in self._parts.types(part)) and self._parts.may_be_left_out(schema, name):
            return LEFT_OUT
        return self._restore(value, part, depth, raw)

    def _rename(self, value: Any, schema: object, depth: int = 0) -> Any:
        if depth >= _MAX_DEPTH:
            return value
        shape = self._parts.shape(schema)
        if isinstance(value, dict) and shape.properties:
            return {
                shape.sent_names.get(name, name): self._rename(item, shape.properties.get(name), depth + 1)
                for name, item in value.items()
            }
        if isinstance(value, list) and shape.items is not None:
            return [self._rename(item, shape.items, depth + 1) for item in value]
        return value


NO_PARAMETERS = Parameters()


def _is_nothing(value: Any, takes_string: bool) -> bool:
    """Returns whether a value is null, not a finite number, or a word such as "none" that should not be a string."""
    if isinstance(value, str):
        return not takes_string and len(value) < _MOST_NOTHING_CHARS and value.strip().lower() in _NOTHING
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def type_value(text: str, schema: Schema, name: str) -> Any:
    """Returns `text` as a value of the property's type; unchanged if the text does not match or no type is known."""
    parts = Subschemas(schema)
    wanted = parts.types(parts.shape(schema).properties.get(name))
    if not wanted:
        value = read_json(text)
        return value if isinstance(value, dict | list) else text
    return text if wanted == {STRING} else read_as(text, wanted)


def allowed_types(schema: object, root: Schema) -> frozenset[str]:
    """Returns the JSON types that a schema within `root` allows; empty if it names none."""
    return Subschemas(root).types(schema)
