"""Writes the JSON object that a client gets as the arguments of a call, piece by piece. No piece can be taken back."""

from __future__ import annotations

from typing import Any

from tray_app.translate import json_text
from tray_app.translate.schema.schema import LEFT_OUT, Parameters


class ObjectWriter:
    """Writes members under the names and in the types of the client's schema."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._pieces: list[str] = []
        self._taken = 0  # how many pieces `take` has returned
        self._keys: dict[str, None] = {}  # the keys that are written, under upstream's names and in their order
        self.open_key = ""
        """The key of the member whose string was opened last, under upstream's name."""
        self.is_string_open = False
        """Tells whether the text ends within the string of the member `open_key`."""

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._pieces)

    def take(self) -> str:
        """Returns the text that was written since the last call."""
        taken, self._taken = self._taken, len(self._pieces)
        return "".join(self._pieces[taken:])

    def takes_string(self, key: str) -> bool:
        """Tells whether the schema allows a string for this key, so that its text can be written unconverted."""
        return self._parameters.takes_string(key)

    def is_awaited(self, key: str) -> bool:
        """Tells whether the tool has a parameter of this name that is not written yet."""
        return key not in self._keys and self._parameters.client_name(key) in self._properties

    @property
    def names_parameters(self) -> bool:
        """Tells whether the schema says which parameters the tool takes."""
        return bool(self._properties)

    def translate_head(self, key: str, head: str) -> str:
        """Returns key and colon for the client. That is `head`, as the model wrote them, if the name is the same."""
        name = self._parameters.client_name(key)
        return head if name == key else f"{encode(name)}:"

    def translate_value(self, key: str, value: Any, text: str) -> str:
        """Returns the value for the client. That is `text`, as the model wrote it, if it fits the schema, and empty if
        the schema says that the value is left out."""
        restored = self._parameters.restore(key, value, text)
        if restored is LEFT_OUT:
            return ""
        return text if restored == value else encode(restored)

    def write(self, text: str) -> None:
        """Writes text as it is."""
        self._pieces.append(text)

    def open_string(self, key: str, text: str) -> None:
        """Writes a member up to the quote that opens its string."""
        self.write(text)
        self._keys[key] = None
        self.open_key, self.is_string_open = key, True

    def end_member(self, key: str, text: str) -> None:
        """Writes a member, or the end of its string."""
        self.write(text)
        self._keys[key] = None
        self.is_string_open = False

    def write_end(self) -> None:
        """Writes null for missing parameters that are required and may be null, and then the closing brace."""
        for name in list(self._parameters.missing(self._keys)):
            self._write_member(name, "null")
        self.write("}" if self._keys else "{}")

    def write_meant(self, meant: dict[str, Any]) -> None:
        """Writes the rest of an open string and all other members of `meant`, and then the closing brace."""
        if self.is_string_open:
            rest = meant.get(self.open_key)
            self.end_member(self.open_key, encode(rest)[1:] if isinstance(rest, str) else '"')
        for key, value in meant.items():
            if key not in self._keys:
                name, restored = self._parameters.client_name(key), self._parameters.restore(key, value)
                if restored is not LEFT_OUT:
                    self._write_member(key, encode(restored), name)
        self.write_end()

    def _write_member(self, key: str, value: str, name: str = "") -> None:
        before = "," if self._keys else "{"
        self.end_member(key, f"{before}{encode(name or key)}:{value}")

    @property
    def _properties(self) -> dict[str, Any]:
        properties = self._parameters.schema.get("properties")
        return properties if isinstance(properties, dict) else {}


def encode(value: Any) -> str:
    """Returns a value as compact JSON."""
    return json_text.encode(value).decode()
