"""Tests that nothing is lost, mixed up or left open, in whatever order the chunks of an answer arrive."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.chunks import ChunkJson, call, delta, finish, part, text, think, usage
from tests.support.client import fold
from tests.support.validators import check_stream
from tests.translate.bounded import bounded
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID, join, plain, stream
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.stream import StreamTranslator

WORDS = st.text("ab\u2028ü😀 \n", min_size=1, max_size=6)
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.text(max_size=6) | st.integers() | st.none(), max_size=3)


def slices(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


@st.composite
def call_fragments(draw: st.DrawFn, index: int) -> list[dict[str, Any]]:
    """Returns the fragments of one call: the id first, the name with it or later, and the arguments in any pieces."""
    arguments = json.dumps(draw(ARGUMENTS), ensure_ascii=draw(st.booleans()))
    if arguments == "{}" and draw(st.booleans()):
        arguments = ""
    name, id_ = f"tool_{index}", draw(st.sampled_from([f"call_{index}", None]))
    repeats_name, repeats_id = draw(st.booleans()), draw(st.booleans())
    fragments = [part(index, id_, name if repeats_name or draw(st.booleans()) else None)]
    if "name" not in fragments[0]["function"]:
        fragments.append(part(index, None, name))
    fragments += [
        part(index, id_ if repeats_id else None, name if repeats_name else None, piece)
        for piece in slices(arguments, draw(st.lists(st.integers(0, 99), max_size=4)))
    ]
    return fragments


@st.composite
def answers(draw: st.DrawFn) -> list[ChunkJson]:
    """Returns the chunks of one answer. Calls, text and thinking are interleaved, each in its own order."""
    queues: list[list[ChunkJson]] = [
        [delta(tool_calls=[fragment]) for fragment in draw(call_fragments(index))]
        for index in range(draw(st.integers(0, 3)))
    ]
    queues.append([text(words) for words in draw(st.lists(WORDS, max_size=4))])
    key = draw(st.sampled_from(["reasoning", "reasoning_content"]))
    queues.append([delta(**{key: words}) for words in draw(st.lists(WORDS, max_size=4))])
    queues = [queue for queue in queues if queue]
    chunks: list[ChunkJson] = []
    while queues:
        queue = draw(st.sampled_from(queues))
        chunks.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    if draw(st.booleans()):
        chunks.insert(draw(st.integers(0, len(chunks))), delta(role="assistant", content=""))
    return [*chunks, finish(draw(st.sampled_from(["stop", "tool_calls"]))), *draw(st.sampled_from([[], [usage()]]))]


@bounded
@given(answers())
def test_nothing_is_lost_whatever_the_order(chunks: list[ChunkJson]) -> None:
    raw = stream(chunks)
    told = fold(raw)
    [choice] = join(chunks)["choices"]
    message = choice["message"]

    assert told.texts("thinking") == message.get("reasoning", "") + message.get("reasoning_content", "")
    # blank pieces of text may be left out where a block ends or begins, and nowhere else
    blocks = [block["text"] for block in told.content if block["type"] == "text"]
    assert "".join("".join(blocks).split()) == "".join(message.get("content", "").split())
    assert all(block in message.get("content", "") for block in blocks if len(blocks) == 1)

    by_name = {block["name"]: block["input"] for block in told.content if block["type"] == "tool_use"}
    sent = [one["function"] for one in message.get("tool_calls", ())]
    assert by_name == {one["name"]: json.loads(one["arguments"] or "{}") for one in sent}
    assert told.stop_reason == ("tool_use" if sent else "end_turn")
    check_stream(raw, thinking=True)


@bounded
@given(answers())
def test_a_plain_answer_says_what_the_stream_says(chunks: list[ChunkJson]) -> None:
    told = fold(stream(chunks))
    message = plain(join(chunks))
    for kind in ("thinking", "text"):
        said = "".join(block[kind] for block in message["content"] if block["type"] == kind)
        assert "".join(told.texts(kind).split()) == "".join(said.split())
    calls, twins = (
        [(block["name"], block["input"]) for block in content if block["type"] == "tool_use"]
        for content in (message["content"], told.content)
    )
    assert sorted(calls, key=str) == sorted(twins, key=str)
    assert message["stop_reason"] == told.stop_reason


@bounded
@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3), st.lists(ARGUMENTS, max_size=3), st.data())
def test_an_answer_in_plain_order_is_the_same_streamed_or_not(
    thoughts: list[str], words: list[str], inputs: list[dict[str, Any]], data: st.DataObject
) -> None:
    chunks = [think(thought) for thought in thoughts] + [text(word) for word in words]
    for index, arguments in enumerate(inputs):
        pieces = slices(json.dumps(arguments), data.draw(st.lists(st.integers(0, 99), max_size=3)))
        chunks += [call(index, f"call_{index}", "Read"), *(call(index, args=piece) for piece in pieces)]
    chunks += [finish(data.draw(st.sampled_from(["stop", "length", "content_filter"]))), usage()]
    told = fold(stream(chunks))
    message = plain(join(chunks))
    assert message["content"] == told.content
    assert (message["stop_reason"], message["usage"]) == (told.stop_reason, told.usage)
    assert [block["input"] for block in told.content if block["type"] == "tool_use"] == inputs


def test_an_answer_that_is_shown_in_a_debugger_tells_its_state() -> None:
    translator = StreamTranslator(ask(tools=[{"name": "Read", "input_schema": {"type": "object"}}]), MESSAGE_ID)
    for chunk in (text("hi <tool_"), call(0, "c", "Read", '{"p": [1, '), call(1, "d", "Read", '{"p')):
        translator.answer.feed(decode_chunk(json.dumps(chunk).encode()))
    shown = repr(translator.answer)
    assert shown.startswith("Answer(open: tool_use")
    assert "finish=" in shown
