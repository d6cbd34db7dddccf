"""Finds the messages of a large request by their bytes, piece by piece, without decoding the request.

Decoding a request of 5 MB takes several milliseconds, even if its messages stay JSON, and so does joining its pieces.

Messages that begin alike are divided where one ends and the next begins, for example at `},{"role":`. No string holds
these bytes, because a quotation mark in a string has a backslash before it. But they may be inside a message. So a
division is right if each message is valid JSON by itself, and the rest of the request is valid around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_FIRST = re.compile(rb'"messages": ?\[(\{"\w{1,20}":( ?))(?=[^ ])')
"""The beginning of the messages. The groups are the beginning of each message, and the blank after a colon or comma."""
_FIRST_BYTES = 64
"""The beginning of the messages is shorter."""

OTHERS = b'"all messages but the last"'
"""Stands in the frame for the messages that were taken out of it."""

MOST_HELD_BYTES = 512 * 1024
"""Most bytes of one message, or of what is before the first or after the last one."""

_PIECE_BYTES = 64 * 1024


class CannotSplit(Exception):
    """The messages do not begin alike, one of them is too long, or there is only one."""


class Splitter:
    """Splits one request."""

    def __init__(self) -> None:
        self._held = bytearray()
        """The bytes of the request since the last message that was found."""
        self._searched = 0
        """So many of these bytes need no further search."""
        self._head: bytes | None = None
        """What is before the first message; None until it is found."""
        self._end = b""
        """The end of a message with the beginning of the next one; empty until the first message is found."""
        self._gap_bytes = 0
        """Size of the comma, with the blank if there is one, between two messages."""
        self._has_others = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Takes the next piece of the request. Returns the messages that end in it, but never the last one."""
        self._held += piece
        if self._head is None:
            self._find_first()
        messages = [] if self._head is None else self._take_messages()
        if len(self._held) > MOST_HELD_BYTES:
            raise CannotSplit
        return messages

    def finish(self) -> bytes:
        """Returns the frame: the request with its last message, and with OTHERS in the place of the others.

        The division is right if the frame is valid JSON, and its list of messages consists of OTHERS and one more.
        """
        if self._head is None or not self._has_others:
            raise CannotSplit
        frame = b"".join((self._head, OTHERS, b",", self._held))
        if frame.count(OTHERS) > 1:
            raise CannotSplit
        return frame

    def _find_first(self) -> None:
        first = _FIRST.search(self._held, self._searched)
        if first is None:
            self._searched = max(0, len(self._held) - _FIRST_BYTES)
            return
        start = first.start(1)
        self._gap_bytes = 1 + len(first[2])
        self._end = b"}," + first[2] + first[1]
        self._head = bytes(self._held[:start])
        del self._held[:start]
        self._searched = 0

    def _take_messages(self) -> list[bytes]:
        messages: list[bytes] = []
        place = 0
        with memoryview(self._held) as view:
            while (end := self._held.find(self._end, self._searched)) >= 0:
                messages.append(bytes(view[place : end + 1]))
                place = self._searched = end + 1 + self._gap_bytes
        self._searched = max(0, len(self._held) - len(self._end) + 1 - place)
        del self._held[:place]
        self._has_others = self._has_others or bool(messages)
        return messages


def in_small_pieces(pieces: Sequence[bytes | bytearray]) -> Iterator[bytes]:
    """Yields the same bytes in pieces that can each be searched in a fraction of a millisecond."""
    for piece in pieces:
        for place in range(0, len(piece), _PIECE_BYTES):
            yield bytes(piece[place : place + _PIECE_BYTES])
