"""PDF files, made when a test needs one."""

from __future__ import annotations

import base64
from io import BytesIO

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject

_HELVETICA = DictionaryObject(
    {NameObject(f"/{key}"): NameObject(f"/{value}") for key, value in {"Type": "Font", "Subtype": "Type1"}.items()}
    | {NameObject("/BaseFont"): NameObject("/Helvetica")}
)


def make_pdf(*pages: str | bytes, password: str | None = None) -> str:
    """A PDF in base64, a page for each text; bytes are a page's drawing commands.

    An empty password encrypts, but opens to everybody: only the owner's right to change the file needs one.
    """
    writer = PdfWriter()
    for page in pages:
        commands = page if isinstance(page, bytes) else _write_lines(page)
        stream = DecodedStreamObject()
        stream.set_data(commands)
        blank = writer.add_blank_page(612, 792)
        fonts = DictionaryObject({NameObject("/F1"): _HELVETICA})
        blank[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        blank[NameObject("/Contents")] = writer._add_object(stream)  # noqa: SLF001 (pypdf has no other way)
    if password is not None:
        writer.encrypt(password, "the owner's", algorithm="RC4-128")
    file = BytesIO()
    writer.write(file)
    return base64.b64encode(file.getvalue()).decode()


def _write_lines(text: str) -> bytes:
    lines = b" ".join(b"(" + line.encode("latin-1") + b") Tj T*" for line in text.splitlines())
    return b"BT /F1 12 Tf 14 TL 50 750 Td " + lines + b" ET" if text else b""


def make_slow_pdf(pages: int = 1) -> str:
    """A PDF of a few KB in base64 whose text takes some ten seconds a page: it draws one stream again and again."""
    writer = PdfWriter()
    stream = DecodedStreamObject()
    stream.set_data(b"BT /F1 12 Tf " + b"(word) Tj T* " * 2000 + b" ET")
    content = writer._add_object(stream.flate_encode())  # noqa: SLF001 (as above)
    for _ in range(pages):
        page = writer.add_blank_page(612, 792)
        fonts = DictionaryObject({NameObject("/F1"): _HELVETICA})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = ArrayObject([content] * 400)
    file = BytesIO()
    writer.write(file)
    return base64.b64encode(file.getvalue()).decode()
