"""The parameters of a tool: their schema in the form that goes upstream, and values back in the form of the client.

plain_schema.py says how the two forms differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from tray_app.translate.schema.json_types import NULL, STRING, fits, read_as, read_json, write_json
from tray_app.translate.schema.limits import Schema as Schema
from tray_app.translate.schema.limits import check_limits
from tray_app.translate.schema.simplified import simplify
from tray_app.translate.schema.subschemas import Subschemas
from tray_app.translate.schema.union_types import as_list

_MAX_DEPTH = 100
"""How many levels of lists and objects within one another are restored or renamed. That is many more than tools use;
what lies deeper stays as it is, so that the walk of a value never comes near Python's limit of 1,000 nested calls."""
_TEXT_LEVELS = 25
"""How many of these levels a text counts that was read as JSON. So at most four texts within one another are read, and
the work stays in proportion to the outermost."""

_NOTHING = frozenset({"", "null", "none", "undefined"})
"""How models write, as a string in small letters, that a parameter has no value."""
_MOST_NOTHING_CHARS = 20
"""A longer string is not looked at for that, whatever white space it holds."""


class LeftOut(Enum):
    """Stands in the place of a value where the client had better get none: the parameter is optional, and tools refuse
    the null that the model gave it."""

    LEFT_OUT = "left out"


LEFT_OUT = LeftOut.LEFT_OUT


class Parameters:
    """The parameters of one tool, as the client described them."""

    def __init__(self, schema: Schema | None = None, where: str = "input_schema") -> None:
        """InvalidRequest names the schema as `where` if it is too deep or too large."""
        self.schema: Schema = {} if schema is None else schema
        check_limits(self.schema, where)
        self._parts = Subschemas(self.schema)
        self._shape = self._parts.shape(self.schema)
        self._nullables: list[str] | None = None  # read when they are first asked for, as most tools are never called

    @property
    def sent(self) -> Schema:
        """The schema that goes upstream: in plain form, and what may be null may also be left out."""
        sent = simplify(self.schema, is_root=True) or {}
        if left_out := set(self._required_nullables):
            sent["required"] = [name for name in sent["required"] if self.client_name(name) not in left_out]
        if not sent.get("required", True):
            del sent["required"]
        return sent

    def client_name(self, sent_name: str) -> str:
        return self._shape.client_names.get(sent_name, sent_name)

    def takes_string(self, sent_name: str) -> bool:
        """Whether the schema allows a string, so that its text can be passed on unconverted."""
        allowed = self._parts.types(self._property(sent_name))
        return not allowed or STRING in allowed

    def restore(self, sent_name: str, value: Any, raw: str | None = None) -> Any:
        """The value of a parameter as the client wants it, or LEFT_OUT; `raw` is its JSON text, where that is at hand.

        A required parameter that is null stays null: if the tool refuses it, its own words tell the model why.
        """
        return self._restore_property(value, self.schema, self.client_name(sent_name), raw=raw)

    def rename(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The client's arguments under the names that go upstream, for calls that stand in the history."""
        renamed: dict[str, Any] = self._rename(dict(arguments), self.schema)
        return renamed

    def missing(self, sent_names: Iterable[str]) -> Iterator[str]:
        """The client's names of parameters that it requires and that may be null, where they were left out."""
        given = {self.client_name(name) for name in sent_names}
        yield from (name for name in self._required_nullables if name not in given)

    @property
    def _required_nullables(self) -> list[str]:
        """The client's names of the parameters that it requires and that may be null."""
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
        """The value of a property of an object that fits `schema`, or LEFT_OUT."""
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
    """Whether a value is null, a number for which JSON has null, or a string that says so where none is wanted."""
    if isinstance(value, str):
        return not takes_string and len(value) < _MOST_NOTHING_CHARS and value.strip().lower() in _NOTHING
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def type_value(text: str, schema: Schema, name: str) -> Any:
    """`text` as the property `name` of `schema` wants it; as text where that does not fit or nothing is known."""
    parts = Subschemas(schema)
    wanted = parts.types(parts.shape(schema).properties.get(name))
    if not wanted:
        value = read_json(text)
        return value if isinstance(value, dict | list) else text
    return text if wanted == {STRING} else read_as(text, wanted)


def allowed_types(schema: object, root: Schema) -> frozenset[str]:
    """The JSON types that a schema within `root` admits; empty where it does not say."""
    return Subschemas(root).types(schema)
