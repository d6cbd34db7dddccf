"""Reads the text of a PDF. That may take much time and memory, so it runs in a worker process."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

MAX_PAGES = 100
"""Most pages of a PDF that are read. It is Anthropic's own limit for models with a window of 200,000 tokens."""
MAX_CHARS = 250_000
"""Most characters of a PDF that are read: about 70,000 tokens, half of the smallest window."""

DIGEST_BYTES = 32
DAMAGED = "[This PDF cannot be read: it is damaged, or no PDF.]"


def digest_pdf(data: str) -> bytes:
    """Returns the digest of a PDF in base64, which has DIGEST_BYTES bytes."""
    return hashlib.blake2b(data.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def read_pdf(data: str, is_enough: Callable[[], bool] = lambda: False) -> str:
    """Returns the text of a PDF in base64, page by page. Notes in brackets name pages without text, and errors.

    `is_enough` is called after each page. If it returns True, no further page is read.
    """
    from pypdf import PdfReader  # the import takes 0.1 s, and most sessions have no PDF
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        # a `data:` address has the base64 after its comma
        content = base64.b64decode(data.rpartition(",")[2].encode("ascii", "ignore") + b"==")
    except binascii.Error:
        return DAMAGED
    if not content:
        return "[This PDF is empty: there is no data in it.]"
    try:
        return _read_pages(PdfReader(BytesIO(content)).pages, is_enough)
    except (FileNotDecryptedError, DependencyError):  # DependencyError: an encryption that this installation lacks
        return "[This PDF is encrypted, and its text cannot be read.]"
    except Exception:  # noqa: BLE001 (pypdf's documentation: "broken PDF files might cause other Exceptions")
        return DAMAGED


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
    except Exception:  # noqa: BLE001 (one broken page must not lose the text of the others)
        return ""


def _name_pages(numbers: list[int]) -> str:
    """Returns the pages as text, such as `pages 2, 4-6`."""
    runs = [list(run) for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    names = [f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs]
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(names)}"
