"""Requests translated: a small one at once in the event loop, a large one in a worker process."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tray_app.catalog import Model
from tray_app.errors import RequestTooLarge
from tray_app.proxy.exchange.bodies import Body
from tray_app.proxy.exchange.pdf import PdfTexts
from tray_app.proxy.workers.frames import Job, Result
from tray_app.proxy.workers.jobs import PDF_READ, RequestArguments
from tray_app.proxy.workers.pdf_text import DIGEST_BYTES
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.question_pieces import join_question
from tray_app.proxy.workers.worker import WorkerEnded
from tray_app.translate.request import question
from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.pdfs import find_pdfs
from tray_app.translate.request.question import Question, Rules

JOB_LIMIT_S = 60.0
"""Translating 64 MB takes some 2 s, on a busy machine several times that."""

_HEADER_PREFIX = "x-claude-code-"
"""The headers that translation looks at begin with it."""


class RequestTranslator:
    """Translates requests. For one event loop."""

    def __init__(self, workers: WorkerPool, pdfs: PdfTexts) -> None:
        self._workers = workers
        self._pdfs = pdfs

    async def translate(
        self, body: Body, rules: Rules, headers: Mapping[str, str], model: Model | None = None, *, keeps_body: bool
    ) -> Question:
        """What a request asks. Its errors are ProxyErrors.

        `model` is to answer, whatever the rules say; None leaves the choice to them. `keeps_body`: whether the same
        body will be translated again; if not, a large one is given up on the way, so that it is not held twice.
        """
        if (request := _read_small(body)) is not None:
            return question.read_question(request, rules, headers, model)
        wanted = {name.lower(): value for name, value in headers.items() if name.lower().startswith(_HEADER_PREFIX)}
        arguments = RequestArguments(rules, wanted, model)
        return join_question(await self._run("translate", body, arguments, keeps_body=keeps_body))

    async def count_tokens(self, body: Body, rules: Rules) -> int:
        """An estimate of a request's tokens. Its errors are ProxyErrors."""
        if (request := _read_small(body)) is not None:
            return question.count_tokens(request, rules)
        counted = await self._run("count", body, RequestArguments(rules), keeps_body=False)
        return msgspec.json.decode(counted.content, type=int)

    async def _run(self, name: str, body: Body, arguments: RequestArguments, *, keeps_body: bool) -> Result:
        job = Job(name, JOB_LIMIT_S, msgspec.Raw(msgspec.json.encode(arguments)))
        try:
            return await self._workers.run(job, [*body.pieces] if keeps_body else body.pieces, self._answer)
        except WorkerEnded:
            raise RequestTooLarge("The request is too large: working on it takes too long.") from None

    async def _answer(self, question: bytes) -> bytes:
        """Answers a worker that comes upon a PDF: with its text, or with nothing if that is not known yet."""
        kind, digest, data = (
            question[:1],
            question[1 : 1 + DIGEST_BYTES],
            question[1 + DIGEST_BYTES :],
        )
        text = await self._pdfs.read(digest, data) if kind == PDF_READ else self._pdfs.find(digest)
        return (text or "").encode("utf-8", "surrogatepass")


def _read_small(body: Body) -> MessagesRequest | None:
    """The request in a small body; None if the body is for a worker."""
    if not body.is_small:
        return None
    request = question.read_body(body.join())
    return None if any(find_pdfs(request)) else request
