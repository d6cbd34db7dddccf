"""Translates upstream's errors, which come as an HTTP status, in a stream or in the body of a 200, to Anthropic's.

Upstream's own words reach the client only if they describe the client's request. They may contain the keys in use.
`ProxyError.hide` removes these, because they are unknown here.
"""

from __future__ import annotations

import re
from typing import Any

from tray_app.catalog import Model, find_model, find_relative
from tray_app.errors import (
    InvalidRequest,
    KeyRefused,
    ModelUnavailable,
    Overloaded,
    ProxyError,
    RateLimited,
    UpstreamFault,
    UpstreamUnusable,
    UserActionNeeded,
)
from tray_app.sentences import EMPTY_ANSWER, HOW_TO_SET_KEY, say_not_served, say_retired
from tray_app.translate.refusal.error_body import MAX_ERROR_BYTES, ErrorBody, read_error, read_error_body
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import encode_body

RATE_LIMIT_PAUSE_S = 15
"""Seconds after which the client may retry. NVIDIA sends no Retry-After. Its limit is per minute, and clients
wait longer each time."""

_RETIRED = re.compile(r"end of life on (\d{4}-\d{2}-\d{2})")
_QUEUE = re.compile(r"request limit reached \((\d{1,6})/(\d{1,6})\)")
"""NVIDIA's own queue, such as "(77/32)" in a 503: 77 requests wait for 32 places."""
_SAYS_WHAT_IT_IS = frozenset({401, 402, 403, 404, 410, 429, 451})
"""HTTP statuses that are never about the length of a prompt."""
_MAY_PASS = frozenset({408, 409, 425, 499})
"""HTTP statuses below 500 of transient errors. The others say that a retry would fail, too."""


def explain_refusal(status: int, body: bytes, model: Model, chat: ChatRequest | None = None) -> ProxyError:
    """Returns the client's error for an HTTP status other than 200. `chat` is the request; None if it is unknown."""
    return _explain(status, read_error_body(body), model, chat)


def explain_stream_error(error: Any, model: Model, chat: ChatRequest | None = None) -> ProxyError:
    """Returns the client's error for an error in a stream, or in the body of a 200.

    A status below 500 within the error counts like an HTTP status. All other errors are transient.
    """
    error_body = read_error(error)
    status = 410 if "end of life" in error_body.detail else error_body.named_status
    if status is not None and status < 500:
        return _explain(status, error_body, model, chat)
    return _find_overflow(error_body, model, chat) or Overloaded(
        f"NVIDIA broke off the answer: {error_body.detail or 'no reason given'}"
    )


def explain_malformed(payload: bytes, model: Model, chat: ChatRequest | None = None) -> ProxyError:
    """Returns the client's error for a payload that is neither a chunk nor a completion."""
    if not payload:
        return UpstreamFault(EMPTY_ANSWER)
    if len(payload) <= MAX_ERROR_BYTES:
        error_body = read_error_body(payload)
        if error_body.status is not None and error_body.status < 500:
            return _explain(error_body.status, error_body, model, chat)
        if overflow := _find_overflow(error_body, model, chat):
            return overflow
    return UpstreamFault("NVIDIA's answer is malformed: a part of it is no chat completion. Please try again.")


def _explain(status: int, error_body: ErrorBody, model: Model, chat: ChatRequest | None) -> ProxyError:
    if status not in _SAYS_WHAT_IT_IS and (overflow := _find_overflow(error_body, model, chat)):
        return overflow
    if status == 402 or (status == 429 and error_body.is_about_money):
        return UserActionNeeded(
            f"NVIDIA wants to be paid for {model.label}: your account has no credits left, or they have expired. "
            "Look at your account on build.nvidia.com, or choose another model in the tray menu."
        )
    if status in (401, 403):
        return KeyRefused(
            "NVIDIA refused your API key" + (f" for {model.label}" if status == 403 else "") + f". {HOW_TO_SET_KEY}",
            is_about_model=status == 403,
        )
    if status in (404, 410, 451) or "end of life" in error_body.detail:
        return _explain_unavailability(status, error_body.detail, model)
    if status == 429:
        return RateLimited(f"NVIDIA's rate limit for {model.label} is reached.", retry_after_s=RATE_LIMIT_PAUSE_S)
    if status >= 500 or "DEGRADED" in error_body.detail or "ResourceExhausted" in error_body.detail:
        return _explain_overload(status, error_body.detail, model)
    if status in (400, 413, 422):
        refused = InvalidRequest(
            f"NVIDIA refused the request: {error_body.detail or f'HTTP {status}, without a reason'}"
        )
        refused.error_text = error_body.error_text
        return refused
    if 300 <= status < 400:
        return UpstreamUnusable(
            f"NVIDIA answered with HTTP {status}, a redirect to another place, which is not followed: your key goes "
            'nowhere else. Check "nvidia_url" in the settings.'
        )
    sentence = f"NVIDIA answered with HTTP {status}, which is no answer to a chat request. {error_body.detail}".strip()
    return UpstreamFault(sentence) if status < 400 or status in _MAY_PASS else UpstreamUnusable(sentence)


def _explain_overload(status: int, detail: str, model: Model) -> Overloaded:
    """Returns the error of a busy model, with the length of NVIDIA's own queue if it tells that."""
    if not (queue := _QUEUE.search(detail)):
        return Overloaded(f"NVIDIA is overloaded: {model.label} answered with HTTP {status}.")
    waiting, places = queue.groups()
    error = Overloaded(f"NVIDIA is overloaded: {waiting} requests wait for {places} places of {model.label}.")
    error.brief = f"{waiting} wait for {places} places at NVIDIA"
    error.queue = int(waiting), int(places)
    return error


def _explain_unavailability(status: int, detail: str, model: Model) -> ModelUnavailable:
    successor = find_model(model.successor) or find_relative(model)
    instead = f', or set "model" to "{successor.id}" ({successor.label}) in the settings file' if successor else ""
    if status == 451:
        return ModelUnavailable(
            f"NVIDIA does not offer {model.label} where you are, for legal reasons (HTTP 451). Choose another model in "
            f"the tray menu{instead}.",
            is_retired=False,
        )
    if status == 404 and "end of life" not in detail:
        return ModelUnavailable(
            f"{say_not_served(model.label)} Choose another model in the tray menu{instead}, "
            "or look on build.nvidia.com whether it is still offered.",
            is_retired=False,
        )
    found = _RETIRED.search(detail)
    date = found[1] if found else ""
    return ModelUnavailable(
        f"{say_retired(model.label, date)} Choose another model in the tray menu{instead}.", is_retired=True, date=date
    )


def _find_overflow(error_body: ErrorBody, model: Model, chat: ChatRequest | None) -> InvalidRequest | None:
    """Returns the error for a prompt that is too long; None if upstream's error is another one."""
    from tray_app.translate.refusal.overflow import find_overflow  # its patterns take longer than a start should

    return find_overflow(
        error_body.error_text or error_body.detail,
        error_body.names,
        error_body.counts,
        model.context_tokens,
        chat.input_tokens if chat else 0,
        encode_body(chat.body) if chat else (),
    )
