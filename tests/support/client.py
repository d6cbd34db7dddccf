"""A small Anthropic client: builds the message from the bytes of a stream, and retells the stream as a story.

It is strict where the official SDKs are, so that a frame out of order fails the test that reads it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Reply:
    """What a client has in its hands when the stream is over."""

    content: list[dict[str, Any]] = field(default_factory=list)
    message_id: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    is_finished: bool = False
    error: dict[str, Any] | None = None
    """The `error` object of an error event."""

    def texts(self, kind: str) -> str:
        """All text of the blocks of one kind, `text` or `thinking`."""
        return "".join(block[kind] for block in self.content if block["type"] == kind)


def read_events(raw: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each frame is exactly an `event:` line, a `data:` line and an empty line."""
    assert raw.endswith(b"\n\n") or not raw, f"the last frame is incomplete: {raw[-80:]!r}"
    events: list[dict[str, Any]] = []
    for frame in raw.decode("utf-8").split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}", f"frame {name!r} carries {event['type']}"
        events.append(event)
    return events


def fold(raw: bytes) -> Reply:
    """The answer that a stream amounts to."""
    reply, fragments = Reply(), list[str]()
    open_index: int | None = None
    for event in read_events(raw):
        kind = event["type"]
        assert reply.message_id or kind in ("message_start", "error"), f"{kind} before message_start"
        assert reply.error is None, f"{kind} after an error"
        assert not reply.is_finished, f"{kind} after message_stop"
        if kind == "message_start":
            assert not reply.message_id, "a second message_start"
            reply.message_id, reply.usage = event["message"]["id"], dict(event["message"]["usage"])
        elif kind == "content_block_start":
            assert open_index is None, f"block {open_index} is still open"
            assert event["index"] == len(reply.content), f"block {event['index']} comes as number {len(reply.content)}"
            open_index, fragments = event["index"], []
            reply.content.append(dict(event["content_block"]))
        elif kind == "content_block_delta":
            assert event["index"] == open_index, f"a delta for block {event['index']} while {open_index} is open"
            _take_delta(reply.content[-1], event["delta"], fragments)
        elif kind == "content_block_stop":
            assert event["index"] == open_index, f"block {event['index']} stops while {open_index} is open"
            if reply.content[-1]["type"] in ("tool_use", "server_tool_use"):
                reply.content[-1]["input"] = _read_input("".join(fragments))
            open_index = None
        elif kind == "message_delta":
            assert open_index is None, f"block {open_index} is never closed"
            reply.stop_reason, reply.stop_sequence = event["delta"]["stop_reason"], event["delta"]["stop_sequence"]
            reply.usage |= event["usage"]
        elif kind == "message_stop":
            assert reply.stop_reason, "message_stop without a stop_reason"
            reply.is_finished = True
        elif kind == "error":
            reply.error = event["error"]
    return reply


def story(raw: bytes) -> list[str]:
    """The stream as short lines; signatures are left out, as every thinking block has one."""
    fold(raw)
    lines: list[str] = []
    for event in read_events(raw):
        kind = event["type"]
        if kind == "content_block_start":
            block = event["content_block"]
            tool = f" {block['name']} {block['id']}" if block["type"] == "tool_use" else ""
            lines.append(f"start {block['type']}#{event['index']}{tool}")
        elif kind == "content_block_delta" and event["delta"]["type"] != "signature_delta":
            delta = event["delta"]
            lines.append("+" + next(text for key, text in delta.items() if key != "type"))
        elif kind == "content_block_stop":
            lines.append(f"stop#{event['index']}")
        elif kind == "message_delta":
            sequence = event["delta"]["stop_sequence"]
            lines.append(f"end {event['delta']['stop_reason']}" + (f" {sequence}" if sequence else ""))
        elif kind == "error":
            lines.append(f"error {event['error']['type']}")
        elif kind == "ping":
            lines.append("ping")
    return lines


def _take_delta(block: dict[str, Any], delta: dict[str, Any], fragments: list[str]) -> None:
    if delta["type"] == "input_json_delta":
        fragments.append(delta["partial_json"])
        return
    key = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}[delta["type"]]
    block[key] += delta[key]


def _read_input(arguments: str) -> object:
    try:
        return json.loads(arguments) if arguments else {}
    except ValueError:
        return arguments  # cut off at max_tokens
