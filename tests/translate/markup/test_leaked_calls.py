"""Tests when calls that a model wrote as text become calls, and when they stay text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chunks import ChunkJson, call, completion_of, delta, finish, part, text, think
from tests.support.client import fold, story
from tests.support.validators import check_body, check_stream
from tests.translate.bounded import bounded
from tests.translate.rows import ask
from tests.translate.upstream import join, plain, stream
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.stream import StreamTranslator, head_frame

BASH = {
    "name": "Bash",
    "input_schema": {
        "type": "object",
        "properties": {"command": {"type": "string"}, "timeout": {"type": "integer"}, "type": {"type": "string"}},
    },
}
READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}

GLM = "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>"
GLM_2 = "<tool_call>Read<arg_key>path</arg_key><arg_value>/a</arg_value></tool_call>"
MINIMAX = (
    '<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">ls</parameter>\n'
    '<parameter name="timeout">5</parameter>\n</invoke>\n'
    '<invoke name="Read">\n<parameter name="path">/a</parameter>\n</invoke>\n</minimax:tool_call>'
)
HERMES = '<tool_call>\n{"name": "Bash", "arguments": {"command": "ls", "type_": "x"}}\n</tool_call>'

ID = "toolu_0123456789abcdef"
BASH_0 = f'start tool_use#0 Bash {ID}_0 | +{{"command":"ls"}} | stop#0'


@dataclass(frozen=True)
class Leak:
    name: str
    chunks: list[ChunkJson]
    told: str
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of the request, in addition to the tools Bash and Read."""


LEAKS = [
    Leak("GLM's markup is a call", [text(GLM), finish()], f"{BASH_0} | end tool_use"),
    Leak(
        "MiniMax's markup is as many calls as it has invokes",
        [text(MINIMAX), finish()],
        f'start tool_use#0 Bash {ID}_0 | +{{"command":"ls","timeout":5}} | stop#0 | '
        f'start tool_use#1 Read {ID}_1 | +{{"path":"/a"}} | stop#1 | end tool_use',
    ),
    Leak(
        "Hermes' markup is a call, its arguments under the client's names",
        [text(HERMES), finish()],
        f'start tool_use#0 Bash {ID}_0 | +{{"command":"ls","type":"x"}} | stop#0 | end tool_use',
    ),
    Leak(
        "calls between texts keep their place",
        [text(f"Look:\n{GLM}\nand\n{GLM_2}"), text("\nDone."), finish()],
        f'start text#0 | +Look:\n | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | '
        f"start text#2 | +\nand\n | stop#2 | "
        f'start tool_use#3 Read {ID}_1 | +{{"path":"/a"}} | stop#3 | start text#4 | +\nDone. | stop#4 | end tool_use',
    ),
    Leak(
        "white space around calls makes no block",
        [think("hm"), text(f"\n\n{GLM}\n\n{GLM_2}\n"), finish()],
        f'start thinking#0 | +hm | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | '
        f'start tool_use#2 Read {ID}_1 | +{{"path":"/a"}} | stop#2 | end tool_use',
    ),
    Leak(
        "a call at the end of the reasoning is a call",
        [think(f"I run it.\n{GLM}"), text("\n"), finish()],
        f'start thinking#0 | +I run it.\n | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "a call in the reasoning after which the model thinks on was only thought of",
        [think(f"I could {GLM}"), think("\n"), think(" but no."), finish()],
        f"start thinking#0 | +I could  | +{GLM} | +\n | + but no. | stop#0 | end end_turn",
    ),
    Leak(
        "a call in the reasoning after which the model answers was only thought of",
        [think(f"I could {GLM}"), text("No."), finish()],
        f"start thinking#0 | +I could  | +{GLM} | stop#0 | start text#1 | +No. | stop#1 | end end_turn",
    ),
    Leak(
        "what follows a call that was only thought of keeps its white space where thinking is not shown",
        [text("Well,"), think(GLM), text("\n"), text("no."), finish()],
        "start text#0 | +Well, | +\nno. | stop#0 | end end_turn",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "a call at the end of think tags is a call",
        [text(f"<think>I run it. {GLM}"), finish()],
        f'start thinking#0 | +I run it.  | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "a call is a call whether its thinking is shown or not",
        [think(f"I run it. {GLM}"), finish()],
        f"{BASH_0} | end tool_use",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "structured calls win over markup, which is text",
        [text(f"Look: {GLM} so"), call(0, "c1", "Bash", '{"timeout":1}'), finish("tool_calls")],
        f'start text#0 | +Look:  | +{GLM} | + so | stop#0 | start tool_use#1 Bash c1 | +{{"timeout":1}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "structured calls win over markup in the reasoning",
        [think(f"I run it. {GLM}"), call(0, "c1", "Bash", '{"timeout":1}'), finish("tool_calls")],
        f'start thinking#0 | +I run it.  | +{GLM} | stop#0 | start tool_use#1 Bash c1 | +{{"timeout":1}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "markup that lost to structured calls is not told where its thinking is not",
        [think(f"I run it. {GLM}"), call(0, "c1", "Bash", '{"timeout":1}'), finish("tool_calls")],
        'start tool_use#0 Bash c1 | +{"timeout":1} | stop#0 | end tool_use',
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "half a tag at the end of think tags is thinking",
        [text("<think>hm <tool_ca"), finish()],
        "start thinking#0 | +hm  | +<tool_ca | stop#0 | end end_turn",
    ),
    Leak(
        "a call of a tool that was not offered is text",
        [text("<tool_call>Rm\n</tool_call>"), finish()],
        "start text#0 | +<tool_call>Rm\n</tool_call> | stop#0 | end end_turn",
    ),
    Leak(
        "where no tool may be called markup is text",
        [text(HERMES), finish()],
        f"start text#0 | +{HERMES} | stop#0 | end end_turn",
        {"tool_choice": {"type": "none"}},
    ),
    Leak(
        "where one tool must be called others are text",
        [text(GLM_2 + GLM), finish()],
        f"start text#0 | +{GLM_2} | stop#0 | "
        f'start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | end tool_use',
        {"tool_choice": {"type": "tool", "name": "Bash"}},
    ),
    Leak(
        "a call that never ends is text",
        [text("<tool_call>Bash<arg_key>command</arg_key><arg_value>rm"), finish("length")],
        "start text#0 | +<tool_call>Bash<arg_key>command</arg_key><arg_value>rm | stop#0 | end max_tokens",
    ),
    Leak(
        "prose that quotes a call is prose",
        [text(f"Write `{HERMES}`."), finish()],
        f"start text#0 | +Write `{HERMES}`. | stop#0 | end end_turn",
    ),
    Leak(
        "a stop sequence behind a call does not make it less of a call",
        [text(f"{GLM}END of it"), finish()],
        f"{BASH_0} | end tool_use",
        {"stop_sequences": ["END"]},
    ),
    Leak(
        "at the end of a whole answer a call may lack its last tag",
        [text(f"Look:\n{HERMES.removesuffix('</tool_call>')}"), finish()],
        f'start text#0 | +Look:\n | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls","type":"x"}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "so may a call in the reasoning",
        [think(f"I run it. {GLM.removesuffix('</tool_call>')}"), finish("tool_calls")],
        f'start thinking#0 | +I run it.  | stop#0 | start tool_use#1 Bash {ID}_0 | +{{"command":"ls"}} | stop#1 | '
        "end tool_use",
    ),
    Leak(
        "a call that lacks its last tag is text if the answer was cut",
        [text(GLM.removesuffix("</tool_call>")), finish("length")],
        f"start text#0 | +{GLM.removesuffix('</tool_call>')} | stop#0 | end max_tokens",
    ),
    Leak(
        "a call that lacks its last tag is text beside one in upstream's form",
        [text(GLM.removesuffix("</tool_call>")), call(0, "c1", "Bash", "{}"), finish("tool_calls")],
        f"start text#0 | +{GLM.removesuffix('</tool_call>')} | stop#0 | start tool_use#1 Bash c1 | +{{}} | stop#1 | "
        "end tool_use",
    ),
    Leak(
        "a name that is a little off is that of the tool, and its values are typed",
        [text("<tool_call>functions.bash\n<arg_key>timeout</arg_key><arg_value>5</arg_value></tool_call>"), finish()],
        f'start tool_use#0 Bash {ID}_0 | +{{"timeout":5}} | stop#0 | end tool_use',
    ),
    Leak(
        "null for an optional parameter is left out of a call in the text",
        [
            text("<tool_call>Bash<arg_key>timeout</arg_key><arg_value>null</arg_value></tool_call>"),
            text('<tool_call>{"name": "Bash", "arguments": {"command": "ls", "timeout": null}}</tool_call>'),
            finish(),
        ],
        f"start tool_use#0 Bash {ID}_0 | +{{}} | stop#0 | "
        f'start tool_use#1 Bash {ID}_1 | +{{"command":"ls"}} | stop#1 | end tool_use',
    ),
    Leak(
        "a think tag in mid sentence is prose",
        [text("Models write <think> first"), text(", then </think>.\n"), text("So."), finish()],
        "start text#0 | +Models write <think> first | +, then </think>.\n | +So. | stop#0 | end end_turn",
    ),
    Leak(
        "thinking that never ends is thinking",
        [text("<think>hm, "), text("hm"), finish()],
        "start thinking#0 | +hm,  | +hm | stop#0 | end end_turn",
    ),
    Leak(
        "thinking that never ends is the answer of a client that is shown none, if nothing else is said",
        [text("<think> opens "), text("it."), finish()],
        "start text#0 | +<think> opens it. | stop#0 | end end_turn",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "thinking that was cut is not shown to a client that did not ask for it",
        [text("<think>hm, "), finish("length")],
        "end max_tokens",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "thinking before a call is not shown to a client that did not ask for it",
        [text("<think>hm, "), call(0, "c1", "Bash", "{}"), finish("tool_calls")],
        "start tool_use#0 Bash c1 | +{} | stop#0 | end tool_use",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "the channels of gpt-oss are thinking, text and calls",
        [
            text("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary<|message|>I look."),
            text('<|end|><|start|>assistant<|channel|>commentary to=functions.Bash json<|message|>{"timeout": "5"}'),
            finish(),
        ],
        f"start thinking#0 | +hm | stop#0 | start text#1 | +I look. | stop#1 | start tool_use#2 Bash {ID}_0 | "
        '+{"timeout":5} | stop#2 | end tool_use',
    ),
    Leak(
        "think tags in the text are thinking",
        [text("<think>\nhm"), text("</think>\n\nhi"), finish()],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    Leak(
        "think tags that hold nothing are nothing",
        [text("<think>\n</think>"), text("<think></think>hi"), finish()],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Leak(
        "thinking in tags is not told to a client that did not ask for it",
        [text("<mm:think>hm</mm:think>hi"), finish()],
        "start text#0 | +hi | stop#0 | end end_turn",
        {"thinking": {"type": "disabled"}},
    ),
    Leak(
        "what stands before a lone closing tag is thinking",
        [text("hm</think>hi"), finish()],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    Leak(
        "control tokens are nothing",
        [think("hm<|observation|>"), text("hi<|user|>"), finish()],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
]


def tell(case: Leak, chunks: list[ChunkJson]) -> bytes:
    return stream(chunks, ask(tools=[BASH, READ], **case.fields))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in LEAKS])
def test_a_stream_becomes_the_frames_of_its_story(case: Leak) -> None:
    raw = tell(case, case.chunks)
    assert story(raw) == case.told.split(" | ")
    check_stream(raw, tools=["Bash", "Read"], thinking="thinking" not in case.fields)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in LEAKS])
def test_a_plain_answer_has_the_content_of_the_stream(case: Leak) -> None:
    told = fold(tell(case, case.chunks))
    message = plain(join(case.chunks), ask(tools=[BASH, READ], **case.fields))
    assert message["content"] == told.content
    assert message["stop_reason"] == told.stop_reason
    check_body(message, tools=["Bash", "Read"])


# what was told as text before a lone closing tag came stays text
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in LEAKS if "lone" not in case.name])
def test_a_stream_in_single_characters_says_the_same(case: Leak) -> None:
    whole_told, cut_told = fold(tell(case, case.chunks)), fold(tell(case, cut(case.chunks)))
    assert cut_told.content == whole_told.content
    assert cut_told.stop_reason == whole_told.stop_reason


def cut(chunks: list[ChunkJson]) -> list[ChunkJson]:
    """Cuts text and thinking into single characters."""
    pieces: list[ChunkJson] = []
    for chunk in chunks:
        said = chunk["choices"][0]["delta"]
        single = [
            delta(**{key: character}) for key, value in said.items() if key != "tool_calls" for character in value
        ]
        pieces += single or [chunk]
    return pieces


def test_markup_is_held_only_while_it_can_become_a_call() -> None:
    raw = tell(LEAKS[0], [text("<tool_call>Bash is a shell"), text(" and"), finish()])
    assert [line for line in story(raw) if line.startswith("+")] == ["+<tool_call>Bash is a shell", "+ and"]


def test_calls_in_the_text_wait_when_those_in_the_reasoning_are_decided() -> None:
    raw = tell(LEAKS[0], [text(GLM), think(GLM_2), think("hm"), text(GLM_2), think(GLM), finish()])
    assert story(raw) == [
        *(f"start tool_use#0 Bash {ID}_0", '+{"command":"ls"}', "stop#0"),
        *("start thinking#1", f"+{GLM_2}", "+hm", "stop#1"),
        *(f"start tool_use#2 Read {ID}_1", '+{"path":"/a"}', "stop#2"),
        *(f"start tool_use#3 Bash {ID}_2", '+{"command":"ls"}', "stop#3"),
        "end tool_use",
    ]


def test_an_aliased_tool_is_found_in_markup_under_the_name_that_was_sent() -> None:
    name = "mcp__server.with.dots__" + "x" * 80
    chat = ask(tools=[{"name": name, "input_schema": {"type": "object"}}])
    [sent] = chat.tools
    told = fold(stream([text(f"<tool_call>{sent}\n</tool_call>"), finish()], chat))
    assert [(block["name"], block["input"]) for block in told.content] == [(name, {})]


def test_a_plain_answer_with_structured_calls_shows_markup_as_text() -> None:
    message = plain(
        completion_of({"content": GLM, "tool_calls": [part(0, "c1", "Bash", "{}")]}, "tool_calls"), ask(tools=[BASH])
    )
    assert [block.get("text") or block["input"] for block in message["content"]] == [GLM, {}]


WORDS = st.sampled_from(
    [
        *(GLM, GLM_2, MINIMAX, HERMES, "<think>", "</think>", "<tool_call>", "</tool_call>", "Bash", "\n", " ", "word"),
        *("`", "```", "<", "<arg_key>", "<minimax:tool_call>", '<invoke name="Bash">', '{"name": "Bash"', "END"),
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> list[ChunkJson]:
    kinds = st.sampled_from(["content", "reasoning_content"])
    chunks = [delta(**{draw(kinds): "".join(draw(st.lists(WORDS, min_size=1, max_size=6)))}) for _ in range(3)]
    if draw(st.booleans()):
        chunks.insert(draw(st.integers(0, 3)), call(0, "c1", "Read", json.dumps({"path": draw(st.text(max_size=3))})))
    return [*chunks, finish()]


@bounded
@given(answers(), st.booleans())
def test_any_mixture_gives_a_clean_stream(chunks: list[ChunkJson], is_cut: bool) -> None:
    chat = ask(tools=[BASH, READ], stop_sequences=["END"])
    raw = stream(cut(chunks) if is_cut else chunks, chat)
    told = fold(raw)
    check_stream(raw, tools=["Bash", "Read"], thinking=True)
    calls = [block for block in told.content if block["type"] == "tool_use"]
    assert (told.stop_reason == "tool_use") == bool(calls)
    if "tool_calls" in str(chunks) and "END" not in str(chunks):
        assert [block["id"] for block in calls] == ["c1"]


def feed(*chunks: ChunkJson, **fields: Any) -> StreamTranslator:
    translator = StreamTranslator(ask(tools=[BASH], **fields), "msg_1")
    for chunk in chunks:
        translator.answer.feed(decode_chunk(json.dumps(chunk).encode()))
    return translator


def test_an_answer_lacks_nothing_if_its_call_lacks_the_last_tag() -> None:
    assert not feed(text(GLM.removesuffix("</tool_call>")), finish()).answer.lacks_something()
    assert feed(text("<tool_call>"), finish("tool_calls")).answer.lacks_something()


def test_a_think_tag_that_the_first_answer_left_open_ends_before_the_second() -> None:
    translator = feed(text("<think>hm"), finish())
    assert translator.answer.lacks_something()
    translator.answer.supplement(decode_chunk(json.dumps(completion_of({"content": "Hello."})).encode()))
    translator.finish()
    raw = head_frame(ask(), "msg_1") + translator.take()
    assert story(raw)[-4:] == ["start text#1", "+Hello.", "stop#1", "end end_turn"]
