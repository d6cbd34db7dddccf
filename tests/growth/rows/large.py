"""Growth of what a worker does with a large request, and of how its result is put together again."""

from __future__ import annotations

import json
from typing import Any

from tests.growth.measure import Growth, Load

MODEL = "claude-sonnet-5"


def make_rules(load: Load) -> Any:
    catalog = load("tray_app.catalog")
    return load("tray_app.translate.request.question").Rules(catalog.Catalog(), catalog.GLM_4_7)


def encode_request(messages: list[dict[str, Any]], **fields: Any) -> bytes:
    return json.dumps({"model": MODEL, "messages": messages, **fields}).encode()


def make_turns(count: int) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[n % 2], "content": f"turn {n}"} for n in range(count)]


def translate(load: Load, data: bytes) -> object:
    """The request, read as the gateway reads it or a worker, and its JSON for upstream."""
    question, encoded = load("tray_app.translate.request.question"), load("tray_app.translate.request.encoded")
    read = question.read_question(question.read_body(data), make_rules(load), {})
    messages = read.chat.body["messages"]
    pieces = tuple(load("tray_app.translate.json_text").encode(message) for message in messages)
    body = {**read.chat.body, "messages": encoded.EncodedMessages(encoded.encode_system("Be kind."), pieces)}
    return encoded.encode_body(body)


def show(load: Load, messages: list[dict[str, Any]]) -> object:
    return load("tray_app.translate.request.encoded").encode_for_reading({"messages": messages, "model": MODEL})


def count(load: Load, data: bytes) -> object:
    question = load("tray_app.translate.request.question")
    return question.count_tokens(question.read_body(data), make_rules(load))


def instruct(load: Load, pieces: int) -> object:
    encoded = load("tray_app.translate.request.encoded")
    messages = encoded.EncodedMessages(encoded.encode_system("word " * pieces), (b'{"role":"user"}',) * pieces)
    return messages.with_instruction("Answer with JSON.")


def refuse(load: Load, data: bytes) -> object:
    try:
        return load("tray_app.translate.request.question").read_body(data)
    except load("tray_app.errors").InvalidRequest:
        return None


ROWS = [
    Growth("large: many short turns", lambda n: encode_request(make_turns(n)), translate, small=100),
    Growth("large: one long text", lambda n: encode_request([{"role": "user", "content": "a\n" * n}]), translate),
    Growth("large: for a reader", make_turns, show, small=100),
    Growth("large: tokens of many turns", lambda n: encode_request(make_turns(n)), count, small=100),
    Growth("large: no JSON", lambda n: b"[" * n, refuse),
    Growth("large: an instruction", lambda n: n, instruct),
]
