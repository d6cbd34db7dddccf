"""The translation of requests. A small one is translated in the event loop, a large one in a worker process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

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
from tray_app.translate.request.known import Memory, translate_known
from tray_app.translate.request.pdfs import find_pdfs
from tray_app.translate.request.question import Question, Rules

JOB_LIMIT_S = 60.0
"""Time for one translation in a worker process. 64 MB take about 2 s, on a busy machine several times as long."""

_HEADER_PREFIX = "x-claude-code-"
"""Only headers with this prefix are sent to a worker process, because translation reads no others."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A client's request as it came, and the rules by which it is translated."""

    body: Body
    rules: Rules
    headers: Mapping[str, str]
    keeps_body: bool
    """Tells whether the body may be needed again, for a fallback model. If not, a large body is given up piece by piece
    as a worker process takes it, so that it is not held twice."""

    @property
    def can_be_translated_again(self) -> bool:
        """Tells whether the body is still there."""
        return bool(self.body.pieces)


class RequestTranslator:
    """Translates requests. Belongs to one event loop."""

    def __init__(self, workers: WorkerPool, pdfs: PdfTexts) -> None:
        self._workers = workers
        self._pdfs = pdfs
        self._memory = Memory()
        self.known_requests = 0
        """The number of requests that were translated by means of what is known of earlier ones."""

    async def translate(self, incoming: Incoming, model: Model | None = None) -> Question:
        """Returns what the request asks of `model`. None leaves the choice of the model to the rules.

        A request that cannot be translated raises a ProxyError.
        """
        if (known := await self._translate_known(incoming, model)) is not None:
            return known
        if (request := _read_small(incoming.body)) is not None:
            return question.read_question(request, incoming.rules, incoming.headers, model)
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        wanted = {name: value for name, value in headers.items() if name.startswith(_HEADER_PREFIX)}
        arguments = RequestArguments(incoming.rules, wanted, model)
        return join_question(await self._run("translate", incoming.body, arguments, keeps_body=incoming.keeps_body))

    async def _translate_known(self, incoming: Incoming, model: Model | None) -> Question | None:
        """Returns the question if little of the request is new and nothing in it is unusual; else None."""
        steps = translate_known(incoming.body.pieces, incoming.rules, incoming.headers, model, self._memory)
        try:
            while True:
                next(steps)
                await asyncio.sleep(0)
        except StopIteration as end:
            self.known_requests += end.value is not None
            return end.value  # type: ignore[no-any-return]

    async def count_tokens(self, body: Body, rules: Rules) -> int:
        """Returns an estimate of a request's tokens. Raises a ProxyError if it cannot be read."""
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
        """Answers a worker's question for the text of a PDF. The answer is empty if the text is not known yet."""
        kind, digest, data = (
            question[:1],
            question[1 : 1 + DIGEST_BYTES],
            question[1 + DIGEST_BYTES :],
        )
        text = await self._pdfs.read(digest, data) if kind == PDF_READ else self._pdfs.find(digest)
        return (text or "").encode("utf-8", "surrogatepass")


def _read_small(body: Body) -> MessagesRequest | None:
    """Returns the request in a small body, or None if a worker process should translate the body."""
    if (data := body.join_small()) is None:
        return None
    request = question.read_body(data)
    return None if any(find_pdfs(request)) else request
