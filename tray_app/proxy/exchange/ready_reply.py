"""The reply to a request whose answer is complete from the start, because this program gives it itself."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tray_app.proxy.exchange.client_stream import STREAM_HEADERS
from tray_app.translate import json_text


def ready_reply(message: dict[str, Any], frames: bytes | None = None) -> web.Response:
    """Returns the message, or its frames for a client that wants a stream."""
    if frames is not None:
        return web.Response(body=frames, headers=STREAM_HEADERS)
    return web.json_response(body=json_text.encode(message))
