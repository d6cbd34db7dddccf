"""Finds the PDFs of a request, and replaces them by their text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tray_app.translate.request.body import ContentBlock, MessagesRequest

_LEVELS = 2
"""How deep PDFs are looked for: in a message, in a tool's result (1), and in a page within the result (2)."""


def find_pdfs(request: MessagesRequest) -> Iterator[ContentBlock]:
    """Yields the documents of a request that contain a PDF, in order."""
    for message in request.messages:
        if isinstance(message.content, list):
            yield from _find(message.content, _LEVELS)


def replace_pdfs(request: MessagesRequest, read: Callable[[str], str]) -> MessagesRequest:
    """Returns the same request with text in place of each PDF. `read` returns the text of a PDF in base64."""
    messages = [
        msgspec.structs.replace(message, content=_replace(message.content, read, _LEVELS))
        if isinstance(message.content, list)
        else message
        for message in request.messages
    ]
    return msgspec.structs.replace(request, messages=messages)


def _find(content: Any, levels: int) -> Iterator[ContentBlock]:
    for block in content if isinstance(content, list) else [content]:
        if not isinstance(block, dict):
            continue
        if _is_pdf(block):
            yield block
        elif levels and isinstance(block.get("content"), list | dict):
            yield from _find(block["content"], levels - 1)


def _replace(content: Any, read: Callable[[str], str], levels: int) -> Any:
    """Returns a content value, which is a list of blocks or one block, with text in place of each PDF."""
    if isinstance(content, list):
        return [_replace(block, read, levels) if isinstance(block, dict) else block for block in content]
    if _is_pdf(content):
        data = content["source"].get("data")
        return {**content, "source": {"type": "text", "data": read(data if isinstance(data, str) else "")}}
    if levels and isinstance(content.get("content"), list | dict):
        return {**content, "content": _replace(content["content"], read, levels - 1)}
    return content


def _is_pdf(block: ContentBlock) -> bool:
    source = block.get("source")
    return (
        block.get("type") == "document"
        and isinstance(source, dict)
        and source.get("type") == "base64"
        and source.get("media_type") == "application/pdf"
    )
