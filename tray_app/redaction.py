"""What may not be written down: keys never, image data never, bodies no longer than the user allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_KEY_SHAPES = re.compile(r"\b(nvapi-|sk-|Bearer\s+)[A-Za-z0-9._~+/=-]{6,}")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,[A-Za-z0-9+/=_-]+")
_HIDDEN = "[hidden]"


def hide_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets and without anything that looks like a key."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of the other
        text = text.replace(secret, _HIDDEN)
    return _KEY_SHAPES.sub(lambda match: match[1] + _HIDDEN, text)


def show_body(body: Any, max_chars: int, secrets: Iterable[str] = ()) -> str:
    """A request or answer for the log: JSON without image data, cut at `max_chars`; no secret stays, not even cut."""
    text = hide_secrets(json.dumps(_without_data(body), ensure_ascii=False), secrets)
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}… ({len(text)} characters)"


def _without_data(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("type") == "base64" and isinstance(value.get("data"), str):
            value = {**value, "data": f"[{len(value['data'])} characters of base64]"}
        return {key: _without_data(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_data(item) for item in value]
    if isinstance(value, str):
        return _DATA_URL.sub(lambda match: f"data:{match[1]};base64,[{len(match[0])} characters]", value)
    return value
