"""The web application: routes, who may come in, and every error in Anthropic's shape."""

from __future__ import annotations

import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from urllib.parse import urlsplit

from aiohttp import web

from tray_app import APP_ID, __version__
from tray_app.errors import (
    OWN_FAULT,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ProxyError,
    RequestTooLarge,
    UserActionNeeded,
    WrongServerKey,
)
from tray_app.proxy.gateway import GATEWAY, REQUEST_ID, Gateway
from tray_app.proxy.messages import count_tokens, list_models, post_messages
from tray_app.settings import Address

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Claude Code sends up to 32 MB."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(gateway: Gateway) -> web.Application:
    """The application of one gateway."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[answer_errors, check_origin, check_key])
    app[GATEWAY] = gateway
    app.router.add_post("/v1/messages", post_messages)
    app.router.add_post("/v1/messages/count_tokens", count_tokens)
    app.router.add_get("/v1/models", list_models)
    app.router.add_get("/health", get_health)
    for path in ("/", "/api/hello"):  # Claude Code's look whether anybody is there
        app.router.add_get(path, get_hello)
    app.router.add_post("/api/event_logging/{rest:.*}", drop_telemetry)
    return app


async def get_health(request: web.Request) -> web.Response:
    """200 while the gateway serves."""
    gateway = request.app[GATEWAY]
    config, status = gateway.config, gateway.board.status
    return web.json_response(
        {
            "status": "ok",
            "version": __version__,
            "model": config.settings.selected_model.id,
            "demo": config.is_demo,
            "has_nvidia_key": bool(config.keys.nvidia),
            "active_requests": status.active_requests,
            "waits": [asdict(wait) for wait in status.waits],
        }
    )


async def get_hello(_: web.Request) -> web.Response:
    return web.json_response({"name": APP_ID, "version": __version__})


async def drop_telemetry(_: web.Request) -> web.Response:
    """What clients report about themselves goes nowhere."""
    return web.Response(status=204)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its id, and turns every failure into Anthropic's error object."""
    request[REQUEST_ID] = request_id = f"req_{uuid.uuid4().hex}"
    try:
        response = await handler(request)
    except ProxyError as error:
        response = _error_response(error, request_id)
    except web.HTTPException as error:
        response = _error_response(_explain_http(error, request), request_id)
    except Exception:
        log.exception("a fault of this program in %s %s", request.method, request.path)
        response = _error_response(ProxyError(OWN_FAULT, retryable=False), request_id)
    if not response.prepared:
        response.headers["request-id"] = request_id
    return response


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps web pages out: a foreign Host is DNS rebinding, a foreign Origin a page that posts to this machine."""
    listening = request.app[GATEWAY].config.settings.addr
    host = _host_of(f"//{request.headers.get('Host', '')}")
    # beyond loopback the names of this machine are many, and the server key is what protects
    if listening.is_loopback and not _is_this_machine(host):
        raise Forbidden(f"The Host header names {host!r}: this gateway answers to 127.0.0.1 and localhost only.")
    origin = request.headers.get("Origin")
    if origin is not None and not _is_this_machine(_host_of(origin)):
        raise Forbidden(f"Web pages may not use this gateway (Origin: {origin}).")
    return await handler(request)


@web.middleware
async def check_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Wants the server key, where one is set, of everything that is not a sign of life."""
    keys = request.app[GATEWAY].config.keys
    if keys.is_server_unknown and request.path.startswith("/v1/"):
        raise UserActionNeeded(
            "This gateway cannot read its server key, and refuses every request until it can. Unlock the system "
            "keyring where it runs; the menu of its tray icon, and its log, say what is in the way."
        )
    wanted = keys.server
    if wanted and request.path.startswith("/v1/"):
        # a client may send its Anthropic key in the other header
        headers = (request.headers.get("x-api-key", ""), _token_of(request.headers.get("Authorization", "")))
        shown = [key.encode("utf-8", "replace") for key in headers if key]
        if not any(hmac.compare_digest(key, wanted.encode()) for key in shown):
            what = "does not match" if shown else "is missing"
            raise WrongServerKey(
                f"The key {what}: send this gateway's server key (SERVER_API_KEY) as ANTHROPIC_AUTH_TOKEN, "
                "`Authorization: Bearer ...` or `x-api-key`.",
                retryable=False,
            )
    return await handler(request)


def _token_of(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_this_machine(host: str) -> bool:
    return Address(host, 0).is_loopback


def _error_response(error: ProxyError, request_id: str) -> web.Response:
    return web.json_response(error.body(request_id), status=error.status, headers=error.headers())


def _explain_http(error: web.HTTPException, request: web.Request) -> ProxyError:
    match error:
        case web.HTTPRequestEntityTooLarge():
            return RequestTooLarge(f"The request is larger than {MAX_BODY_BYTES // 2**20} MB.")
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(f"{request.path} does not take {request.method}.")
        case web.HTTPNotFound():
            return NotFound(f"There is nothing at {request.method} {request.path}.")
    return InvalidRequest(f"The request cannot be read: {error.reason}.")
