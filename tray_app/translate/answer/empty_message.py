"""The message that answers a request with `max_tokens: 0`."""

from __future__ import annotations

from typing import Any

from tray_app.translate.answer.envelope import wrap_content
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest


def to_empty_message(chat: ChatRequest, message_id: str) -> dict[str, Any]:
    """Returns a message without content. Its usage is an estimate of the request's tokens."""
    return wrap_content(chat, message_id, [], to_usage(chat.input_tokens, 0), "max_tokens")
