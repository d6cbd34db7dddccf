"""Takes a translated request apart in a worker process, and puts it together again in the gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.proxy.workers.frames import Result
from tray_app.translate import json_text
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import EncodedMessages, encode_system
from tray_app.translate.request.kinds import Kind
from tray_app.translate.request.question import Question
from tray_app.translate.request.search import Search
from tray_app.translate.request.tokens import Estimate
from tray_app.translate.request.tools import Tool, pick_schemas
from tray_app.translate.schema.schema import Parameters

PIECE_BYTES = 64 * 1024
"""Least size of a piece. A frame for each of 100,000 small messages would cost more than the messages."""

MAX_FACTS_BYTES = 4 * 1024 * 1024
"""Largest facts of a question. The gateway decodes them in one step, which takes about 10 ms for this size."""


class _ToolFacts(msgspec.Struct, frozen=True):
    """A tool, with its name as sent upstream."""

    sent_name: str
    name: str
    schema: dict[str, Any]


class _QuestionFacts(msgspec.Struct, frozen=True):
    """The facts of a Question, which are all but its messages."""

    requested_model: str
    model: Model
    fields: dict[str, Any]
    system_bytes: int
    """Size of the system message, which is at the beginning of the pieces."""
    tools: list[_ToolFacts]
    callable_names: list[str]
    shows_thinking: bool
    stop_sequences: list[str]
    estimate: Estimate
    input_tokens: int
    omits_thinking: bool
    used_call_ids: list[str]
    json_brackets: str
    search: Search | None
    is_background: bool
    kind: Kind
    turn: int | None


def split_question(question: Question) -> Result:
    """Returns the facts of a question, and its messages in pieces. InvalidRequest if the facts are too large."""
    body = question.chat.body
    messages: list[dict[str, Any]] = body["messages"]
    has_system = messages[0]["role"] == "system"
    system = encode_system(messages[0]["content"]) if has_system else b""
    fields = {name: value for name, value in body.items() if name != "messages"}
    facts = _encode_facts(question, fields, len(system))
    if len(facts) > MAX_FACTS_BYTES:
        raise InvalidRequest(
            f"tools: The request has {len(facts)} bytes beside its messages; at most {MAX_FACTS_BYTES} are taken."
        )
    return Result(facts, _in_pieces(_encode_messages(system, messages[has_system:])))


def join_question(result: Result) -> Question:
    """Returns the question that `split_question` took apart."""
    read = msgspec.convert(json_text.decode(result.content), _QuestionFacts)
    system, others = _split([*result.pieces], read.system_bytes)
    body = {**read.fields, "messages": EncodedMessages(system, others)}
    chat = ChatRequest(
        body,
        read.model,
        tools={tool.sent_name: Tool(tool.name, Parameters(tool.schema)) for tool in read.tools},
        callable_schemas=pick_schemas(body.get("tools", ()), frozenset(read.callable_names)),
        shows_thinking=read.shows_thinking,
        stop_sequences=read.stop_sequences,
        estimate=read.estimate,
        input_tokens=read.input_tokens,
        omits_thinking=read.omits_thinking,
        used_call_ids=frozenset(read.used_call_ids),
        json_brackets=read.json_brackets,
    )
    return Question(read.requested_model, chat, read.search, read.is_background, read.kind, read.turn)


def _encode_facts(question: Question, fields: dict[str, Any], system_bytes: int) -> bytes:
    chat = question.chat
    facts = _QuestionFacts(
        question.requested_model,
        chat.model,
        fields,
        system_bytes,
        [_ToolFacts(sent, tool.name, tool.parameters.schema) for sent, tool in chat.tools.items()],
        list(chat.callable_schemas),
        chat.shows_thinking,
        list(chat.stop_sequences),
        chat.estimate,
        chat.input_tokens,
        chat.omits_thinking,
        list(chat.used_call_ids),
        chat.json_brackets,
        question.search,
        question.is_background,
        question.kind,
        question.turn,
    )
    return json_text.encode(msgspec.to_builtins(facts))


def _encode_messages(system: bytes, messages: list[dict[str, Any]]) -> Iterator[bytes]:
    """Yields the system message, then the others with commas between them.

    Each message is removed from the list before it is encoded, so that its memory can be reused.
    """
    yield system
    messages.reverse()
    while messages:
        yield json_text.encode_valid(messages.pop())
        if messages:
            yield b","


def _in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the same bytes in pieces of at least PIECE_BYTES. The last one may be smaller."""
    held: list[bytes] = []
    size_bytes = 0
    for part in parts:
        held.append(part)
        size_bytes += len(part)
        if size_bytes >= PIECE_BYTES:
            yield b"".join(held)
            held.clear()
            size_bytes = 0
    yield b"".join(held)


def _split(pieces: list[bytes], size_bytes: int) -> tuple[bytes, tuple[bytes, ...]]:
    """Returns the first `size_bytes` of the pieces, and the remaining pieces."""
    first: list[bytes] = []
    for place, piece in enumerate(pieces):
        if size_bytes < len(piece):
            return b"".join([*first, piece[:size_bytes]]), (piece[size_bytes:], *pieces[place + 1 :])
        first.append(piece)
        size_bytes -= len(piece)
    return b"".join(first), ()
