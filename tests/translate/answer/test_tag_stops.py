"""Tests answers that end at a closing tag, as auto mode's classifier wants them, whatever the server says about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chunks import ChunkJson, call, finish, text, think
from tests.support.client import read_events
from tests.translate.rows import ask
from tests.translate.upstream import join, plain, stream
from tray_app.translate.request.chat import ChatRequest

BLOCK = ["</block>"]
TOOLS = [{"name": "Read", "input_schema": {"type": "object"}}]

ANSWERS: dict[str, tuple[list[str], list[ChunkJson], tuple[str, str | None, str]]] = {
    "the server says where it stopped": (
        BLOCK,
        [text("<block>"), text("no"), finish(stop_reason="</block>")],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "the server says nothing of it": (
        BLOCK,
        [text("<blo"), text("ck>no"), finish()],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "the server says null": (
        BLOCK,
        [text("<block>yes\n<reason>risky</reason>"), finish(stop_reason=None)],
        ("stop_sequence", "</block>", "<block>yes\n<reason>risky</reason>"),
    ),
    "the server names the token that ended the answer": (
        BLOCK,
        [text("<block>no"), finish(stop_reason=151336)],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "the server does not stop": (
        BLOCK,
        [text("<block>no</bl"), text("ock> as it is harmless"), finish()],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "thinking goes before": (
        BLOCK,
        [think("a <block> perhaps"), text("<block>no"), finish()],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "the tag is among other stop sequences": (
        ["STOP", "</block>", "</other>"],
        [text("<block>no"), finish()],
        ("stop_sequence", "</block>", "<block>no"),
    ),
    "no tag was opened": (BLOCK, [text("no"), finish()], ("end_turn", None, "no")),
    "a tag was only thought of": (BLOCK, [think("<block>"), text("no"), finish()], ("end_turn", None, "no")),
    "the answer ran out of tokens": (BLOCK, [text("<block>no"), finish("length")], ("max_tokens", None, "<block>no")),
    "the answer was filtered": (BLOCK, [text("<block>no"), finish("content_filter")], ("refusal", None, "<block>no")),
    "another stop sequence that is no tag": (["STOP"], [text("<stop>no"), finish()], ("end_turn", None, "<stop>no")),
    "the second stage, without a stop sequence": (
        [],
        [text("<block>no</block>"), finish()],
        ("end_turn", None, "<block>no</block>"),
    ),
}


def classifier(stops: list[str]) -> ChatRequest:
    return ask(stop_sequences=stops, thinking={"type": "disabled"})


def outcome(message: dict[str, Any]) -> tuple[str, str | None, str]:
    said = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    return message["stop_reason"], message["stop_sequence"], said


@pytest.mark.parametrize(("stops", "chunks", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_message_ends_at_the_closing_tag(
    stops: list[str], chunks: list[ChunkJson], expected: tuple[str, str | None, str]
) -> None:
    assert outcome(plain(join(chunks), classifier(stops))) == expected


@pytest.mark.parametrize(("stops", "chunks", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_stream_ends_at_the_closing_tag(
    stops: list[str], chunks: list[ChunkJson], expected: tuple[str, str | None, str]
) -> None:
    events = read_events(stream(chunks, classifier(stops)))
    said = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    delta = next(event["delta"] for event in events if event["type"] == "message_delta")
    assert (delta["stop_reason"], delta["stop_sequence"], said) == expected


def test_a_call_beside_an_open_tag_is_a_call() -> None:
    chunks = [text("<block>"), call(0, "c", "Read", "{}"), finish()]
    message = plain(join(chunks), ask(stop_sequences=BLOCK, tools=TOOLS))
    assert (message["stop_reason"], message["stop_sequence"]) == ("tool_use", None)


def test_the_classifiers_request_goes_upstream_with_its_stop_sequence_and_without_thinking() -> None:
    chat = ask(stop_sequences=BLOCK, thinking={"type": "disabled"}, max_tokens=2112, safeguards={"mode": "auto"}).body
    assert chat["stop"] == BLOCK
    assert chat["chat_template_kwargs"]["enable_thinking"] is False
    assert "safeguards" not in chat
