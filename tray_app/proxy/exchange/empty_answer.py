"""The answer to a request that allows no tokens (`max_tokens: 0`). It is made here because upstream refuses that.

Anthropic's API fills its prompt cache by such a request. Claude Code 2.1.331 sends one when it has a finished sub-agent
reviewed (seen in November 2026).
"""

from __future__ import annotations

import logging
import uuid

from aiohttp import web

from tray_app.proxy.exchange.ready_reply import ready_reply
from tray_app.translate.answer.empty_message import to_empty_message
from tray_app.translate.request.chat import ChatRequest

log = logging.getLogger(__name__)


def answer_with_nothing(chat: ChatRequest) -> web.Response:
    """Returns a message without content, or its frames if the client wants a stream."""
    message_id = f"msg_{uuid.uuid4().hex}"
    log.info("max_tokens 0: answered here with an empty message")
    return ready_reply(to_empty_message(chat, message_id), is_stream=chat.is_stream)
