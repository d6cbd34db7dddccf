"""The built-in demo: the whole way of a request without a key or a network."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.fake_upstream import FakeUpstream
from tests.support.gateway import WEATHER, RunningGateway, both_ways, question
from tests.support.validators import check_chat_request
from tray_app.proxy.demo import compose
from tray_app.settings.keys import Keys
from tray_app.shells import name_command

GLOB = {"name": "Glob", "input_schema": {"type": "object", "properties": {"pattern": {"type": "string"}}}}
DELETE = {"name": "DeleteEverything", "input_schema": {"type": "object"}}


@pytest.fixture
def demo(start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch) -> RunningGateway:
    monkeypatch.setattr("tray_app.proxy.demo._PAUSE_S", 0)  # the pause between words is for human readers
    return start_gateway(Keys(), is_demo=True)


@both_ways
def test_the_demo_answers_without_a_key_and_says_that_it_is_one(
    demo: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    answer = demo.ask(question(stream=is_stream))
    assert answer.text.startswith("[demo] Hello! This is a canned answer of Claude NVIDIA Tray")
    assert f"run `{name_command('set-key')}` in a terminal" in answer.text
    assert not upstream.received, "the demo asks nobody else"


def test_the_demo_streams_in_many_pieces(demo: RunningGateway) -> None:
    story = demo.ask(question(stream=True, thinking={"type": "adaptive"})).story
    assert story[0] == "start thinking#0"
    assert "start text#1" in story
    assert story[-1] == "end end_turn"
    assert len(story) > 20


@both_ways
def test_the_demo_calls_the_most_harmless_tool(demo: RunningGateway, is_stream: bool) -> None:
    answer = demo.ask(question(stream=is_stream, tools=[DELETE, WEATHER, GLOB]))
    if is_stream:
        assert any(line.startswith("start tool_use#1 Glob ") for line in answer.story)
        assert answer.story[-1] == "end tool_use"
    else:
        assert answer.body["content"][1]["name"] == "Glob"
        assert answer.body["content"][1]["input"] == {"pattern": "*"}
        assert answer.body["stop_reason"] == "tool_use"


@both_ways
def test_the_demo_reads_a_tools_result_and_calls_no_more(demo: RunningGateway, is_stream: bool) -> None:
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Look around."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Glob", "input": {"pattern": "*"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "README.md"}]},
    ]
    answer = demo.ask(question(stream=is_stream, messages=turns, tools=[GLOB]))
    assert answer.text.startswith("[demo] The tool answered: README.md")


def test_the_demo_calls_no_tool_if_it_must_not(demo: RunningGateway) -> None:
    answer = demo.ask(question(tools=[GLOB], tool_choice={"type": "none"}))
    assert [block["type"] for block in answer.body["content"]] == ["text"]


def test_the_demo_calls_the_tool_that_it_is_told_to(demo: RunningGateway) -> None:
    answer = demo.ask(question(tools=[GLOB, WEATHER], tool_choice={"type": "tool", "name": "get_weather"}))
    assert answer.body["content"][-1]["name"] == "get_weather"


def test_the_demo_makes_up_arguments_that_fit_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "count": {"type": "integer"},
            "share": {"type": ["number", "null"]},
            "kind": {"enum": ["a", "b"]},
            "is_it": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "empty": {"type": "array"},
            "inner": {"type": "object", "properties": {"x": {"type": "null"}}, "required": ["x"]},
            "any": {},
            "optional": {"type": "string"},
        },
        "required": ["text", "count", "share", "kind", "is_it", "list", "empty", "inner", "any"],
    }
    tool = {"type": "function", "function": {"name": "list_things", "parameters": schema}}
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}
    check_chat_request(request)
    (call,) = compose(request)["tool_calls"]
    assert call["function"]["arguments"] == (
        '{"text": "demo", "count": 1, "share": 1, "kind": "a", "is_it": false, "list": ["demo"], "empty": [], '
        '"inner": {"x": null}, "any": "demo"}'
    )


def test_health_tells_that_it_is_a_demo(demo: RunningGateway) -> None:
    assert demo.request("GET", "/health").body["demo"] is True
