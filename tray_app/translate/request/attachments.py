"""Estimates the tokens of images from their size in pixels, which is read from their first bytes.

Images are never decoded as a whole. PDFs do not get here, as they have been replaced by their text.
"""

from __future__ import annotations

import binascii
import math
from io import BytesIO

# Source: https://docs.anthropic.com/en/docs/build-with-claude/vision. Larger images are scaled down first.
PIXELS_PER_TOKEN = 750
LONGEST_EDGE_PX = 1_568
MOST_IMAGE_TOKENS = 1_600

UNSEEN_TOKENS = MOST_IMAGE_TOKENS
"""Tokens of an image or a document that is given by its address, or whose size cannot be read.

It is the maximum, because most photos and screenshots reach it.
"""

_HEAD_CHARS = 128 * 1024
"""How many characters of base64 are read to find the size. They are 96 KB, because a JPEG's size follows its EXIF data
and its thumbnail.
"""


_MAX_READS = 500
"""Most reads of the file until its size must be found. A photo takes fewer than 100: about one for each segment."""
_FORMATS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")
"""The first bytes of PNG, JPEG, GIF and WebP files, the formats that Anthropic's API accepts."""


def count_image(data: str) -> int:
    """Returns the tokens of an image in base64."""
    width, height = _read_size(data)
    if width < 1 or height < 1:
        return UNSEEN_TOKENS
    scale = min(1.0, LONGEST_EDGE_PX / max(width, height))
    return min(math.ceil(width * height * scale**2 / PIXELS_PER_TOKEN), MOST_IMAGE_TOKENS)


def count_data_url(url: str) -> int:
    """Returns the tokens of an image at an address. A `data:` address contains the image itself."""
    head, _, data = url[:_HEAD_CHARS].partition(",")
    return count_image(data) if head.startswith("data:") else UNSEEN_TOKENS


class _BoundedFile(BytesIO):
    """The first bytes of a file, which raise ValueError after _MAX_READS reads."""

    _reads_left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ValueError("no image has so many segments before its size")
        return super().read(size)


def _read_size(data: str) -> tuple[int, int]:
    """Returns width and height in pixels, both -1 if they cannot be read."""
    import imagesize  # imports urllib, which most sessions never need

    chars = "".join(data[:_HEAD_CHARS].split())
    try:
        head = binascii.a2b_base64(chars[: len(chars) // 4 * 4])
        if not head.startswith(_FORMATS):  # other formats may hold numbers of any length or XML
            return -1, -1
        size: tuple[int, int] = imagesize.get(_BoundedFile(head))
    except Exception:  # noqa: BLE001 (the library does not document its errors, and the bytes can be anything)
        return -1, -1
    return size
