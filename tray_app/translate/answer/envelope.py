"""Anthropic's message object, which every answer shares: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tray_app.translate.request.chat import ChatRequest


def wrap_content(
    request: ChatRequest,
    message_id: str,
    content: Sequence[dict[str, Any]],
    usage: dict[str, Any],
    stop_reason: str | None = None,
    stop_sequence: str | None = None,
) -> dict[str, Any]:
    """Returns the message object. `stop_reason` is None while the answer has not ended."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model.id,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    }
