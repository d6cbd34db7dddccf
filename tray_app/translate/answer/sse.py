"""Server-sent events: bytes in, payloads out; and Anthropic's event frames.

https://html.spec.whatwg.org/multipage/server-sent-events.html; of an upstream's stream only `data` is used.
"""

from __future__ import annotations

from tray_app.translate.answer.chunk import MAX_CHUNK_BYTES

MAX_EVENT_BYTES = MAX_CHUNK_BYTES
"""An event carries one chunk."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLong(Exception):
    """An event of more than MAX_EVENT_BYTES."""


class SseReader:
    """Splits a byte stream into the data payloads of its events, however the bytes are cut.

    Lines end at LF, CR LF or CR, and nowhere else: U+2028 may stand inside a JSON string. An event without data, or
    with blank data only, has no payload. Each byte is looked at once, and what is held of an unfinished event are its
    bytes, not an object for each of its lines.
    """

    __slots__ = ("_data", "_ends_in_cr", "_is_at_start", "_line", "_more_data")

    def __init__(self) -> None:
        self._line = bytearray()  # the line that is not finished yet
        self._data: bytes | None = None  # the first data line of the event that is not finished yet
        self._more_data = bytearray()  # its further data lines, each after an LF
        self._ends_in_cr = False  # whether the last read did: an LF that follows belongs to the same line end
        self._is_at_start = True

    def __repr__(self) -> str:
        return f"SseReader(unfinished={self._unfinished_bytes} bytes)"

    @property
    def _unfinished_bytes(self) -> int:
        return len(self._data or b"") + len(self._more_data) + len(self._line)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the events that `data` finishes. EventTooLong past MAX_EVENT_BYTES."""
        if self._ends_in_cr or b"\r" in data:
            data = self._normalize_line_ends(data)
        lines = data.split(b"\n")
        rest = lines.pop()
        payloads: list[bytes] = []
        if lines:
            if self._line or self._is_at_start:
                lines[0] = self._finish_line(lines[0])
            for line in lines:
                if line.startswith(b"data:"):
                    self._add_data(line[6:] if line.startswith(b"data: ") else line[5:])
                elif not line and self._data is not None:
                    self._end_event(payloads)
        if rest:
            self._line.extend(rest)
        if (rest or self._data is not None) and self._unfinished_bytes > MAX_EVENT_BYTES:
            raise EventTooLong
        return payloads

    def finish(self) -> list[bytes]:
        """The payload of a last event that lacks its empty line, which some servers never send."""
        return self.feed(b"\n\n")

    def _normalize_line_ends(self, data: bytes) -> bytes:
        """`data` with LF alone at the end of each line."""
        if self._ends_in_cr and data:
            data = data.removeprefix(b"\n")
            self._ends_in_cr = False
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            self._ends_in_cr = data.endswith(b"\r")
            data = data.replace(b"\r", b"\n")
        return data

    def _finish_line(self, end: bytes) -> bytes:
        """The line whose beginning was read before; the first line of all without the stream's byte order mark."""
        self._line.extend(end)
        line = bytes(self._line)
        self._line.clear()
        if self._is_at_start:
            self._is_at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return line

    def _add_data(self, data: bytes) -> None:
        if self._data is None:
            self._data = data
        else:
            self._more_data.extend(b"\n")
            self._more_data.extend(data)

    def _end_event(self, payloads: list[bytes]) -> None:
        payload = self._data or b""
        if self._more_data:
            payload += self._more_data
            self._more_data.clear()
        self._data = None
        if len(payload) > MAX_EVENT_BYTES:
            raise EventTooLong
        if payload and not payload.isspace():
            payloads.append(payload)


def frame(event: str, data: bytes) -> bytes:
    """One event frame: Anthropic's clients dispatch on the `event:` line."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
