"""The addresses of the page. Everything but its files needs a browser that was let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import hdrs, web

from tray_app.errors import AppError, InvalidRequest, NotFound, ProxyError, RequestTooLarge
from tray_app.page.access import Access, check_is_on, is_on
from tray_app.page.actions import Desk, LiveAction, read_action
from tray_app.page.feed import Feeds
from tray_app.page.files import SECURITY_HEADERS, answer_file, answer_index
from tray_app.page.news import News
from tray_app.page.steering import steer
from tray_app.page.views.state import show_state
from tray_app.proxy.exchange.gateway import GATEWAY, Gateway

_MOST_BODY_BYTES = 64 * 1024
"""No action is longer."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class Reading:
    """What a view is made from."""

    gateway: Gateway
    desk: Desk
    history_file: Path
    query: dict[str, str]
    """The values in the address, by their names."""


Read = Callable[[Reading], Awaitable[object]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read_state(reading: Reading) -> object:
    """Returns what every view shows."""
    gateway = reading.gateway
    today = gateway.history.today if gateway.history else None
    return show_state(gateway.config, gateway.board.status, reading.desk.facts, today)


async def read_bodies(reading: Reading) -> object:
    """Returns the bodies of one request. NotFound if they are not kept."""
    kept = reading.gateway.kept_bodies.find(int(reading.query["number"]))
    if kept is None:
        raise NotFound("No bodies are kept of this request: the logging was off when it came, or newer ones are kept.")
    return kept


READS: dict[str, Read] = {
    "/page/state": read_state,
    "/page/bodies/{number:[0-9]{1,15}}": read_bodies,
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
        self.feeds = Feeds()

    def attach(self, app: web.Application) -> None:
        """Adds the addresses of the page to the web application of a gateway."""
        app.router.add_get("/page/static/{name:.+}", self._show_file)
        app.router.add_post("/page/session", self._let_in)
        app.router.add_get("/page/events", self._guard(self._send_events))
        app.router.add_post("/page/actions", self._guard(self._act))
        for path, read in READS.items():
            app.router.add_get(path, self._guard(self._answer(read)))

    def answer_root(self, request: web.Request) -> web.Response | None:
        """Returns the page for a browser; None for every other client, and if there is no page."""
        wants_page = "text/html" in request.headers.get(hdrs.ACCEPT, "") and request.method == hdrs.METH_GET
        return answer_index() if wants_page and is_on(request.app[GATEWAY].config) else None

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
        return Reading(request.app[GATEWAY], self._desk, self._history_file, {**request.query, **request.match_info})

    async def _show_file(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        return answer_file(request.match_info["name"])

    async def _let_in(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        try:
            token = msgspec.json.decode(await _read_body(request), type=dict[str, str]).get("token", "")
        except msgspec.DecodeError:
            raise InvalidRequest("The body must be a JSON object with a token.") from None
        return self._access.let_in(request, token)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            action = read_action(await _read_body(request))
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"There is no such action: {error}.") from None
        if isinstance(action, LiveAction):
            return _answer_json(steer(request.app[GATEWAY], action))
        try:
            return _answer_json(await asyncio.wrap_future(self._desk.carry_out(action)))
        except ProxyError:
            raise
        except AppError as error:
            raise ActionFailed(str(error)) from error

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        gateway = request.app[GATEWAY]
        news = News(gateway, self._desk)
        return await self.feeds.serve(request, news.look, lambda: gateway.is_quitting)


def _answer_json(value: object) -> web.Response:
    headers = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=_encode(value), content_type="application/json", headers=headers)


async def _read_body(request: web.Request) -> bytes:
    """Returns the body. RequestTooLarge if it is longer than any action."""
    body = await request.content.read(_MOST_BODY_BYTES + 1)
    while len(body) <= _MOST_BODY_BYTES and (more := await request.content.read(_MOST_BODY_BYTES + 1 - len(body))):
        body += more
    if len(body) > _MOST_BODY_BYTES:
        raise RequestTooLarge(f"An action has at most {_MOST_BODY_BYTES:,} bytes.")
    return body
