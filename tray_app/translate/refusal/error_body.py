"""Reads the error in an HTTP body or in an event of a stream, in the shapes that servers use.

They are OpenAI's `{"error": {...}}`, vLLM's `{"object": "error", ...}`, FastAPI's `{"detail": ...}`, problem+json and
plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tray_app.printable import make_sentence
from tray_app.redaction import hide_secrets
from tray_app.translate import json_text
from tray_app.translate.refusal.counts import NO_COUNTS, Counts
from tray_app.translate.refusal.error_text import join_reasons

MAX_ERROR_BYTES = 64 * 1024
"""Largest error that is read. Decoding any JSON of this size takes less than 10 ms."""

_MAX_DETAIL_CHARS = 300
_MAX_DEPTH = 10
"""Most levels of an error body that are read."""
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
"""HTTP status -> pattern of a `code` or `type`, reduced to its letters in lower case. The first match counts."""


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The content of an error."""

    detail: str
    """The reason in one short line without keys; empty if there is none."""
    error_text: str
    """All reasons, up to 4,000 characters. It may contain prompt text: never show or log it."""
    status: int | None = None
    """The HTTP status that the error gives as a number; None if it gives none."""
    names: tuple[str, ...] = ()
    """The values of fields such as `type` and `code`."""
    counts: Counts = NO_COUNTS
    """The token counts in the error's own fields."""

    @property
    def named_status(self) -> int | None:
        """Returns the HTTP status that the error gives as a number or in words; None if it gives none."""
        if self.status is not None:
            return self.status
        return next((status for status, name in _NAMED_STATUSES if self._is_called(name)), None)

    @property
    def is_about_money(self) -> bool:
        """Returns whether the account has no credits left."""
        return self._is_called(_ABOUT_MONEY)

    def _is_called(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search("".join(filter(str.isalpha, name.lower()))) for name in self.names)


def read_error_body(body: bytes) -> ErrorBody:
    """Reads the body of an error. The result is empty for a web page and for an empty body."""
    try:
        return read_error(json_text.decode(body))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return read_error("" if text.startswith("<") else text)


def read_error(error: Any) -> ErrorBody:
    """Reads an error that is already decoded."""
    layers = _peel(error)
    return ErrorBody(
        hide_secrets(make_sentence(_find_text(error)))[:_MAX_DETAIL_CHARS],
        join_reasons(error),
        next((status for layer in layers for status in _read_statuses(layer)), None),
        tuple(name for layer in layers for name in _read_names(layer)),
        Counts(prompt=_read_count(layers, "n_prompt_tokens"), limit=_read_count(layers, "n_ctx")),
    )


def is_error(value: Any, *, is_chunk: bool) -> bool:
    """Returns whether a value from upstream is an error instead of a chunk or a completion.

    `is_chunk` is true if it has choices or usage. Then it is an error only if it also has an `error` field.
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
    """Returns the nested objects of an error, from the innermost to the outermost."""
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
