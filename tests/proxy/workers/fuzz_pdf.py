"""Fuzzes the reader of PDFs: for any bytes it returns text or a note, and raises nothing."""

from __future__ import annotations

import base64

from tests.support.fuzzing import fuzz
from tests.support.pdfs import make_pdf
from tray_app.proxy.workers.pdf_text import read_pdf

_WHOLE = base64.b64decode(make_pdf("one", "two"))


def check_pdf(data: bytes) -> None:
    """Reads the bytes as a PDF. If the first byte is even, they change a valid PDF at the place in the next two."""
    if len(data) > 3 and data[0] % 2 == 0:
        place = int.from_bytes(data[1:3], "big") % len(_WHOLE)
        data = _WHOLE[:place] + data[3:] + _WHOLE[place + len(data) - 3 :]
    assert read_pdf(base64.b64encode(data).decode()).startswith("[")


if __name__ == "__main__":
    fuzz(check_pdf)
