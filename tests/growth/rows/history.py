"""Conversations that began at Anthropic's servers, changes of tools within them, and text that is no valid Unicode."""

from __future__ import annotations

from typing import Any

from tests.growth.measure import Growth, Load

SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "rain"}}
PAGE = {"type": "web_search_result", "url": "https://a.test", "title": "A", "encrypted_content": "Q0lQSEVS"}
REMOVAL = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Boat 1"}}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def user(content: Any = "Go on.") -> dict[str, Any]:
    return {"role": "user", "content": content}


def system(*content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "system", "content": list(content), **fields}


def result(kind: str, content: Any) -> dict[str, Any]:
    return {"type": f"{kind}_tool_result", "tool_use_id": "s", "content": content}


def ran(words: str) -> dict[str, Any]:
    return result("code_execution", {"type": "code_execution_result", "stdout": words, "stderr": words, "content": []})


def fetched(data: Any) -> dict[str, Any]:
    source = {"type": "text", "data": data} if isinstance(data, str) else {"type": "content", "content": data}
    page = {"type": "web_fetch_result", "url": "https://a.test", "content": {"type": "document", "source": source}}
    return result("web_fetch", page)


def nested_results(depth: int) -> dict[str, Any]:
    """Each result holds another one; the innermost holds a long text."""
    inner = result("mcp", "word " * 100 * depth)
    for n in range(depth):
        inner = fetched([inner]) if n % 2 else result("mcp", [inner])
    return inner


def added(n: int) -> dict[str, Any]:
    definition = {"name": f"Boat {n}", "input_schema": {"type": "object"}}
    return {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}


def summary(words: str, changes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"type": "compaction", "content": words, "tool_changes": changes}


def read_hidden(load: Load, signature: str) -> object:
    return load("tray_app.translate.signature").read_hidden(signature)


def read(load: Load, messages: list[dict[str, Any]], **fields: Any) -> Any:
    return load("tray_app.translate.request.validation").read_request({"model": "any", "messages": messages, **fields})


def to_chat(load: Load, messages: list[dict[str, Any]]) -> object:
    model = load("tray_app.catalog").GLM_5_3
    return load("tray_app.translate.request.chat").to_chat(read(load, messages), model)


def to_messages(load: Load, messages: list[dict[str, Any]]) -> object:
    return load("tray_app.translate.request.history").to_messages(
        read(load, messages).messages, load("tray_app.catalog").GLM_4_7, {}
    )


def find_pdfs(load: Load, messages: list[dict[str, Any]]) -> object:
    pdfs, request = load("tray_app.translate.request.pdfs"), read(load, messages)
    return [*pdfs.find_pdfs(request)], pdfs.replace_pdfs(request, str)


def encode(load: Load, value: Any) -> object:
    return load("tray_app.translate.json_text").encode_valid(value)


def answer_with_nothing(load: Load, messages: list[dict[str, Any]]) -> object:
    chat = load("tray_app.translate.request.chat").to_chat(
        read(load, messages, max_tokens=0), load("tray_app.catalog").GLM_4_7
    )
    assert chat.wants_nothing
    message = load("tray_app.translate.answer.empty_message").to_empty_message(chat, "msg_1")
    return load("tray_app.translate.answer.stream").to_frames(message)


def answer_with_tags(load: Load, pieces: list[str]) -> object:
    """An answer that is watched for closing tags."""
    load_chunk = load("tray_app.translate.answer.chunk")
    chat = load("tray_app.translate.request.chat").to_chat(
        read(load, [user()], stop_sequences=["</block>", "</other>"]), load("tray_app.catalog").GLM_4_7
    )
    builder = load("tray_app.translate.answer.message").MessageBuilder(chat, "msg_1")
    for piece in pieces:
        delta = load_chunk.Message(content=piece)
        builder.answer.feed(load_chunk.Chunk(choices=[load_chunk.Choice(delta=delta)]))
    builder.answer.feed(load_chunk.Chunk(choices=[load_chunk.Choice(finish_reason="stop")]))
    return builder.finish()


ROWS = [
    Growth(
        "servers: many calls and results in one turn",
        lambda n: [assistant(*[SEARCH, result("web_search", [PAGE]), ran("1\n")] * (n // 3)), user()],
        to_messages,
        small=300,
    ),
    Growth(
        "servers: a search with many pages",
        lambda n: [assistant(SEARCH, result("web_search", [PAGE] * n)), user()],
        to_messages,
        small=300,
    ),
    Growth("servers: a long output", lambda n: [assistant(ran("word " * (n // 5)))], to_messages, small=50_000),
    Growth("servers: a long page", lambda n: [assistant(fetched("word " * (n // 5)))], to_messages, small=50_000),
    Growth("servers: results within results", lambda n: [assistant(nested_results(n))], to_messages, small=15),
    Growth(
        "servers: many blocks that say nothing",
        lambda n: [assistant({"type": "fallback"}, summary("")), user()] * (n // 2),
        to_messages,
        small=200,
    ),
    Growth(
        "servers: many summaries of the conversation",
        lambda n: [user(), assistant(summary("They talked."), {"type": "text", "text": "So."})] * (n // 2),
        to_chat,
        small=200,
    ),
    Growth(
        "servers: many summaries in one message",
        lambda n: [assistant(*[summary("word " * 10)] * n), user()],
        to_messages,
        small=200,
    ),
    Growth(
        "servers: many messages, a summary looked for among them",
        lambda n: [user([{"type": "text", "text": "Go on."}] * 4)] * n,
        lambda load, messages: load("tray_app.translate.request.tokens").estimate_request(read(load, messages)),
        small=100,
    ),
    Growth(
        "servers: many pages, looked through for PDFs",
        lambda n: [assistant(*[fetched("a")] * n)],
        find_pdfs,
        small=300,
    ),
    Growth(
        "changes: many system messages that are cleared",
        lambda n: [system({"type": "text", "text": "Now."}, clear_at="next_user_message"), user()] * (n // 2),
        to_chat,
        small=200,
    ),
    Growth("changes: many tools added", lambda n: [user(), system(*map(added, range(n)))], to_chat, small=60),
    Growth("changes: one tool removed many times", lambda n: [user(), system(*[REMOVAL] * n)], to_chat, small=200),
    Growth(
        "changes: many summaries that bring many changes",
        lambda n: [*[assistant(summary("They talked.", [added(k) for k in range(5)])), user()] * (n // 10)],
        to_chat,
        small=200,
    ),
    Growth(
        "changes: many efforts for a turn that are no known words",
        lambda n: [user(), *[system(output_config={"effort": "heroic"})] * n],
        to_chat,
        small=200,
    ),
    Growth(
        "known tools: many of them",
        lambda n: [{"type": "memory_20250818", "name": f"memory_{k}"} for k in range(n)],
        lambda load, tools: [load("tray_app.translate.request.known_tools").find_known(tool) for tool in tools],
        small=30,
    ),
    Growth("no tokens: many messages", lambda n: [user()] * n, answer_with_nothing, small=400),
    Growth(
        "hidden thinking: a long text, there and back",
        lambda n: "word ü \ud83d " * (n // 9),
        lambda load, text: read_hidden(load, load("tray_app.translate.signature").sign_hidden(text)),
        small=20_000,
    ),
    Growth("hidden thinking: no base64", lambda n: "claude-nvidia-tray:" + "=" * n, read_hidden, small=20_000),
    Growth("valid JSON: a long text", lambda n: "word ü " * (n // 8), encode, small=20_000),
    Growth("valid JSON: half pairs everywhere", lambda n: ["\ud83d \ude00"] * (n // 4), encode, small=4_000),
    Growth(
        "tags: an answer that opens a tag again and again",
        lambda n: ["<block", ">", "no "] * (n // 3),
        answer_with_tags,
        small=300,
    ),
    Growth(
        "tags: an answer of beginnings of tags",
        lambda n: ["<blo<blo<"] * (n // 8),
        answer_with_tags,
        small=2_000,
    ),
]
