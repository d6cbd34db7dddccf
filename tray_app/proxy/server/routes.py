"""The web application: its routes, and the checks that every request passes before it gets there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

import msgspec
from aiohttp import web

from tray_app import APP_ID, __version__
from tray_app.proxy.exchange.gateway import GATEWAY, REQUEST_ID, Gateway
from tray_app.proxy.server.connections import Connection
from tray_app.proxy.server.error_answers import error_response, explain_exception, make_request_id
from tray_app.proxy.server.guards import check_host, check_origin, let_page_read
from tray_app.proxy.server.keep_history import MESSAGES_PATH, keep_history
from tray_app.proxy.server.messages import count_tokens, post_messages
from tray_app.proxy.server.model_routes import list_models, show_model
from tray_app.proxy.server.server_key import GUESSES, Guesses, check_key
from tray_app.status.following import find_answering
from tray_app.status.progress import RequestProgress


class Page(Protocol):
    """The page that a browser gets."""

    def attach(self, app: web.Application) -> None:
        """Adds its addresses to the application."""

    def answer_root(self, request: web.Request) -> web.Response | None:
        """Returns the page for a browser; None for every other client, and if there is no page."""


PAGE = web.AppKey("page", Page)


def make_app(gateway: Gateway, page: Page | None = None) -> web.Application:
    """Returns the application of one gateway, for the connections of a Listener. `page` None: there is no page."""
    app = web.Application(middlewares=[_check_and_answer])
    app[GATEWAY] = gateway
    app[GUESSES] = Guesses()
    app.on_response_prepare.append(let_page_read)
    app.router.add_post(MESSAGES_PATH, post_messages)
    app.router.add_post("/v1/messages/count_tokens", count_tokens)
    app.router.add_get("/v1/models", list_models)
    app.router.add_get("/v1/models/{model_id:.+}", show_model)
    app.router.add_get("/health", get_health)
    app.router.add_get("/health/models", get_findings)
    if page is not None:
        app[PAGE] = page
        page.attach(app)
    for path in ("/", "/api/hello"):  # Claude Code asks these whether a server is there
        app.router.add_get(path, get_hello)
    app.router.add_post("/api/event_logging/{rest:.*}", drop_telemetry)
    return app


@web.middleware
async def _check_and_answer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Has the request answered if it passes all checks. Gives it an id, and turns exceptions into error objects.

    This is one middleware, because each one costs every request a wrapper and a step.
    """
    connection = request.protocol
    assert isinstance(connection, Connection)
    connection.begin_answer(request)
    request[REQUEST_ID] = request_id = make_request_id()
    try:
        check_host(request)
        response: web.StreamResponse | None = check_origin(request)
        if response is None:
            with keep_history(request):
                await check_key(request)
                response = await handler(request)
    except Exception as error:  # noqa: BLE001 (each becomes an answer, and the log gets those that are faults)
        response = error_response(explain_exception(error, request), request_id)
    finally:
        connection.end_answer()
    if not response.prepared:
        response.headers["request-id"] = request_id
    return response


async def get_health(request: web.Request) -> web.Response:
    """Answers with 200 and the state of the gateway."""
    gateway = request.app[GATEWAY]
    config, status = gateway.config, gateway.board.status
    answering = find_answering(config.settings.selected_model, status, config.settings)
    return web.json_response(
        {
            "status": "ok",
            "version": __version__,
            "model": config.settings.selected_model.id,
            "answering": answering.id,
            "today": status.findings.find(answering.id).today,
            "demo": config.is_demo,
            "paused": config.is_paused,
            "has_nvidia_key": bool(config.keys.nvidia),
            "has_page": PAGE in request.app and config.serves_page,
            "active_requests": status.active_requests,
            "waits": [asdict(wait) for wait in status.waits],
            "requests": [_describe(request) for request in status.requests],
            "failing": {failing.model_id: failing.reason for failing in status.failing},
        }
    )


async def get_findings(request: web.Request) -> web.Response:
    """Answers with what was found out about each model, what NVIDIA lists, and how far the search is."""
    status = request.app[GATEWAY].board.status
    known = {"findings": status.findings.by_model, "listed": sorted(status.listed_models), "look": status.look}
    return web.Response(body=msgspec.json.encode(known), content_type="application/json")


def _describe(request: RequestProgress) -> dict[str, Any]:
    """Returns the progress of a request without the id of its session, because anybody on this machine may ask."""
    delay = request.delay.value if request.delay else None
    fields = asdict(request) | {"phase": request.phase.value, "delay": delay}
    del fields["session_id"]
    return fields


async def get_hello(request: web.Request) -> web.Response:
    """Answers with the name and the version of this program, or with the page if a browser asks for the root."""
    page = request.app.get(PAGE) if request.path == "/" else None
    if page is not None and (answer := page.answer_root(request)) is not None:
        return answer
    return web.json_response({"name": APP_ID, "version": __version__})


async def drop_telemetry(_: web.Request) -> web.Response:
    """Discards the telemetry of clients."""
    return web.Response(status=204)
