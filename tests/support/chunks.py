"""Upstream's chunks and completions in a short notation."""

from __future__ import annotations

import json
from typing import Any

ChunkJson = dict[str, Any]


def delta(finish: str | None = None, **fields: Any) -> ChunkJson:
    """Returns a chunk with one choice."""
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def text(content: str, finish: str | None = None) -> ChunkJson:
    return delta(finish, content=content)


def think(reasoning: str) -> ChunkJson:
    return delta(reasoning_content=reasoning)


def part(
    index: int | None = 0, call_id: str | int | None = None, name: str | None = None, args: Any = None
) -> dict[str, Any]:
    """Returns a fragment of a tool call. Fields that are None are left out."""
    function = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    fields = {"index": index, "id": call_id, "type": "function", "function": function}
    return {key: value for key, value in fields.items() if value is not None}


def call(*args: Any, **fields: Any) -> ChunkJson:
    """Returns a chunk with one fragment of a tool call."""
    return delta(tool_calls=[part(*args, **fields)])


def whole_call(name: str, arguments: dict[str, Any], call_id: str = "call_1", index: int = 0) -> ChunkJson:
    """Returns a chunk with all of a tool call."""
    return call(index, call_id, name, json.dumps(arguments))


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


def completion(content: str | None, finish_reason: str | None = "stop", **message: Any) -> ChunkJson:
    """Returns an answer that is not streamed, with usage; keywords are further fields of its message."""
    counts = {"prompt_tokens": 12, "completion_tokens": 3}
    return {"id": "chatcmpl-1", **completion_of({"content": content, **message}, finish_reason, usage=counts)}


def completion_of(message: dict[str, Any], finish: str | None = "stop", **fields: Any) -> ChunkJson:
    """Returns an answer that is not streamed; keywords are further fields beside its choice."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [choice], **fields}
