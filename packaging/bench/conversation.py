"""The requests that are sent: conversations of a coding agent, made up anew by a fixed rule for each seed.

A request of an agent holds the whole conversation: the system prompt, the tools, and all turns. So the next request of
a session repeats everything that the last one said, and adds one turn. A turn is a tool call of the model with its
result.
"""

from __future__ import annotations

import json
import random

TEXT = (
    "the file function returns a value if error path import class self data config test server request response "
    "stream index parse token model cache write read open close"
)
TOOLS = 10
POOL_CHARS = 65_536
SYSTEM_CHARS = 16_000
RESULT_CHARS = 2_500
SMALL_RESULT_CHARS = 200
"""The result of the one turn by which each next request of a session is longer: a short one."""
MODEL = "claude-sonnet-5"


def make_pool() -> str:
    luck, known = random.Random(1), TEXT.split()
    words: list[str] = []
    while len(words) < POOL_CHARS // 4:
        words.append(luck.choice(known))
        if luck.random() < 0.08:
            words.append(f"\n    x_{luck.randint(0, 999)} = {{'a': \"{luck.randint(0, 99)}\"}}\n")
    return " ".join(words)[:POOL_CHARS]


POOL = make_pool()


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Conversation:
    """One session. Each call of `next_body` gives its next request."""

    def __init__(self, seed: int, size_bytes: int) -> None:
        self._luck = random.Random(seed)
        self._head = encode({"model": MODEL, "max_tokens": 32_000, "stream": False})[:-1]
        self._head += b',"messages":['
        self._tail = b"]," + encode({"system": self._make_system(seed), "tools": make_tools()})[1:]
        self._turns: list[bytes] = []
        self._size = len(self._head) + len(self._tail)
        self._number = 0
        self._keep({"role": "user", "content": [{"type": "text", "text": self._text(2_000)}]})
        self._newest = self._make_result(RESULT_CHARS)
        while self._size < size_bytes - RESULT_CHARS:
            self._add_turn(RESULT_CHARS)

    def next_body(self) -> bytes:
        """The request as it is now; afterwards the conversation is one short turn longer."""
        # The newest message carries the mark up to where a prompt may be cached, which moves on with each request.
        marked = encode(mark(self._newest))
        body = b"".join((self._head, b",".join(self._turns), b",", marked, self._tail))
        self._add_turn(SMALL_RESULT_CHARS)
        return body

    def _add_turn(self, result_chars: int) -> None:
        self._keep(self._newest)
        self._newest = self._make_result(result_chars)

    def _make_result(self, result_chars: int) -> dict[str, object]:
        """Adds what the model says, and returns the user's answer to it."""
        self._number += 1
        call = f"toolu_{self._luck.getrandbits(64):016x}{self._number:06}"
        arguments = {"p0": self._text(150), "p1": "x"}
        tool = {"type": "tool_use", "id": call, "name": f"Tool{self._number % TOOLS}", "input": arguments}
        said = [{"type": "text", "text": self._text(80)}, tool]
        self._keep({"role": "assistant", "content": said})
        result = {"type": "tool_result", "tool_use_id": call, "content": self._text(result_chars)}
        return {"role": "user", "content": [result]}

    def _keep(self, message: dict[str, object]) -> None:
        self._turns.append(encode(message))
        self._size += len(self._turns[-1]) + 1

    def _make_system(self, seed: int) -> list[dict[str, object]]:
        own = f"You are a coding agent. This is session {seed}.\n"
        text = own + POOL[:SYSTEM_CHARS]
        return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]

    def _text(self, chars: int) -> str:
        begin = self._luck.randrange(POOL_CHARS - chars)
        return POOL[begin : begin + chars]


def mark(message: dict[str, object]) -> dict[str, object]:
    content = message["content"]
    assert isinstance(content, list)
    return {**message, "content": [*content[:-1], {**content[-1], "cache_control": {"type": "ephemeral"}}]}


def make_tools() -> list[dict[str, object]]:
    def schema() -> dict[str, object]:
        fields = {f"p{number}": {"type": "string", "description": POOL[number : number + 120]} for number in range(5)}
        return {"type": "object", "properties": fields, "required": ["p0"], "additionalProperties": False}

    return [
        {"name": f"Tool{number}", "description": POOL[900 * number :][:1_500], "input_schema": schema()}
        for number in range(TOOLS)
    ]


def make_small_body(is_stream: bool) -> bytes:
    """A request of one short sentence."""
    message = {"role": "user", "content": "Say hello."}
    return encode({"model": MODEL, "max_tokens": 256, "stream": is_stream, "messages": [message]})
