"""Tests answers that are not streamed if they differ from streams: whole calls, and errors instead of answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chunks import completion_of, part
from tests.support.validators import check_body
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID, plain
from tray_app.catalog import MINIMAX_M2_1
from tray_app.errors import Overloaded, UpstreamFault
from tray_app.translate.answer.message import read_input


def calls(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the calls of a whole answer with these `tool_calls`."""
    message = plain(completion_of({"content": None, "tool_calls": list(parts)}, "tool_calls"))
    check_body(message)
    assert message["stop_reason"] == "tool_use"
    content: list[dict[str, Any]] = message["content"]
    return content


def test_a_whole_answer_is_complete() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 64}}
    message = plain(
        completion_of(
            {"reasoning_content": "hm", "content": "hi", "tool_calls": [part(None, "c1", "Read", '{"p":1}')]},
            "tool_calls",
            usage=usage,
        )
    )
    assert message == {
        "id": MESSAGE_ID,
        "type": "message",
        "role": "assistant",
        "model": "z-ai/glm4.7",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "claude-nvidia-tray"},
            {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "c1", "name": "Read", "input": {"p": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 36,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 64,
            "output_tokens": 7,
        },
    }
    check_body(message, tools=["Read"], thinking=True)


def test_calls_without_an_index_are_told_apart_by_their_place() -> None:
    assert calls(part(None, "a", "Read", '{"p":1}'), part(None, "b", "Read", '{"p":2}')) == [
        {"type": "tool_use", "id": "a", "name": "Read", "input": {"p": 1}},
        {"type": "tool_use", "id": "b", "name": "Read", "input": {"p": 2}},
    ]


def test_calls_with_one_id_are_two_calls_with_two_ids() -> None:
    first, second = calls(part(None, "a", "Read", '{"p":1}'), part(None, "a", "Read", '{"p":2}'))
    assert (first["id"], first["input"], second["input"]) == ("a", {"p": 1}, {"p": 2})
    assert second["id"].startswith("toolu_")


def test_calls_with_one_index_and_no_ids_are_two_calls() -> None:
    first, second = calls(part(0, None, "Read", '{"p":1}'), part(0, None, "Read", '{"p":2}'))
    assert (first["input"], second["input"]) == ({"p": 1}, {"p": 2})
    assert first["id"] != second["id"]


def test_calls_without_id_and_arguments_are_still_told_apart() -> None:
    first, second = calls(part(None, None, "list_files"), part(None, "", "list_dirs", ""))
    assert (first["name"], second["name"]) == ("list_files", "list_dirs")
    assert (first["input"], second["input"]) == ({}, {})


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"p": [1, null]}', {"p": [1, None]}),
        ({"p": "ü"}, {"p": "ü"}),
        ("", {}),
        (None, {}),
        ("null", {}),
        ("{}", {}),
        ('{"p": ', {}),
        ("[1]", {"arguments": [1]}),
        ('"text"', {"arguments": "text"}),
        ("no JSON", {"arguments": "no JSON"}),
    ],
    ids=repr,
)
def test_arguments_are_read_or_kept_as_they_came(arguments: object, read: dict[str, Any]) -> None:
    [call] = calls(part(0, "a", "Read", arguments))
    assert call["input"] == read


def test_arguments_that_are_nested_too_deeply_are_kept_as_they_came() -> None:
    arguments = '{"a":' * 100_000 + "1" + "}" * 100_000
    assert read_input(arguments) == {"arguments": arguments}


@pytest.mark.parametrize("content", [None, "", "\n", [], [{"type": "image_url"}], [{"text": None}], ["x"]], ids=repr)
def test_content_without_text_makes_no_block(content: object) -> None:
    message = plain(completion_of({"content": content}))
    assert message["content"] == []
    assert message["stop_reason"] == "end_turn"
    check_body(message)


def test_the_two_halves_of_an_emoji_become_one_character() -> None:
    assert plain(completion_of({"content": "a \ud83d\ude00"}))["content"] == [{"type": "text", "text": "a 😀"}]


def test_thinking_that_was_not_asked_for_is_left_out() -> None:
    message = plain(completion_of({"reasoning": "hm", "content": "hi"}), ask(MINIMAX_M2_1, thinking=None))
    assert message["content"] == [{"type": "text", "text": "hi"}]
    assert message["model"] == "minimaxai/minimax-m2.1"
    check_body(message, thinking=False)


def test_only_the_first_choice_is_the_answer() -> None:
    completion = completion_of({"content": "one"})
    completion["choices"] += completion_of({"content": "two"})["choices"]
    assert plain(completion)["content"] == [{"type": "text", "text": "one"}]


@pytest.mark.parametrize(
    "completion", [{}, {"choices": []}, {"choices": None}, {"usage": {"prompt_tokens": 1}}], ids=repr
)
def test_a_completion_without_choices_is_an_error(completion: dict[str, Any]) -> None:
    with pytest.raises(UpstreamFault, match="empty"):
        plain(completion)


@pytest.mark.parametrize(
    "error", ["overloaded", {"message": "overloaded"}, {"error": {"message": "overloaded"}}, ["overloaded"]], ids=repr
)
def test_an_error_in_a_200_is_an_error(error: object) -> None:
    with pytest.raises(Overloaded, match="overloaded"):
        plain({"error": error})


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "overloaded"},
        {"message": "overloaded"},
        {"object": "error", "message": "overloaded", "code": 503},
        {"status": 503, "title": "Service Unavailable", "detail": "overloaded"},
        {"choices": [{"error": {"message": "overloaded"}, "message": None}]},
    ],
    ids=repr,
)
def test_an_error_in_the_place_of_an_answer_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(Overloaded, match="overloaded"):
        plain(body)


@pytest.mark.parametrize("content", ["half an answer", "", None])
def test_an_answer_that_upstream_gave_up_on_is_an_error(content: str | None) -> None:
    with pytest.raises(UpstreamFault, match=r"gave up on the answer before it was complete \(abort\)"):
        plain(completion_of({"content": content}, "abort"))


def test_a_refusal_is_sent_as_text() -> None:
    message = plain(completion_of({"content": None, "refusal": "I cannot help with that."}))
    assert message["content"] == [{"type": "text", "text": "I cannot help with that."}]
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("refusal", 6)
    check_body(message)


def test_the_one_call_of_the_older_api_is_a_call() -> None:
    message = plain(
        completion_of({"content": None, "function_call": {"name": "Read", "arguments": '{"p":1}'}}, "function_call")
    )
    [call] = message["content"]
    assert (call["name"], call["input"], message["stop_reason"]) == ("Read", {"p": 1}, "tool_use")
    check_body(message)


def test_an_error_that_says_nothing_is_an_error() -> None:
    with pytest.raises(Overloaded, match="no reason given"):
        plain({"error": {}})


def test_a_null_error_is_no_error() -> None:
    assert plain(completion_of({"content": "hi"}, error=None))["content"]


def test_a_completion_in_chunks_is_translated_as_a_whole_one() -> None:
    chunk = {"choices": [{"delta": {"content": "hi"}, "finish_reason": "length"}]}
    message = plain(chunk)
    assert (message["content"], message["stop_reason"]) == ([{"type": "text", "text": "hi"}], "max_tokens")


def test_a_number_of_thousands_of_digits_becomes_infinity_as_in_javascript() -> None:
    """Python reads no whole number of more than 4,300 digits."""
    assert read_input(f'{{"a": [{"7" * 5_000}]}}') == {"a": [float("inf")]}
    assert read_input("7" * 5_000) == {"arguments": float("inf")}
