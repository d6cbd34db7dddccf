"""PDFs as text, for models that read text only: each is read once, by a worker process that can be stopped."""

from __future__ import annotations

import asyncio

import msgspec

from tray_app.proxy.workers.frames import Job
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.worker import WorkerEnded

MAX_READ_S = 20.0
"""A PDF that takes longer to read is given up; what was read of its pages until then is passed on."""
_KEPT_TEXTS = 16
_GIVEN_UP = "[This PDF cannot be read: reading it takes too long or too much memory.]"


class PdfTexts:
    """The texts of the PDFs that came before: a client sends them again with every turn. Use it in one event loop."""

    def __init__(self, workers: WorkerPool, limit_s: float = MAX_READ_S) -> None:
        self._workers = workers
        self._limit_s = limit_s
        self._texts: dict[bytes, str] = {}  # by digest, least recently used first
        self._turn = asyncio.Lock()

    def find(self, digest: bytes) -> str | None:
        """The text of a PDF that was read before; None if it was not."""
        if digest not in self._texts:
            return None
        text = self._texts[digest] = self._texts.pop(digest)
        return text

    async def read(self, digest: bytes, data: bytes) -> str:
        """The text of a PDF in base64, or a note in brackets that says why there is none."""
        async with self._turn:  # whoever waits for the same PDF finds its text here
            if (text := self.find(digest)) is None:
                text = self._texts[digest] = await self._extract(data)
        if len(self._texts) > _KEPT_TEXTS:
            del self._texts[next(iter(self._texts))]
        return text

    async def _extract(self, data: bytes) -> str:
        job = Job("pdf", self._limit_s, msgspec.Raw(msgspec.json.encode(self._limit_s)))
        try:
            return (await self._workers.run(job, [data])).content.decode("utf-8", "surrogatepass")
        except WorkerEnded:
            return _GIVEN_UP
