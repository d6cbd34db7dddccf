"""Reads the messages and tools of a request, and remembers them by their bytes. Each turn repeats all turns before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tray_app.translate import json_text
from tray_app.translate.call_ids import read_used_ids
from tray_app.translate.request.body import ContentBlock, Message
from tray_app.translate.request.content import read_system
from tray_app.translate.request.control_blocks import SILENT
from tray_app.translate.request.kinds import has_own_words
from tray_app.translate.request.recent import Recent
from tray_app.translate.request.tokens import Counts, count_functions
from tray_app.translate.request.tools import ToolSet, read_tools
from tray_app.translate.request.validation import check_message

STEP_BYTES = 64 * 1024
STEP_OBJECTS = 500
STEP_MESSAGES = 100
"""After so many bytes, JSON objects or messages that are new, other tasks of the event loop get their turn.

They take about a millisecond."""
MOST_MESSAGE_BYTES = 256 * 1024
MOST_MESSAGE_OBJECTS = 1_000
"""A message that is larger, or has more JSON objects, is unusual, and so are such definitions of tools.

Reading them takes too long."""
MOST_MESSAGES = 2_000
"""A request with more messages is unusual, because each takes a microsecond however well it is known."""
OVERHEAD_BYTES = 600
"""One small thing that is kept takes so much memory, beside its bytes."""
_TOOLS_COST = 6
"""Decoded definitions of tools take about so many times the memory of their JSON."""

_UNUSUAL = frozenset({*SILENT, "compaction", "tool_addition", "tool_removal"})
"""Types of blocks that change what other messages mean."""
_MEDIA = b'"base64"'


class Unusual(Exception):
    """A part of the request is not read here, or is wrong."""


@dataclass(eq=False, frozen=True, slots=True)
class KnownMessage:
    """One message that was read. The same bytes give the same object for as long as it is remembered."""

    raw: bytes
    role: str
    clear_at: object
    reminder: str
    """The text of a system message; empty for all others."""
    has_own_words: bool
    """Tells whether the user has written a part of it."""
    used_ids: tuple[str, ...]
    """The ids of its calls and results, in the form of `read_used_ids`."""

    def read(self) -> Message:
        """Returns the message. It is not kept, because its translation is."""
        return msgspec.convert(json_text.decode(self.raw), Message)


@dataclass(eq=False, frozen=True, slots=True)
class KnownTools:
    """The definitions of tools that were read."""

    declared: list[dict[str, Any]] | None
    tool_set: ToolSet
    sent: msgspec.Raw
    """The function tools as JSON."""
    counts: Counts


class KnownParts:
    """The messages and tools of earlier requests."""

    def __init__(self, most_bytes: int) -> None:
        self._messages = Recent[bytes, KnownMessage](most_bytes)
        self._tools = Recent[bytes, KnownTools](most_bytes // 4)

    def read_messages(self, raws: Sequence[msgspec.Raw]) -> Generator[None, None, list[KnownMessage]]:
        """Returns the messages. It pauses after each step of new ones. Unusual if one of them is."""
        if len(raws) > MOST_MESSAGES:
            raise Unusual
        messages: list[KnownMessage] = []
        new_bytes = new_objects = 0
        for raw in raws:
            data = bytes(raw)
            known = self._messages.get(data)
            if known is None:
                new_bytes, new_objects = new_bytes + len(data), new_objects + data.count(b"{")
                known = _read_message(data)
                self._messages.put(data, known, len(data) + OVERHEAD_BYTES)
                if new_bytes > STEP_BYTES or new_objects > STEP_OBJECTS:
                    new_bytes = new_objects = 0
                    yield
            messages.append(known)
        return messages

    def read_tools(self, raw: msgspec.Raw) -> KnownTools:
        """Returns the tools. Unusual, InvalidRequest or msgspec.ValidationError if they are too many or wrong."""
        data = bytes(raw)
        known = self._tools.get(data)
        if known is None:
            if len(data) > MOST_MESSAGE_BYTES or data.count(b"{") > MOST_MESSAGE_OBJECTS:
                raise Unusual
            declared = msgspec.convert(json_text.decode(data), list[dict[str, Any]] | None)
            tool_set = read_tools(declared or [])
            sent = msgspec.Raw(json_text.encode_valid(tool_set.functions))
            counts = count_functions(tool_set.functions) if tool_set.functions else Counts()
            known = KnownTools(declared, tool_set, sent, counts)
            self._tools.put(data, known, _TOOLS_COST * len(data) + OVERHEAD_BYTES)
        return known


def _read_message(data: bytes) -> KnownMessage:
    """Returns a message. Unusual, InvalidRequest, ValueError or msgspec.ValidationError if it is not read here."""
    if len(data) > MOST_MESSAGE_BYTES or data.count(b"{") > MOST_MESSAGE_OBJECTS or _MEDIA in data:
        raise Unusual
    message = msgspec.convert(json_text.decode(data), Message)
    check_message(message, "")
    if message.output_config is not None or any(block["type"] in _UNUSUAL for block in _list_blocks(message)):
        raise Unusual
    reminder = read_system(message.content) if message.role == "system" else ""
    used_ids = tuple(read_used_ids(reversed(message.content))) if isinstance(message.content, list) else ()
    return KnownMessage(data, message.role, message.clear_at, reminder, has_own_words(message), used_ids)


def _list_blocks(message: Message) -> list[ContentBlock]:
    return message.content if isinstance(message.content, list) else []
