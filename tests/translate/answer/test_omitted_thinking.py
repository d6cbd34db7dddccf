"""Tests thinking that the client wants without its text: a block that has only a signature."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chunks import ChunkJson, call, finish, text, think
from tests.support.client import read_events, story
from tests.support.validators import check_body, check_stream
from tests.translate.rows import ask
from tests.translate.upstream import join, plain, stream
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Model
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.signature import SIGNATURE, read_hidden, sign_hidden

TOOLS = [{"name": "Read", "input_schema": {"type": "object", "properties": {"p": {"type": "string"}}}}]

# chunks, the client's blocks, and the thinking that the signatures carry
STORIES: dict[str, tuple[list[ChunkJson], str, list[str]]] = {
    "thinking before text": (
        [think("h"), think("m"), text("hi"), finish()],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
        ["hm"],
    ),
    "thinking in tags": (
        [text("<think>h"), text("m</think>"), text("hi"), finish()],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
        ["hm"],
    ),
    "thinking before a call": (
        [think("hm"), call(0, "c", "Read", '{"p":"a"}'), finish("tool_calls")],
        'start thinking#0 | stop#0 | start tool_use#1 Read c | +{"p":"a | +"} | stop#1 | end tool_use',
        ["hm"],
    ),
    "thinking that speaks of a call": (
        [
            think('Perhaps <tool_call>{"name": "Read", "arguments": {"p": "a"}}</tool_call>'),
            think(" or not."),
            text("hi"),
            finish(),
        ],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
        ['Perhaps <tool_call>{"name": "Read", "arguments": {"p": "a"}}</tool_call> or not.'],
    ),
    "no thinking": ([text("hi"), finish()], "start text#0 | +hi | stop#0 | end end_turn", []),
    "nothing but thinking, cut off": (
        [think("hm"), finish("length")],
        "start thinking#0 | stop#0 | end max_tokens",
        ["hm"],
    ),
}


def omitting(**thinking: Any) -> ChatRequest:
    return ask(tools=TOOLS, thinking={"type": "adaptive", "display": "omitted", **thinking})


@pytest.mark.parametrize(("chunks", "told", "hidden"), STORIES.values(), ids=STORIES)
def test_a_stream_carries_omitted_thinking_in_its_signature(
    chunks: list[ChunkJson], told: str, hidden: list[str]
) -> None:
    raw = stream(chunks, omitting())
    assert " | ".join(story(raw)) == told
    check_stream(raw, tools=["Read"], thinking=True)
    deltas = [event["delta"] for event in read_events(raw) if event["type"] == "content_block_delta"]
    assert not [delta for delta in deltas if delta["type"] == "thinking_delta"]
    signatures = [delta["signature"] for delta in deltas if delta["type"] == "signature_delta"]
    assert signatures == [sign_hidden(text) for text in hidden]


@pytest.mark.parametrize(("chunks", "told", "hidden"), STORIES.values(), ids=STORIES)
def test_a_message_carries_omitted_thinking_in_its_signature(
    chunks: list[ChunkJson], told: str, hidden: list[str]
) -> None:
    message = plain(join(chunks), omitting())
    check_body(message, tools=["Read"], thinking=True)
    thoughts = [block for block in message["content"] if block["type"] == "thinking"]
    assert thoughts == [{"type": "thinking", "thinking": "", "signature": sign_hidden(text)} for text in hidden]


@pytest.mark.parametrize(
    ("thinking", "is_omitted"),
    [
        ({"type": "adaptive", "display": "omitted"}, True),
        ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, True),
        ({"type": "adaptive", "display": "updates"}, True),
        ({"type": "adaptive", "display": "summarized"}, False),
        ({"type": "adaptive", "display": None}, False),
        ({"type": "adaptive", "display": ["omitted"]}, False),
        ({"type": "adaptive", "display": "in_verse"}, False),
        ({"type": "adaptive"}, False),
        ({"type": "disabled", "display": "omitted"}, False),
        ({"type": "between_tools"}, False),
    ],
    ids=repr,
)
def test_the_request_says_whether_the_text_is_shown(thinking: dict[str, Any], is_omitted: bool) -> None:
    assert ask(thinking=thinking).omits_thinking is is_omitted


def test_omitted_thinking_counts_as_output() -> None:
    chunks = [think("a long thought " * 50), text("hi"), finish()]
    assert plain(join(chunks), omitting())["usage"]["output_tokens"] > 100


def history_with(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [block, {"type": "text", "text": "ho"}]},
        {"role": "user", "content": "go on"},
    ]


@pytest.mark.parametrize("model", [GLM_4_7, MINIMAX_M2_1], ids=lambda model: model.id)
def test_omitted_thinking_that_comes_back_is_read_as_if_it_had_been_shown(model: Model) -> None:
    thinking = "Unicode \u00fc, half a pair \ud83d,\nand a line"
    shown = {"type": "thinking", "thinking": thinking, "signature": SIGNATURE}
    hidden = {"type": "thinking", "thinking": "", "signature": sign_hidden(thinking)}
    messages = [ask(model, messages=history_with(block)).body["messages"] for block in (shown, hidden)]
    assert messages[0] == messages[1]
    assert thinking in messages[1][1].get("reasoning_content", messages[1][1]["content"])


@pytest.mark.parametrize(
    "signature",
    [
        "",
        SIGNATURE,
        f"{SIGNATURE}:",
        f"{SIGNATURE}:a",
        f"{SIGNATURE}:????",
        f"{SIGNATURE}:/w==",
        "EqQBCgIYAhIM",
        None,
        7,
    ],
    ids=repr,
)
def test_a_signature_that_carries_nothing_is_no_thinking(signature: object) -> None:
    assert read_hidden(signature) == ""
    block = {"type": "thinking", "thinking": "", "signature": signature}
    assert ask(messages=history_with(block)).body["messages"][1] == {"role": "assistant", "content": "ho"}


def test_a_block_that_hides_nothing_has_the_plain_signature() -> None:
    assert sign_hidden("") == SIGNATURE
    assert read_hidden(sign_hidden("")) == ""
