"""The reply to a request whose answer is complete from the start, because this program gives it itself."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tray_app.proxy.exchange.client_stream import STREAM_HEADERS
from tray_app.translate import json_text
from tray_app.translate.answer.stream import to_frames


def ready_reply(message: dict[str, Any], *, is_stream: bool) -> web.Response:
    """Returns the message in one piece, or as all frames of a stream."""
    if is_stream:
        return web.Response(body=to_frames(message), headers=STREAM_HEADERS)
    return web.json_response(body=json_text.encode(message))
