"""Anthropic's message object: an answer that is not streamed."""

from __future__ import annotations

from typing import Any

from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.blocks import TEXT, THINKING
from tray_app.translate.arguments.mending import as_object
from tray_app.translate.json_text import decoder
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.signature import SIGNATURE, sign_hidden


class ContentWriter:
    """Writes blocks into a content list. `omits_thinking`: as in `FrameWriter`."""

    def __init__(self, *, omits_thinking: bool = False) -> None:
        self._omits_thinking = omits_thinking
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
            block["thinking"] = "" if self._omits_thinking else text
            block["signature"] = sign_hidden(text) if self._omits_thinking else SIGNATURE
        else:
            block["input"] = read_input(text)


def read_input(arguments: str) -> dict[str, Any]:
    """A call's input; what is no JSON object is kept as it came, under one key, for the tool's own error to show."""
    try:
        return as_object(decoder.decode(arguments))
    except (ValueError, RecursionError):
        return as_object(arguments)


class MessageBuilder:
    """Chunks, or one whole completion, in; the message out."""

    def __init__(self, request: ChatRequest, message_id: str) -> None:
        self._writer = ContentWriter(omits_thinking=request.omits_thinking)
        self._request = request
        self._message_id = message_id
        self.answer = Answer(self._writer, request, message_id)

    def finish(self) -> dict[str, Any]:
        """The message."""
        ending = self.answer.finish()
        return {
            "id": self._message_id,
            "type": "message",
            "role": "assistant",
            "model": self._request.model.id,
            "content": self._writer.content,
            "stop_reason": ending.stop_reason,
            "stop_sequence": ending.stop_sequence,
            "usage": ending.usage,
        }
