"""Tests that the fast and the loose decoder read the same in what upstream sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.errors import UpstreamFault
from tray_app.translate.answer.chunk import Chunk, decode_chunk, decode_loosely, read_arguments


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


TEXT = st.text(max_size=6) | st.sampled_from(["null", "true", "1", "1.0", "{}", "", "NaN"])
COUNT = st.integers(0, 2**40)
ARGUMENTS = TEXT | st.dictionaries(TEXT, TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
FUNCTION = st.fixed_dictionaries({}, optional={"name": maybe(TEXT), "arguments": maybe(ARGUMENTS)})
CALL = st.fixed_dictionaries(
    {}, optional={"index": maybe(st.integers(0, 9)), "id": maybe(TEXT), "function": maybe(FUNCTION), "type": TEXT}
)
PARTS = st.lists(TEXT | st.fixed_dictionaries({"type": TEXT, "text": maybe(TEXT)}), max_size=2)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": TEXT,
        "content": maybe(TEXT | PARTS),
        "reasoning": maybe(TEXT),
        "reasoning_content": maybe(TEXT),
        "tool_calls": maybe(st.lists(CALL, max_size=3)),
    },
)
CHOICE = st.fixed_dictionaries(
    {"index": COUNT},
    optional={
        "delta": maybe(MESSAGE),
        "message": maybe(MESSAGE),
        "finish_reason": maybe(TEXT),
        "stop_reason": maybe(TEXT | st.integers(-1, 2**31)),
        "logprobs": st.none(),
    },
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": maybe(COUNT),
        "completion_tokens": maybe(COUNT),
        "prompt_tokens_details": maybe(st.fixed_dictionaries({}, optional={"cached_tokens": maybe(COUNT)})),
    },
)
CHUNK = st.fixed_dictionaries(
    {"id": TEXT},
    optional={
        "choices": maybe(st.lists(CHOICE, max_size=2)),
        "usage": maybe(USAGE),
        "error": maybe(TEXT | st.fixed_dictionaries({"message": TEXT, "code": st.integers()})),
    },
)


@bounded
@given(CHUNK)
def test_both_decoders_read_the_same(chunk: dict[str, Any]) -> None:
    payload = json.dumps(chunk, ensure_ascii=False).encode()
    assert decode_chunk(payload) == decode_loosely(payload)


def test_unknown_fields_are_ignored() -> None:
    assert decode_chunk(b'{"id":"x","nvext":{"timing":[1]},"choices":[{"delta":{"mood":1}}]}').choices


def test_numbers_may_come_as_text() -> None:
    payload = b'{"choices":[{"delta":{"tool_calls":[{"index":"1","id":"a"}]}}],"usage":{"prompt_tokens":"7"}}'
    chunk = decode_chunk(payload)
    assert chunk.choices
    assert chunk.choices[0].delta
    assert chunk.choices[0].delta.tool_calls
    assert chunk.choices[0].delta.tool_calls[0].index == 1
    assert chunk.usage
    assert chunk.usage.prompt_tokens == 7


def test_half_a_surrogate_pair_is_text() -> None:
    chunk = decode_chunk(b'{"choices":[{"delta":{"content":"\\ud83d"}}]}')
    assert chunk.choices
    assert chunk.choices[0].delta
    assert chunk.choices[0].delta.text == "\ud83d"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not JSON",
        b'{"choices":',
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b'{"choices":"x"}',
        b'{"choices":[{"delta":{"content":5}}]}',
        b'{"usage":{"prompt_tokens":NaN}}',
        b'{"usage":{"prompt_tokens":1.5}}',
        b'{"usage":{"prompt_tokens":1e999}}',
        b'{"usage":{"prompt_tokens":"Infinity"}}',
        b'{"usage":{"prompt_tokens":"' + b"9" * 100_000 + b'"}}',
        b'{"usage":{"prompt_tokens":' + b"9" * 100_000 + b"}}",
        b'{"usage":{"prompt_tokens":[1]}}',
        b'{"usage":"x"}',
        b'{"choices":[5]}',
        b'{"choices":[{"finish_reason":5}]}',
        b'{"choices":[{"stop_reason":[1]}]}',
        b'{"choices":[{"delta":{"tool_calls":{"0":{}}}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"index":"x"}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":[1]}}]}}]}',
        b'{"choices":[],"\\ud83d":1}',
        b"\xff\xfe",
        b'{"error":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_payload_that_is_no_completion_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_chunk(payload)


LONG = "x = (a[0], {'b': 1}, \"c\", '\\')\n" * 4_000


def test_a_long_text_may_hold_any_number_of_commas_and_brackets() -> None:
    payload = json.dumps({"choices": [{"delta": {"content": LONG}}]}).encode()
    chunk = decode_chunk(payload)
    assert chunk.choices
    assert chunk.choices[0].delta
    assert chunk.choices[0].delta.text == LONG


@pytest.mark.parametrize(
    ("start", "unit", "end"),
    [
        (b'{"choices":[', b"{},", b"{}]}"),
        (b'{"choices":[{"delta":{"content":[', b"[],", b"[]]}}]}"),
        (b'{"x":[', b'"",', b'""]}'),
        (b'{"x":["\\ud83d"', b",0", b"]}"),
        (b'{"x":{"a":0', b',"a":0', b"}}"),
        (b'{"x":["\\\\"', b',"\\\\"', b"]}"),
        (b'{"x":["\\""', b',"\\""', b"]}"),
        (b'{"x":', b"[", b""),
    ],
    ids=repr,
)
def test_a_payload_of_more_values_than_any_completion_is_a_value_error(start: bytes, unit: bytes, end: bytes) -> None:
    few = start + unit * 100 + end
    if end:
        decode_chunk(few)
    with pytest.raises(ValueError, match="more than 20000 values"):
        decode_chunk(start + unit * 90_000 + end)


def test_an_empty_object_is_a_chunk_that_says_nothing() -> None:
    assert decode_chunk(b"{}") == Chunk()


# ---- errors in the place of chunks


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "no", "code": 400}},
        {"error": "no"},
        {"error": {}},
        {"error": ["no"]},
        {"error": "no", "status": 400, "path": "/v1/chat/completions"},
        {"object": "error", "message": "no", "type": "BadRequestError", "param": None, "code": 400},
        {"object": "error"},
        {"object": "error", "choices": []},
        {"detail": "no"},
        {"detail": [{"loc": ["body"], "msg": "no"}]},
        {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"},
        {"title": "Bad Request", "status": 400},
        {"message": "no"},
        {"code": 400, "msg": "no"},
        {"errors": [{"message": "no"}]},
        {"status": "400"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "no"}},
        {"choices": [{"delta": {"content": "hi"}}], "error": {"message": "no"}},
        {"choices": [], "usage": {"prompt_tokens": 1}, "error": "no"},
    ],
    ids=repr,
)
def test_an_error_is_one_in_any_shape_and_is_kept_whole(error: dict[str, Any]) -> None:
    payload = json.dumps(error).encode()
    assert decode_chunk(payload).error == error
    assert decode_loosely(payload).error == error


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": []},
        {"choices": None, "error": None},
        {"choices": [], "error": None},
        {"choices": [], "prompt_filter_results": []},
        {"choices": [], "usage": {"prompt_tokens": 1}, "message": "counted"},
        {"usage": {"prompt_tokens": 1}, "error": {}},
        {"choices": [{"delta": {"content": "hi"}}], "error": {}},
        {"choices": [{"delta": {"content": "hi"}}], "error": False},
        {"choices": [{"delta": {"content": "hi"}}], "message": "ok", "detail": "x", "status": 500},
        {"object": "chat.completion.chunk", "code": 0, "status": "ok"},
        {"type": "ping"},
        {"message": {"role": "assistant", "content": "hi"}},
    ],
    ids=repr,
)
def test_a_chunk_is_no_error_whatever_is_beside_it(chunk: dict[str, Any]) -> None:
    assert decode_chunk(json.dumps(chunk).encode()).error is None


def test_a_large_chunk_is_not_looked_through_for_errors() -> None:
    payload = json.dumps({"x": "a" * 70_000, "message": "no"}).encode()
    assert decode_chunk(payload).error is None
    error = {"error": {"message": "a" * 70_000}}
    assert decode_chunk(json.dumps(error).encode()).error == error["error"]


# ---- calls and refusals in other fields


@pytest.mark.parametrize("refusal", [None, "", False, {}, ["no"], 5], ids=repr)
def test_a_refusal_without_text_is_ignored(refusal: object) -> None:
    chunk = decode_chunk(json.dumps({"choices": [{"delta": {"content": "hi", "refusal": refusal}}]}).encode())
    assert chunk.choices
    assert chunk.choices[0].delta
    assert (chunk.choices[0].delta.text, chunk.choices[0].delta.refused_with) == ("hi", "")


# ---- what it cost


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 7}, (100, 0, 7)),
        ({"input_tokens": 100, "output_tokens": 7}, (100, 0, 7)),
        ({"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}}, (100, 64, None)),
        ({"prompt_tokens": 100, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, (100, 64, None)),
        ({"prompt_tokens": 100, "cached_tokens": 64}, (100, 64, None)),
        ({"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 0}, "cached_tokens": 64}, (100, 64, None)),
        ({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 64}}, (100, 64, None)),
        ({"input_tokens": 36, "cache_read_input_tokens": 64, "output_tokens": 7}, (100, 64, 7)),
        ({"input_tokens": 6, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 30}, (100, 64, None)),
        ({"prompt_tokens": 0, "input_tokens": 100, "completion_tokens": 0, "output_tokens": 7}, (100, 0, 7)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (None, 0, None)),
        ({"prompt_tokens": None, "completion_tokens": None}, (None, 0, None)),
        ({"prompt_tokens": -5, "completion_tokens": -1, "cached_tokens": -1}, (None, 0, None)),
        ({"prompt_tokens": 10**9, "completion_tokens": 2**40, "cached_tokens": 10**9}, (None, 0, None)),
        (
            {"input_tokens": "many", "output_tokens": 1.5, "cached_tokens": {}, "input_tokens_details": 5},
            (None, 0, None),
        ),
        ({}, (None, 0, None)),
    ],
    ids=repr,
)
def test_usage_is_read_under_any_name_if_it_can_be_true(
    counts: dict[str, Any], told: tuple[int | None, int, int | None]
) -> None:
    chunk = decode_chunk(json.dumps({"choices": [], "usage": counts}).encode())
    assert chunk.usage is not None
    assert (chunk.usage.prompt, chunk.usage.cached, chunk.usage.output) == told


def test_read_arguments_gives_json_text() -> None:
    assert read_arguments(None) == ""
    assert read_arguments('{"a') == '{"a'
    assert read_arguments({}) == "{}"
    assert json.loads(read_arguments({"ü": [1, "\ud83d"]})) == {"ü": [1, "\ud83d"]}


def test_arguments_nested_too_deeply_are_a_fault_of_upstream() -> None:
    arguments: dict[str, Any] = {}
    for _ in range(100_000):
        arguments = {"a": arguments}
    with pytest.raises(UpstreamFault, match="nested too deeply"):
        read_arguments(arguments)
    while arguments:  # or taking it down would need as many levels of the stack
        arguments = arguments.pop("a")


def test_a_chunk_that_is_nested_too_deeply_is_malformed() -> None:
    payload = b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(ValueError, match=r"deep|recursion"):
        decode_loosely(payload)
