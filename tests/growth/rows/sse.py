"""Rows for what upstream sends: event streams in any slices, and payloads of any kind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.growth.measure import Growth, Load

EVENT = b'data: {"choices":[{"delta":{"content":"word"}}]}\n\n'


def in_reads(stream: bytes, size_bytes: int) -> list[bytes]:
    return [stream[place : place + size_bytes] for place in range(0, len(stream), size_bytes)]


def read(load: Load, reads: list[bytes]) -> object:
    """Returns the payloads of a stream, including its end."""
    reader = load("tray_app.translate.answer.sse").SseReader()
    return [*(payload for data in reads for payload in reader.feed(data)), *reader.finish()]


def decode(load: Load, payload: bytes) -> object:
    with suppress(ValueError):
        return load("tray_app.translate.answer.chunk").decode_chunk(payload)
    return None


def sse(name: str, make: Any) -> Growth:
    return Growth(f"sse: {name}", make, read)


def chunk(name: str, start: bytes, unit: bytes, end: bytes) -> Growth:
    """Returns a payload of n bytes. It is so large that its values are counted before it is decoded."""
    return Growth(f"chunk: {name}", lambda n: start + unit * (n // len(unit)) + end, decode, small=400_000)


ROWS = [
    sse("a line in reads of 16 bytes", lambda n: in_reads(b"data: " + b"x" * n, 16)),
    sse("a line byte by byte", lambda n: in_reads(b"data: " + b"x" * n, 1)),
    sse("a comment without an end", lambda n: in_reads(b": " + b"x" * n, 16)),
    sse("data lines without an event's end", lambda n: in_reads(b"data: ab\n" * (n // 9), 1_460)),
    sse("empty data lines", lambda n: in_reads(b"data:\n" * (n // 6), 16)),
    sse("line ends only", lambda n: [b"\n" * n]),
    sse("CR and CR LF, byte by byte", lambda n: in_reads(b"data: a\r\r\n\r" * (n // 11), 1)),
    sse("events in one read", lambda n: [EVENT * (n // len(EVENT))]),
    sse("events byte by byte", lambda n: in_reads(EVENT * (n // len(EVENT)), 1)),
    sse("blank events", lambda n: [b"data:    \n\n" * (n // 11)]),
    sse("one event", lambda n: [b"data: " + b" " * n + b"\n\n"]),
    chunk("a long text", b'{"choices":[{"delta":{"content":"', b"word, [x]\\n", b'"}}]}'),
    chunk("escaped quotes and backslashes", b'{"choices":[{"delta":{"content":"', b'\\\\\\",[{', b'"}}]}'),
    chunk("half surrogate pairs", b'{"choices":[{"delta":{"content":"', b"\\ud83d ", b'"}}]}'),
    chunk("many choices", b'{"choices":[', b"{},", b"{}]}"),
    chunk("many strings", b'{"choices":[{"delta":{"content":[', b'"",', b'""]}}]}'),
    chunk("numbers of many digits", b'{"usage":{"prompt_tokens":', b"9", b"}}"),
    chunk("brackets without an end", b'{"error":', b"[", b""),
]
