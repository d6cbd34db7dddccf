"""The fast way through the intake gives the frames of the plain one, however a stream is cut."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.proxy.exchange.exchange_log import ExchangeLog
from tray_app.proxy.exchange.intake import Intake
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.sse import SseReader
from tray_app.translate.answer.stream import StreamTranslator
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.question import Rules, read_body, read_question

CONFIG = GatewayConfig(Settings(), Keys("nvapi-x"))
DONE = b"data: [DONE]\n\n"


def make_chat(**fields: Any) -> ChatRequest:
    body = {"model": "m", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "hi"}], **fields}
    rules = Rules(CONFIG.settings.catalog, CONFIG.settings.selected_model)
    return read_question(read_body(json.dumps(body).encode()), rules, {}).chat


CHATS = [
    make_chat(),
    make_chat(thinking={"type": "enabled", "budget_tokens": 1024}),
    make_chat(stop_sequences=["b c", "\n"]),
    make_chat(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}}),
    make_chat(tools=[{"name": "run", "input_schema": {"type": "object"}}]),
]

TEXT = st.sampled_from(
    [
        "a",
        " b",
        " c",
        "",
        "\n",
        '"',
        "<",
        "think>",
        "</think>",
        "<tool_call>run",
        "</tool_call>",
        "{",
        "}",
        "é",
        "四",
        "`",
        " ",
    ]
)
DELTA = st.one_of(
    TEXT.map(lambda text: {"content": text}),
    TEXT.map(lambda text: {"content": text}),
    TEXT.map(lambda text: {"reasoning_content": text}),
    st.just({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "run", "arguments": "{}"}}]}),
)


def make_event(delta: dict[str, Any], line_end: str) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}{line_end}{line_end}".encode()


def read_plainly(chat: ChatRequest, data: bytes) -> bytes:
    translator = StreamTranslator(chat, "msg_x")
    for payload in SseReader().feed(data.removesuffix(DONE)):
        translator.answer.feed(decode_chunk(payload))
        if translator.answer.is_over:
            break
    translator.finish()
    return translator.take()


def read_fast(chat: ChatRequest, parts: list[bytes]) -> tuple[bytes, int]:
    """Returns the frames, and how many parts were plain events."""
    translator = StreamTranslator(chat, "msg_x")
    intake = Intake(translator.answer, chat, ExchangeLog("m", chat, CONFIG))
    plain = 0

    async def feed() -> None:
        nonlocal plain
        for part in parts:
            if intake.feed_plain(part):
                plain += 1
            elif await intake.feed(part):
                return

    asyncio.run(feed())
    translator.finish()
    return translator.take(), plain


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False) if begin < end]


@bounded
@given(
    st.sampled_from(CHATS),
    st.lists(DELTA, max_size=12),
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.booleans(),
)
def test_frames_are_the_same_however_the_stream_is_cut(
    chat: ChatRequest, deltas: list[dict[str, Any]], line_end: str, places: list[int], at_events: bool
) -> None:
    events = [make_event(delta, line_end) for delta in deltas]
    data = b"".join(events) + DONE
    parts = [*events, DONE] if at_events else cut(data, places)
    assert read_fast(chat, parts)[0] == read_plainly(chat, data)


def test_events_that_come_one_by_one_are_plain_from_the_second_on() -> None:
    events = [make_event({"content": f" word{n}"}, "\n") for n in range(20)]
    frames, plain = read_fast(CHATS[0], [*events, DONE])
    assert plain == len(events) - 1
    assert frames == read_plainly(CHATS[0], b"".join(events) + DONE)
