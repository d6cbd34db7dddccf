"""An estimate of how many tokens a request has, without a tokenizer."""

from __future__ import annotations

from typing import Any

BYTES_PER_TOKEN = 3.6
"""Prose and code through byte-pair tokenizers lie between 3.3 and 4.2; a CJK character is about one token."""

_IMAGE_TOKENS = 1_500
_MESSAGE_TOKENS = 5  # role markers of the chat template


def estimate_tokens(body: dict[str, Any]) -> int:
    """Tokens of an Anthropic request: system, tools and messages. At least 1."""
    messages = body.get("messages")
    messages = messages if isinstance(messages, list) else []
    total_bytes = size_bytes(body.get("system")) + size_bytes(body.get("tools")) + size_bytes(messages)
    return max(1, round(total_bytes / BYTES_PER_TOKEN) + _MESSAGE_TOKENS * len(messages))


def estimate_text(text_bytes: int) -> int:
    """Tokens of an answer's text."""
    return max(1, round(text_bytes / BYTES_PER_TOKEN))


def size_bytes(value: object) -> int:
    """Bytes of text below `value`; an image counts as what it costs, not as its base64."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if isinstance(value, list):
        return sum(size_bytes(item) for item in value)
    if isinstance(value, dict):
        if value.get("type") == "base64":
            return round(_IMAGE_TOKENS * BYTES_PER_TOKEN)
        return sum(size_bytes(key) + size_bytes(item) for key, item in value.items())
    return 4 if value is not None else 0
