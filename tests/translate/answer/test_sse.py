"""Tests that a stream of events has the same payloads however its bytes are cut."""

from __future__ import annotations

import itertools
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.fuzz_sse import check_all, check_memory
from tray_app.translate.answer import sse
from tray_app.translate.answer.sse import MAX_EVENT_BYTES, EventTooLong, SseReader, frame


def read(raw: bytes, cuts: list[int] | None = None) -> list[bytes]:
    """Returns all payloads of `raw`, which is cut at the given places."""
    reader = SseReader()
    places = sorted({0, len(raw), *(cut for cut in cuts or () if cut < len(raw))})
    payloads = [payload for start, end in itertools.pairwise(places) for payload in reader.feed(raw[start:end])]
    return payloads + reader.finish()


@pytest.mark.parametrize(
    ("raw", "payloads"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": ping\n\n: OPENROUTER PROCESSING\n\ndata: a\n\n", [b"a"]),
        (b"event: error\nid: 7\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"data: a\n\ndata: b\n", [b"a", b"b"]),
        (b"data: a\n\ndata: b", [b"a", b"b"]),
        (b"data: a\n\ndata: b\r", [b"a", b"b"]),
        (b"data: a\xe2\x80\xa8b\x0cc\n\n", [b"a\xe2\x80\xa8b\x0cc"]),
        (b"data: a\rdata: b\r\rdata: c\r\r", [b"a\nb", b"c"]),
        (b"data: a\r\n\rdata: b\n\r\n", [b"a", b"b"]),
        (b"data: a\r\r\ndata: b\r\n\n", [b"a", b"b"]),
        (b"data:\n\n", []),
        (b"data: \t \r\n\r\ndata: a\n\n", [b"a"]),
        (b"data:\ndata:\n\n", []),
        (b"data:\ndata: a\ndata:\n\n", [b"\na\n"]),
        (b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"\xef\xbb\xbf\n\xef\xbb\xbfdata: a\n\ndata: b\n\n", [b"b"]),
        (b"\xef\xbb\xbfdata: a", [b"a"]),
        (b"data: [DONE]\n\n", [b"[DONE]"]),
        (b"", []),
        (b"datas: a\nmore\n\n", []),
    ],
    ids=repr,
)
def test_payloads_are_the_data_of_the_events(raw: bytes, payloads: list[bytes]) -> None:
    assert read(raw) == payloads
    assert read(raw, list(range(len(raw)))) == payloads


def test_a_payload_is_returned_as_soon_as_its_event_ends() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\ndata: b\n\ndata") == [b"a", b"b"]
    assert repr(reader) == "SseReader(unfinished=4 bytes)"
    assert reader.feed(b": c\n\n") == [b"c"]
    assert reader.finish() == []


@pytest.mark.parametrize("line_bytes", [1024 * 1024, MAX_EVENT_BYTES + 1], ids=["many lines", "one line"])
def test_an_event_without_an_end_does_not_fill_the_memory(line_bytes: int) -> None:
    reader = SseReader()
    line = b"data: " + b"x" * line_bytes + b"\n"

    def feed_too_much() -> None:
        for _ in range(17):
            reader.feed(line[:-1])
            reader.feed(line[-1:])

    with pytest.raises(EventTooLong):
        feed_too_much()


UNFINISHED = {
    "empty data lines": b"data:\n",
    "data lines of one letter": b"data: x\n",
    "a data line in reads of two bytes": b"xx",
    "a comment without an end": b": ",
}


@pytest.mark.parametrize("piece", UNFINISHED.values(), ids=list(UNFINISHED))
def test_an_unfinished_event_takes_at_most_a_few_times_its_limit_in_memory(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_bytes = 32 * 1024
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", limit_bytes)
    reader = SseReader()

    def feed_without_end() -> None:
        for _ in range(limit_bytes + 2):
            reader.feed(piece)

    tracemalloc.start()
    try:
        with pytest.raises(EventTooLong):
            feed_without_end()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 3 * limit_bytes


def test_an_event_that_is_too_long_is_refused_however_it_is_cut() -> None:
    longest = b"x" * MAX_EVENT_BYTES
    assert SseReader().feed(b"data:" + longest + b"\n\n") == [longest]
    for event in (b"data:x" + longest + b"\n\n", b"data:" + longest + b"\ndata:\n\n"):
        with pytest.raises(EventTooLong):
            SseReader().feed(event)


def test_many_events_together_may_be_longer_than_one() -> None:
    reader = SseReader()
    event = b"data: " + b"x" * (MAX_EVENT_BYTES // 4) + b"\n\n"
    assert sum(len(reader.feed(event)) for _ in range(8)) == 8


PAYLOAD = st.recursive(
    st.text(max_size=8) | st.sampled_from(["\u2028", "\u0085", "\r", "\n", "data: x", "😀"]),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
).map(lambda value: json.dumps(value, ensure_ascii=False).encode())
NOISE = st.sampled_from([b"", b": ping", b"event: x", b"id: 1", b"retry: 5"])


@bounded
@given(
    st.lists(st.tuples(NOISE, PAYLOAD, st.booleans(), st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=5),
    st.booleans(),
    st.lists(st.integers(0, 300), max_size=12),
)
def test_any_slicing_gives_the_same_payloads(
    events: list[tuple[bytes, bytes, bool, bytes]], is_cut_short: bool, cuts: list[int]
) -> None:
    raw = b"".join(
        noise + end * bool(noise) + b"data:" + b" " * has_space + payload + end + end
        for noise, payload, has_space, end in events
    )
    if is_cut_short:
        raw = raw.rstrip(b"\r\n")
    payloads = [payload for _, payload, _, _ in events]
    assert read(raw, cuts) == payloads
    assert read(raw, list(range(len(raw)))) == payloads


def test_a_frame_names_its_event() -> None:
    assert frame("ping", b'{"type":"ping"}') == b'event: ping\ndata: {"type":"ping"}\n\n'


WORDS = st.sampled_from(
    [
        *(b"data: ", b"data:", b"data", b": ping", b"event: x", b"\n", b"\r", b"\r\n", b"\n\n", b" ", b"\xef\xbb\xbf"),
        *(b'{"choices":[', b'{"delta":{', b'"content":', b'"tool_calls":[', b'"arguments":', b'"\\ud83d"', b"1e999"),
        *(b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"NaN", b"9" * 30, b"\xff", "\u2028".encode(), b"[DONE]"),
    ]
)


@bounded
@given(st.integers(0, 12), st.lists(WORDS | st.binary(max_size=3), max_size=40))
def test_the_invariants_hold_for_words_that_streams_are_made_of(cut: int, words: list[bytes]) -> None:
    data = bytes([cut]) + b"".join(words)
    check_all(data)
    check_memory(data)
