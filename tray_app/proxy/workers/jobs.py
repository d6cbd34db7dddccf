"""The jobs of a worker process, and how a translated request gets from there to the gateway."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.proxy.workers.frames import Result
from tray_app.proxy.workers.pdf_text import digest_pdf, read_pdf
from tray_app.translate import json_text
from tray_app.translate.arguments.mending import mend_with_library
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import EncodedMessages, encode_system
from tray_app.translate.request.pdfs import replace_pdfs
from tray_app.translate.request.question import Question, Rules, count_tokens, read_body, read_question
from tray_app.translate.request.search import Search
from tray_app.translate.request.tokens import Estimate
from tray_app.translate.request.tools import Tool
from tray_app.translate.schema.schema import Parameters

PIECE_BYTES = 64 * 1024
"""The least size of a piece: a frame for each of 100,000 small messages would cost more than the messages."""

MAX_FACTS_BYTES = 4 * 1024 * 1024
"""The gateway decodes what is not a message in one step, which takes some 10 ms for this much."""

_PDF_SHARE = 0.8
"""After this share of its time limit a PDF's next page is not begun, so that the text of the others is not lost."""

PDF_KNOWN, PDF_READ = b"?", b"!"
"""How a question about a PDF begins: what text has the PDF of this digest, if that is known; read the one that follows
its digest."""

Ask = Callable[[bytes], bytes]
"""Puts a question to the gateway and returns the answer."""


class RequestArguments(msgspec.Struct, frozen=True):
    """The arguments of the jobs that take a client's request."""

    rules: Rules
    headers: dict[str, str] = {}
    """Those of the request that translation looks at, their names in small letters."""
    model: Model | None = None
    """The model to translate for; None leaves the choice to the rules."""


class _ToolFacts(msgspec.Struct, frozen=True):
    sent_name: str
    name: str
    schema: dict[str, Any]


class _QuestionFacts(msgspec.Struct, frozen=True):
    """A Question without its messages."""

    requested_model: str
    model: Model
    fields: dict[str, Any]
    system_bytes: int
    """How many bytes of the messages that follow are the system message."""
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


def translate(arguments: msgspec.Raw, data: bytearray, ask: Ask) -> Result:
    """The Question that a request is: without its messages, and these as pieces of JSON."""
    wanted = msgspec.json.decode(arguments, type=RequestArguments)
    question = read_question(_read_request(data, ask), wanted.rules, wanted.headers, wanted.model)
    messages: list[dict[str, Any]] = question.chat.body.pop("messages")
    system = b""
    if messages[0]["role"] == "system":
        system = encode_system(messages.pop(0)["content"])
    facts = _encode_facts(question, len(system))
    if len(facts) > MAX_FACTS_BYTES:
        raise InvalidRequest(
            f"tools: The request has {len(facts)} bytes beside its messages; at most {MAX_FACTS_BYTES} are taken."
        )
    return Result(facts, _in_pieces(_encode_messages(system, messages)))


def count(arguments: msgspec.Raw, data: bytearray, ask: Ask) -> Result:
    """The tokens of a request, as a JSON number."""
    wanted = msgspec.json.decode(arguments, type=RequestArguments)
    return Result(json_text.encode(count_tokens(_read_request(data, ask), wanted.rules)))


def extract_pdf(arguments: msgspec.Raw, data: bytearray, _: Ask) -> Result:
    """The text of a PDF in base64. The argument is the time in seconds that reading it may take."""
    ends_s = time.monotonic() + msgspec.json.decode(arguments, type=float) * _PDF_SHARE
    text = read_pdf(data.decode("ascii", "ignore"), lambda: time.monotonic() > ends_s)
    return Result(text.encode("utf-8", "surrogatepass"))


def mend(_: msgspec.Raw, data: bytearray, __: Ask) -> Result:
    """The object that a tool call's broken arguments mean, as JSON; `null` if the library cannot tell."""
    return Result(json_text.encode(mend_with_library(data.decode("utf-8", "surrogatepass"))))


JOBS: dict[str, Callable[[msgspec.Raw, bytearray, Ask], Result]] = {
    "translate": translate,
    "count": count,
    "pdf": extract_pdf,
    "mend": mend,
}


def describe_fault(error: Exception) -> str:
    """What failed and where, without the error's message, which may quote what was being worked on."""
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    return f"{type(error).__name__}\n{places}"


def join_question(result: Result) -> Question:
    """The Question that `translate` took apart; runs in the gateway."""
    read = msgspec.convert(json_text.decode(result.content), _QuestionFacts)
    system, others = _split([*result.pieces], read.system_bytes)
    body = {**read.fields, "messages": EncodedMessages(system, others)}
    chat = ChatRequest(
        body,
        read.model,
        tools={tool.sent_name: Tool(tool.name, Parameters(tool.schema)) for tool in read.tools},
        callable_schemas={
            tool["function"]["name"]: tool["function"]["parameters"]
            for tool in body.get("tools", ())
            if tool["function"]["name"] in read.callable_names
        },
        shows_thinking=read.shows_thinking,
        stop_sequences=read.stop_sequences,
        estimate=read.estimate,
        input_tokens=read.input_tokens,
        omits_thinking=read.omits_thinking,
        used_call_ids=frozenset(read.used_call_ids),
        json_brackets=read.json_brackets,
    )
    return Question(read.requested_model, chat, read.search, read.is_background)


def _read_request(data: bytearray, ask: Ask) -> MessagesRequest:
    """The request, with its text in the place of each PDF."""
    request = read_body(data)
    data.clear()  # the strings of the request are copies
    return replace_pdfs(request, partial(_read_pdf_text, ask))


def _read_pdf_text(ask: Ask, pdf: str) -> str:
    """The text of a PDF in base64, as the gateway knows it or has it read."""
    digest = digest_pdf(pdf)
    text = ask(PDF_KNOWN + digest) or ask(PDF_READ + digest + pdf.encode("ascii", "ignore"))
    return text.decode("utf-8", "surrogatepass")


def _encode_facts(question: Question, system_bytes: int) -> bytes:
    chat = question.chat
    facts = _QuestionFacts(
        question.requested_model,
        chat.model,
        chat.body,
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
    )
    return json_text.encode(msgspec.to_builtins(facts))


def _encode_messages(system: bytes, messages: list[dict[str, Any]]) -> Iterator[bytes]:
    """The messages one by one, separated by commas but for the system message; each is given up once it is encoded."""
    yield system
    messages.reverse()
    while messages:
        yield json_text.encode_valid(messages.pop())
        if messages:
            yield b","


def _in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least PIECE_BYTES, but for the last."""
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
    """The first `size_bytes` of some pieces, and the rest."""
    first: list[bytes] = []
    for place, piece in enumerate(pieces):
        if size_bytes < len(piece):
            return b"".join([*first, piece[:size_bytes]]), (piece[size_bytes:], *pieces[place + 1 :])
        first.append(piece)
        size_bytes -= len(piece)
    return b"".join(first), ()
