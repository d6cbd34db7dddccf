"""Everything this program raises on purpose.

Each error says in one sentence what happened and what to do. A `ProxyError` also knows how it looks to an Anthropic
client: HTTP status, Anthropic error type and retry headers (https://docs.anthropic.com/en/api/errors).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from tray_app.printable import make_sentence
from tray_app.redaction import hide_secrets

MOST_RETRY_AFTER_S = 60
"""Told to wait longer, Claude Code gives up at once."""


class AppError(Exception):
    """A failure that is told to the user as it is: one sentence, no traceback.

    The sentence may quote upstream, a client or a file: whatever it quotes, it is harmless for a terminal.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(make_sentence(message))


class SettingsError(AppError):
    """A setting, from the file or the environment, that cannot be used. The sentence names it."""


class StartError(AppError):
    """The gateway cannot listen: port taken, address not ours, or open to the network without a key."""


class PortTaken(StartError):
    """Another program listens on the address."""


SearchErrorCode = Literal[
    "invalid_tool_input",
    "unavailable",
    "max_uses_exceeded",
    "too_many_requests",
    "query_too_long",
    "request_too_large",
]
"""Anthropic's names for why a web search failed."""


class SearchFailed(AppError):
    """A web search that found no answer. The sentence is for the model that asked, too: what it can do instead."""

    def __init__(self, message: str, code: SearchErrorCode = "unavailable") -> None:
        super().__init__(message)
        self.code = code


class ProxyError(AppError):
    """An error answer in Anthropic's shape.

    `status` is the HTTP status, `type` Anthropic's error type, `retry_after_s` becomes a `retry-after` header.
    `client_may_retry=False` sends `x-should-retry: false`, which stops the retries of Anthropic's SDKs.
    """

    status = 500
    type = "api_error"
    is_transient = False
    """Whether the same request may well succeed in a moment."""
    client_may_retry = True
    details: ClassVar[Mapping[str, str] | None] = None
    """For programs; the sentence is for people."""

    def __init__(self, message: str, *, retry_after_s: int | None = None, client_may_retry: bool | None = None) -> None:
        super().__init__(message)
        self.message = str(self)
        self.error_text = ""  # all of upstream's own words, where it refused the request for what is in it
        self.retry_after_s = retry_after_s
        self.pause_s = 0.0  # for so long upstream wants to be left alone
        self.client_may_retry = self.client_may_retry if client_may_retry is None else client_may_retry

    def ask_for_pause(self, pause_s: float) -> None:
        """Takes how long upstream wants to be left alone; the client is told as much of that as it bears."""
        self.pause_s = pause_s
        self.retry_after_s = min(max(math.ceil(pause_s), 1), MOST_RETRY_AFTER_S)

    def hide(self, secrets: Iterable[str]) -> None:
        """Takes the secrets out of the sentence, where upstream may have repeated them."""
        self.message = hide_secrets(self.message, secrets)
        self.args = (self.message,)

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body of the error answer."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.details:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}

    def event_body(self, request_id: str) -> dict[str, Any]:
        """The data of an `event: error` frame: after a 200, the type alone makes a client repeat the request."""
        body = self.body(request_id)
        if self.is_transient:
            body["error"]["type"] = Overloaded.type
        return body

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(self.retry_after_s)
        if not self.client_may_retry:
            headers["x-should-retry"] = "false"
        return headers


OWN_FAULT = "Claude NVIDIA Tray failed on this request; its log (Open Log Folder in the menu) says where."


class InvalidRequest(ProxyError):
    """The client's request is malformed; the sentence starts with the field, as Anthropic's does."""

    status = 400
    type = "invalid_request_error"
    client_may_retry = False


class ThreadUnsupported(InvalidRequest):
    """The client wants the conversation kept here between requests; Anthropic's SDKs then send it whole each time.

    https://platform.claude.com/docs/en/build-with-claude/message-threads
    """

    details: ClassVar[Mapping[str, str] | None] = {"error_code": "thread_unsupported_request"}


class WrongServerKey(ProxyError):
    status = 401
    type = "authentication_error"


class Forbidden(ProxyError):
    """Refused because of where the request comes from (Host, Origin or Sec-Fetch-Site), whatever its key."""

    status = 403
    type = "permission_error"


class NotFound(ProxyError):
    status = 404
    type = "not_found_error"


class MethodNotAllowed(ProxyError):
    status = 405
    type = "invalid_request_error"


class RequestTooSlow(ProxyError):
    status = 408
    type = "timeout_error"


class RequestTooLarge(ProxyError):
    status = 413
    type = "request_too_large"


class UserActionNeeded(ProxyError):
    """Only the user can mend this (no key, key refused, model retired).

    400 with `billing_error` is the one documented type that Claude Code 2.1.330 shows as it is after a single request
    (measured November 2026): 401 and 404 hide the sentence, other 400s are repeated six times.
    """

    status = 400
    type = "billing_error"
    client_may_retry = False


class KeyRefused(UserActionNeeded):
    """NVIDIA does not take the key."""


class ModelUnavailable(UserActionNeeded):
    """NVIDIA does not serve the model: to nobody any more, or not to this key. `date`: since when, if it said so."""

    def __init__(self, message: str, *, is_retired: bool, date: str = "") -> None:
        super().__init__(message)
        self.is_retired = is_retired
        self.date = date


class RateLimited(ProxyError):
    status = 429
    type = "rate_limit_error"
    is_transient = True


class QueueFull(RateLimited):
    """Too many requests wait for the model's limit already, or this one has for too long."""

    is_transient = False


class UpstreamFault(ProxyError):
    """Upstream cannot be reached, or answered something that is no answer."""

    status = 502
    type = "api_error"
    is_transient = True


class UpstreamUnusable(UpstreamFault):
    """The settings, or the system's, name a way to upstream that cannot be used: trying again changes nothing."""

    is_transient = False
    client_may_retry = False


class UpstreamTimeout(ProxyError):
    status = 504
    type = "timeout_error"


class Overloaded(ProxyError):
    """Upstream is too busy; 529 is Anthropic's own status for it, which clients repeat with back-off."""

    status = 529
    type = "overloaded_error"
    is_transient = True


class TooManyConnections(ProxyError):
    """The gateway has as many connections as there may be, and answers a request of each."""

    status = 503
    type = "overloaded_error"


class ShuttingDown(ProxyError):
    """The user quits the app while the request runs."""

    status = 503
    type = "api_error"
