"""Reads an HTTP answer as it arrives, with as little work for each piece as possible, and counts its content events."""

from __future__ import annotations

import re

from bench.errors import GatewayFault

STAMP = re.compile(rb' t(\d+)(?=[" ])')
"""A content event: the upstream writes the time at which it sends it, in nanoseconds, into the text of each."""
LAST_CHUNK = b"\r\n0\r\n\r\n"
LONGEST_STAMP = 40


class Answer:
    """One answer. `latencies_ns` says for each content event how long it was on its way."""

    def __init__(self) -> None:
        self.latencies_ns: list[int] = []
        self.first_ns: int | None = None
        """When the first content event arrived; None until then."""
        self.is_closing = False
        self.pieces: list[bytes] = []
        """All that arrived, to be kept if the answer is wrong."""
        self._head = b""
        self._left = -1
        """The bytes of the body that are still to come; -1 if it comes in chunks, or until the connection ends."""
        self._has_head = False
        self._rest = b""

    def feed(self, data: bytes, now_ns: int) -> bool:
        """Takes what arrived. Returns whether the answer is complete."""
        self.pieces.append(data)
        if not self._has_head:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return False
            self._read_head(head, data)
        if self._left >= 0:
            self._left -= len(data)
        text = self._rest + data
        last = 0
        for match in STAMP.finditer(text):
            self.latencies_ns.append(now_ns - int(match[1]))
            last = match.end()
        if last and self.first_ns is None:
            self.first_ns = now_ns
        self._rest = text[max(last, len(text) - LONGEST_STAMP) :]
        return self._left == 0 or (self._left < 0 and text.endswith(LAST_CHUNK))

    def _read_head(self, head: bytes, body: bytes) -> None:
        self._has_head = True
        status, _, fields = head.lower().partition(b"\r\n")
        if status.split()[1] != b"200":
            told = body[:300].decode(errors="replace")
            raise GatewayFault(f"was answered with {status.decode(errors='replace')}: {told}")
        is_old = status.startswith(b"http/1.0") and b"keep-alive" not in fields
        self.is_closing = is_old or b"connection: close" in fields
        length = re.search(rb"content-length: *(\d+)", fields)
        if length:
            self._left = int(length[1])
        elif b"transfer-encoding: chunked" not in fields:
            raise GatewayFault("gives neither a length nor chunks, so that the end of its answer is not to be seen")
