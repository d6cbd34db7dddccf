"""Thinking that the client wants without its text: a block that is empty but for its signature."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import read_events, story
from tests.translate.rows import ask
from tests.translate.upstream import ChunkJson, call, finish, join, plain, stream, text, think
from tests.validators import check_body, check_stream
from tray_app.translate.blocks import SIGNATURE
from tray_app.translate.request import ChatRequest

TOOLS = [{"name": "Read", "input_schema": {"type": "object", "properties": {"p": {"type": "string"}}}}]
EMPTY = {"type": "thinking", "thinking": "", "signature": SIGNATURE}

STORIES: dict[str, tuple[list[ChunkJson], str]] = {
    "thinking before text": (
        [think("h"), think("m"), text("hi"), finish()],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    "thinking in tags": (
        [text("<think>h"), text("m</think>"), text("hi"), finish()],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    "thinking before a call": (
        [think("hm"), call(0, "c", "Read", '{"p":"a"}'), finish("tool_calls")],
        'start thinking#0 | stop#0 | start tool_use#1 Read c | +{"p":"a | +"} | stop#1 | end tool_use',
    ),
    "thinking that speaks of a call": (
        [
            think('Perhaps <tool_call>{"name": "Read", "arguments": {"p": "a"}}</tool_call>'),
            think(" or not."),
            text("hi"),
            finish(),
        ],
        "start thinking#0 | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    "no thinking": ([text("hi"), finish()], "start text#0 | +hi | stop#0 | end end_turn"),
    "nothing but thinking, cut off": ([think("hm"), finish("length")], "start thinking#0 | stop#0 | end max_tokens"),
}


def omitting(**thinking: Any) -> ChatRequest:
    return ask(tools=TOOLS, thinking={"type": "adaptive", "display": "omitted", **thinking})


@pytest.mark.parametrize(("chunks", "told"), STORIES.values(), ids=STORIES)
def test_a_stream_shows_thinking_by_its_signature_alone(chunks: list[ChunkJson], told: str) -> None:
    raw = stream(chunks, omitting())
    assert " | ".join(story(raw)) == told
    check_stream(raw, tools=["Read"], thinking=True)
    deltas = [event["delta"] for event in read_events(raw) if event["type"] == "content_block_delta"]
    signatures = [delta for delta in deltas if delta["type"] == "signature_delta"]
    assert not [delta for delta in deltas if delta["type"] == "thinking_delta"]
    assert signatures == [{"type": "signature_delta", "signature": SIGNATURE}] * told.count("start thinking")


@pytest.mark.parametrize(("chunks", "told"), STORIES.values(), ids=STORIES)
def test_a_message_shows_thinking_by_its_signature_alone(chunks: list[ChunkJson], told: str) -> None:
    message = plain(join(chunks), omitting())
    check_body(message, tools=["Read"], thinking=True)
    thoughts = [block for block in message["content"] if block["type"] == "thinking"]
    assert thoughts == [EMPTY] * told.count("start thinking")


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


def test_the_empty_block_may_come_back_in_the_history() -> None:
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [EMPTY, {"type": "text", "text": "ho"}]},
        {"role": "user", "content": "go on"},
    ]
    assert ask(messages=messages).body["messages"][1] == {"role": "assistant", "content": "ho"}
