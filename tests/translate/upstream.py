"""Translates upstream's chunks and completions, which tests.support.chunks makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.chunks import ChunkJson, completion_of
from tests.translate.rows import ask
from tray_app.errors import ProxyError
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.message import MessageBuilder
from tray_app.translate.answer.stream import StreamTranslator, error_frame, head_frame
from tray_app.translate.request.chat import ChatRequest

MESSAGE_ID = "msg_0123456789abcdef"


def stream(chunks: Iterable[ChunkJson], chat: ChatRequest | None = None) -> bytes:
    """Returns all frames of a stream. An error of upstream is the last frame."""
    chat = chat or ask()
    translator = StreamTranslator(chat, MESSAGE_ID)
    raw, error = b"", b""
    try:
        for chunk in chunks:
            translator.answer.feed(decode_chunk(json.dumps(chunk).encode()))
            raw += translator.take()
        translator.finish()
    except ProxyError as fault:
        error = error_frame(fault, "req_1")
    raw += translator.take()
    return (head_frame(chat, MESSAGE_ID) if raw else b"") + raw + error


def plain(completion: ChunkJson, chat: ChatRequest | None = None) -> dict[str, Any]:
    """Returns the message of a whole completion."""
    builder = MessageBuilder(chat or ask(), MESSAGE_ID)
    builder.answer.feed_whole(decode_chunk(json.dumps(completion).encode()))
    return builder.finish()


def join(chunks: Sequence[ChunkJson]) -> ChunkJson:
    """Joins the chunks of a stream to a completion as OpenAI's own clients do: by field, and calls by index."""
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    completion = completion_of(message)
    [choice] = completion["choices"]
    choice["message"] = message
    for chunk in chunks:
        if chunk.get("usage"):
            completion["usage"] = chunk["usage"]
        for piece in chunk.get("choices") or ():
            choice |= {key: piece[key] for key in ("finish_reason", "stop_reason") if piece.get(key) is not None}
            fields = piece.get("delta") or {}
            for key in ("content", "reasoning", "reasoning_content"):
                if fields.get(key):
                    message[key] = message.get(key, "") + fields[key]
            for fragment in fields.get("tool_calls") or ():
                known = calls.setdefault(
                    fragment["index"], {"type": "function", "function": {"name": "", "arguments": ""}}
                )
                if fragment.get("id") not in (None, ""):
                    known["id"] = fragment["id"]
                function = fragment.get("function") or {}
                known["function"]["name"] = known["function"]["name"] or function.get("name") or ""
                arguments = function.get("arguments")
                if isinstance(arguments, dict):
                    arguments = json.dumps(arguments, ensure_ascii=False)
                known["function"]["arguments"] += arguments or ""
    if calls:
        message["tool_calls"] = list(calls.values())
    return completion
