"""Requests of n messages, blocks, results or tools, on their way upstream; and what is estimated and found in them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth, Load

Blocks = list[dict[str, Any]]


def read(load: Load, body: dict[str, Any]) -> Any:
    return load("tray_app.translate.request.validation").read_request(body)


def to_chat(load: Load, body: dict[str, Any]) -> object:
    return load("tray_app.translate.request.chat").to_chat(read(load, body), load("tray_app.catalog").GLM_4_7)


def to_messages(model: str) -> Callable[[Load, Any], object]:
    """What `to_chat` does with the messages, for the row of the catalog that is called `model`."""

    def run(load: Load, messages: Any) -> object:
        row = getattr(load("tray_app.catalog"), model)
        return load("tray_app.translate.request.history").to_messages(
            read(load, body(messages=messages)).messages, row, {}
        )

    return run


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": "Go on."}], **fields}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def call(n: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"call_{n}", "name": "Bash", "input": {"command": "ls"}}


def result(n: int, content: Any = "a.py") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": f"call_{n}", "content": content}


def text(words: str = "Go on.") -> dict[str, Any]:
    return {"type": "text", "text": words}


def image(data: str = "iVBORw0KGgo=") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def document(content: Any) -> dict[str, Any]:
    return {"type": "document", "title": "notes", "source": {"type": "content", "content": content}}


def pdf(data: str = "JVBERi0xLjcK") -> dict[str, Any]:
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}


def calls_and_results(n: int, *, is_reversed: bool = False) -> list[dict[str, Any]]:
    places = range(n - 1, -1, -1) if is_reversed else range(n)
    return [
        {"role": "assistant", "content": [call(place) for place in range(n)]},
        user([result(place) for place in places]),
    ]


def agent_turns(n: int) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for place in range(n):
        thought = {"type": "thinking", "thinking": "The files.", "signature": "s"}
        turns.append({"role": "assistant", "content": [thought, text(), call(place)]})
        turns.append(user([result(place), text("<system-reminder>\nBe brief.\n</system-reminder>")]))
    return turns


def nested_documents(depth: int) -> dict[str, Any]:
    """Each document holds some images and another document; the innermost holds a long text."""
    inner = text("word " * 100 * depth)
    for _ in range(depth):
        inner = document([*([image()] * 5), inner])
    return inner


def nested_results(depth: int) -> dict[str, Any]:
    """Each result holds another one; the innermost holds many."""
    inner = [result(n) for n in range(20 * depth)]
    for n in range(depth):
        inner = [result(n, inner)]
    return inner[0]


def nested_lists(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def estimate(load: Load, request: dict[str, Any]) -> object:
    return load("tray_app.translate.request.tokens").estimate_request(read(load, request))


def estimate_text_tokens(load: Load, words: str) -> object:
    tokens = load("tray_app.translate.request.tokens")
    return tokens.estimate_text_tokens(words), tokens.size_bytes(words)


def find_pdfs(load: Load, request: dict[str, Any]) -> object:
    pdfs, read_body = load("tray_app.translate.request.pdfs"), read(load, request)
    return [*pdfs.find_pdfs(read_body)], pdfs.replace_pdfs(read_body, str)


def flatten(load: Load, content: Any) -> object:
    return load("tray_app.translate.request.content").flatten(content, images_follow=True)


def count_image(load: Load, head: bytes) -> object:
    return load("tray_app.translate.request.attachments").count_image(base64.b64encode(head).decode())


def jpeg(n: int) -> bytes:
    """The head of a JPEG with n bytes of small segments before its size."""
    return b"\xff\xd8" + b"\xff\xe1\x00\x04ab" * (n // 6) + b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10"


HISTORY = [
    Growth("messages: many of one role", lambda n: [user("Go on.")] * n, to_messages("GLM_4_7"), small=400),
    Growth("messages: many turns with a call each", agent_turns, to_messages("MINIMAX_M2_1"), small=100),
    Growth("messages: many turns, thinking in the content", agent_turns, to_messages("NEMOTRON_3_SUPER"), small=100),
    Growth(
        "messages: many system turns",
        lambda n: [{"role": "system", "content": "Be brief."}] * n,
        to_messages("GLM_4_7"),
        small=400,
    ),
    Growth("messages: many blocks in one", lambda n: [user([text()] * n)], to_messages("GLM_4_7"), small=400),
    Growth("messages: many calls and results in one", calls_and_results, to_messages("KIMI_K3"), small=200),
    Growth(
        "messages: results in the opposite order of their calls",
        lambda n: calls_and_results(n, is_reversed=True),
        to_messages("GLM_4_7"),
        small=200,
    ),
    Growth(
        "messages: many results of one call",
        lambda n: [{"role": "assistant", "content": [call(0)]}, user([result(0)] * n)],
        to_messages("GLM_4_7"),
        small=200,
    ),
    Growth(
        "messages: many calls with one id",
        lambda n: [{"role": "assistant", "content": [call(0)] * n}, user([result(0)] * n)],
        to_messages("GLM_4_7"),
        small=200,
    ),
    Growth("messages: results without calls", lambda n: [user([result(0)] * n)], to_messages("GLM_4_7"), small=200),
    Growth("messages: many images", lambda n: [user([image()] * n)], to_messages("KIMI_K3"), small=200),
    Growth(
        "messages: many images in results",
        lambda n: [{"role": "assistant", "content": [call(0)]}, user([result(0, [image()])] * n)],
        to_messages("KIMI_K3"),
        small=200,
    ),
    Growth(
        "messages: documents that hold documents and images",
        lambda n: [user([document([document([image(), text()] * 2)] * n)])],
        to_messages("KIMI_K3"),
        small=100,
    ),
    Growth(
        "messages: documents within documents",
        lambda n: [user([nested_documents(n)])],
        to_messages("KIMI_K3"),
        small=15,
    ),
    Growth(
        "messages: results within results",
        lambda n: [user([nested_results(n)])],
        to_messages("GLM_4_7"),
        small=15,
    ),
    Growth("messages: one long text", lambda n: [user("word " * (n // 5))], to_messages("GLM_4_7"), small=100_000),
    Growth(
        "messages: one long input of a call",
        lambda n: [{"role": "assistant", "content": [{**call(0), "input": {"a": "word " * (n // 5), "b": [1] * n}}]}],
        to_messages("GLM_4_7"),
        small=20_000,
    ),
]


def find_kind_of(load: Load, request: dict[str, Any]) -> object:
    """Asks what a request is for, and what follows from it."""
    kinds, asked = load("tray_app.translate.request.kinds"), read(load, request)
    kind = kinds.find_kind(asked, {})
    return load("tray_app.translate.request.background").is_background(asked, kind), kinds.count_turns(asked)


OTHERS = [
    Growth("content: many blocks", lambda n: [text(), image()] * (n // 2), flatten, small=400),
    Growth("content: documents", lambda n: [document([text()] * 4)] * (n // 4), flatten, small=400),
    Growth(
        "content: many system blocks, each with a billing header",
        lambda n: [text("x-anthropic-billing-header: a\n" + "\n" * 20 + "Be brief.")] * (n // 20),
        lambda load, blocks: load("tray_app.translate.request.content").read_system(blocks),
    ),
    Growth(
        "content: PDFs",
        lambda n: body(messages=[user([pdf(), {**result(0), "content": [pdf()] * 3}] * (n // 4))] * 2),
        find_pdfs,
        small=400,
    ),
    Growth("request: many messages", lambda n: body(messages=agent_turns(n)), to_chat, small=50),
    Growth("request: a long system prompt", lambda n: body(system="word " * (n // 5)), to_chat, small=100_000),
    Growth("request: many stop sequences", lambda n: body(stop_sequences=["\n\nHuman:"] * n), to_chat, small=120),
    Growth(
        "request: many tools",
        lambda n: body(tools=[{"name": f"tool {k}", "input_schema": {"type": "object"}} for k in range(n)]),
        to_chat,
        small=100,
    ),
    Growth(
        "request: a tool with a long name",
        lambda n: body(tools=[{"name": "a b" * (n // 3), "input_schema": {"type": "object"}}]),
        to_chat,
        small=20_000,
    ),
    Growth(
        "request: a schema for the answer with many fields",
        lambda n: body(output_config={"format": {"type": "json_schema", "schema": {str(k): {} for k in range(n)}}}),
        to_chat,
    ),
    Growth("tokens: words", lambda n: "Some words, 42 of them. " * (n // 24), estimate_text_tokens, small=100_000),
    Growth("tokens: marks", lambda n: "a." * (n // 2), estimate_text_tokens, small=100_000),
    Growth("tokens: beyond ASCII", lambda n: "字ü😀\ud800" * (n // 4), estimate_text_tokens, small=100_000),
    Growth("tokens: many messages", lambda n: body(messages=agent_turns(n)), estimate, small=100),
    Growth("tokens: lists in lists", lambda n: body(messages=[user([{**text(), "x": nested_lists(n)}])]), estimate),
    Growth("tokens: a wide input", lambda n: body(messages=[user([call(k) for k in range(n)])]), estimate, small=400),
    Growth("tokens: many images", lambda n: body(messages=[user([image()] * n)]), estimate, small=100),
    Growth("tokens: many PDFs", lambda n: body(messages=[user([pdf()] * n)]), estimate, small=100),
    Growth(
        "log: a body with many images",
        lambda n: body(messages=[user([image(), text("data:image/png;base64,iVBORw0KGgo=")] * n)]),
        lambda load, request: load("tray_app.redaction").show_json(
            (json.dumps(request).encode(),), 4_096, ("a secret",)
        ),
        small=100,
    ),
    Growth("images: a JPEG with many segments", jpeg, count_image, small=4_000),
    Growth("images: no image", lambda n: b"word " * (n // 5), count_image, small=10_000),
    Growth(
        "images: an SVG with a long head",
        lambda n: b"<svg " + b'a="b" ' * (n // 6) + b'width="10" height="10">',
        count_image,
        small=10_000,
    ),
    Growth(
        "images: a netpbm picture with many comments",
        lambda n: b"P6\n" + b"# word\n" * (n // 7) + b"10 10\n255\n",
        count_image,
        small=4_000,
    ),
    Growth(
        "images: base64 of many lines",
        lambda n: "iVBOR\n" * (n // 6),
        lambda load, data: load("tray_app.translate.request.attachments").count_image(data),
        small=10_000,
    ),
    Growth(
        "images: an address with its data",
        lambda n: "data:image/png;base64," + "iVBO" * (n // 4),
        lambda load, url: load("tray_app.translate.request.attachments").count_data_url(url),
        small=10_000,
    ),
    Growth(
        "web search: many messages, none of a user",
        lambda n: [{"role": "assistant", "content": "hm"}] * n,
        lambda load, messages: load("tray_app.translate.request.search").read_search(
            read(load, body(messages=messages, tools=[{"type": "web_search_20250305"}]))
        ),
    ),
    Growth(
        "web search: a text with the words before the query again and again",
        lambda n: "Perform a web search for the query: " * (n // 36),
        lambda load, words: load("tray_app.translate.request.search").read_search(
            read(load, body(messages=[user(words)], tools=[{"type": "web_search_20250305"}] * 9))
        ),
    ),
    Growth(
        "kind: a long request",
        lambda n: body(messages=agent_turns(n), system=[text()] * n, tools=[]),
        find_kind_of,
        small=200,
    ),
    Growth(
        "kind: a long text that begins like the order to sum up",
        lambda n: body(messages=[user("CRITICAL: Respond with TEXT ONLY." + "<summary> bloc" * (n // 14))]),
        find_kind_of,
    ),
    Growth(
        "kind: many texts of the client in one message",
        lambda n: body(messages=[user([text("<system-reminder>")] * n)]),
        find_kind_of,
        small=200,
    ),
]

ROWS = [*HISTORY, *OTHERS]
