"""The addresses of the page. Everything but its files needs a browser that was let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import web

from tray_app.errors import AppError, InvalidRequest, ProxyError
from tray_app.page.access import Access, check_is_on, check_sender
from tray_app.page.bodies import read_body
from tray_app.page.feed import Feeds
from tray_app.page.files import answer_file, answer_index, protect, wants_page
from tray_app.proxy.exchange.gateway import GATEWAY

if TYPE_CHECKING:  # imported with the rest when the first page is opened
    from tray_app.page.actions import Desk
    from tray_app.page.reading import Reading

_encode = msgspec.json.Encoder(enc_hook=str).encode


_Result = TypeVar("_Result")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


READ_PATHS = (
    "/page/state",
    "/page/bodies",
    "/page/sums",
    "/page/records",
    "/page/models",
    "/page/settings",
    "/page/log",
    "/page/choices",
    "/page/connections",
)
"""What the page can read. Each answer is JSON."""


class ActionFailed(InvalidRequest):
    """The app could not carry out an action, or something could not be read."""


class Page:
    """The page of one run of the program. A gateway that is started anew keeps it."""

    def __init__(self, state_folder: Path, history_file: Path, desk: Desk) -> None:
        self._access = Access(state_folder)
        self._history_file = history_file
        self._desk = desk
        self.feeds = Feeds()

    def attach(self, app: web.Application) -> None:
        """Adds the addresses of the page to the web application of a gateway."""
        app.on_response_prepare.append(protect)
        app.router.add_get("/page/static/{name:.+}", self._show_file)
        app.router.add_post("/page/session", self._let_in)
        app.router.add_get("/page/events", self._guard(self._send_events), allow_head=False)
        app.router.add_post("/page/actions", self._guard(self._act))
        app.router.add_get("/page/history.csv", self._guard(self._send_csv))
        for path in READ_PATHS:
            app.router.add_get(path, self._guard(self._answer))

    def answer_root(self, request: web.Request) -> web.Response | None:
        """Returns the page for a browser; None for every other client, and if there is no page."""
        return answer_index(request) if wants_page(request) and request.app[GATEWAY].config.serves_page else None

    def _guard(self, handler: Handler) -> Handler:
        """Returns the handler for browsers that were let in."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            check_is_on(request.app[GATEWAY].config)
            self._access.check(request)
            return await handler(request)

        return guarded

    async def _answer(self, request: web.Request) -> web.Response:
        from tray_app.page.reads import READS  # with all views, which a program without an open page does not need

        return _answer_json(await _explain(READS[request.path](self._make_reading(request))))

    async def _send_csv(self, request: web.Request) -> web.StreamResponse:
        from tray_app.page.history_reads import send_csv

        return await _explain(send_csv(request, self._make_reading(request)))

    def _make_reading(self, request: web.Request) -> Reading:
        from tray_app.page.reading import Reading

        return Reading(request.app[GATEWAY], self._desk, self._history_file, dict(request.query))

    async def _show_file(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        return answer_file(request, request.match_info["name"])

    async def _let_in(self, request: web.Request) -> web.Response:
        check_is_on(request.app[GATEWAY].config)
        check_sender(request)
        try:
            token = msgspec.json.decode(await read_body(request), type=dict[str, str]).get("token", "")
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest("The body must be a JSON object with a token.") from None
        return self._access.let_in(request, token)

    async def _act(self, request: web.Request) -> web.Response:
        from tray_app.page.actions import LiveAction, read_action
        from tray_app.page.steering import steer

        try:
            action = read_action(await read_body(request))
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidRequest(f"There is no such action: {error}.") from None
        if isinstance(action, LiveAction):
            return _answer_json(steer(request.app[GATEWAY], action))
        return _answer_json(await _explain(asyncio.wrap_future(self._desk.carry_out(action))))

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        from tray_app.page.news import News

        gateway = request.app[GATEWAY]
        news = News(gateway, self._desk)
        return await self.feeds.serve(request, news.look, lambda: gateway.is_quitting)


async def _explain(work: Awaitable[_Result]) -> _Result:
    """Returns what the work leads to. An error of this program becomes an answer with its sentence."""
    try:
        return await work
    except ProxyError:
        raise
    except AppError as error:
        raise ActionFailed(str(error)) from error


def _answer_json(value: object) -> web.Response:
    return web.Response(body=_encode(value), content_type="application/json")
