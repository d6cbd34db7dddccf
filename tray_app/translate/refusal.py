"""What upstream's error answers mean, in the words of an Anthropic client.

The shapes are those that users of NVIDIA's API report (problem+json, OpenAI's `error` object, vLLM's, HTML pages).
Upstream's own words reach the client only where they describe the client's request. They may repeat the keys in force,
which are not known here: `ProxyError.hide` takes those out.
"""

from __future__ import annotations

import re
from typing import Any

from tray_app.catalog import Model, find_model
from tray_app.errors import (
    InvalidRequest,
    KeyRefused,
    ModelWithdrawn,
    Overloaded,
    ProxyError,
    RateLimited,
    UpstreamFault,
)
from tray_app.printable import make_sentence
from tray_app.redaction import hide_secrets
from tray_app.translate import json_text
from tray_app.translate.complaint import read_complaint

RATE_LIMIT_PAUSE_S = 15
"""NVIDIA sends no Retry-After; its window is a minute, and clients wait longer each time."""

_MAX_DETAIL_CHARS = 300
_MAX_DEPTH = 10
"""No reason stands deeper in an error body."""

_RETIRED = re.compile(r"end of life on (\d{4}-\d{2}-\d{2})")
_WINDOW = re.compile(r"maximum context length is (\d+) tokens")
_PROMPT = re.compile(r"(?:has|contains)(?: at least)? (\d+) input tokens")
_ANSWER = re.compile(r"(?:requested|too large:) (\d+)(?: output tokens|\.)")
_TOTAL = re.compile(r"requested (\d+)\b(?! output)")
_NO_ROOM = re.compile(r"max_tokens must be at least 1, got (-\d+)")


def explain_refusal(status: int, body: bytes, model: Model) -> ProxyError:
    """The error to pass on for an HTTP status other than 200."""
    detail = read_detail(body)
    if status in (401, 403):
        return KeyRefused(
            "NVIDIA refused your API key"
            + (f" for {model.label}" if status == 403 else "")
            + ". Check the key on build.nvidia.com, then set it with `claude-nvidia-tray set-key`."
        )
    if status == 410 or "end of life" in detail:
        date = _RETIRED.search(detail)
        when = f" on {date[1]}" if date else ""
        return ModelWithdrawn(
            f"NVIDIA retired {model.label}{when}. Choose another model in the tray menu{_name_successor(model)}.",
            is_retired=True,
            date=date[1] if date else "",
        )
    if status == 404:
        return ModelWithdrawn(
            f"NVIDIA does not serve {model.label} to your API key. Choose another model in the tray menu"
            f"{_name_successor(model)}, or look on build.nvidia.com whether it is still offered.",
            is_retired=False,
        )
    if status == 429:
        return RateLimited(f"NVIDIA's rate limit for {model.label} is reached.", retry_after_s=RATE_LIMIT_PAUSE_S)
    if status >= 500 or "DEGRADED" in detail or "ResourceExhausted" in detail:
        return Overloaded(f"NVIDIA is overloaded: {model.label} answered with HTTP {status}.")
    if overflow := _explain_overflow(detail, model.context_tokens):
        return overflow
    if status in (400, 413, 422):
        refused = InvalidRequest(f"NVIDIA refused the request: {detail or f'HTTP {status}, without a reason'}")
        refused.complaint = read_complaint(body)
        return refused
    return UpstreamFault(f"NVIDIA answered with HTTP {status}, which is no answer to a chat request. {detail}".strip())


def explain_stream_error(error: Any) -> ProxyError:
    """The error to pass on for an `error` object in a stream, or in the body of a 200."""
    detail = _clean(_find_text(error)) or "no reason given"
    return Overloaded(f"NVIDIA broke off the answer: {detail}")


def read_detail(body: bytes) -> str:
    """The reason in an error body: one line, short, without keys; empty where it is a web page or nothing."""
    try:
        value = json_text.decode(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else _clean(text)
    return _clean(_find_text(value))


def _name_successor(model: Model) -> str:
    successor = find_model(model.successor)
    return f', or set "model" to "{successor.id}" ({successor.label}) in the settings file' if successor else ""


def _explain_overflow(detail: str, context_tokens: int) -> ProxyError | None:
    """In the words that make Claude Code compact the conversation, or ask for a shorter answer, and go on."""
    if window := _WINDOW.search(detail):
        most, prompt, answer = int(window[1]), _PROMPT.search(detail), _ANSWER.search(detail)
        if prompt and answer and int(prompt[1]) < most:
            sum_asked = f"{prompt[1]} + {answer[1]}"
            return InvalidRequest(f"input length and `max_tokens` exceed context limit: {sum_asked} > {most}")
        total = _TOTAL.search(detail) or prompt
        asked = max(int(total[1]) if total else 0, most + 1)  # some count characters
    elif found := _NO_ROOM.search(detail):
        most, asked = context_tokens, context_tokens - int(found[1])
    else:
        return None
    return InvalidRequest(f"prompt is too long: {asked} tokens > {most} maximum")


def _find_text(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth == _MAX_DEPTH:
        return ""
    if isinstance(value, dict):
        for key in ("detail", "message", "msg", "error", "title"):
            if text := _find_text(value.get(key), depth + 1):
                return text
    if isinstance(value, list) and value:
        return _find_text(value[0], depth + 1)
    return ""


def _clean(text: str) -> str:
    return hide_secrets(make_sentence(text))[:_MAX_DETAIL_CHARS]
