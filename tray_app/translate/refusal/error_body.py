"""What an error says, in the shapes of all servers: an HTTP body, an event of a stream, the body of a 200.

OpenAI's `{"error": {...}}`, vLLM's `{"object": "error", ...}`, FastAPI's `{"detail": ...}`, problem+json, plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tray_app.printable import make_sentence
from tray_app.redaction import hide_secrets
from tray_app.translate import json_text
from tray_app.translate.refusal.error_text import join_reasons
from tray_app.translate.refusal.overflow_wordings import NO_COUNTS, Counts

MAX_ERROR_BYTES = 64 * 1024
"""No error is larger; decoding any JSON of this size takes less than 10 ms."""

_MAX_DETAIL_CHARS = 300
_MAX_DEPTH = 10
"""No reason stands deeper in an error body."""
_MAX_NAME_CHARS = 200
_MAX_COUNT = 10**12

_STATUS_FIELDS = ("code", "status", "status_code", "statusCode", "http_status", "error_code")
_NAME_FIELDS = ("code", "type", "status", "reason", "error_code", "error_type", "title")
_NUMBER = re.compile(r"\s*+(?:HTTP )?([45]\d\d)(?!\d)", re.IGNORECASE)

_ABOUT_MONEY = re.compile(r"insufficient(?:quota|balance|credit|funds)|billing|paymentrequired")
_NAMED_STATUSES = (
    (402, _ABOUT_MONEY),
    (401, re.compile(r"authentication|unauthori[sz]ed|unauthenticated|invalidapikey")),
    (403, re.compile(r"permission|forbidden|accessdenied")),
    (404, re.compile(r"(?<!file)(?<!module)notfound")),
    (429, re.compile(r"ratelimit|toomanyrequests|throttl")),
    (
        400,
        re.compile(r"badrequest|invalidrequest|invalidargument|invalidparam|unsupportedparam|validation|unprocessable"),
    ),
)
"""The HTTP status that a `code` or `type` means, reduced to small letters. The first that fits counts."""


@dataclass(frozen=True, slots=True)
class ErrorBody:
    detail: str
    """The reason: one line, short, without keys; empty if there is none."""
    error_text: str
    """All reasons."""
    status: int | None = None
    """The HTTP status that it names by number."""
    names: tuple[str, ...] = ()
    """What fields such as `type` call it."""
    counts: Counts = NO_COUNTS

    @property
    def named_status(self) -> int | None:
        """The HTTP status that it names, by number or in words."""
        if self.status is not None:
            return self.status
        return next((status for status, name in _NAMED_STATUSES if self._is_called(name)), None)

    @property
    def is_about_money(self) -> bool:
        return self._is_called(_ABOUT_MONEY)

    def _is_called(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search("".join(filter(str.isalpha, name.lower()))) for name in self.names)


def read_error_body(body: bytes) -> ErrorBody:
    """What the body of an error says; nothing where it is a web page, or empty."""
    try:
        return read_error(json_text.decode(body))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return read_error("" if text.startswith("<") else text)


def read_error(error: Any) -> ErrorBody:
    """What an error says that is decoded already."""
    layers = _peel(error)
    return ErrorBody(
        hide_secrets(make_sentence(_find_text(error)))[:_MAX_DETAIL_CHARS],
        join_reasons(error),
        next((status for layer in layers for status in _read_statuses(layer)), None),
        tuple(name for layer in layers for name in _read_names(layer)),
        Counts(prompt=_read_count(layers, "n_prompt_tokens"), limit=_read_count(layers, "n_ctx")),
    )


def is_error(value: Any, *, is_chunk: bool) -> bool:
    """Whether what came in the place of a chunk or of a completion is an error.

    `is_chunk`: it has choices or usage, so that only an error beside them makes it one.
    """
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    if is_chunk:
        return bool(error)
    if error is not None or value.get("object") == "error" or any(_read_statuses(value)):
        return True
    return any(value.get(key) is not None for key in ("detail", "errors")) or any(
        isinstance(value.get(key), str) for key in ("message", "msg")
    )


def _peel(error: Any) -> list[dict[str, Any]]:
    """The object that is most particular about the error, and those around it."""
    layers: list[dict[str, Any]] = []
    for _ in range(_MAX_DEPTH):
        if isinstance(error, list) and error:
            error = error[0]
        if not isinstance(error, dict):
            break
        layers.append(error)
        error = error.get("error")
    return layers[::-1]


def _read_statuses(layer: dict[str, Any]) -> Iterator[int]:
    for value in map(layer.get, _STATUS_FIELDS):
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            yield value
        elif isinstance(value, str) and (number := _NUMBER.match(value)):
            yield int(number[1])


def _read_names(layer: dict[str, Any]) -> Iterator[str]:
    for value in map(layer.get, _NAME_FIELDS):
        if isinstance(value, str):
            yield value[:_MAX_NAME_CHARS]


def _read_count(layers: list[dict[str, Any]], field: str) -> int:
    counts = (layer.get(field) for layer in layers)
    return next((count for count in counts if isinstance(count, int) and 0 < count < _MAX_COUNT), 0)


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
