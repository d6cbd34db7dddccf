"""The web application: its routes, and the middlewares that every request passes before it gets there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

import msgspec
from aiohttp import web

from tray_app import APP_ID, __version__
from tray_app.proxy.exchange.gateway import GATEWAY, Gateway
from tray_app.proxy.server.connections import note_answering
from tray_app.proxy.server.error_answers import answer_errors
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
    app = web.Application(
        middlewares=[note_answering, answer_errors, check_host, check_origin, keep_history, check_key],
    )
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
