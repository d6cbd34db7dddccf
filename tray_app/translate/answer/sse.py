"""Reads server-sent events from upstream, and writes the frame of one event for the client.

https://html.spec.whatwg.org/multipage/server-sent-events.html describes the format. Only the `data` field is read.
"""

from __future__ import annotations

from tray_app.translate.answer.chunk import MAX_CHUNK_BYTES

MAX_EVENT_BYTES = MAX_CHUNK_BYTES
"""Largest event that is read, in bytes. An event carries one chunk."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLong(Exception):
    """An event has more than MAX_EVENT_BYTES."""


class SseReader:
    """Splits a byte stream into the data payloads of its events, however the bytes are cut.

    Lines end at LF, CR LF or CR only, because U+2028 may stand inside a JSON string. An event without data, or with
    blank data, has no payload. Each byte is looked at once. An unfinished event is held as bytes, not as an object for
    each of its lines.
    """

    __slots__ = ("_data", "_ends_in_cr", "_is_at_start", "_line", "_more_data")

    def __init__(self) -> None:
        self._line = bytearray()  # the unfinished line
        self._data: bytes | None = None  # the first data line of the unfinished event
        self._more_data = bytearray()  # its further data lines, each after an LF
        self._ends_in_cr = False  # whether the last read ended in CR: an LF that follows belongs to the same line end
        self._is_at_start = True

    def __repr__(self) -> str:
        return f"SseReader(unfinished={self._unfinished_bytes} bytes)"

    @property
    def _unfinished_bytes(self) -> int:
        return len(self._data or b"") + len(self._more_data) + len(self._line)

    @property
    def is_between_events(self) -> bool:
        """Tells whether what comes next is the beginning of an event."""
        return not (self._line or self._ends_in_cr or self._is_at_start) and self._data is None

    def feed(self, data: bytes) -> list[bytes]:
        """Returns the payloads of the events that `data` finishes. Raises EventTooLong."""
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
        """Returns the payload of a last event without an empty line behind it, which some servers never send."""
        return self.feed(b"\n\n")

    def _normalize_line_ends(self, data: bytes) -> bytes:
        """Returns `data` with LF alone at the end of each line."""
        if self._ends_in_cr and data:
            data = data.removeprefix(b"\n")
            self._ends_in_cr = False
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            self._ends_in_cr = data.endswith(b"\r")
            data = data.replace(b"\r", b"\n")
        return data

    def _finish_line(self, end: bytes) -> bytes:
        """Returns the line whose beginning was read before. The first line of a stream loses its byte order mark."""
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
    """Returns the frame of one event. Anthropic's clients dispatch on the `event:` line."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
