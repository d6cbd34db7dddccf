"""Sends the browser what changes, as server-sent events. It costs nothing while no page is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from tray_app.errors import TooManyConnections

LOOK_S = 0.25
"""The time between two looks at what has changed."""
_ALIVE_S = 15.0
"""After so many seconds without an event, a comment shows the browser that the connection lives."""
_MOST_FEEDS = 16
"""So many pages may be open at the same time."""
_RETRY_MS = 1000

_encode = msgspec.json.Encoder(enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its data, which can be turned into JSON, and its id; empty: it cannot be resumed behind."""

    name: str
    data: object
    id: str = ""


@dataclass(slots=True)
class Changes:
    """Leaves out the events of which the browser knows the newest data already."""

    _sent: dict[str, bytes] = field(default_factory=dict)

    def frame(self, event: Event) -> bytes:
        """Returns the bytes of an event; empty if an event of the same name had the same data last."""
        data = _encode(event.data)
        if not event.id and self._sent.get(event.name) == data:
            return b""
        if not event.id:
            self._sent[event.name] = data
        identity = f"id: {event.id}\n".encode() if event.id else b""
        return b"event: %b\n%bdata: %b\n\n" % (event.name.encode(), identity, data)


class Feeds:
    """All open pages of one gateway."""

    def __init__(self) -> None:
        self.open_count = 0
        """How many pages listen."""

    async def serve(
        self, request: web.Request, look: Callable[[str], Iterator[Event]], is_over: Callable[[], bool]
    ) -> web.StreamResponse:
        """Sends events until the browser leaves or `is_over`.

        `look` yields the present events. It gets the id of the last one that the browser has; empty: it has none.
        """
        if self.open_count >= _MOST_FEEDS:
            raise TooManyConnections("This page is open too often. Close some of its tabs.", retry_after_s=5)
        self.open_count += 1
        try:
            return await _serve(request, look, is_over)
        finally:
            self.open_count -= 1


async def _serve(
    request: web.Request, look: Callable[[str], Iterator[Event]], is_over: Callable[[], bool]
) -> web.StreamResponse:
    headers = {"Cache-Control": "no-store", "Content-Type": "text/event-stream; charset=utf-8"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % _RETRY_MS)
    changes, last_id, quiet_s = Changes(), request.headers.get("Last-Event-ID", ""), 0.0
    while not is_over():
        frames = b""
        for event in look(last_id):
            frames += changes.frame(event)
            last_id = event.id or last_id
        quiet_s = 0.0 if frames else quiet_s + LOOK_S
        if quiet_s >= _ALIVE_S:
            frames, quiet_s = b": alive\n\n", 0.0
        if frames:
            await response.write(frames)
        await asyncio.sleep(LOOK_S)
    return response
