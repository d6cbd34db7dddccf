"""Errors as Anthropic's error object, in an answer to a request, or as bytes if there is no request yet."""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus

from aiohttp import web

from tray_app.errors import (
    OWN_FAULT,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ProxyError,
)

log = logging.getLogger(__name__)


def explain_exception(error: Exception, request: web.Request) -> ProxyError:
    """Returns what the client is told of an exception that was raised while its request was answered."""
    match error:
        case ProxyError():
            return error
        case web.HTTPException():
            return _explain_http(error, request)
    log.error("a fault of this program in %s %s", request.method, request.path, exc_info=error)
    return ProxyError(OWN_FAULT, client_may_retry=False)


def make_request_id() -> str:
    """Returns a new id in the form of Anthropic's request ids."""
    return f"req_{secrets.token_hex(16)}"


def error_response(error: ProxyError, request_id: str) -> web.Response:
    """Returns the HTTP response for an error."""
    headers = {**error.headers(), "request-id": request_id}
    return web.json_response(error.body(request_id), status=error.status, headers=headers)


def error_bytes(error: ProxyError) -> bytes:
    """Returns a whole HTTP response for an error, for a connection that is closed after it."""
    request_id = make_request_id()
    body = json.dumps(error.body(request_id)).encode()
    headers = {
        **error.headers(),
        "request-id": request_id,
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "connection": "close",
    }
    status_line = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
    head = status_line + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + b"\r\n" + body


def _explain_http(error: web.HTTPException, request: web.Request) -> ProxyError:
    match error:
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(f"{request.path} does not take {request.method}.")
        case web.HTTPNotFound():
            return NotFound(f"There is nothing at {request.method} {request.path}.")
    return InvalidRequest(f"The request cannot be read: {error.reason}.")
