"""Rows for answers of n chunks, blocks or calls, from the bytes of upstream to the frames for the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth, Load

Chunks = list[bytes]


def delta(**fields: Any) -> bytes:
    return json.dumps({"choices": [{"delta": fields}]}).encode()


def call(arguments: str | None = None, **fields: Any) -> bytes:
    """Returns a chunk with a fragment of a call. `name` and `arguments` belong to its function."""
    function = {"name": fields.pop("name", None), "arguments": arguments}
    return delta(tool_calls=[{**fields, "function": function}])


def markup(n: int) -> bytes:
    written = "<tool_call>Bash\n<arg_key>command</arg_key><arg_value>ls</arg_value></tool_call>"
    return delta(content=f"Step {n}: {written}")


def ask(load: Load) -> Any:
    """Returns a request whose answer may call Bash, think, and end at a stop sequence."""
    tool = {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}
    body = {
        "messages": [{"role": "user", "content": "Go on."}],
        "tools": [tool],
        "thinking": {"type": "enabled", "budget_tokens": 1_024},
        "stop_sequences": ["\n\nHuman:"],
    }
    request = load("tray_app.translate.request.validation").read_request({"model": "any", **body})
    return load("tray_app.translate.request.chat").to_chat(request, load("tray_app.catalog").GLM_4_7)


def stream(load: Load, chunks: Chunks) -> object:
    """Returns the frames of a streamed answer. They are taken after each chunk."""
    module, chat = load("tray_app.translate.answer.stream"), ask(load)
    translator, frames = module.StreamTranslator(chat, "msg_1"), [module.head_frame(chat, "msg_1")]
    for chunk in chunks:
        translator.answer.feed(load("tray_app.translate.answer.chunk").decode_chunk(chunk))
        frames.append(translator.take())
    translator.finish()
    return b"".join([*frames, translator.take()])


def build(load: Load, chunks: Chunks) -> object:
    """Returns the message of an answer that is not streamed to the client."""
    builder = load("tray_app.translate.answer.message").MessageBuilder(ask(load), "msg_1")
    for chunk in chunks:
        builder.answer.feed(load("tray_app.translate.answer.chunk").decode_chunk(chunk))
    return builder.finish()


def supplement(load: Load, answers: tuple[bytes, bytes]) -> object:
    """Returns the message of an answer that lacks something, with what a second answer adds to it."""
    builder = load("tray_app.translate.answer.message").MessageBuilder(ask(load), "msg_1")
    first, second = map(load("tray_app.translate.answer.chunk").decode_chunk, answers)
    builder.answer.feed(first)
    if builder.answer.lacks_something():
        builder.answer.supplement(second)
    return builder.finish()


def both(name: str, make: Callable[[int], Chunks], small: int = 100) -> list[Growth]:
    return [
        Growth(f"stream: {name}", make, stream, small=small),
        Growth(f"message: {name}", make, build, small=small),
    ]


def read_events(load: Load, data: bytes) -> object:
    """Returns the payloads of a byte stream that arrives in reads of 100 bytes."""
    reader = load("tray_app.translate.answer.sse").SseReader()
    payloads = []
    for place in range(0, len(data), 100):
        payloads += reader.feed(data[place : place + 100])
    return payloads + reader.finish()


def read_minimax(load: Load, text: str) -> object:
    """Returns the calls that MiniMax wrote as text, which arrives in pieces of 20 characters."""
    reader = load("tray_app.translate.markup.reader").MarkupReader({"Bash": {}})
    pieces = []
    for place in range(0, len(text), 20):
        pieces += reader.feed(text[place : place + 20])
    return pieces + reader.flush()


def break_off(load: Load, words: str) -> object:
    """Returns the last frame of a stream after an error of upstream."""
    error = load("tray_app.translate.refusal.refusal").explain_stream_error(
        {"message": words}, load("tray_app.catalog").GLM_4_7
    )
    return load("tray_app.translate.answer.stream").error_frame(error, "req_1")


def search(load: Load, pages: list[tuple[str, str]]) -> object:
    """Returns the frames for the pages that a web search found."""
    module = load("tray_app.translate.answer.web_search")
    found = [module.SearchResult(url, title, "A snippet.", "3 days ago") for url, title in pages]
    wanted = load("tray_app.translate.request.search").Search("weather")
    message = module.to_search_message(wanted, found, ask(load), "msg_1")
    return load("tray_app.translate.answer.stream").to_frames(message)


def glued(n: int) -> Chunks:
    """Returns one call whose arguments are n objects in a row, as some models write parallel calls."""
    return [call('{"command": "ls"}' * n, name="Bash", index=0, id="a")]


def glued_beside_others(n: int) -> Chunks:
    others = [call('{"command": "ls"}', name="Bash", index=place, id=f"id{place}") for place in range(n)]
    return [*others, *([call('{"command": "ls"}', index=0)] * n)]


def whole(**fields: Any) -> bytes:
    """Returns a completion that was not streamed."""
    return json.dumps({"choices": [{"message": fields, "finish_reason": "stop"}]}).encode()


def truncated_and_repeated(n: int) -> tuple[bytes, bytes]:
    """Returns an answer whose call breaks off, and a second one with n calls, of which only the last one fits."""
    calls = [
        {"function": {"name": "Bash", "arguments": text}}
        for text in [*(['{"command": "pwd"}'] * n), '{"command": "ls"}']
    ]
    return whole(tool_calls=[{"function": {"name": "Bash", "arguments": '{"command": "l'}}]), whole(tool_calls=calls)


def interleaved(n: int) -> Chunks:
    """Returns calls whose fragments alternate, so that all calls but the first are held."""
    heads = [call('{"command": ', name="Bash", index=place, id=f"id{place}") for place in range(n)]
    return [*heads, *(call('"ls"}', index=place) for place in range(n))]


def track(load: Load, ids: list[str]) -> object:
    """Splits calls again and again, each among all that came before."""
    tracker = load("tray_app.translate.answer.calls").CallTracker("toolu_1")
    part = load("tray_app.translate.answer.chunk").ToolCallPart
    for place, upstream_id in enumerate(ids):
        found = tracker.find(part(index=place, id=upstream_id), place)
        tracker.split(found)
    return tracker


ROWS = [
    *both("plain text", lambda n: [delta(content="word ")] * n),
    *both("thinking", lambda n: [delta(reasoning_content="word ")] * n),
    *both("thinking and text in turn", lambda n: [delta(reasoning_content="hm"), delta(content="so")] * n, small=50),
    *both("a call in small fragments", lambda n: [call('{"command": "', name="Bash"), *([call("ls ")] * n)]),
    *both("many calls one after another", lambda n: [call("{}", name="Bash", index=k, id=f"i{k}") for k in range(n)]),
    *both("many calls in one chunk", lambda n: [delta(tool_calls=[{"function": {"name": "Bash"}}] * n)], small=50),
    *both("fragments that come before the tool's name", lambda n: [*([call(" ", index=0)] * n), call("{}", name="B")]),
    *both("interleaved calls", interleaved, small=50),
    *both("calls glued together", glued, small=50),
    *both("calls glued to one of many", glued_beside_others, small=50),
    *both("many calls as markup", lambda n: [markup(k) for k in range(n)], small=20),
    *both(
        "many calls as markup, then one in upstream's form",
        lambda n: [*(markup(k) for k in range(n)), call("{}", name="Bash")],
        small=20,
    ),
    *both(
        "markup in the thinking, which goes on after each",
        lambda n: [
            chunk
            for k in range(n)
            for chunk in (delta(reasoning_content="<tool_call>Bash</tool_call>"), delta(reasoning_content=f"hm {k}"))
        ],
        small=20,
    ),
    *both(
        "markup in the thinking, between calls that are written in the text",
        lambda n: [
            chunk
            for k in range(n)
            for chunk in (
                markup(k),
                delta(reasoning_content="<tool_call>Bash</tool_call>"),
                delta(reasoning_content=f"hm {k}"),
            )
        ],
        small=20,
    ),
    *both("a list of texts as content", lambda n: [delta(content=[{"type": "text", "text": "word"}] * n)]),
    *both("blank texts before a call", lambda n: [*([delta(content=" \n")] * n), call("{}", name="Bash")]),
    Growth(
        "chunk: odd numbers that only the slow decoder takes",
        lambda n: json.dumps({"choices": [{"delta": {"content": "\ud800" * (n // 6)}}], "usage": {}}).encode(),
        lambda load, chunk: load("tray_app.translate.answer.chunk").decode_chunk(chunk),
        small=70_000,
    ),
    Growth("second answer: a long text", lambda n: (whole(), whole(content="word " * (n // 5))), supplement),
    Growth("second answer: many calls", truncated_and_repeated, supplement, small=50),
    Growth("events: small ones", lambda n: b'data: {"choices":[]}\r\n\r\n' * (n // 24), read_events),
    Growth("events: comments", lambda n: b": ping\n\n" * (n // 8), read_events),
    Growth(
        "markup: calls of a MiniMax",
        lambda n: (
            '<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">ls</parameter>\n</invoke>\n'
            "</minimax:tool_call>\n" * (n // 110)
        ),
        read_minimax,
    ),
    Growth("stream: an error of many words", lambda n: "word " * (n // 5), break_off),
    Growth("web search: many pages", lambda n: [(f"https://example.org/{k}", "Page") for k in range(n)], search, 200),
    Growth("calls: split among many", lambda n: [f"id{k}" for k in range(n)], track, small=200),
    Growth("calls: many with one id", lambda n: ["id"] * n, track, small=200),
    Growth(
        "JSON text: half a surrogate pair in a long text",
        lambda n: ["word " * (n // 5), "\ud83d"],
        lambda load, value: load("tray_app.translate.json_text").encode(value),
        small=50_000,
    ),
]
