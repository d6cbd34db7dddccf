"""Tests streams as stories: the chunks of upstream, and the frames that the client gets."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.support.chunks import ChunkJson, call, completion_of, delta, finish, part, text, think, usage
from tests.support.client import fold, read_events, story
from tests.support.validators import check_body, check_error, check_stream
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID, join, plain, stream
from tray_app.catalog import MINIMAX_M2_1
from tray_app.errors import InvalidRequest, Overloaded, UpstreamFault
from tray_app.translate.answer.chunk import Chunk, decode_chunk
from tray_app.translate.answer.stream import StreamTranslator
from tray_app.translate.arguments.reader import MAX_BLANKS_IN_TEXT


@dataclass(frozen=True)
class Story:
    name: str
    chunks: list[ChunkJson]
    told: str
    """The frames as a story, whose lines are separated by bars."""
    has_plain_twin: bool = True
    """Whether a completion that is not streamed can have the same content."""


STORIES = [
    Story(
        "text arrives piece by piece",
        [delta(role="assistant", content=""), text("Hel"), text("lo"), finish(), usage()],
        "start text#0 | +Hel | +lo | stop#0 | end end_turn",
    ),
    Story(
        "thinking comes before the text, in a block of its own",
        [think("h"), think("m"), text("hi"), finish()],
        "start thinking#0 | +h | +m | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    Story(
        "reasoning is thinking, too",
        [delta(reasoning="hm"), text("hi"), finish()],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | end end_turn",
    ),
    Story(
        "the same thought in both fields is told once",
        [delta(reasoning="hm", reasoning_content="hm"), delta(reasoning=" ok", reasoning_content=" ok"), finish()],
        "start thinking#0 | +hm | + ok | stop#0 | end end_turn",
    ),
    Story(
        "one chunk may carry thinking, text and a call",
        [
            delta(reasoning="hm", content="hi", tool_calls=[part(0, "c1", "Bash", '{"a":1}')]),
            finish("tool_calls"),
        ],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | start tool_use#2 Bash c1 | "
        '+{"a":1} | stop#2 | end tool_use',
    ),
    Story(
        "thinking may come again after text",
        [think("one"), text("hi"), think("two"), text("ho"), finish()],
        "start thinking#0 | +one | stop#0 | start text#1 | +hi | stop#1 | start thinking#2 | +two | "
        "stop#2 | start text#3 | +ho | stop#3 | end end_turn",
        has_plain_twin=False,
    ),
    Story(
        "thinking alone is an answer",
        [think("hm"), finish()],
        "start thinking#0 | +hm | stop#0 | end end_turn",
    ),
    Story("an answer may be empty", [delta(role="assistant"), finish(), usage()], "end end_turn"),
    Story(
        "arguments come over many chunks",
        [
            call(0, "c1", "Bash", ""),
            call(0, args='{"comm'),
            call(0, args='and": '),
            call(0, args='"ls"}'),
            finish("tool_calls"),
        ],
        'start tool_use#0 Bash c1 | +{"command": "ls | +"} | stop#0 | end tool_use',
    ),
    Story(
        "parallel calls in sequence",
        [
            call(0, "c1", "Read", '{"p":'),
            call(0, args='"a"}'),
            call(1, "c2", "Read", '{"p":'),
            call(1, args='"b"}'),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":"a | +"} | stop#0 | start tool_use#1 Read c2 | +{"p":"b | +"} | '
        "stop#1 | end tool_use",
    ),
    Story(
        "parallel calls in one chunk",
        [
            delta(tool_calls=[part(0, "c1", "Read", "{}"), part(1, "c2", "Read", '{"p":1}')]),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{} | stop#0 | start tool_use#1 Read c2 | +{"p":1} | stop#1 | end tool_use',
    ),
    Story(
        "of interleaved calls the later one is held",
        [
            call(0, "c1", "Read", '{"p":'),
            call(1, "c2", "Read", '{"q":'),
            call(0, args='"a'),
            call(1, args='"b'),
            call(0, args='"}'),
            call(1, args='"}'),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":"a | +"} | stop#0 | start tool_use#1 Read c2 | +{"q":"b | '
        '+"} | stop#1 | end tool_use',
    ),
    Story(
        "a call waits for its turn until the end if the one before is never complete",
        [
            call(0, "c1", "list_files"),
            call(1, "c2", "Read", '{"p":1}'),
            text("done"),
            finish("tool_calls"),
        ],
        'start tool_use#0 list_files c1 | +{} | stop#0 | start tool_use#1 Read c2 | +{"p":1} | stop#1 | '
        "start text#2 | +done | stop#2 | end tool_use",
        has_plain_twin=False,
    ),
    Story(
        "a new id on an old index is a new call",
        [
            call(0, "c1", "Read", '{"p":1}'),
            call(0, "c2", "Read", '{"p":'),
            call(0, args="2}"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read c2 | +{"p":2} | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "an id that comes with every fragment is one call",
        [call(0, "c1", "Read", '{"p":'), call(0, "c1", args="1}"), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "calls without an index are told apart by their ids",
        [
            call(None, "c1", "Read", '{"p":'),
            call(None, args="1}"),
            call(None, "c2", "Read", '{"p":'),
            call(None, "c2", args="2}"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read c2 | +{"p":2} | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "interleaved calls without an index are told apart by their ids",
        [
            call(None, "c1", "Read", '{"p":'),
            call(None, "c2", "Read", '{"q":'),
            call(None, "c1", args="1}"),
            call(None, "c2", args="2}"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read c2 | +{"q":2} | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "calls without index and id are told apart by a name after complete arguments",
        [
            call(None, None, "Read", '{"p":'),
            call(None, args="1}"),
            call(None, None, "Read", '{"p":2}'),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read toolu_0123456789abcdef_0 | +{"p":1} | stop#0 | '
        'start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "several calls without index and id in one chunk are several calls",
        [
            delta(tool_calls=[part(None, None, "list_files"), part(None, None, "Read", '{"p":2}')]),
            finish("tool_calls"),
        ],
        "start tool_use#0 list_files toolu_0123456789abcdef_0 | +{} | stop#0 | "
        'start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "calls without ids get ids of their own",
        [call(0, None, "Read", '{"p":1}'), call(1, None, "Read", '{"p":2}'), finish("tool_calls")],
        'start tool_use#0 Read toolu_0123456789abcdef_0 | +{"p":1} | stop#0 | '
        'start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | stop#1 | end tool_use',
    ),
    Story(
        "of two calls with one id the second gets an id of its own",
        [call(0, "c1", "Read", '{"p":1}'), call(1, "c1", "Read", '{"p":2}'), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read toolu_0123456789abcdef_1 | '
        '+{"p":2} | stop#1 | end tool_use',
    ),
    Story(
        "an id is cleaned of what Anthropic refuses",
        [call(0, "functions.Read:0", "Read", '{"p":1}'), finish("tool_calls")],
        'start tool_use#0 Read functions_Read_0 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "a name may come after the id",
        [call(0, "c1"), call(0, name="Read"), call(0, args='{"p":1}'), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "a name may come after the arguments",
        [call(0, "c1", args='{"p":1}'), call(0, name="Read"), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "a name may come after the arguments while another call waits",
        [
            call(0, "c1", args='{"p":1}'),
            call(1, "c2", "Read", '{"p":2}'),
            call(0, name="Write"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Write c1 | +{"p":1} | stop#0 | start tool_use#1 Read c2 | +{"p":2} | stop#1 | end tool_use',
    ),
    Story(
        "text that comes before a call has its name keeps its place",
        [text("hi"), call(0, "c1"), call(0, name="Read", args='{"p":1}'), text("ho"), finish("tool_calls")],
        'start text#0 | +hi | stop#0 | start tool_use#1 Read c1 | +{"p":1} | stop#1 | start text#2 | +ho | '
        "stop#2 | end tool_use",
        has_plain_twin=False,
    ),
    Story(
        "a name that is repeated in every chunk is told once",
        [
            call(0, "c1", "Read", '{"p'),
            call(0, "c1", "Read", '":1'),
            call(0, "c1", "Read", "}"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "no arguments are an empty object",
        [call(0, "c1", "list_files", ""), finish("tool_calls")],
        "start tool_use#0 list_files c1 | +{} | stop#0 | end tool_use",
    ),
    Story(
        "null arguments are an empty object",
        [
            delta(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "list_files", "arguments": None}}]),
            finish("tool_calls"),
        ],
        "start tool_use#0 list_files c1 | +{} | stop#0 | end tool_use",
    ),
    Story(
        "arguments may be an object",
        [call(0, "c1", "Read", {"p": "ü"}), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p": "ü | +"} | stop#0 | end tool_use',
    ),
    Story(
        "an empty object as arguments is complete",
        [call(0, "c1", "list_files", {}), call(1, "c2", "list_files", {}), finish("tool_calls")],
        "start tool_use#0 list_files c1 | +{} | stop#0 | start tool_use#1 list_files c2 | +{} | stop#1 | end tool_use",
    ),
    Story(
        "objects that are glued together are calls of the same tool",
        [call(0, "c1", "Read", '{"p":1}{"p":2}'), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | '
        "stop#1 | end tool_use",
    ),
    Story(
        "what comes for a call after a glued object belongs to the newest of them",
        [
            call(0, "c1", "Read", '{"p":1}{"p'),
            call(0, "c1", args='":2} {"p":3'),
            call(0, args="}"),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | '
        'stop#1 | start tool_use#2 Read toolu_0123456789abcdef_2 | +{"p":3} | stop#2 | end tool_use',
    ),
    Story(
        "the same without an index",
        [
            call(None, "c1", "Read", '{"p":1}{"p'),
            call(None, "c2", "Read", '{"p":9}'),
            call(None, "c1", args='":2}'),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start tool_use#1 Read toolu_0123456789abcdef_1 | +{"p":2} | '
        'stop#1 | start tool_use#2 Read c2 | +{"p":9} | stop#2 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "arguments that are sent once more are told once",
        [call(0, "c1", "Read", '{"p":'), call(0, args="1}"), call(0, "c1", "Read", '{"p":1}'), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "arguments without their end are completed",
        [call(0, "c1", "Read", '{"p":"a","q":[1'), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":"a" | +,"q":[1]} | stop#0 | end tool_use',
    ),
    Story(
        "white space without end ends the answer, whatever comes after it",
        [call(0, "c1", "Read", '{"p":1'), *[call(0, args=" " * 100)] * 5, call(0, args=',"q":2}'), text("more")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "text after a call opens a new block",
        [text("a"), call(0, "c1", "Read", '{"p":1}'), text("b"), text("c"), finish("tool_calls")],
        'start text#0 | +a | stop#0 | start tool_use#1 Read c1 | +{"p":1} | stop#1 | start text#2 | +b | '
        "+c | stop#2 | end tool_use",
        has_plain_twin=False,
    ),
    Story(
        "text within a call is held until the call is complete",
        [call(0, "c1", "Read", '{"p":'), text("b"), call(0, args="1}"), text("c"), finish("tool_calls")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | start text#1 | +b | +c | stop#1 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "white space before a call makes no block",
        [think("hm"), text("\n"), text("\n"), call(0, "c1", "Read", "{}"), text("\n"), finish("tool_calls")],
        "start thinking#0 | +hm | stop#0 | start tool_use#1 Read c1 | +{} | stop#1 | end tool_use",
        has_plain_twin=False,
    ),
    Story(
        "white space before text belongs to the text",
        [think("hm"), text("\n\n"), text("hi"), finish()],
        "start thinking#0 | +hm | stop#0 | start text#1 | +\n\nhi | stop#1 | end end_turn",
    ),
    Story(
        "white space within text is kept",
        [text("a"), text("\n"), text(" "), text("b"), text("\n"), finish()],
        "start text#0 | +a | +\n | +  | +b | +\n | stop#0 | end end_turn",
    ),
    Story("white space alone is no answer", [text("\n"), text(" "), finish()], "end end_turn"),
    Story(
        "empty deltas make no block",
        [
            text(""),
            think(""),
            delta(),
            delta(tool_calls=[]),
            {"choices": [{"index": 0}]},
            {"choices": [{"index": 0, "delta": None}]},
            {"choices": None},
            {},
            text("hi"),
            text(""),
            finish(),
        ],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story(
        "null fields are no fields",
        [
            delta(role=None, content=None, reasoning=None, reasoning_content=None, tool_calls=None, refusal=None),
            {"choices": [{"delta": {"content": "hi"}, "finish_reason": None, "stop_reason": None}], "usage": None},
            {"choices": [{"delta": {"content": " you"}}], "error": None},
            finish(),
        ],
        "start text#0 | +hi | + you | stop#0 | end end_turn",
    ),
    Story(
        "an empty fragment of a call is no call",
        [
            text("hi"),
            delta(tool_calls=[{"index": 0, "id": None, "type": None, "function": None}]),
            delta(tool_calls=[{"index": 0, "id": "", "function": {"name": "", "arguments": ""}}]),
            finish(),
        ],
        "start text#0 | +hi | stop#0 | end end_turn",
        has_plain_twin=False,
    ),
    Story(
        "null fields within a call are no fields",
        [
            delta(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "Read", "arguments": None}}]),
            delta(tool_calls=[{"index": 0, "id": None, "function": {"name": None, "arguments": '{"p":1}'}}]),
            delta(tool_calls=[{"index": 0, "id": "", "type": None, "function": None}]),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "fields that nobody knows are ignored",
        [
            {"id": "x", "nvext": {"a": 1}, "choices": [{"delta": {"content": "hi", "mood": "good"}, "logprobs": {}}]},
            finish("stop", token_ids=[1]),
        ],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story(
        "content may be a list of parts",
        [delta(content=[{"type": "text", "text": "hi"}, {"type": "text", "text": " you"}]), finish()],
        "start text#0 | +hi you | stop#0 | end end_turn",
        has_plain_twin=False,
    ),
    Story(
        "a second finish chunk changes nothing",
        [text("hi"), finish("length"), finish("length"), usage()],
        "start text#0 | +hi | stop#0 | end max_tokens",
    ),
    Story(
        "text in the finish chunk is kept",
        [text("hi"), text(" you", "stop")],
        "start text#0 | +hi | + you | stop#0 | end end_turn",
    ),
    Story(
        "arguments in the finish chunk are kept",
        [call(0, "c1", "Read", '{"p":'), delta("tool_calls", tool_calls=[part(0, args="1}")])],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "a finish chunk without a delta ends the answer",
        [text("hi"), {"choices": [{"index": 0, "finish_reason": "stop"}]}],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story("length is max_tokens", [text("hi"), finish("length")], "start text#0 | +hi | stop#0 | end max_tokens"),
    Story(
        "length within a call is max_tokens",
        [call(0, "c1", "Read", '{"p":'), finish("length")],
        'start tool_use#0 Read c1 | +{"p": | stop#0 | end max_tokens',
        has_plain_twin=False,
    ),
    *(
        Story(f"{reason} is max_tokens", [text("hi"), finish(reason)], "start text#0 | +hi | stop#0 | end max_tokens")
        for reason in ("max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length")
    ),
    Story(
        "a full window says so",
        [text("hi"), finish("model_context_window_exceeded")],
        "start text#0 | +hi | stop#0 | end model_context_window_exceeded",
    ),
    Story(
        "a call that a full window cut off is as one that ran out of tokens",
        [call(0, "c1", "Read", '{"p":'), finish("model_context_window_exceeded")],
        'start tool_use#0 Read c1 | +{"p": | stop#0 | end max_tokens',
        has_plain_twin=False,
    ),
    Story(
        "safety is a refusal",
        [text("I"), finish("SAFETY")],
        "start text#0 | +I | stop#0 | end refusal",
    ),
    Story(
        "a refusal is told as text",
        [delta(content=None, refusal="I "), delta(refusal="won't."), finish()],
        "start text#0 | +I  | +won't. | stop#0 | end refusal",
        has_plain_twin=False,
    ),
    Story(
        "a refusal that ran out of tokens did",
        [delta(refusal="I "), finish("length")],
        "start text#0 | +I  | stop#0 | end max_tokens",
        has_plain_twin=False,
    ),
    Story(
        "the one call of the older API",
        [
            delta(content=None, function_call={"name": "Read", "arguments": ""}),
            delta(function_call={"arguments": '{"p":'}),
            delta(function_call={"arguments": "1}"}),
            finish("function_call"),
        ],
        'start tool_use#0 Read toolu_0123456789abcdef_0 | +{"p":1} | stop#0 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "a call in both forms is one",
        [
            delta(
                function_call={"name": "Read", "arguments": '{"p":1}'},
                tool_calls=[part(0, "c1", "Read", '{"p":1}')],
            ),
            finish("tool_calls"),
        ],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
        has_plain_twin=False,
    ),
    Story(
        "stop_sequence without one is end_turn",
        [text("hi"), finish("stop_sequence")],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    *(
        Story(
            f"{reason} gives the answer up",
            [text("hi"), finish(reason), usage()],
            "start text#0 | +hi | error overloaded_error",
            has_plain_twin=False,
        )
        for reason in ("abort", "error", "cancelled", "Canceled", "insufficient_system_resource", "network_error")
    ),
    Story(
        "an error in a choice is the last thing told",
        [text("hi"), {"choices": [{"index": 0, "error": {"message": "no", "code": 502}, "finish_reason": "error"}]}],
        "start text#0 | +hi | error overloaded_error",
        has_plain_twin=False,
    ),
    Story(
        "a permanent error in mid-stream says what it is",
        [text("hi"), {"error": {"message": "no", "code": 400}}],
        "start text#0 | +hi | error invalid_request_error",
        has_plain_twin=False,
    ),
    Story(
        "content_filter is a refusal",
        [text("I"), finish("content_filter")],
        "start text#0 | +I | stop#0 | end refusal",
    ),
    Story(
        "stop with a call is tool_use",
        [call(0, "c1", "Read", '{"p":1}'), finish("stop")],
        'start tool_use#0 Read c1 | +{"p":1} | stop#0 | end tool_use',
    ),
    Story(
        "tool_calls without a call is end_turn",
        [text("hi"), finish("tool_calls")],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story(
        "an unknown finish_reason is end_turn",
        [text("hi"), finish("eos")],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story(
        "a stop_reason in words is the stop sequence that matched",
        [text("hi"), finish("stop", stop_reason="</block>")],
        "start text#0 | +hi | stop#0 | end stop_sequence </block>",
    ),
    Story(
        "a stop_reason as a number is the end token",
        [text("hi"), finish("stop", stop_reason=151336)],
        "start text#0 | +hi | stop#0 | end end_turn",
    ),
    Story(
        "an error in mid-stream is the last thing told, and closes nothing",
        [text("hi"), {"error": {"message": "EngineCore died", "code": 500}}],
        "start text#0 | +hi | error overloaded_error",
        has_plain_twin=False,
    ),
    Story(
        "a call that was cut by an error is not shown as complete",
        [call(0, "c1", "Read", '{"p":1}'), {"error": "out of memory"}],
        "start tool_use#0 Read c1 | error overloaded_error",
        has_plain_twin=False,
    ),
    Story(
        "a whole completion in a stream is told as a stream",
        [
            completion_of(
                {"content": "hi", "reasoning_content": "hm", "tool_calls": [part(None, "c1", "Read", "{}")]},
                "tool_calls",
            )
        ],
        "start thinking#0 | +hm | stop#0 | start text#1 | +hi | stop#1 | start tool_use#2 Read c1 | +{} | "
        "stop#2 | end tool_use",
        has_plain_twin=False,
    ),
    Story(
        "half a surrogate pair is carried through",
        [think("\ud83d"), text("a \ud83d"), text("\ude00 b"), call(0, "c\ud83d", "Read", '{"p":"\ud83d"}'), finish()],
        "start thinking#0 | +\ud83d | stop#0 | start text#1 | +a \ud83d | +\ude00 b | stop#1 | "
        'start tool_use#2 Read c_ | +{"p":"\ud83d | +"} | stop#2 | end tool_use',
        has_plain_twin=False,  # there the halves meet
    ),
    Story(
        "line separators and control characters are carried through",
        [text("a\u2028b\u0085c\r\n\x00d"), finish()],
        "start text#0 | +a\u2028b\x85c\r\n\x00d | stop#0 | end end_turn",
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in STORIES])
def test_a_stream_becomes_the_frames_of_its_story(case: Story) -> None:
    raw = stream(case.chunks)
    assert story(raw) == case.told.split(" | ")
    check_stream(raw, thinking=True)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in STORIES if case.has_plain_twin])
def test_a_plain_answer_has_the_content_of_the_stream(case: Story) -> None:
    told = fold(stream(case.chunks))
    message = plain(join(case.chunks))
    assert message["content"] == told.content
    assert message["stop_reason"] == told.stop_reason
    assert message["stop_sequence"] == told.stop_sequence
    assert message["usage"] == told.usage
    check_body(message, thinking=True)


USAGES: dict[str, tuple[list[ChunkJson], tuple[int, int, int]]] = {
    "after the finish chunk": ([text("hi"), finish(), usage(100, 7)], (100, 0, 7)),
    "with the finish chunk": ([text("hi"), finish() | {"usage": usage(100, 7)["usage"]}], (100, 0, 7)),
    "with every chunk": (
        [text("h") | {"usage": usage(100, 1)["usage"]}, text("i") | {"usage": usage(100, 2)["usage"]}, finish()],
        (100, 0, 2),
    ),
    "before any content": ([usage(100, 0), text("hi"), finish(), usage(100, 7)], (100, 0, 7)),
    "with cached tokens, which are split out": ([text("hi"), finish(), usage(100, 7, 64)], (36, 64, 7)),
    "with more cached tokens than tokens": ([text("hi"), finish(), usage(100, 7, 164)], (0, 100, 7)),
    "with zeros after it": ([text("hi"), finish(), usage(100, 7, 64), usage(0, 0)], (36, 64, 7)),
    "in the choice": (
        [
            text("hi"),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage(100, 7)["usage"]}]},
        ],
        (100, 0, 7),
    ),
    "in two parts": (
        [{"usage": {"input_tokens": 100}}, text("hi"), finish(), {"usage": {"output_tokens": 7}}],
        (100, 0, 7),
    ),
    "with null details": (
        [text("hi"), finish(), {"choices": [], "usage": {**usage()["usage"], "prompt_tokens_details": None}}],
        (100, 0, 7),
    ),
}


@pytest.mark.parametrize("when", USAGES)
def test_usage_is_what_upstream_counted_when_it_comes(when: str) -> None:
    chunks, (fresh, cached, output) = USAGES[when]
    raw = stream(chunks)
    counted = {"input_tokens": fresh, "cache_read_input_tokens": cached, "output_tokens": output}
    assert {key: fold(raw).usage[key] for key in counted} == counted
    check_stream(raw)


@pytest.mark.parametrize(
    "chunks",
    [
        [text("hello you"), finish()],
        [text("hello you"), finish(), {"choices": [], "usage": None}],
        [text("hello you"), finish(), {"choices": [], "usage": {}}],
        [text("hello you"), finish(), usage(None, None)],
        [text("hello you"), finish(), usage(0, 0)],
        [text("hello you"), finish(), usage(-1, -1)],
        [text("hello you"), finish(), usage(10**12, 10**12)],
    ],
    ids=["never", "null", "empty", "null counts", "zeros", "negative", "absurd"],
)
def test_usage_is_estimated_if_upstream_counts_nothing(chunks: list[ChunkJson]) -> None:
    chat = ask()
    told = fold(stream(chunks, chat)).usage
    assert told["input_tokens"] == chat.input_tokens > 0
    assert told["output_tokens"] == 2


def test_the_estimate_of_an_answer_counts_bytes() -> None:
    told = fold(stream([text("日本語のテキスト"), finish()])).usage
    assert told["output_tokens"] == 6  # about one a character


def test_the_estimate_of_an_answer_counts_thinking_and_arguments() -> None:
    told = fold(stream([think("x" * 360), call(0, "c", "Read", '{"p":"' + "y" * 352 + '"}'), finish()])).usage
    assert told["output_tokens"] == 171


def test_the_first_frame_carries_the_estimate_and_the_last_upstreams_counts() -> None:
    chat = ask()
    events = read_events(stream([text("hi"), finish(), usage(100, 7)], chat))
    assert events[0]["message"]["usage"]["input_tokens"] == chat.input_tokens
    assert events[0]["message"]["usage"]["output_tokens"] == 0
    assert events[-2]["usage"]["input_tokens"] == 100


def test_every_chunk_is_passed_on_at_once() -> None:
    translator = StreamTranslator(ask(), MESSAGE_ID)
    for chunk, fragment in (
        (think("hm"), b'"thinking":"hm"'),
        (text("hi"), b'"text":"hi"'),
        (call(0, "c1", "Read", '{"p":"he'), b'"partial_json":"{\\"p\\":\\"he"'),
        (call(0, args="llo"), b'"partial_json":"llo"'),
        (call(0, args='","q":1,"r'), b'"partial_json":"\\",\\"q\\":1"'),
        (call(0, args='":[]}'), b""),
        (call(1, "c2", "Read", '{"q":1}'), b'"partial_json":",\\"r\\":[]}"'),
        (text("ho"), b'"text":"ho"'),
    ):
        translator.answer.feed(decode(chunk))
        assert fragment in translator.take()
        assert translator.take() == b""


def test_no_frame_leaves_before_the_first_block() -> None:
    translator = StreamTranslator(ask(), MESSAGE_ID)
    for chunk in (delta(role="assistant"), text(""), text("\n"), usage(), call(0, "c1")):
        translator.answer.feed(decode(chunk))
        assert translator.take() == b""
    with pytest.raises(Overloaded, match="EngineCore died"):
        translator.answer.feed(decode({"error": {"message": "EngineCore died"}}))
    assert translator.take() == b""


def test_thinking_that_was_not_asked_for_is_not_sent() -> None:
    chat = ask(MINIMAX_M2_1, thinking=None)
    chunks = [text("one"), think("hm"), text(" two"), think("hm"), call(0, "c1", "Read", "{}"), finish("tool_calls")]
    raw = stream(chunks, chat)
    assert story(raw) == [
        *["start text#0", "+one", "+ two", "stop#0", "start tool_use#1 Read c1", "+{}", "stop#1", "end tool_use"]
    ]
    check_stream(raw, thinking=False)


def test_thinking_that_is_not_sent_still_counts_as_output() -> None:
    told = fold(stream([think("x" * 360), text("hi"), finish()], ask(thinking={"type": "disabled"})))
    assert told.usage["output_tokens"] == 86


def test_an_aliased_tool_is_called_by_the_clients_name() -> None:
    name = "mcp__server.with.dots__" + "x" * 80
    chat = ask(tools=[{"name": name, "input_schema": {"type": "object"}}])
    [sent] = chat.tools
    raw = stream([call(0, "c1", sent, "{}"), finish("tool_calls")], chat)
    assert fold(raw).content[0]["name"] == name
    check_stream(raw, tools=[name])


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (["yes</block>", " and more"], ["start text#0", "+yes", "stop#0", "end stop_sequence </block>"]),
        (["yes</b", "lock> and more"], ["start text#0", "+yes", "stop#0", "end stop_sequence </block>"]),
        (["the E"], ["start text#0", "+the ", "+E", "stop#0", "end end_turn"]),
        (["END"], ["end stop_sequence END"]),
    ],
    ids=["in one piece", "in two", "none", "at once"],
)
def test_an_answer_ends_at_a_stop_sequence_even_if_upstream_goes_on(pieces: list[str], told: list[str]) -> None:
    chat = ask(stop_sequences=["1", "2", "3", "4", "</block>", "END"])
    chunks = [*map(text, pieces), finish()]
    raw = stream(chunks, chat)
    assert story(raw) == told
    check_stream(raw)
    message = plain(join(chunks), chat)
    assert (message["content"], message["stop_reason"]) == (fold(raw).content, fold(raw).stop_reason)


def test_an_answer_that_is_over_says_so() -> None:
    translator = StreamTranslator(ask(stop_sequences=["END"]), MESSAGE_ID)
    translator.answer.feed(decode(text("hi")))
    assert not translator.answer.is_over
    translator.answer.feed(decode(text(" END ")))
    assert translator.answer.is_over


@pytest.mark.parametrize(
    ("stops", "end"),
    [(["END"], "end stop_sequence END"), (["END", "STOP"], "end end_turn"), ([], "end end_turn")],
    ids=["one", "two", "none"],
)
def test_an_unnamed_stop_sequence_is_the_only_one_of_the_request(stops: list[str], end: str) -> None:
    raw = stream([text("hi"), finish("stop_sequence")], ask(stop_sequences=stops))
    assert story(raw)[-1] == end
    check_stream(raw)


def test_a_window_that_the_prompt_fills_is_a_prompt_that_is_too_long() -> None:
    for reason in ("model_context_window_exceeded", "context_length_exceeded"):
        with pytest.raises(InvalidRequest, match=r"^prompt is too long: 131073 tokens > 131072 maximum$"):
            plain(completion_of({"content": ""}, reason))


def test_a_tool_that_was_not_offered_keeps_its_name_for_the_client_to_refuse() -> None:
    assert "start tool_use#0 Rm c1" in story(stream([call(0, "c1", "Rm", "{}"), finish("tool_calls")]))


def test_a_call_that_never_gets_a_name_is_a_fault() -> None:
    assert story(stream([text("hi"), call(0, "c1", args='{"p":1}'), finish()]))[-1] == "error overloaded_error"
    with pytest.raises(UpstreamFault, match="tool call without a name"):
        plain(completion_of({"tool_calls": [part(0, "c1", args='{"p":1}')]}))


def test_has_finish_distinguishes_an_end_from_a_cut() -> None:
    translator = StreamTranslator(ask(), MESSAGE_ID)
    for chunk in (text("hi"), usage()):
        translator.answer.feed(decode(chunk))
        assert not translator.answer.has_finish
    translator.answer.feed(decode(finish()))
    assert translator.answer.has_finish


def test_repr_shows_the_open_block_and_what_is_held() -> None:
    answer = StreamTranslator(ask(), MESSAGE_ID).answer
    assert repr(answer) == "Answer(waiting: nothing; finish=None)"
    for chunk in (text("hi"), call(0, "c1", "Read", '{"p":'), call(1, "c2", "Read", '{"q":"a'), call(1, args="b")):
        answer.feed(decode(chunk))
    assert repr(answer) == "Answer(open: tool_use, tool_use(2 held); finish=None)"


def test_error_frames_are_clean() -> None:
    raw = stream([text("hi"), {"error": {"message": "bad key nvapi-abcdefghijklmnop in\npool"}}])
    check_stream(raw)
    check_error(read_events(raw)[-1])
    error = fold(raw).error
    assert error is not None
    assert error["message"] == "NVIDIA broke off the answer: bad key nvapi-[hidden] in pool"


def decode(chunk: ChunkJson) -> Chunk:
    return decode_chunk(json.dumps(chunk).encode())


def test_a_call_whose_string_ends_in_blanks_without_end_is_half_and_says_so() -> None:
    """The rest of the string is unknown, so the call must look like one in which the answer ran out of tokens."""
    blanks = " " * MAX_BLANKS_IN_TEXT
    events = stream([call(call_id="c1", name="Bash", args='{"command": ["a'), call(args=blanks), finish("tool_calls")])
    folded = fold(events)
    assert folded.stop_reason == "max_tokens"
    assert blanks in events.decode()
