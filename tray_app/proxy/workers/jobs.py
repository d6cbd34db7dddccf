"""The jobs of a worker process."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from functools import partial

import msgspec

from tray_app.catalog import Model
from tray_app.proxy.workers.frames import Result
from tray_app.proxy.workers.pdf_text import digest_pdf, read_pdf
from tray_app.proxy.workers.question_pieces import split_question
from tray_app.translate import json_text
from tray_app.translate.arguments.mending import mend_with_library
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.pdfs import replace_pdfs
from tray_app.translate.request.question import Rules, count_tokens, read_body, read_question

_PDF_SHARE = 0.8
"""Share of the time limit after which no further page of a PDF is read, so that the text of the others is not lost."""

PDF_KNOWN, PDF_READ = b"?", b"!"
"""First byte of a question about a PDF. PDF_KNOWN asks for the text, if known, of the PDF with the digest that follows.
PDF_READ asks to read the PDF that follows its digest."""

Ask = Callable[[bytes], bytes]
"""Sends a question to the gateway, and returns the answer."""


class RequestArguments(msgspec.Struct, frozen=True):
    """The arguments of the jobs that take a client's request."""

    rules: Rules
    headers: dict[str, str] = {}
    """The headers that the translation reads, with their names in lower case."""
    model: Model | None = None
    """The model to translate for; None leaves the choice to the rules."""


def translate(arguments: msgspec.Raw, data: bytearray, ask: Ask) -> Result:
    """Translates a request to the facts of a Question and its messages in pieces of JSON."""
    wanted = msgspec.json.decode(arguments, type=RequestArguments)
    return split_question(read_question(_read_request(data, ask), wanted.rules, wanted.headers, wanted.model))


def count(arguments: msgspec.Raw, data: bytearray, ask: Ask) -> Result:
    """Counts the tokens of a request. The result is a JSON number."""
    wanted = msgspec.json.decode(arguments, type=RequestArguments)
    return Result(json_text.encode(count_tokens(_read_request(data, ask), wanted.rules)))


def extract_pdf(arguments: msgspec.Raw, data: bytearray, _: Ask) -> Result:
    """Reads the text of a PDF in base64. The argument is the time limit in seconds."""
    ends_s = time.monotonic() + msgspec.json.decode(arguments, type=float) * _PDF_SHARE
    text = read_pdf(data.decode("ascii", "ignore"), lambda: time.monotonic() > ends_s)
    return Result(text.encode("utf-8", "surrogatepass"))


def mend(_: msgspec.Raw, data: bytearray, __: Ask) -> Result:
    """Repairs a tool call's broken arguments. The result is a JSON object, or `null` if they cannot be repaired."""
    return Result(json_text.encode(mend_with_library(data.decode("utf-8", "surrogatepass"))))


JOBS: dict[str, Callable[[msgspec.Raw, bytearray, Ask], Result]] = {
    "translate": translate,
    "count": count,
    "pdf": extract_pdf,
    "mend": mend,
}


def describe_fault(error: Exception) -> str:
    """Returns what failed and where, without the error's message, which may contain text of the request."""
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    return f"{type(error).__name__}\n{places}"


def _read_request(data: bytearray, ask: Ask) -> MessagesRequest:
    """Returns the request with text in place of each PDF."""
    request = read_body(data)
    data.clear()  # the strings of the request are copies
    return replace_pdfs(request, partial(_read_pdf_text, ask))


def _read_pdf_text(ask: Ask, pdf: str) -> str:
    """Returns the text of a PDF in base64, from the gateway, which reads it if it does not know it yet."""
    digest = digest_pdf(pdf)
    text = ask(PDF_KNOWN + digest) or ask(PDF_READ + digest + pdf.encode("ascii", "ignore"))
    return text.decode("utf-8", "surrogatepass")
