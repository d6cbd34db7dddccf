"""The texts of PDFs, for models that read text only. A worker process reads each PDF once, and can be stopped."""

from __future__ import annotations

import asyncio

import msgspec

from tray_app.proxy.workers.frames import Job
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.worker import WorkerEnded

MAX_READ_S = 20.0
"""Longest time to read one PDF. After it the text of the pages that have been read is passed on."""
KEPT_TEXTS = 16
"""So many texts are kept. The least recently used one is dropped first."""
_GIVEN_UP = "[This PDF cannot be read: reading it takes too long or too much memory.]"


class PdfTexts:
    """Keeps the texts of PDFs, because a client sends its PDFs again with every turn. Belongs to one event loop."""

    def __init__(self, workers: WorkerPool, limit_s: float = MAX_READ_S) -> None:
        self._workers = workers
        self._limit_s = limit_s
        self._texts: dict[bytes, str] = {}  # by digest, least recently used first
        self._turn = asyncio.Lock()

    def find(self, digest: bytes) -> str | None:
        """Returns the text of a PDF that has been read before, or None."""
        if digest not in self._texts:
            return None
        text = self._texts[digest] = self._texts.pop(digest)
        return text

    async def read(self, digest: bytes, data: bytes) -> str:
        """Returns the text of a PDF in base64, or a note in brackets that says why there is no text."""
        async with self._turn:  # a second request with the same PDF finds its text after the wait
            if (text := self.find(digest)) is None:
                text = self._texts[digest] = await self._extract(data)
        if len(self._texts) > KEPT_TEXTS:
            del self._texts[next(iter(self._texts))]
        return text

    async def _extract(self, data: bytes) -> str:
        job = Job("pdf", self._limit_s, msgspec.Raw(msgspec.json.encode(self._limit_s)))
        try:
            return (await self._workers.run(job, [data])).content.decode("utf-8", "surrogatepass")
        except WorkerEnded:
            return _GIVEN_UP
