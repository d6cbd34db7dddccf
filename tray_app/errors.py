"""Every error that this program raises on purpose.

Each error says what happened and what to do. A `ProxyError` also has the form that an Anthropic client expects: HTTP
status, Anthropic error type and retry headers (https://docs.anthropic.com/en/api/errors).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from tray_app.printable import make_sentence
from tray_app.redaction import hide_secrets

MOST_RETRY_AFTER_S = 60
"""Longest wait that a client is asked for, in seconds. Claude Code gives up at once if it is asked for more."""


class AppError(Exception):
    """An error that the user sees as one line of text, without a traceback.

    The text may quote upstream, a client or a file. It is made harmless for a terminal.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(make_sentence(message))


class SettingsError(AppError):
    """A setting from the file or the environment cannot be used. The message names it."""


class ClaudeSettingsError(AppError):
    """The user's own settings file of Claude Code cannot be used or written. The message names the file."""


class StartError(AppError):
    """The gateway cannot listen: the port is taken, or the address is not usable or would be open to the network."""


class PortTaken(StartError):
    """Another program listens on the port, or the system holds it."""


SearchErrorCode = Literal[
    "invalid_tool_input",
    "unavailable",
    "max_uses_exceeded",
    "too_many_requests",
    "query_too_long",
    "request_too_large",
]
"""Anthropic's names for the reasons why a web search fails."""


class SearchFailed(AppError):
    """A web search has failed. The message is also for the model, and says what it can do instead."""

    def __init__(self, message: str, code: SearchErrorCode = "unavailable") -> None:
        super().__init__(message)
        self.code = code


class ProxyError(AppError):
    """An error that is sent to the client in Anthropic's form.

    `status` is the HTTP status, `type` is Anthropic's error type, and `retry_after_s` becomes a `retry-after` header.
    `client_may_retry=False` sends `x-should-retry: false`, which stops the retries of Anthropic's SDKs.
    """

    status = 500
    type = "api_error"
    is_transient = False
    """Tells whether the same request is likely to succeed if it is repeated soon."""
    brief = "the request failed"
    """What happened, in a few words for the menu and the status line. They quote nobody."""
    client_may_retry = True
    details: ClassVar[Mapping[str, str] | None] = None
    """Further fields of the error, which programs read; None: there are none."""

    def __init__(self, message: str, *, retry_after_s: int | None = None, client_may_retry: bool | None = None) -> None:
        super().__init__(message)
        self.message = str(self)
        self.error_text = ""  # all of upstream's own words, if it refused the request because of its content
        self.retry_after_s = retry_after_s
        self.pause_s = 0.0  # for this time, upstream must not be asked again
        self.client_may_retry = self.client_may_retry if client_may_retry is None else client_may_retry

    def ask_for_pause(self, pause_s: float) -> None:
        """Sets how long upstream must not be asked again. The client gets the same wait, up to MOST_RETRY_AFTER_S."""
        self.pause_s = pause_s
        self.retry_after_s = min(max(math.ceil(pause_s), 1), MOST_RETRY_AFTER_S)

    def hide(self, secrets: Iterable[str]) -> None:
        """Hides the secrets in the message, which upstream may have repeated."""
        self.message = hide_secrets(self.message, secrets)
        self.args = (self.message,)

    def body(self, request_id: str) -> dict[str, Any]:
        """Returns the JSON body of the error answer."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.details:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}

    def event_body(self, request_id: str) -> dict[str, Any]:
        """Returns the data of an `event: error` frame. After a 200, only the type makes a client try again."""
        body = self.body(request_id)
        if self.is_transient:
            body["error"]["type"] = Overloaded.type
        return body

    def headers(self) -> dict[str, str]:
        """Returns the HTTP headers about repeating the request."""
        headers = {}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(self.retry_after_s)
        if not self.client_may_retry:
            headers["x-should-retry"] = "false"
        return headers


OWN_FAULT = "Claude NVIDIA Tray failed on this request; its log (Open Log Folder in the menu) says where."


class InvalidRequest(ProxyError):
    """The client's request is malformed. The message begins with the field, as Anthropic's messages do."""

    status = 400
    type = "invalid_request_error"
    client_may_retry = False
    brief = "the request was refused because of its content"


class ThreadUnsupported(InvalidRequest):
    """The client wants the gateway to keep the conversation. After this error, Anthropic's SDKs send it whole.

    https://platform.claude.com/docs/en/build-with-claude/message-threads
    """

    details: ClassVar[Mapping[str, str] | None] = {"error_code": "thread_unsupported_request"}


class WrongServerKey(ProxyError):
    """The client sent no server key, or a wrong one."""

    status = 401
    type = "authentication_error"
    brief = "the server key is missing or wrong"


class Forbidden(ProxyError):
    """The request comes from a web page or a host that may not use the gateway, whatever its key."""

    status = 403
    type = "permission_error"


class NotFound(ProxyError):
    """There is no such path or model."""

    status = 404
    type = "not_found_error"


class MethodNotAllowed(ProxyError):
    """The path does not take this HTTP method."""

    status = 405
    type = "invalid_request_error"


class RequestTooSlow(ProxyError):
    """The client did not finish its request in time."""

    status = 408
    type = "timeout_error"
    brief = "the request did not arrive in time"


class RequestTooLarge(ProxyError):
    """The request has more bytes than the gateway accepts."""

    status = 413
    type = "request_too_large"
    brief = "the request is too large"


class UserActionNeeded(ProxyError):
    """Only the user can solve this: there is no key, the key is refused, or the model is retired.

    400 with `billing_error` is the only documented error that Claude Code 2.1.330 shows unchanged after one request
    (measured November 2026). It hides the message of 401 and 404, and repeats other requests with 400 six times.
    """

    status = 400
    type = "billing_error"
    client_may_retry = False
    brief = "it needs something that only the user can do"


class Paused(UserActionNeeded):
    """The user has paused the program."""

    brief = "the app is paused"


class CancelledByUser(UserActionNeeded):
    """The user has cancelled the request on the page. It has the form of the errors that Claude Code shows at once."""

    brief = "cancelled by the user"


class KeyRefused(UserActionNeeded):
    """NVIDIA does not accept the API key. `is_about_model`: it may be good for other models."""

    brief = "NVIDIA refuses the API key"

    def __init__(self, message: str, *, is_about_model: bool = False) -> None:
        super().__init__(message)
        self.is_about_model = is_about_model


class ModelUnavailable(UserActionNeeded):
    """NVIDIA has retired the model, or does not serve it to this key. `date`: since when; empty: it named no date."""

    brief = "NVIDIA does not serve the model"

    def __init__(self, message: str, *, is_retired: bool, date: str = "") -> None:
        super().__init__(message)
        self.is_retired = is_retired
        self.date = date


class RateLimited(ProxyError):
    """NVIDIA's limit of requests is reached."""

    status = 429
    type = "rate_limit_error"
    is_transient = True
    brief = "NVIDIA's rate limit is reached"


class QueueFull(RateLimited):
    """Too many requests wait for the model's rate limit, or this one has waited too long."""

    is_transient = False
    brief = "it waited too long for NVIDIA's rate limit"


class UpstreamFault(ProxyError):
    """Upstream cannot be reached, or its answer cannot be used."""

    status = 502
    type = "api_error"
    is_transient = True
    brief = "NVIDIA's answer failed"


class Unreachable(UpstreamFault):
    """No connection to upstream can be opened."""

    brief = "NVIDIA cannot be reached"


class UpstreamUnusable(UpstreamFault):
    """Upstream cannot be reached with the present settings. Repeating the request changes nothing."""

    is_transient = False
    client_may_retry = False


class UpstreamTimeout(ProxyError):
    """Upstream was silent for too long."""

    status = 504
    type = "timeout_error"
    brief = "NVIDIA was silent for too long"


class Overloaded(ProxyError):
    """Upstream is too busy. 529 is Anthropic's own status for that; clients repeat the request with back-off."""

    status = 529
    type = "overloaded_error"
    is_transient = True
    brief = "NVIDIA is overloaded"
    queue: tuple[int, int] | None = None
    """How many requests wait for how many places at NVIDIA; None: it does not say."""


class TooManyConnections(ProxyError):
    """The gateway has as many connections as it may have, and each has a request that is being answered."""

    status = 503
    type = "overloaded_error"


class ShuttingDown(ProxyError):
    """The user has quit the app while the request was running."""

    status = 503
    type = "api_error"
    brief = "the app was quit"
