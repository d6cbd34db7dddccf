"""Large requests as JSON in pieces, so that no single step of the event loop handles all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.translate import json_text

_TEXT_END = b'"}'
"""The end of every encoded system message, because the text is its last field."""


@dataclass(frozen=True, slots=True)
class EncodedMessages:
    """The messages of a chat request as JSON. They take the place of the list that a small request has."""

    system: bytes
    """The system message, encoded by `encode_system`; empty if there is none."""
    pieces: tuple[bytes, ...]
    """The other messages, separated by commas, without the brackets around them. A piece may end anywhere."""

    def with_instruction(self, instruction: str) -> EncodedMessages:
        """Returns the same messages with `instruction` at the end of the system message."""
        if not self.system:
            return EncodedMessages(encode_system(instruction), self.pieces)
        addition = json_text.encode_valid(f"\n\n{instruction}")[1:-1]
        return EncodedMessages(self.system.removesuffix(_TEXT_END) + addition + _TEXT_END, self.pieces)

    def parts(self) -> Iterator[bytes]:
        """Yields the JSON of the whole list in pieces."""
        yield b"[" + self.system + (b"," if self.system and self.pieces else b"")
        yield from self.pieces
        yield b"]"


def separate(messages: Sequence[bytes]) -> tuple[bytes, ...]:
    """Returns messages, each of them JSON, as pieces with commas between them. The messages are not copied."""
    pieces = [b","] * (2 * len(messages) - 1)
    pieces[::2] = messages
    return tuple(pieces)


def encode_system(text: str) -> bytes:
    """Returns a system message as JSON."""
    return json_text.encode_valid({"role": "system", "content": text})


def encode_for_reading(body: dict[str, Any]) -> tuple[bytes, ...]:
    """Returns the JSON of a chat request with its messages last.

    A text that is too long to be shown is cut in front, and the newest words are in the last message.
    """
    return encode_body(dict(sorted(body.items(), key=lambda item: item[0] == "messages")))


def encode_body(body: dict[str, Any]) -> tuple[bytes, ...]:
    """Returns the JSON of a chat request: one piece, or several if its messages are already encoded."""
    messages = body.get("messages")
    if not isinstance(messages, EncodedMessages):
        return (json_text.encode_valid(body),)
    others = json_text.encode_valid({name: value for name, value in body.items() if name != "messages"})
    return (others[:-1] + (b"," if len(others) > 2 else b"") + b'"messages":', *messages.parts(), b"}")
