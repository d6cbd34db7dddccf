"""The addresses of the page. Everything but its files needs a browser that was let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
from aiohttp import web

from tray_app.errors import AppError, InvalidRequest, ProxyError
from tray_app.page.access import Access, check_is_on, check_sender
from tray_app.page.actions import Desk, read_action
from tray_app.page.bodies import read_body
from tray_app.page.feed import Event, Feeds
from tray_app.page.files import answer_file, answer_index, protect, wants_page
from tray_app.page.program_reads import read_log, read_settings
from tray_app.page.reading import Reading
from tray_app.page.views.state import show_state
from tray_app.proxy.exchange.gateway import GATEWAY

_encode = msgspec.json.Encoder(enc_hook=str).encode


Read = Callable[[Reading], Awaitable[object]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read_state(reading: Reading) -> object:
    """Returns what every view shows."""
    gateway = reading.gateway
    today = gateway.history.today if gateway.history else None
    return show_state(gateway.config, gateway.board.status, reading.desk.facts, today)


READS: dict[str, Read] = {
    "/page/state": read_state,
    "/page/settings": read_settings,
    "/page/log": read_log,
}
"""What the page can read, by its address. Each answer is JSON."""


class ActionFailed(InvalidRequest):
    """The app could not carry out an action."""


class Page:
    """The page of one run of the program. A gateway that is started anew keeps it."""

    def __init__(self, state_folder: Path, history_file: Path, desk: Desk) -> None:
        self._access = Access(state_folder)
        self._history_file = history_file
        self._desk = desk
        self._feeds = Feeds()

    def attach(self, app: web.Application) -> None:
        """Adds the addresses of the page to the web application of a gateway."""
        app.on_response_prepare.append(protect)
        app.router.add_get("/page/static/{name:.+}", self._show_file)
        app.router.add_post("/page/session", self._let_in)
        app.router.add_get("/page/events", self._guard(self._send_events), allow_head=False)
        app.router.add_post("/page/actions", self._guard(self._act))
        for path, read in READS.items():
            app.router.add_get(path, self._guard(self._answer(read)))

    def answer_root(self, request: web.Request) -> web.Response | None:
        """Returns the page for a browser; None for every other client, and if there is no page."""
        return answer_index() if wants_page(request) and request.app[GATEWAY].config.serves_page else None

    def _guard(self, handler: Handler) -> Handler:
        """Returns the handler for browsers that were let in."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            check_is_on(request.app[GATEWAY].config)
            self._access.check(request)
            return await handler(request)

        return guarded

    def _answer(self, read: Read) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            return _answer_json(await read(self._make_reading(request)))

        return answer

    def _make_reading(self, request: web.Request) -> Reading:
        return Reading(request.app[GATEWAY], self._desk, self._history_file, dict(request.query))

    async def _show_file(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        return answer_file(request.match_info["name"])

    async def _let_in(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        check_sender(request)
        try:
            token = msgspec.json.decode(await read_body(request), type=dict[str, str]).get("token", "")
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest("The body must be a JSON object with a token.") from None
        return self._access.let_in(request, token)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            action = read_action(await read_body(request))
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidRequest(f"There is no such action: {error}.") from None
        try:
            return _answer_json(await asyncio.wrap_future(self._desk.carry_out(action)))
        except ProxyError:
            raise
        except AppError as error:
            raise ActionFailed(str(error)) from error

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        gateway, reading = request.app[GATEWAY], self._make_reading(request)

        def look(_: str) -> Iterator[Event]:
            today = gateway.history.today if gateway.history else None
            yield Event("state", show_state(gateway.config, gateway.board.status, reading.desk.facts, today))

        return await self._feeds.serve(request, look, lambda: gateway.is_quitting)


def _answer_json(value: object) -> web.Response:
    return web.Response(body=_encode(value), content_type="application/json")
