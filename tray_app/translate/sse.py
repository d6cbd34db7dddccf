"""Server-sent events: bytes in, payloads out; and Anthropic's event frames.

https://html.spec.whatwg.org/multipage/server-sent-events.html, of which an upstream's stream uses `data` alone.
"""

from __future__ import annotations

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""More than any answer of a model; a longer event is a fault, and must not fill the memory."""


class EventTooLong(Exception):
    """An event of more than MAX_EVENT_BYTES."""


class SseReader:
    """Splits a byte stream into the data payloads of its events, however the bytes are cut.

    Lines end at LF or CR LF only: U+2028 and a lone CR may stand inside JSON strings.
    """

    __slots__ = ("_data", "_rest", "_size_bytes")

    def __init__(self) -> None:
        self._rest = b""  # the line that is not finished yet
        self._data: list[bytes] = []  # data lines of the event that is not finished yet
        self._size_bytes = 0

    def __repr__(self) -> str:
        return f"SseReader(unfinished={self._size_bytes + len(self._rest)} bytes)"

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the events that `data` finishes. EventTooLong past MAX_EVENT_BYTES."""
        lines = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        self._rest = lines.pop()
        payloads: list[bytes] = []
        for line in lines:
            self._take_line(line, payloads)
        if self._size_bytes + len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLong
        return payloads

    def finish(self) -> list[bytes]:
        """The payload of a last event that lacks its empty line, which some servers never send."""
        payloads: list[bytes] = []
        if self._rest:
            self._take_line(self._rest, payloads)
            self._rest = b""
        self._end_event(payloads)
        return payloads

    def _take_line(self, line: bytes, payloads: list[bytes]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if not line:
            self._end_event(payloads)
        elif line.startswith(b"data:"):
            payload = line[6:] if line.startswith(b"data: ") else line[5:]
            self._data.append(payload)
            self._size_bytes += len(payload)

    def _end_event(self, payloads: list[bytes]) -> None:
        if self._data:
            payloads.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
            self._data.clear()
            self._size_bytes = 0


def frame(event: str, data: bytes) -> bytes:
    """One event frame: Anthropic's clients dispatch on the `event:` line."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
