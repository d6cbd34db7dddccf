"""Translates answers of real services and of a real vLLM, which are recorded in the test kit."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import fold
from tests.support.validators import KIT, check_stream
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID
from tray_app.errors import ProxyError, UpstreamFault
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.sse import SseReader
from tray_app.translate.answer.stream import StreamTranslator, error_frame, head_frame

pytestmark = pytest.mark.kit

RECORDINGS = sorted((KIT / "upstream" / "recordings").glob("*/*.sse"))

WITH_THINK_TAGS = {"pyai.huggingface.hf_model_thinking_part_iter.1"}
"""Recordings whose thinking stands in the text, between tags."""


def replay(parts: Iterable[bytes]) -> bytes:
    """Returns the frames of an answer that arrives in these parts. An error of the gateway is the last frame."""
    reader, translator = SseReader(), StreamTranslator(ask(), MESSAGE_ID)
    frames = b""
    try:
        is_done = False
        for data in parts:
            for payload in reader.feed(data):
                is_done = is_done or payload == b"[DONE]"
                if not is_done:
                    translator.answer.feed(decode_chunk(payload))
            frames += translator.take()
        for payload in reader.finish():
            is_done = is_done or payload == b"[DONE]"
            if not is_done:
                translator.answer.feed(decode_chunk(payload))
        if not is_done and not translator.answer.has_finish:
            raise UpstreamFault("cut")
        translator.finish()
    except ProxyError as error:
        return with_head(frames + translator.take()) + error_frame(error, "req_1")
    return with_head(frames + translator.take())


def with_head(frames: bytes) -> bytes:
    return head_frame(ask(), MESSAGE_ID) + frames if frames else b""


def cut(raw: bytes, seed: str) -> list[bytes]:
    """Cuts `raw` into parts of 1 to 200 bytes, which are the same for the same seed."""
    dice, parts = random.Random(seed), []
    while raw:
        size = dice.randint(1, 200)
        parts.append(raw[:size])
        raw = raw[size:]
    return parts


@dataclass
class Heard:
    """The content of a recording, read from its JSON without the translator."""

    text: str = ""
    thinking: str = ""
    calls: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    """(index, id) -> name and arguments."""
    finish: str | None = None
    stop: str | int | None = None
    has_error: bool = False
    usage: dict[str, Any] | None = None


def read(arguments: str) -> object:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def listen(raw: bytes) -> Heard:
    heard, newest = Heard(), dict[int, tuple[int, str]]()
    for line in raw.decode().split("\n"):
        data = line.strip().removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        chunk = json.loads(data)
        heard.has_error = heard.has_error or "error" in chunk
        heard.usage = chunk.get("usage") or heard.usage
        for choice in chunk.get("choices", []):
            said = choice.get("delta", {})
            content = said.get("content") or ""
            if isinstance(content, list):
                content = "".join(piece["text"] for piece in content if piece["type"] == "text")
            heard.text += content
            heard.thinking += said.get("reasoning_content") or said.get("reasoning") or ""
            heard.finish = choice.get("finish_reason") or heard.finish
            heard.stop = choice.get("stop_reason") or heard.stop
            for call in said.get("tool_calls") or []:
                index = call.get("index", len(newest))
                if call.get("id"):
                    newest[index] = index, call["id"]
                function = heard.calls.setdefault(newest[index], ["", ""])
                function[0] = function[0] or call["function"].get("name") or ""
                function[1] += call["function"].get("arguments") or ""
    return heard


@pytest.mark.parametrize("path", [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in RECORDINGS])
def test_a_recording_is_translated_completely_however_it_is_cut(path: Path) -> None:
    raw = path.read_bytes()
    frames = replay([raw])
    assert replay(cut(raw, path.stem)) == frames
    head, rest = raw[:8_000], raw[8_000:]  # byte by byte is slow, and the rest of an answer is more of the same
    assert replay([*(head[place : place + 1] for place in range(len(head))), rest]) == frames
    check_stream(frames, thinking=True)

    told, heard = fold(frames), listen(raw)
    assert (told.error is not None) == heard.has_error
    tagged = path.stem in WITH_THINK_TAGS and re.fullmatch("<think>\n*(.*)</think>\n*(.*)", heard.text, re.DOTALL)
    if tagged:
        heard.thinking, heard.text = tagged.groups()
    assert told.texts("thinking") == heard.thinking.replace("<think>", "").replace("</think>", "")
    if told.error is None:
        assert "".join(told.texts("text").split()) == "".join(heard.text.split())
    if heard.has_error:
        assert not told.is_finished
        return

    calls = [block for block in told.content if block["type"] == "tool_use"]
    assert [block["name"] for block in calls] == [name for name, _ in heard.calls.values()]
    for block, (_, arguments) in zip(calls, heard.calls.values(), strict=True):
        assert block["input"] == read(arguments)
        assert isinstance(block["input"], dict) or heard.finish == "length"
    if heard.finish == "length":
        assert told.stop_reason == "max_tokens"
    elif calls:
        assert told.stop_reason == "tool_use"
    else:
        assert told.stop_reason == ("stop_sequence" if isinstance(heard.stop, str) else "end_turn")
    if heard.usage:
        assert told.usage["output_tokens"] == heard.usage["completion_tokens"]
        fresh = told.usage["input_tokens"] + told.usage["cache_read_input_tokens"]
        assert fresh == heard.usage["prompt_tokens"]


@pytest.mark.parametrize("path", [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in RECORDINGS])
def test_a_recording_that_is_cut_off_never_counts_as_finished(path: Path) -> None:
    raw = path.read_bytes()
    end = re.search(rb'"finish_reason": ?"|data: \[DONE\]', raw)
    frames = replay([raw[: raw.rfind(b"\n\n", 0, end.start() if end else len(raw))]])
    told = fold(frames)
    assert told.error is not None
    assert not told.is_finished
    if told.message_id:
        check_stream(frames, thinking=True)
