"""The text of a PDF. Reading one may take long and much memory, so this runs in a worker process."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

MAX_PAGES = 100
"""Anthropic's own limit for models with a window of 200,000 tokens."""
MAX_CHARS = 250_000
"""The most characters of one PDF that are passed on: about 70,000 tokens, half of the smallest window."""

DIGEST_BYTES = 32
DAMAGED = "[This PDF cannot be read: it is damaged, or no PDF.]"


def digest_pdf(data: str) -> bytes:
    """What names a PDF in base64: DIGEST_BYTES bytes, the same for the same text."""
    return hashlib.blake2b(data.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def read_pdf(data: str, is_enough: Callable[[], bool] = lambda: False) -> str:
    """The text of a PDF in base64, page by page; notes in brackets say what has no text, or why there is none.

    `is_enough` is asked after each page whether to stop.
    """
    from pypdf import PdfReader  # takes a tenth of a second, which most sessions never need
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        content = base64.b64decode(data.rpartition(",")[2].encode("ascii", "ignore") + b"==")  # may be a data: address
    except binascii.Error:
        return DAMAGED
    if not content:
        return "[This PDF is empty: there is no data in it.]"
    try:
        return _read_pages(PdfReader(BytesIO(content)).pages, is_enough)
    except (FileNotDecryptedError, DependencyError):  # DependencyError: an encryption that this installation lacks
        return "[This PDF is encrypted, and its text cannot be read.]"
    except Exception:  # pypdf's documentation: "broken PDF files might cause other Exceptions"
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
    except Exception:  # as above: one broken page is not the end of the others
        return ""


def _name_pages(numbers: list[int]) -> str:
    """Such as `pages 2, 4-6`."""
    runs = [list(run) for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    names = [f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs]
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(names)}"
