"""The real SDKs talk to the running app through their own interfaces, and are the judges of what it answers.

A scenario gives lines. {"thinking": ...}, {"text": ...} and {"input_json": ...} are pieces as they come, {"ran": ...}
is the input of a tool, {"message": ...} what the SDK made of an answer, {"error": ...} what it raised. The content of a
message is in the words of Anthropic's API, whatever the SDK's own are.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

import pytest

from tests.sdk.anthropic_python import Line
from tests.sdk.sdks import ALL, ANTHROPIC, Sdk
from tests.support.chunks import completion, delta, finish, text, think, usage
from tests.support.fake_upstream import FakeUpstream, Gate, Reply, refusal, stream, whole
from tray_app.translate.signature import SIGNATURE

every_sdk = pytest.mark.parametrize("sdk", ALL, indirect=True, ids=lambda sdk: sdk.name)
anthropics_sdks = pytest.mark.parametrize("sdk", ANTHROPIC, indirect=True, ids=lambda sdk: sdk.name)

THOUGHT = "Hm,\n\nwell. \n"


def pieces(lines: Iterable[Line], kind: str) -> list[Any]:
    """What the lines of one kind say, where nothing went wrong."""
    lines = list(lines)
    assert not [line for line in lines if "error" in line]
    return [line[kind] for line in lines if kind in line]


def messages(lines: Iterable[Line]) -> list[Any]:
    return pieces(lines, "message")


def thought(text: str) -> dict[str, str]:
    return {"type": "thinking", "thinking": text, "signature": SIGNATURE}


def said(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def used(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def call(index: int, call_id: str, *arguments: str) -> list[Any]:
    """A call as vLLM streams it: the name first, then its arguments in pieces."""
    first: dict[str, Any] = {"id": call_id, "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    rest = [{"function": {"arguments": fragment}} for fragment in arguments]
    return [delta(tool_calls=[{"index": index, **part}]) for part in (first, *rest)]


def whole_call(call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


STREAMED_LOOP = (
    stream(
        think("Two "),
        think("calls.\n"),
        text("Looking."),
        *call(0, "call_a", '{"ci', 'ty": "Os', 'lo"}'),
        *call(1, "call_b", '{"city"', ': "Zürich"}'),
        finish("tool_calls"),
    ),
    stream(think("Both."), text("3 degrees"), finish()),
)
WHOLE_LOOP = (
    whole(
        completion(
            "Looking.",
            "tool_calls",
            reasoning_content="Two calls.\n",
            tool_calls=[whole_call("call_a", '{"city": "Oslo"}'), whole_call("call_b", '{"city": "Zürich"}')],
        )
    ),
    whole(completion("3 degrees", reasoning_content="Both.")),
)


# ---- answers


@every_sdk
def test_pieces_come_while_upstream_still_writes_and_add_up(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    upstream.script(
        stream(
            think("Hm,"),
            gate := Gate(),
            think("\n\nwell. \n"),
            text("Hel"),
            text("lö"),
            finish(),
            usage(2000, 500),
        )
    )
    lines = sdk.play("stream", url)
    assert next(lines) == {"thinking": "Hm,"}
    gate.open()
    *rest, last = lines
    assert rest == [{"thinking": "\n\nwell. \n"}, {"text": "Hel"}, {"text": "lö"}]
    assert last["message"].pop("id").startswith("msg_")
    assert last["message"] == {
        "content": [thought(THOUGHT), said("Hellö")],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": used(2000, 500),
    }


@every_sdk
def test_an_answer_in_one_piece_is_the_same_message(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hellö", reasoning_content=THOUGHT)))
    (message,) = messages(sdk.play("plain", url))
    assert message.pop("id").startswith("msg_")
    assert message == {
        "content": [thought(THOUGHT), said("Hellö")],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": used(12, 3),
    }


@every_sdk
@pytest.mark.parametrize("scenario", ["stream", "plain"])
def test_max_tokens_is_told(sdk: Sdk, scenario: str, url: str, upstream: FakeUpstream) -> None:
    upstream.default = lambda body: (
        stream(text("one"), finish("length")) if body.get("stream") else whole(completion("one", "length"))
    )
    (message,) = messages(sdk.play(scenario, url, fields={"max_tokens": 1500}))
    assert (message["content"], message["stop_reason"]) == ([said("one")], "max_tokens")
    assert upstream.received[0].body["max_tokens"] == 1500


@every_sdk
def test_the_stop_sequence_that_matched_is_told(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}]}
    upstream.script(stream(text("one"), end))
    (message,) = messages(sdk.play("stream", url, fields={"stop_sequences": ["END", "STOP"]}))
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")
    assert upstream.received[0].body["stop"] == ["END", "STOP"]


# ---- conversations


@every_sdk
def test_thinking_comes_back_in_the_next_turn_unchanged(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    upstream.script(stream(think(THOUGHT), text("Hello"), finish()), stream(think("So."), text("Bye"), finish()))
    first, second = messages(sdk.play("chat", url, prompts=["Say hello", "Say bye"]))
    assert first["content"] == [thought(THOUGHT), said("Hello")]
    assert second["content"] == [thought("So."), said("Bye")]
    assert first["id"] != second["id"]
    assert upstream.received[1].body["messages"] == [
        {"role": "user", "content": "Say hello"},
        {"role": "assistant", "content": "Hello", "reasoning_content": THOUGHT},
        {"role": "user", "content": "Say bye"},
    ]


@every_sdk
@pytest.mark.parametrize("replies", [STREAMED_LOOP, WHOLE_LOOP], ids=["streamed", "plain"])
def test_the_tool_loop_runs_two_calls_at_once_to_the_final_answer(
    sdk: Sdk, replies: tuple[Reply, Reply], url: str, upstream: FakeUpstream
) -> None:
    upstream.script(*replies)
    lines = list(sdk.play("loop", url, stream=replies is STREAMED_LOOP, fields={"thread": False}))
    if replies is STREAMED_LOOP:
        assert pieces(lines, "input_json") == ['{"city": "Os', "lo", '"}', '{"city": "Zürich', '"}']
    check_loop(lines, upstream)


@anthropics_sdks
def test_the_tool_loop_goes_on_without_a_message_thread(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    """Left to itself it lets the server keep the conversation, and sends all of it where a server says it does not."""
    upstream.script(*STREAMED_LOOP)
    check_loop(list(sdk.play("loop", url, stream=True)), upstream)


def check_loop(lines: list[Line], upstream: FakeUpstream) -> None:
    """Both calls ran, and their results went upstream with all that was before them."""
    assert pieces(lines, "ran") == [{"city": "Oslo"}, {"city": "Zürich"}]
    first, second = messages(lines)
    assert first["content"] == [
        thought("Two calls.\n"),
        said("Looking."),
        {"type": "tool_use", "id": "call_a", "name": "get_weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "call_b", "name": "get_weather", "input": {"city": "Zürich"}},
    ]
    assert second["content"] == [thought("Both."), said("3 degrees")]
    assert (first["stop_reason"], second["stop_reason"]) == ("tool_use", "end_turn")

    asked, told = (received.body for received in upstream.received)
    (tool,) = told["tools"]
    assert tool["function"]["name"] == "get_weather"
    assert tool["function"]["parameters"]["required"] == ["city"]
    assert told["tools"] == asked["tools"]
    assert told["messages"] == [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": "Looking.",
            "reasoning_content": "Two calls.\n",
            "tool_calls": [whole_call("call_a", '{"city":"Oslo"}'), whole_call("call_b", '{"city":"Zürich"}')],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "Oslo: 3 degrees"},
        {"role": "tool", "tool_call_id": "call_b", "content": "Zürich: 3 degrees"},
    ]


# ---- the other routes


@anthropics_sdks
def test_tokens_are_counted_without_upstream(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    (few,), (many,) = (list(sdk.play("count", url, prompt=prompt)) for prompt in ("Hello", "Hello " * 1000))
    assert 0 < few["input_tokens"] < 100 < many["input_tokens"] < 3000
    assert not upstream.received


@anthropics_sdks
def test_the_models_are_listed(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    listed = pieces(sdk.play("models", url), "model")
    assert ["z-ai/glm4.7", "GLM 4.7", "active"] in listed
    assert ["minimaxai/minimax-m2.1", "MiniMax M2.1", "active"] in listed


# ---- trouble


@every_sdk
def test_a_refusal_of_the_moment_is_never_seen(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    upstream.script(refusal(503), whole(completion("Hello!")))
    (line,) = sdk.play("plain", url)
    assert line["message"]["content"] == [said("Hello!")]
    assert len(upstream.received) == 2


@every_sdk
@pytest.mark.parametrize("scenario", ["stream", "plain"])
def test_what_only_the_user_can_mend_is_told_after_one_request(
    sdk: Sdk, scenario: str, url: str, upstream: FakeUpstream
) -> None:
    upstream.script(refusal(410, {"detail": "The model 'x' has reached its end of life on 2026-05-14."}))
    (line,) = sdk.play(scenario, url)
    error = line["error"]
    assert (error["status"], error["type"]) == (400, "billing_error")
    assert "NVIDIA retired GLM 4.7 on 2026-05-14. Choose another model in the tray menu" in error["message"]
    assert error["request_id"].startswith("req_")
    assert len(upstream.received) == 1


@every_sdk
def test_a_wrong_request_is_told_with_the_field_in_the_sentence(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    (line,) = sdk.play("plain", url, fields={"stop_sequences": "END"})
    assert (line["error"]["status"], line["error"]["type"]) == (400, "invalid_request_error")
    assert "stop_sequences: Input should be a list of strings" in line["error"]["message"]


@every_sdk
def test_an_answer_that_breaks_off_is_an_error_after_what_came_of_it(
    sdk: Sdk, url: str, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("one "), gate := Gate(), {"error": {"message": "the engine died"}}))
    lines = sdk.play("stream", url)
    assert next(lines) == {"text": "one "}
    gate.open()
    (line,) = lines
    assert line["error"]["type"] == "overloaded_error"
    assert "NVIDIA broke off the answer: the engine died" in line["error"]["message"]
    assert len(upstream.received) == 1


@every_sdk
def test_a_client_that_leaves_frees_the_connection_upstream(sdk: Sdk, url: str, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), Gate()))
    with closing(sdk.play("leave", url)) as lines:
        assert next(lines) == {"left": True}
        upstream.received[0].wait_left()  # while the client's process goes on
