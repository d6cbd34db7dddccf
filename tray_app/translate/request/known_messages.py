"""Reads the messages and tools of a request, and remembers them by their bytes. Each turn repeats all turns before."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import msgspec

from tray_app.translate import json_text
from tray_app.translate.call_ids import read_used_ids
from tray_app.translate.request.body import ContentBlock, Message
from tray_app.translate.request.content import read_system
from tray_app.translate.request.control_blocks import SILENT
from tray_app.translate.request.kinds import has_own_words
from tray_app.translate.request.recent import Recent
from tray_app.translate.request.steps import Steps
from tray_app.translate.request.tokens import Counts, count_functions
from tray_app.translate.request.tools import ToolSet, read_tools
from tray_app.translate.request.validation import check_message

KNOWN_MESSAGE_WORK = 500
"""The work on a message that is known, beside its bytes. The unit is the one of `Steps`."""
_NEW_MESSAGE_WORK = 2_500
_NEW_BYTE_WORK = 4
_NEW_OBJECT_WORK = 500
"""The work on a message that is new, on each of its bytes, and on each of its JSON objects."""
MOST_MESSAGE_BYTES = 256 * 1024
MOST_MESSAGE_OBJECTS = 1_000
"""A message that is larger, or has more JSON objects, is unusual, and so are such definitions of tools.

Reading them takes too long."""
MOST_MESSAGES = 4_000
"""A request with more messages is unusual, because some steps take a microsecond for each, however well it is known."""
OVERHEAD_BYTES = 600
"""One small thing that is kept takes so much memory, beside its bytes."""
_TOOLS_COST = 6
"""Decoded definitions of tools take about so many times the memory of their JSON."""

_UNUSUAL = frozenset({*SILENT, "compaction", "tool_addition", "tool_removal"})
"""Types of blocks that change what other messages mean."""
_MEDIA = b'"base64"'


class Unusual(Exception):
    """A part of the request is not read here, or is wrong."""


class KnownMessage(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One message that was read. The same bytes give the same object for as long as it is remembered.

    Like all that is remembered, it holds no reference to itself. So Python's garbage collector, which takes the longer
    the more objects there are, need not know it.
    """

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


class KnownTools(msgspec.Struct, frozen=True, eq=False, gc=False):
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

    def read_messages(self, raws: Iterable[bytes], steps: Steps) -> Generator[None, None, list[KnownMessage]]:
        """Returns the messages. It pauses after each step. Unusual if one of them is."""
        messages: list[KnownMessage] = []
        for raw in raws:
            known = self._messages.get(raw)
            work = len(raw) + KNOWN_MESSAGE_WORK
            if known is None:
                known = _read_message(raw)
                self._messages.put(raw, known, len(raw) + OVERHEAD_BYTES)
                work = measure_new(len(raw), raw.count(b"{"))
            messages.append(known)
            if steps.is_over(work):
                yield
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


def measure_new(size_bytes: int, objects: int = 0) -> int:
    """Returns the work on a message that is new, or on a part of it, in the unit of `Steps`."""
    return size_bytes * _NEW_BYTE_WORK + objects * _NEW_OBJECT_WORK + _NEW_MESSAGE_WORK


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
