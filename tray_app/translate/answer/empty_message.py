"""The message that answers a request which allows no tokens."""

from __future__ import annotations

from typing import Any

from tray_app.translate import json_text
from tray_app.translate.answer.sse import frame
from tray_app.translate.answer.stream import head_frame
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest


def to_empty_message(chat: ChatRequest, message_id: str) -> dict[str, Any]:
    """The message, with an estimate of what the request would cost."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": chat.model.id,
        "content": [],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": to_usage(chat.input_tokens, 0),
    }


def to_empty_frames(chat: ChatRequest, message_id: str) -> bytes:
    """The same message as the frames of a stream."""
    message = to_empty_message(chat, message_id)
    ending = {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]},
        "usage": message["usage"],
    }
    stop = frame("message_stop", json_text.encode({"type": "message_stop"}))
    return head_frame(chat, message_id) + frame("message_delta", json_text.encode(ending)) + stop
