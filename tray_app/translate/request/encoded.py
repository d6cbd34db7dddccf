"""The messages of a large request as JSON in pieces, so that no single step handles all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tray_app.translate import json_text

_TEXT_END = b'"}'
"""How every encoded system message ends: its last field is its text."""


@dataclass(frozen=True, slots=True)
class EncodedMessages:
    """The value of `messages` in a chat request that is already JSON. It stands where a smaller request has a list."""

    system: bytes
    """The system message, encoded by `encode_system`; empty if there is none."""
    pieces: tuple[bytes, ...]
    """The other messages, separated by commas, without the brackets around them. A piece may end anywhere."""

    def with_instruction(self, instruction: str) -> EncodedMessages:
        """The same messages with `instruction` added to the end of the system message."""
        if not self.system:
            return EncodedMessages(encode_system(instruction), self.pieces)
        addition = json_text.encode_valid(f"\n\n{instruction}")[1:-1]
        return EncodedMessages(self.system.removesuffix(_TEXT_END) + addition + _TEXT_END, self.pieces)

    def parts(self) -> Iterator[bytes]:
        """The JSON of the whole list, in pieces."""
        yield b"[" + self.system + (b"," if self.system and self.pieces else b"")
        yield from self.pieces
        yield b"]"


def encode_system(text: str) -> bytes:
    """A system message as JSON."""
    return json_text.encode_valid({"role": "system", "content": text})


def encode_body(body: dict[str, Any]) -> tuple[bytes, ...]:
    """The JSON of a chat request: one piece, or several if its messages are encoded already."""
    messages = body.get("messages")
    if not isinstance(messages, EncodedMessages):
        return (json_text.encode_valid(body),)
    others = json_text.encode_valid({name: value for name, value in body.items() if name != "messages"})
    return (others[:-1] + (b"," if len(others) > 2 else b"") + b'"messages":', *messages.parts(), b"}")
