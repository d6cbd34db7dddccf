"""Reads the bodies of the page's requests, which are small."""

from __future__ import annotations

import asyncio

from aiohttp import web

from tray_app.errors import InvalidRequest, RequestTooLarge, RequestTooSlow

MOST_BODY_BYTES = 64 * 1024
"""No action is longer."""
_UPLOAD_S = 30.0
"""Time for a body. The page runs on this machine, and sends it in one piece."""


async def read_body(request: web.Request) -> bytes:
    """Returns the body. RequestTooLarge, RequestTooSlow, or InvalidRequest if it is not as its headers say."""
    if (request.content_length or 0) > MOST_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_UPLOAD_S):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MOST_BODY_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise RequestTooSlow(f"The request did not arrive within {_UPLOAD_S:.0f} s.") from None
    except web.RequestPayloadError:
        raise InvalidRequest("The request body cannot be read: it is not encoded as its headers say.") from None
    return bytes(body)


def _too_large() -> RequestTooLarge:
    return RequestTooLarge(f"A request of the page has at most {MOST_BODY_BYTES:,} bytes.")
