"""Anthropic's message object: an answer that is not streamed."""

from __future__ import annotations

import json
from typing import Any

from tray_app.errors import UpstreamFault
from tray_app.translate.answer import Answer
from tray_app.translate.blocks import SIGNATURE, TEXT, THINKING
from tray_app.translate.chunk import Chunk
from tray_app.translate.request import ChatRequest


class ContentWriter:
    """Writes blocks into a content list."""

    def __init__(self) -> None:
        self.content: list[dict[str, Any]] = []
        self._fragments: list[str] = []

    def start(self, kind: str, tool_id: str = "", tool_name: str = "") -> None:
        self._fragments = []
        self.content.append({"type": kind, "id": tool_id, "name": tool_name} if tool_id else {"type": kind})

    def add(self, fragment: str) -> None:
        self._fragments.append(fragment)

    def stop(self) -> None:
        block, text = self.content[-1], "".join(self._fragments)
        if block["type"] == TEXT:
            block["text"] = text
        elif block["type"] == THINKING:
            block.update(thinking=text, signature=SIGNATURE)
        else:
            block["input"] = read_input(text)


def read_input(arguments: str) -> dict[str, Any]:
    """A call's input; what is no JSON object is kept as it came, under one key, for the tool's own error to show."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = arguments
    if isinstance(value, dict):
        return value
    return {} if value is None else {"arguments": value}


def to_message(completion: Chunk, request: ChatRequest, message_id: str) -> dict[str, Any]:
    """The message of a whole completion. Raises a ProxyError where it holds an error or no answer."""
    writer = ContentWriter()
    answer = Answer(writer, request, message_id)
    answer.feed(completion)
    if not completion.choices:
        raise UpstreamFault("NVIDIA's answer is empty. Please try again.")
    ending = answer.finish()
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model.id,
        "content": writer.content,
        "stop_reason": ending.stop_reason,
        "stop_sequence": ending.stop_sequence,
        "usage": ending.usage,
    }
