"""Writes an answer as Anthropic's event stream. No other module builds the frames of messages and blocks.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

from tray_app.errors import ProxyError
from tray_app.translate import json_text
from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.blocks import TEXT, THINKING
from tray_app.translate.answer.envelope import wrap_content
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.answer.sse import frame
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.signature import sign_hidden

_DELTAS = {TEXT: ("text_delta", "text"), THINKING: ("thinking_delta", "thinking")}
"""Type of a block -> type and key of its deltas."""
_INPUT_DELTA = ("input_json_delta", "partial_json")
"""Type and key of the deltas of all other blocks, which are calls."""

PING_FRAME = frame("ping", b'{"type":"ping"}')


def error_frame(error: ProxyError, request_id: str) -> bytes:
    """Returns the frame that tells the client that the stream failed. No frame may follow it."""
    return frame("error", json_text.encode(error.event_body(request_id)))


class FrameWriter:
    """Writes blocks as frames, and collects the frames until `take`."""

    def __init__(self, *, omits_thinking: bool = False) -> None:
        """`omits_thinking`: thinking is not written as text, but carried by the signature of its block."""
        self._omits_thinking = omits_thinking
        self._hidden: list[str] = []  # the text of the open thinking block, if it is omitted
        self._frames: list[bytes] = []
        self._index = -1
        self._type = ""
        self._delta_prefix = b""  # everything of a delta frame that stands before its string

    def start(self, block: dict[str, Any]) -> None:
        """Opens a block. `block` is the block as its first event shows it."""
        self._index += 1
        self._type = block["type"]
        self.write_event("content_block_start", index=self._index, content_block=block)
        delta, key = _DELTAS.get(self._type, _INPUT_DELTA)
        self._delta_prefix = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
            % (self._index, delta.encode(), key.encode())
        )

    def add(self, fragment: str) -> None:
        """Writes a fragment of the open block."""
        if self._omits_thinking and self._type == THINKING:
            self._hidden.append(fragment)
            return
        self._frames.append(self._delta_prefix + json_text.encode(fragment) + b"}}\n\n")

    def add_fragments(self, fragments: Fragments) -> None:
        """Writes several fragments of the open block, each as a frame of its own. It is the fast twin of `add`."""
        if self._omits_thinking and self._type == THINKING:
            self._hidden.append(fragments.text)
            return
        begin = self._delta_prefix + b'"'
        self._frames.append(begin + (b'"}}\n\n' + begin).join(fragments.pieces) + b'"}}\n\n')

    def stop(self) -> None:
        """Closes the open block."""
        if self._type == THINKING:
            delta = {"type": "signature_delta", "signature": sign_hidden("".join(self._hidden))}
            self.write_event("content_block_delta", index=self._index, delta=delta)
            self._hidden.clear()
        self.write_event("content_block_stop", index=self._index)

    def write_head(self, message: dict[str, Any]) -> None:
        """Writes the first event of a stream. `message` has no content yet."""
        self.write_event("message_start", message=message)

    def write_end(self, stop_reason: str, stop_sequence: str | None, usage: dict[str, Any]) -> None:
        """Writes the last two events of a stream."""
        delta = {"stop_reason": stop_reason, "stop_sequence": stop_sequence}
        self.write_event("message_delta", delta=delta, usage=usage)
        self.write_event("message_stop")

    def write_event(self, kind: str, **fields: Any) -> None:
        """Writes any event."""
        self._frames.append(frame(kind, json_text.encode({"type": kind, **fields})))

    def take(self) -> bytes:
        """Returns the frames since the last call, in one piece. The piece is empty if there are none."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


class StreamTranslator:
    """Turns chunks into frames. The caller sends `head_frame` before the first of them."""

    def __init__(self, request: ChatRequest, message_id: str) -> None:
        self._writer = FrameWriter(omits_thinking=request.omits_thinking)
        self.answer = Answer(self._writer, request, message_id)

    def take(self) -> bytes:
        """Returns the frames since the last call, in one piece. The piece is empty if there are none."""
        return self._writer.take()

    def finish(self) -> dict[str, int]:
        """Closes the answer and returns the usage. `take` returns the last frames."""
        ending = self.answer.finish()
        self._writer.write_end(ending.stop_reason, ending.stop_sequence, ending.usage)
        return ending.usage


def head_frame(request: ChatRequest, message_id: str) -> bytes:
    """Returns the first frame of an answer. Its usage is an estimate of the request's tokens."""
    writer = FrameWriter()
    writer.write_head(wrap_content(request, message_id, [], to_usage(request.input_tokens, 0)))
    return writer.take()


def to_frames(message: dict[str, Any]) -> bytes:
    """Returns all frames of a message that was made here. It may hold text, calls, and results of server tools."""
    writer = FrameWriter()
    usage = {**message["usage"], "output_tokens": 0}
    writer.write_head({**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage})
    for block in message["content"]:
        if block["type"] == TEXT:
            writer.start({**block, "text": ""})
            writer.add(block["text"])
        elif "input" in block:
            writer.start({**block, "input": {}})
            writer.add(json_text.encode(block["input"]).decode())
        else:
            writer.start(block)
        writer.stop()
    writer.write_end(message["stop_reason"], message["stop_sequence"], message["usage"])
    return writer.take()
