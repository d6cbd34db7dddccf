"""Fuzzes the reader of image sizes: for any base64 it returns soon and raises nothing."""

from __future__ import annotations

import base64

from tests.support.fuzzing import fuzz
from tray_app.translate.request.attachments import MOST_IMAGE_TOKENS, count_data_url, count_image

_HEADS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"")


def check_image(data: bytes) -> None:
    """Counts an image whose first byte chooses the format, and whose other bytes follow that format's first bytes."""
    head = _HEADS[data[0] % len(_HEADS)] if data else b""
    encoded = base64.b64encode(head + data[1:]).decode()
    tokens = count_image(encoded)
    assert 1 <= tokens <= MOST_IMAGE_TOKENS
    assert count_data_url(f"data:image/png;base64,{encoded}") == tokens
    count_image(data.decode("latin-1"))


if __name__ == "__main__":
    fuzz(check_image)
