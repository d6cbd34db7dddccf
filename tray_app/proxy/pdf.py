"""PDFs as text, for models that read text only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from tray_app.translate.content import find_pdfs

MAX_PAGES = 100
"""Anthropic's own limit for models with a window of 200,000 tokens."""
MAX_CHARS = 250_000
"""Of one PDF: about 70,000 tokens, half of the smallest window."""
MAX_READ_S = 20
_KEPT_TEXTS = 16
_DAMAGED = "[This PDF cannot be read: it is damaged, or no PDF.]"


class PdfTexts:
    """The texts of the PDFs that came before: a client sends them again with every turn. Use it in one event loop."""

    def __init__(self) -> None:
        self._texts: dict[bytes, str] = {}  # by digest of the base64, least recently used first
        self._turn = asyncio.Lock()

    async def inline(self, body: dict[str, Any]) -> None:
        """Puts its text into the place of every PDF of a request."""
        for document in find_pdfs(body):
            data = document["source"].get("data")
            document["source"] = {"type": "text", "data": await self._read(data if isinstance(data, str) else "")}

    async def _read(self, data: str) -> str:
        digest = hashlib.blake2b(data.encode("utf-8", "surrogatepass")).digest()
        if digest not in self._texts:
            async with self._turn:  # one PDF at a time: each takes computing time from all that is being streamed
                if digest not in self._texts:
                    self._texts[digest] = await _read_aside(data)
        text = self._texts[digest] = self._texts.pop(digest)
        if len(self._texts) > _KEPT_TEXTS:
            del self._texts[next(iter(self._texts))]
        return text


async def _read_aside(data: str) -> str:
    """Reads in another thread; stops where it takes too long, or the client has left, or the app quits."""
    ends_s = time.monotonic() + MAX_READ_S
    gone = threading.Event()
    try:
        return await asyncio.to_thread(read_pdf, data, lambda: gone.is_set() or time.monotonic() > ends_s)
    finally:
        gone.set()


def read_pdf(data: str, is_enough: Callable[[], bool] = lambda: False) -> str:
    """The text of a PDF in base64, page by page; notes in brackets say what has no text, or why there is none.

    `is_enough` is asked after each page whether to stop.
    """
    from pypdf import PdfReader  # takes a tenth of a second, which most sessions never need
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        content = base64.b64decode(data.rpartition(",")[2].encode("ascii", "ignore") + b"==")  # may be a data: address
    except binascii.Error:
        return _DAMAGED
    if not content:
        return "[This PDF is empty: there is no data in it.]"
    try:
        return _read_pages(PdfReader(BytesIO(content)).pages, is_enough)
    except (FileNotDecryptedError, DependencyError):  # DependencyError: an encryption that this installation lacks
        return "[This PDF is encrypted, and its text cannot be read.]"
    except Exception:  # pypdf's documentation: "broken PDF files might cause other Exceptions"
        return _DAMAGED


def _read_pages(pages: Sequence[Any], is_enough: Callable[[], bool]) -> str:
    total = len(pages)
    if not total:
        return "[This PDF has no pages.]"
    parts: list[str] = []
    without_text: list[int] = []
    number, room = 0, MAX_CHARS
    while number < min(total, MAX_PAGES) and room > 0:
        text = _read_page(pages, number)
        number += 1
        if text:
            parts.append(f"[Page {number} of {total}]\n{text[:room]}")
            room -= len(text)
        else:
            without_text.append(number)
        if is_enough():
            break
    if without_text:
        parts.append(f"[Without readable text, as scans and pictures are: {_name_pages(without_text)}.]")
    if number < total or room < 0:
        parts.append(f"[The rest is left out: this PDF is passed on up to page {number} of {total}.]")
    return "\n\n".join(parts)


def _read_page(pages: Sequence[Any], index: int) -> str:
    try:
        return str(pages[index].extract_text()).strip()
    except Exception:  # as above: one broken page is not the end of the others
        return ""


def _name_pages(numbers: list[int]) -> str:
    """Such as `pages 2, 4-6`."""
    runs = [list(run) for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    names = [f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs]
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(names)}"
