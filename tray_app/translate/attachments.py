"""What images and PDFs cost, told from their first bytes and their size: they are never decoded as a whole."""

from __future__ import annotations

import binascii
import math
from io import BytesIO

# https://docs.anthropic.com/en/docs/build-with-claude/vision: what is larger is scaled down first
PIXELS_PER_TOKEN = 750
LONGEST_EDGE_PX = 1_568
MOST_IMAGE_TOKENS = 1_600

UNSEEN_TOKENS = MOST_IMAGE_TOKENS
"""Of an image or a document that is elsewhere, or whose size cannot be read: photos and screenshots reach the limit."""

# A page of 2,000 characters weighs 8 KB where it is typeset, and ten times that with pictures.
PDF_BYTES_PER_TOKEN = 32
PAGE_TOKENS = 500
MOST_PDF_TOKENS = 100 * PAGE_TOKENS  # Anthropic's API takes 100 pages

_HEAD_CHARS = 128 * 1024
"""Of base64: 96 KB, as a JPEG's size stands behind its EXIF data and thumbnail."""


def count_image(data: str) -> int:
    """Tokens of an image in base64."""
    width, height = _read_size(data)
    if width < 1 or height < 1:
        return UNSEEN_TOKENS
    scale = min(1.0, LONGEST_EDGE_PX / max(width, height))
    return min(math.ceil(width * height * scale**2 / PIXELS_PER_TOKEN), MOST_IMAGE_TOKENS)


def count_data_url(url: str) -> int:
    """Tokens of an image by its address, which may hold it."""
    head, _, data = url[:_HEAD_CHARS].partition(",")
    return count_image(data) if head.startswith("data:") else UNSEEN_TOKENS


def count_pdf(data: str) -> int:
    """Tokens of the text of a PDF in base64, by its size: the number of its pages may stand anywhere, compressed."""
    tokens = round(len(data) * 3 / 4 / PDF_BYTES_PER_TOKEN)
    return min(max(tokens, PAGE_TOKENS), MOST_PDF_TOKENS)


def _read_size(data: str) -> tuple[int, int]:
    """Width and height in pixels; -1 where they cannot be read."""
    import imagesize  # brings urllib with it, and most sessions have no images

    chars = "".join(data[:_HEAD_CHARS].split())
    try:
        head = binascii.a2b_base64(chars[: len(chars) // 4 * 4])
    except ValueError:
        return -1, -1
    size: tuple[int, int] = imagesize.get(BytesIO(head))
    return size
