"""Tests answers that must be JSON and nothing else."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chunks import call, finish, text, think
from tests.support.client import fold, story
from tests.support.validators import check_stream
from tests.translate.bounded import bounded
from tests.translate.rows import ask
from tests.translate.upstream import join, plain, stream
from tray_app.translate.answer.bare_json import BareJson
from tray_app.translate.request.chat import ChatRequest

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
JSON = '{\n  "a": 1, "b": ["}", "\\"", {}]\n}'


def read(text: str, *cuts: int, brackets: str = "{[") -> str:
    reader = BareJson(brackets)
    pieces = [reader.feed(text[start:end]) for start, end in pairwise([0, *cuts, len(text)])]
    return "".join([*pieces, reader.flush()])


# what a model says -> the text of the answer
TOLD: dict[str, tuple[str, str]] = {
    "JSON alone": (JSON, JSON),
    "a fence": (f"```json\n{JSON}\n```", JSON),
    "a fence without a word": (f"```\n{JSON}\n```\n", JSON),
    "a sentence before it": (f"Here is the JSON: {JSON}", JSON),
    "a sentence behind it": (f"{JSON}\n\nI hope that [this] helps {{you}}.", JSON),
    "a fence between sentences": (f"Here it is {{as you asked}} [1]:\n```json\n{JSON}\n```\nDone. {{}}", JSON),
    "white space around it": (f"\n\n  {JSON}\n", JSON),
    "only the first one": (f"{JSON}\n{JSON}", JSON),
    "an object without members": ("```json\n{}\n```", "{}"),
    "an object with blanks": ("Well:\n{ \n }", "{ \n }"),
    "a list": ('```json\n[{"a": 1}]\n```', '[{"a": 1}]'),
    "a list of numbers": ("The list:\n[1, 2]\nof numbers", "[1, 2]"),
    "a list of lists in a line": ("The list [[1], [2]], that is", "[[1], [2]]"),
    "brackets of prose": ("In {braces} and [brackets]: {x", "In {braces} and [brackets]: {x"),
    "prose": ("I can't do that.\n", "I can't do that.\n"),
    "braces without members in a line": ("It may be {} or [].", "It may be {} or []."),
    "JSON that is cut": ('```json\n{"a": [1, "b', '{"a": [1, "b'),
    "a bracket at the end": ("Well: {", "Well: {"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("name", TOLD)
def test_the_json_is_found_wherever_the_text_is_cut(name: str) -> None:
    said, told = TOLD[name]
    assert read(said) == told
    assert read(said, *range(1, len(said))) == told
    for cut in range(len(said) + 1):
        assert read(said, cut) == told


@pytest.mark.parametrize("name", TOLD)
def test_an_answer_that_need_not_be_json_is_not_changed(name: str) -> None:
    assert read(TOLD[name][0], brackets="") == TOLD[name][0]


def test_json_begins_only_with_an_allowed_bracket() -> None:
    assert read('["a"] is the list of {"a": 1}.', brackets="{") == '{"a": 1}'
    assert read('{"a": 1} is the object of ["a"].', brackets="[") == '["a"]'


def test_json_streams() -> None:
    reader = BareJson("{")
    assert reader.feed("Well:\n```json\n{") == ""
    assert reader.feed('"a": "b') == '{"a": "b'
    assert reader.feed(" c") == " c"
    assert reader.feed('"}\n``') == '"}'
    assert reader.feed("`") == ""


@bounded
@given(st.lists(st.sampled_from([*'{}[]"\\ \n', "1", "word", "```json\n", '{"a": ', '"b"}']), max_size=30), st.data())
def test_any_text_gives_the_same_result_however_it_is_cut(words: list[str], data: st.DataObject) -> None:
    said = "".join(words)
    told = read(said)
    assert told in said
    assert read(said, *sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=6)))) == told
    assert read(said, *range(1, len(said))) == told


@pytest.mark.parametrize(
    ("fields", "brackets"),
    [
        ({}, ""),
        ({"output_config": {"format": {"type": "json_schema", "schema": OBJECT}}}, "{"),
        ({"output_format": {"type": "json_schema", "schema": OBJECT}}, "{"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "array"}}}}, "["),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "{["),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "string"}}}}, ""),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": ["object", "null"]}}}}, ""),
        (
            {
                "output_config": {
                    "format": {"type": "json_schema", "schema": {"$ref": "#/$defs/a", "$defs": {"a": OBJECT}}}
                }
            },
            "{",
        ),
        ({"output_config": None, "output_format": None}, ""),
        ({"output_config": {"effort": "low"}}, ""),
    ],
)
def test_the_schema_says_with_which_brackets_an_answer_may_begin(fields: dict[str, Any], brackets: str) -> None:
    assert ask(**fields).json_brackets == brackets
    assert ask(**fields).json_brackets == brackets


def ask_for_json(**fields: Any) -> ChatRequest:
    return ask(output_config={"format": {"type": "json_schema", "schema": OBJECT}}, **fields)


TOOL = {"name": "Read", "input_schema": {"type": "object"}}
FENCED = [think("hm"), text("Here:\n```js"), text('on\n{"a'), text('": 1}'), text("\n```"), finish()]


def test_an_answer_without_its_fence_is_streamed() -> None:
    raw = stream(FENCED, ask_for_json())
    assert story(raw) == [
        "start thinking#0",
        "+hm",
        "stop#0",
        "start text#1",
        '+{"a',
        '+": 1}',
        "stop#1",
        "end end_turn",
    ]
    check_stream(raw, thinking=True)
    message = plain(join(FENCED), ask_for_json())
    assert message["content"] == fold(raw).content
    assert json.loads(message["content"][-1]["text"]) == {"a": 1}


def test_an_answer_for_which_no_format_was_asked_keeps_its_fence() -> None:
    assert fold(stream(FENCED)).content[-1]["text"] == 'Here:\n```json\n{"a": 1}\n```'


def test_think_tags_are_taken_off_as_well() -> None:
    chunks = [text('<think>{"a": 0}</think>```json\n{"a": 1}```'), finish()]
    assert [block["type"] for block in fold(stream(chunks, ask_for_json())).content] == ["thinking", "text"]
    assert fold(stream(chunks, ask_for_json(thinking=None))).content == [{"type": "text", "text": '{"a": 1}'}]


def test_an_answer_without_json_is_not_changed() -> None:
    chunks = [text("I "), text("can't."), finish()]
    assert fold(stream(chunks, ask_for_json())).content == [{"type": "text", "text": "I can't."}]
    assert plain(join(chunks), ask_for_json())["content"] == [{"type": "text", "text": "I can't."}]


def test_json_that_is_cut_stays_cut() -> None:
    told = fold(stream([text('```json\n{"a": [1'), finish("length")], ask_for_json()))
    assert (told.content, told.stop_reason) == ([{"type": "text", "text": '{"a": [1'}], "max_tokens")


def test_text_beside_calls_is_not_changed_and_keeps_its_place() -> None:
    chunks = [text("Let me "), text("look."), call(0, "c1", "Read", "{}"), finish("tool_calls")]
    raw = stream(chunks, ask_for_json(tools=[TOOL]))
    assert story(raw) == [
        *("start text#0", "+Let me look.", "stop#0", "start tool_use#1 Read c1", "+{}", "stop#1", "end tool_use")
    ]
    markup = [text('Let me look.\n<tool_call>{"name": "Read"}</tool_call>'), finish()]
    assert story(stream(markup, ask_for_json(tools=[TOOL])))[:3] == ["start text#0", "+Let me look.\n", "stop#0"]


def test_a_held_sentence_counts_as_text_of_the_answer() -> None:
    from tray_app.translate.answer.chunk import decode_chunk
    from tray_app.translate.answer.stream import StreamTranslator

    for said, lacks in (("I can't.", False), ("\n", True)):
        answer = StreamTranslator(ask_for_json(), "msg_1").answer
        for chunk in (text(said), finish()):
            answer.feed(decode_chunk(json.dumps(chunk).encode()))
        assert answer.lacks_something() is lacks
