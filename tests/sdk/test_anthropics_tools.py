"""Tools whose schema Anthropic's API knows, in the hands of the SDK's own helpers, on the running app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic

from tests.support.chunks import completion, finish, text, whole_call
from tests.support.fake_upstream import TIMEOUT_S, FakeUpstream, Reply, stream, whole
from tests.support.gateway import both_ways

MODEL = "z-ai/glm4.7"


@pytest.fixture
def client(url: str) -> Iterator[Anthropic]:
    # strict: an answer that is not what the SDK's types say is an error
    with Anthropic(base_url=url, api_key="any", timeout=TIMEOUT_S, _strict_response_validation=True) as client:
        yield client


def calls(name: str, arguments: dict[str, Any], *, is_stream: bool = False) -> Reply:
    if is_stream:
        return stream(whole_call(name, arguments), finish("tool_calls"))
    parts = whole_call(name, arguments)["choices"][0]["delta"]["tool_calls"]
    return whole(completion(None, "tool_calls", tool_calls=parts))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ({"type": "bash_20250124", "name": "bash"}, {"command": "ls"}),
        (
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            {"command": "view", "path": "/a.py", "view_range": [1, -1]},
        ),
    ],
    ids=lambda value: str(value.get("name", "")),
)
def test_a_call_of_a_known_tool_reaches_the_sdk_under_its_name(
    client: Anthropic, upstream: FakeUpstream, tool: Any, arguments: dict[str, Any]
) -> None:
    upstream.script(calls(tool["name"], arguments))
    message = client.messages.create(
        model=MODEL,
        max_tokens=1000,
        messages=[{"role": "user", "content": "Look around."}],
        tools=[tool],
        tool_choice={"type": "tool", "name": tool["name"]},
    )
    (block,) = message.content
    assert block.type == "tool_use"
    assert (block.name, block.input) == (tool["name"], arguments)


@both_ways
def test_thinking_that_is_omitted_is_an_empty_block_with_a_signature(
    client: Anthropic, upstream: FakeUpstream, is_stream: bool
) -> None:
    question: Any = {
        "model": MODEL,
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Hello"}],
        "thinking": {"type": "adaptive", "display": "omitted"},
    }
    if is_stream:
        upstream.script(stream({"choices": [{"delta": {"reasoning_content": "hm"}}]}, text("Hi."), finish()))
        with client.messages.stream(**question) as answer:
            message: Any = answer.get_final_message()
    else:
        upstream.script(whole(completion("Hi.", reasoning_content="hm")))
        message = client.messages.create(**question)
    thought, said = message.content
    assert (thought.type, thought.thinking, said.text) == ("thinking", "", "Hi.")
    assert thought.signature


def test_no_tokens_are_an_empty_message(client: Anthropic, upstream: FakeUpstream) -> None:
    message = client.messages.create(model=MODEL, max_tokens=0, messages=[{"role": "user", "content": "Hello"}])
    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)
    assert not upstream.received
