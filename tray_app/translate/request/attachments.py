"""What images cost, told from their first bytes: they are never decoded as a whole. PDFs are text by then."""

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

_HEAD_CHARS = 128 * 1024
"""Of base64: 96 KB, as a JPEG's size stands behind its EXIF data and thumbnail."""


_MAX_READS = 500
"""Finding the size of a photo takes less than 100 reads of its file, one for each part before it and some more."""
_FORMATS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")
"""How files of the formats that Anthropic's API takes begin: PNG, JPEG, GIF and WebP."""


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


class _BoundedFile(BytesIO):
    """The beginning of a file, for a reader that may read it a bounded number of times."""

    _reads_left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("no image has so many parts before its size")
        return super().read(size)


def _read_size(data: str) -> tuple[int, int]:
    """Width and height in pixels; -1 if they cannot be read."""
    import imagesize  # brings urllib with it, and most sessions have no images

    chars = "".join(data[:_HEAD_CHARS].split())
    try:
        head = binascii.a2b_base64(chars[: len(chars) // 4 * 4])
        if not head.startswith(_FORMATS):  # other formats hold numbers of any length, or are XML
            return -1, -1
        size: tuple[int, int] = imagesize.get(_BoundedFile(head))
    except Exception:  # the library promises none, and gets any bytes at all
        return -1, -1
    return size
