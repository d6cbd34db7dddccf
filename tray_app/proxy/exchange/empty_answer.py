"""The answer to a request that allows no tokens (`max_tokens: 0`): made here, as upstream refuses such a request.

At Anthropic's API it fills the prompt cache. Claude Code has a finished sub-agent reviewed so (2.1.331, November 2026).
"""

from __future__ import annotations

import logging
import uuid

from aiohttp import web

from tray_app.translate import json_text
from tray_app.translate.answer.empty_message import to_empty_message
from tray_app.translate.answer.stream import to_frames
from tray_app.translate.request.chat import ChatRequest

log = logging.getLogger(__name__)


def answer_with_nothing(chat: ChatRequest) -> web.Response:
    """A valid message without content, or its events."""
    message_id = f"msg_{uuid.uuid4().hex}"
    log.info("max_tokens 0: answered here with an empty message")
    if chat.is_stream:
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        return web.Response(body=to_frames(to_empty_message(chat, message_id)), headers=headers)
    return web.json_response(body=json_text.encode(to_empty_message(chat, message_id)))
