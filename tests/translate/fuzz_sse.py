"""Invariants that hold for any bytes that upstream sends. A test and a coverage-guided fuzzer share them.

The fuzzer, in an environment with atheris beside the program's own packages: `python -m tests.translate.fuzz_sse
[libFuzzer options]`, for example `-max_total_time=300 -timeout=1 -rss_limit_mb=512`.
"""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import suppress

from tests.support.fuzzing import fuzz
from tray_app.errors import UpstreamFault
from tray_app.translate.answer.chunk import decode_chunk, read_arguments
from tray_app.translate.answer.sse import EventTooLong, SseReader


def check_all(data: bytes) -> None:
    """Raises AssertionError if an invariant does not hold. The first byte says how the rest is cut."""
    size, stream = (data[0] if data else 0) + 1, data[1:]
    payloads = list(payloads_by_the_standard(stream))
    assert read_events([stream]) == payloads
    assert read_events(stream[place : place + size] for place in range(0, len(stream), size)) == payloads
    assert read_events(stream[place : place + 1] for place in range(len(stream))) == payloads
    for payload in payloads:
        check_payload(payload)


def check_memory(data: bytes) -> None:
    """A reader holds at most a few times as many bytes as it was fed, however small the pieces are."""
    reader = SseReader()
    tracemalloc.start()
    try:
        for place in range(0, len(data), 2):
            reader.feed(data[place : place + 2])
        _, peak_bytes = tracemalloc.get_traced_memory()
    except EventTooLong:
        return
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * len(data) + 4_000


def payloads_by_the_standard(stream: bytes) -> Iterator[bytes]:
    """Returns the data of each event that is not blank, read all at once by the rules of the standard."""
    lines: list[bytes] = []
    for line in [*re.split(b"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf")), b""]:
        name, _, value = line.partition(b":")
        if line and name == b"data" and b":" in line:
            lines.append(value.removeprefix(b" "))
        elif not line:
            payload = b"\n".join(lines)
            lines.clear()
            if payload.strip():
                yield payload


def read_events(parts: Iterable[bytes]) -> list[bytes]:
    reader = SseReader()
    payloads = [payload for part in parts for payload in reader.feed(part)]
    return payloads + reader.finish()


def check_payload(payload: bytes) -> None:
    """A payload is a chunk or a ValueError. The arguments of its calls are text, or a fault of upstream."""
    try:
        chunk = decode_chunk(payload)
    except ValueError:
        return
    for choice in chunk.choices or ():
        for message in (choice.delta, choice.message):
            if message is None:
                continue
            assert isinstance(message.text + message.thinking, str)
            for part in message.tool_calls or ():
                with suppress(UpstreamFault):
                    assert isinstance(read_arguments(part.function.arguments if part.function else None), str)


if __name__ == "__main__":
    fuzz(check_all)
