"""Makes chunks and completions of upstream in a short notation, and translates them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.translate.rows import ask
from tray_app.errors import ProxyError
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.message import MessageBuilder
from tray_app.translate.answer.stream import StreamTranslator, error_frame, head_frame
from tray_app.translate.request.chat import ChatRequest

ChunkJson = dict[str, Any]

MESSAGE_ID = "msg_0123456789abcdef"


def delta(finish: str | None = None, **fields: Any) -> ChunkJson:
    """Returns a chunk with one choice."""
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def text(content: str, finish: str | None = None) -> ChunkJson:
    return delta(finish, content=content)


def think(reasoning: str) -> ChunkJson:
    return delta(reasoning_content=reasoning)


def part(
    index: int | None = 0, id: str | int | None = None, name: str | None = None, args: Any = None
) -> dict[str, Any]:
    """Returns a fragment of a tool call. Fields that are None are left out."""
    function = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    fields = {"index": index, "id": id, "type": "function", "function": function}
    return {key: value for key, value in fields.items() if value is not None}


def call(*args: Any, **fields: Any) -> ChunkJson:
    """Returns a chunk with one fragment of a tool call."""
    return delta(tool_calls=[part(*args, **fields)])


def finish(reason: str = "stop", **choice: Any) -> ChunkJson:
    chunk = delta(reason)
    chunk["choices"][0] |= choice
    return chunk


def usage(prompt: int | None = 100, completion: int | None = 7, cached: int | None = None) -> ChunkJson:
    """Returns the last chunk, which has usage but no choices."""
    counts: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if cached is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": cached}
    return {"choices": [], "usage": counts}


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


def whole(message: dict[str, Any], finish: str | None = "stop", **fields: Any) -> ChunkJson:
    """Returns a completion that was not streamed."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [choice], **fields}


def join(chunks: Sequence[ChunkJson]) -> ChunkJson:
    """Joins the chunks of a stream to a completion as OpenAI's own clients do: by field, and calls by index."""
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    completion = whole(message)
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
