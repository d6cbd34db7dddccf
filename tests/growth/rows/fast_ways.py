"""The fast ways: requests of which most is known, and chunks that differ in their text only."""

from __future__ import annotations

import json
from typing import Any

from tests.growth.measure import Growth, Load
from tests.growth.rows.conversation import agent_turns, body, text, user


def translate_twice(load: Load, request: dict[str, Any]) -> object:
    """Translates a request, and the same one again, which is known then."""
    known, question = load("tray_app.translate.request.known"), load("tray_app.translate.request.question")
    catalog = load("tray_app.catalog")
    rules = question.Rules(catalog.Catalog(), catalog.GLM_4_7)
    memory, data = known.Memory(), json.dumps({"model": "any", **request}).encode()
    return [[*known.translate_known([data], rules, {}, None, memory)] for _ in range(2)]


def split(load: Load, request: dict[str, Any]) -> object:
    """Splits a request, whatever its size is."""
    splitter = load("tray_app.translate.request.splitter")
    found, data = splitter.Splitter(), json.dumps({"model": "any", **request}).encode()
    try:
        return [found.feed(piece) for piece in splitter.in_small_pieces([data])], found.finish()
    except splitter.CannotSplit:
        return None


def remember(load: Load, count: int) -> object:
    recent = load("tray_app.translate.request.recent").Recent(10_000)
    for n in range(count):
        recent.put(n, n, 100)
        recent.get(n // 2)
    return recent.size


def read_deltas(load: Load, payloads: list[bytes]) -> object:
    deltas = load("tray_app.translate.answer.plain_deltas").PlainDeltas()
    decode = load("tray_app.translate.answer.chunk").decode_chunk
    for payload in payloads:
        if not deltas.read(b"data: %b\n\n" % payload):
            deltas.learn(payload, decode(payload))
    return deltas.read(b"".join(b"data: %b\n\n" % payload for payload in payloads))


def chunk(content: str, **fields: Any) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": content}}], **fields}, ensure_ascii=False).encode()


ROWS = [
    Growth("known: many turns", lambda n: body(messages=agent_turns(n)), translate_twice, small=60),
    Growth("known: many texts in a message", lambda n: body(messages=[user([text()] * n)]), translate_twice, small=100),
    Growth("known: a long text", lambda n: body(messages=[user("word. " * (n // 6))]), translate_twice, small=40_000),
    Growth(
        "known: many tools",
        lambda n: body(tools=[{"name": f"tool {k}", "input_schema": {"type": "object"}} for k in range(n)]),
        translate_twice,
        small=60,
    ),
    Growth("split: many turns", lambda n: body(messages=agent_turns(n)), split, small=100),
    Growth("split: long texts", lambda n: body(messages=[user("word. " * (n // 6))] * 9), split, small=20_000),
    Growth("split: much before the messages", lambda n: {"system": "word. " * (n // 6), **body()}, split, small=40_000),
    Growth("split: almost the beginning", lambda n: {"system": [{"messages": [{}] * 2}] * n, **body()}, split),
    Growth("split: almost the end", lambda n: body(messages=[user([{"role": 1}] * n)] * 2), split),
    Growth("known: much that is remembered", lambda n: n, remember),
    Growth("deltas: many chunks of one form", lambda n: [chunk(f"w{k}") for k in range(n)], read_deltas),
    Growth("deltas: many forms", lambda n: [chunk("w", created=k) for k in range(n)], read_deltas),
    Growth(
        "deltas: long texts",
        lambda n: [chunk("a"), chunk("word " * (n // 5)), chunk('"' * n)],
        read_deltas,
        small=100_000,
    ),
]
