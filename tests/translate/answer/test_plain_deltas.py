"""The fast reading of chunks gives the text that decoding gives, or nothing; and most chunks are read by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.plain_deltas import PlainDeltas


def make_chunk(delta: dict[str, Any], **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return json.dumps({"id": "chatcmpl-1", "choices": [choice], **fields}, ensure_ascii=False).encode()


def read(deltas: PlainDeltas, *payloads: bytes) -> str:
    """Returns the text that is read of these chunks; empty if they must be decoded."""
    fragments = deltas.read(b"".join(b"data: %b\n\n" % payload for payload in payloads))
    return fragments.text if fragments else ""


def is_thinking(deltas: PlainDeltas, payload: bytes) -> bool:
    fragments = deltas.read(b"data: %b\n\n" % payload)
    return fragments is not None and fragments.is_thinking


def learn(deltas: PlainDeltas, payload: bytes) -> None:
    deltas.learn(payload, decode_chunk(payload))


def test_a_chunk_of_a_known_form_is_read() -> None:
    deltas = PlainDeltas()
    learn(deltas, make_chunk({"content": " one"}))
    assert read(deltas, make_chunk({"content": " zwei, drei – 四"})) == " zwei, drei – 四"
    assert not is_thinking(deltas, make_chunk({"content": "x"}))


@pytest.mark.parametrize("more", [{}, {"content": None}, {"content": ""}])
def test_a_chunk_with_thinking_is_read(more: dict[str, Any]) -> None:
    deltas = PlainDeltas()
    learn(deltas, make_chunk({"reasoning_content": "Hm", **more}))
    assert read(deltas, make_chunk({"reasoning_content": "so", **more})) == "so"
    assert is_thinking(deltas, make_chunk({"reasoning_content": "so", **more}))


@pytest.mark.parametrize(
    "delta",
    [
        {"content": 'a "quote"'},
        {"content": "a\nline"},
        {"content": "a \\ backslash"},
        {"content": ""},
        {"content": None},
        {"role": "assistant", "content": "x"},
        {"content": "x", "reasoning_content": "y"},
        {"content": "x", "tool_calls": [{"index": 0}]},
    ],
)
def test_other_chunks_are_left_to_the_decoder(delta: dict[str, Any]) -> None:
    deltas = PlainDeltas()
    learn(deltas, make_chunk({"content": "x"}))
    assert read(deltas, make_chunk({"content": "y"})) == "y"
    assert read(deltas, make_chunk(delta)) == ""


def test_a_chunk_with_more_than_text_teaches_nothing() -> None:
    for payload in (
        make_chunk({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": 1}),
        make_chunk({"content": "x"}, error={"message": "x"}),
        make_chunk({"content": ["x"]}),
        b'{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}',
        b'{"choices":[{"delta":{"content":"x"}},{"delta":{"content":"x"}}]}',
    ):
        deltas = PlainDeltas()
        learn(deltas, payload)
        assert read(deltas, payload) == ""


def test_a_text_that_stands_elsewhere_in_the_chunk_is_not_taken_for_its_content() -> None:
    deltas = PlainDeltas()
    learn(deltas, b'{"id":"A","choices":[{"delta":{"content":"\\u0041"}}]}')
    assert read(deltas, b'{"id":"B","choices":[{"delta":{"content":"\\u0041"}}]}') == ""


def test_broken_text_is_left_to_the_decoder() -> None:
    deltas = PlainDeltas()
    learn(deltas, make_chunk({"content": "x"}))
    for inside in (b"\xff", b"\xed\xa0\x80", b"tab\there", b"nul\0"):
        assert read(deltas, make_chunk({"content": "@"}).replace(b"@", inside)) == ""


def test_learning_ends_if_no_form_comes_twice() -> None:
    deltas = PlainDeltas()
    for n in range(100):
        payload = make_chunk({"content": "x"}, created=n)
        assert read(deltas, payload) == ""
        learn(deltas, payload)
    assert read(deltas, make_chunk({"content": "y"}, created=15)) == "y"
    assert read(deltas, make_chunk({"content": "y"}, created=99)) == ""


TEXT = st.one_of(st.text(max_size=8), st.sampled_from(["", '"', "\\", "\\u0041", "chatcmpl-1", "null", "}"]))
DELTA = st.fixed_dictionaries(
    {},
    optional={"content": st.none() | TEXT, "reasoning_content": st.none() | TEXT, "role": st.just("assistant")},
)
SHAPE = st.fixed_dictionaries({}, optional={"usage": st.none(), "created": st.integers(0, 2), "model": TEXT})


@bounded
@given(st.lists(st.tuples(DELTA, SHAPE, st.booleans()), min_size=2, max_size=12))
def test_what_is_read_is_what_decoding_gives(chunks: list[tuple[dict[str, Any], dict[str, Any], bool]]) -> None:
    deltas = PlainDeltas()
    for delta, fields, is_ascii in chunks:
        payload = make_chunk(delta, **fields)
        payload = json.dumps(json.loads(payload), ensure_ascii=is_ascii).encode("utf-8", "replace")
        chunk = decode_chunk(payload)
        message = chunk.choices[0].delta if chunk.choices else None
        assert message is not None
        if text := read(deltas, payload):
            found = (message.text, message.thinking)
            assert found == (("", text) if is_thinking(deltas, payload) else (text, ""))
        else:
            learn(deltas, payload)
