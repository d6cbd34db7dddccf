"""The jobs of a worker process, and how a translated request gets from there to the gateway."""

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


def translate(arguments: msgspec.Raw, data: bytearray, ask: Ask) -> Result:
    """The Question that a request is: without its messages, and these as pieces of JSON."""
    wanted = msgspec.json.decode(arguments, type=RequestArguments)
    return split_question(read_question(_read_request(data, ask), wanted.rules, wanted.headers, wanted.model))


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
