"""The ids under which a client gets calls, and the names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chunks import ChunkJson, call, completion_of, finish, part, text
from tests.support.client import fold, story
from tests.support.validators import check_body, check_stream
from tests.translate.rows import ask, read
from tests.translate.upstream import MESSAGE_ID, join, plain, stream
from tray_app.translate.call_ids import MOST_ID_CHARS, MOST_USED_IDS, read_used_ids
from tray_app.translate.request.chat import ChatRequest

OWN = MESSAGE_ID.replace("msg_", "toolu_")

READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"p": {"type": "integer"}}}}
GET_WEATHER = {"name": "get_weather", "input_schema": {"type": "object"}}


def turn(*ids: Any) -> list[dict[str, Any]]:
    """A turn with calls of these ids, and their results."""
    uses = [{"type": "tool_use", "id": one, "name": "Read", "input": {}} for one in ids]
    results = [{"type": "tool_result", "tool_use_id": one, "content": "x"} for one in ids]
    return [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]


def ask_after(*ids: Any) -> ChatRequest:
    return ask(messages=[{"role": "user", "content": "hi"}, *turn(*ids)], tools=[READ])


def ids_of(chunks: list[ChunkJson], chat: ChatRequest) -> list[str]:
    """The ids of the calls; streamed and not streamed, they are the same."""
    raw = stream(chunks, chat)
    check_stream(raw)
    ids = [block["id"] for block in fold(raw).content if block["type"] == "tool_use"]
    message = plain(join(chunks), chat)
    check_body(message)
    assert [block["id"] for block in message["content"] if block["type"] == "tool_use"] == ids
    return ids


@pytest.mark.parametrize(
    "upstream_id", ["call_0", "functions.Read:0", "0", 0, "chatcmpl-tool-0123456789abcdef"], ids=repr
)
def test_an_id_that_the_conversation_has_is_not_given_again(upstream_id: Any) -> None:
    chunks = [call(0, upstream_id, "Read", '{"p":'), call(0, upstream_id, args="1}"), finish("tool_calls")]
    [first] = ids_of(chunks, ask())
    assert first == str(upstream_id).replace(".", "_").replace(":", "_")
    [second] = ids_of(chunks, ask_after(first))
    assert second == f"{OWN}_0"


def test_only_the_ids_that_the_conversation_has_are_replaced() -> None:
    chunks = [call(0, "call_0", "Read", "{}"), call(1, "call_1", "Read", "{}"), finish("tool_calls")]
    assert ids_of(chunks, ask_after("call_0")) == [f"{OWN}_0", "call_1"]


def test_fragments_find_their_call_by_upstreams_id_whatever_the_client_gets() -> None:
    chunks = [
        call(None, "call_0", "Read", '{"p":'),
        call(None, "call_1", "Read", '{"p":'),
        call(None, "call_0", args="1}"),
        call(None, "call_1", args="2}"),
        finish("tool_calls"),
    ]
    raw = stream(chunks, ask_after("call_0"))
    told = [(block["id"], block["input"]) for block in fold(raw).content]
    assert told == [(f"{OWN}_0", {"p": 1}), ("call_1", {"p": 2})]


@pytest.mark.parametrize("upstream_id", [None, ""], ids=repr)
def test_a_call_without_an_id_gets_one(upstream_id: Any) -> None:
    chunk = call(0, name="Read", args="{}")
    chunk["choices"][0]["delta"]["tool_calls"][0]["id"] = upstream_id
    assert ids_of([chunk, finish("tool_calls")], ask()) == [f"{OWN}_0"]


def test_ids_may_be_numbers() -> None:
    chunks = [call(0, 0, "Read", '{"p":'), call(0, 0, args="1}"), call(1, 1, "Read", "{}"), finish("tool_calls")]
    assert ids_of(chunks, ask()) == ["0", "1"]
    big = 10**40
    assert ids_of([call(0, big, "Read", "{}"), finish()], ask()) == [str(big)]
    completion = completion_of({"tool_calls": [part(None, 7, "Read", "{}"), part(None, 7, "Read", "{}")]}, "tool_calls")
    assert [block["id"] for block in plain(completion)["content"]] == ["7", f"{OWN}_1"]


def test_an_id_that_is_too_long_is_replaced() -> None:
    longest = "x" * MOST_ID_CHARS
    chunks = [call(0, longest, "Read", "{}"), call(1, longest + "x", "Read", "{}"), finish("tool_calls")]
    assert ids_of(chunks, ask()) == [longest, f"{OWN}_1"]


def test_the_ids_of_calls_and_of_results_are_used() -> None:
    lone = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "gone", "content": "x"}]}
    request = read(messages=[*turn("a", "b"), lone, *turn("functions.Read:0")])
    assert read_used_ids(request.newest_blocks()) == ["functions_Read_0", "gone", "b", "a"]


@pytest.mark.parametrize("block", [{}, {"type": "tool_use", "id": 5}, {"type": "tool_result"}], ids=repr)
def test_odd_blocks_have_no_ids(block: dict[str, Any]) -> None:
    assert read_used_ids([block]) == []
    assert read_used_ids(read(messages=[{"role": "user", "content": "x"}]).newest_blocks()) == []


def test_of_very_many_ids_the_newest_are_known() -> None:
    messages = [message for n in range(MOST_USED_IDS) for message in turn(f"id{n}")]
    ids = read_used_ids(read(messages=messages).newest_blocks())
    assert len(ids) == MOST_USED_IDS // 2  # each stands at a call and at a result
    assert ids[0] == f"id{MOST_USED_IDS - 1}"


@pytest.mark.parametrize(
    "written",
    [
        *("functions.get_weather", "functions:get_weather", "function.get_weather", "default_api:get_weather"),
        *("default_api.get_weather", "tools.get_weather", "mcp.get_weather", "functions.get_weather:0"),
        *("get_weather<|channel|>commentary", "get_weather<|channel|>json", "get_weather <|constrain|>json"),
        *(" get_weather\n", '"get_weather"', "`get_weather`", "get_weather()", 'get_weather({"a": 1})'),
        *("Get_Weather", "GET_WEATHER", "get-weather", "getWeather", "GetWeather", "to=functions.get_weather"),
        "get_weather\n<arg_key>a</arg_key>",
    ],
)
def test_a_name_that_is_a_little_off_is_that_of_the_tool(written: str) -> None:
    chat = ask(tools=[READ, GET_WEATHER])
    chunks = [call(0, "c1", written, '{"p":'), call(0, args='"1"}'), finish("tool_calls")]
    raw = stream(chunks, chat)
    assert story(raw)[0] == "start tool_use#0 get_weather c1"
    check_stream(raw, tools=["get_weather"])
    [block] = plain(join(chunks), chat)["content"]
    assert block["name"] == "get_weather"


@pytest.mark.parametrize("written", ["weather", "functions.", "Write", "get_weather2", "x" * 1_000, "a.b", "read it"])
def test_a_name_that_fits_no_tool_stays(written: str) -> None:
    chunks = [call(0, "c1", written, "{}"), finish("tool_calls")]
    assert fold(stream(chunks, ask(tools=[READ, GET_WEATHER]))).content[0]["name"] == written


def test_a_name_that_fits_several_tools_stays_unless_it_is_one_of_them() -> None:
    chat = ask(tools=[{"name": name, "input_schema": {}} for name in ("read_file", "ReadFile", "Read_File")])
    for written, told in (("readfile", "readfile"), ("ReadFile", "ReadFile"), ("functions.read_file", "read_file")):
        assert fold(stream([call(0, "c1", written, "{}"), finish()], chat)).content[0]["name"] == told


def test_an_aliased_tool_is_found_under_its_own_name() -> None:
    name = "mcp__server.with.dots__" + "x" * 80
    chat = ask(tools=[{"name": name, "input_schema": {}}])
    for written in (name, f"functions.{name}", name.upper()):
        assert fold(stream([call(0, "c1", written, "{}"), finish()], chat)).content[0]["name"] == name


def test_arguments_are_typed_by_the_schema_of_the_tool_that_is_meant() -> None:
    chunks = [call(0, "c1", "functions.read", '{"p": "1"}'), finish("tool_calls")]
    assert fold(stream(chunks, ask(tools=[READ]))).content[0]["input"] == {"p": 1}


def test_text_beside_calls_is_kept() -> None:
    chunks = [text("Look:"), call(0, "c1", "READ", "{}"), finish("tool_calls")]
    assert story(stream(chunks, ask(tools=[READ])))[:4] == [
        "start text#0",
        "+Look:",
        "stop#0",
        "start tool_use#1 Read c1",
    ]
