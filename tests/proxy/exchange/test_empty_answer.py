"""Requests that allow no tokens get an empty but valid message, without asking upstream."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import read_events
from tests.support.fake_upstream import FakeUpstream
from tests.support.gateway import WEATHER, RunningGateway, both_ways, question
from tray_app.proxy.exchange.bodies import SMALL_BYTES

SUB_AGENT_REVIEW: dict[str, Any] = {
    "max_tokens": 0,
    "safeguards": {"type": "auto_mode"},
    "tools": [WEATHER],
    "messages": [
        {"role": "user", "content": "How is the weather?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}],
        },
    ],
}


@pytest.mark.parametrize("fields", [{"max_tokens": 0}, SUB_AGENT_REVIEW], ids=["a question", "a review"])
def test_an_answer_without_tokens_is_an_empty_message(
    gateway: RunningGateway, upstream: FakeUpstream, fields: dict[str, Any]
) -> None:
    counted = gateway.request("POST", "/v1/messages/count_tokens", question(**fields)).body["input_tokens"]
    message = gateway.ask(question(**fields)).body
    assert (message["content"], message["stop_reason"], message["stop_sequence"]) == ([], "max_tokens", None)
    assert message["usage"]["output_tokens"] == 0
    assert message["usage"]["input_tokens"] == pytest.approx(counted, rel=0.2)
    assert "safeguard_results" not in message
    assert not upstream.received


def test_a_streamed_answer_without_tokens_has_no_block(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    answer = gateway.ask(question(max_tokens=0, stream=True))
    assert answer.is_stream
    assert answer.story == ["end max_tokens"]
    start, delta, stop = read_events(answer.raw)
    assert start["message"]["usage"]["input_tokens"] == delta["usage"]["input_tokens"] > 0
    assert delta["usage"]["output_tokens"] == 0
    assert stop == {"type": "message_stop"}
    assert not upstream.received


def test_each_empty_message_has_an_id_of_its_own(gateway: RunningGateway) -> None:
    assert len({gateway.ask(question(max_tokens=0)).body["id"] for _ in range(3)}) == 3


def test_a_large_request_without_tokens_is_answered_with_an_empty_message_too(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    message = gateway.ask(question("word " * (SMALL_BYTES // 4), max_tokens=0)).body
    assert message["usage"]["input_tokens"] > SMALL_BYTES // 8
    assert not upstream.received


@both_ways
def test_a_malformed_request_without_tokens_is_refused(gateway: RunningGateway, is_stream: bool) -> None:
    answer = gateway.ask(question(max_tokens=0, messages=[{"role": "user"}], stream=is_stream))
    assert (answer.outcome, answer.sentence) == ((400, "invalid_request_error"), "messages.0.content: Field required")


def test_no_search_is_made_if_no_tokens_are_allowed(gateway: RunningGateway) -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    assert gateway.ask(question(max_tokens=0, tools=tools)).body["content"] == []
