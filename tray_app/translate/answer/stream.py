"""Anthropic's event stream: the frames of an answer as it arrives.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

from tray_app.errors import ProxyError
from tray_app.translate import json_text
from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.blocks import TEXT, THINKING
from tray_app.translate.answer.sse import frame
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.signature import SIGNATURE, sign_hidden

_EMPTY_BLOCKS: dict[str, dict[str, Any]] = {
    TEXT: {"type": "text", "text": ""},
    THINKING: {"type": "thinking", "thinking": "", "signature": ""},
}
_DELTAS = {TEXT: ("text_delta", "text"), THINKING: ("thinking_delta", "thinking")}
_TOOL_DELTA = ("input_json_delta", "partial_json")

PING_FRAME = frame("ping", b'{"type":"ping"}')


def error_frame(error: ProxyError, request_id: str) -> bytes:
    """Says that the stream failed; nothing may follow it."""
    return frame("error", json_text.encode(error.event_body(request_id)))


class FrameWriter:
    """Writes blocks as frames, and collects them until they are taken.

    `omits_thinking`: the text of thinking is not written, but carried by the signature of its block.
    """

    def __init__(self, *, omits_thinking: bool = False) -> None:
        self._omits_thinking = omits_thinking
        self._hidden: list[str] = []  # of the thinking block that is open
        self._frames: list[bytes] = []
        self._index = -1
        self._kind = ""
        self._delta_prefix = b""  # all of a delta frame before its string: the hot path only quotes

    def start(self, kind: str, tool_id: str = "", tool_name: str = "") -> None:
        self._index += 1
        self._kind = kind
        block = _EMPTY_BLOCKS.get(kind) or {"type": kind, "id": tool_id, "name": tool_name, "input": {}}
        self.event("content_block_start", index=self._index, content_block=block)
        delta, key = _DELTAS.get(kind, _TOOL_DELTA)
        self._delta_prefix = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
            % (self._index, delta.encode(), key.encode())
        )

    def add(self, fragment: str) -> None:
        if self._omits_thinking and self._kind == THINKING:
            self._hidden.append(fragment)
            return
        self._frames.append(self._delta_prefix + json_text.encode(fragment) + b"}}\n\n")

    def stop(self) -> None:
        if self._kind == THINKING:
            signature = sign_hidden("".join(self._hidden)) if self._omits_thinking else SIGNATURE
            delta = {"type": "signature_delta", "signature": signature}
            self.event("content_block_delta", index=self._index, delta=delta)
            self._hidden.clear()
        self.event("content_block_stop", index=self._index)

    def event(self, kind: str, **fields: Any) -> None:
        self._frames.append(frame(kind, json_text.encode({"type": kind, **fields})))

    def take(self) -> bytes:
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


class StreamTranslator:
    """Chunks in, frames out. The head, `message_start`, is for the caller to send before the first of them."""

    def __init__(self, request: ChatRequest, message_id: str) -> None:
        self._writer = FrameWriter(omits_thinking=request.omits_thinking)
        self.answer = Answer(self._writer, request, message_id)

    def take(self) -> bytes:
        """The frames since the last call, in one piece; empty if there are none yet."""
        return self._writer.take()

    def finish(self) -> dict[str, int]:
        """Closes the answer; its last frames wait for `take`. Returns the usage."""
        ending = self.answer.finish()
        delta = {"stop_reason": ending.stop_reason, "stop_sequence": ending.stop_sequence}
        self._writer.event("message_delta", delta=delta, usage=ending.usage)
        self._writer.event("message_stop")
        return ending.usage


def head_frame(request: ChatRequest, message_id: str) -> bytes:
    """Begins the answer, with the estimate of what it costs."""
    message: dict[str, Any] = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model.id,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": to_usage(request.input_tokens, 0),
    }
    return frame("message_start", json_text.encode({"type": "message_start", "message": message}))
