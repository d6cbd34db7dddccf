"""The tokens of images, and of documents that are given by address."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.translate.rows import read_loosely
from tray_app.translate.request.attachments import (
    _MAX_READS,
    MOST_IMAGE_TOKENS,
    UNSEEN_TOKENS,
    _BoundedFile,
    count_data_url,
    count_image,
)
from tray_app.translate.request.tokens import estimate_chat, estimate_request

FORMATS = ["PNG", "JPEG", "GIF", "WEBP"]


def draw(width: int, height: int, format: str = "PNG", **options: Any) -> str:
    """An image in base64."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, format, **options)
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (1, 1, 1),
        (200, 200, 54),
        (1_000, 1_000, 1_334),
        (1_092, 1_092, 1_590),
        (1_568, 100, 210),
        (3_136, 200, 210),  # it is scaled down to the size of the row above
        (640, 2_000, 1_050),  # it is scaled down to a height of 1,568
        (4_000, 3_000, MOST_IMAGE_TOKENS),
    ],
)
def test_an_image_costs_a_token_for_750_pixels_of_its_reduced_size(
    format: str, width: int, height: int, tokens: int
) -> None:
    assert count_image(draw(width, height, format)) == tokens


def test_the_beginning_of_an_image_is_enough_to_find_its_size() -> None:
    """The rest of this image could not be decoded."""
    assert count_image(draw(1_000, 1_000) + "A" * 200_000 + "é" * 1_000_000) == 1_334
    assert count_image(draw(1_000, 1_000)[:100]) == 1_334


def test_the_size_of_a_jpeg_is_found_behind_a_large_thumbnail() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0" + b"\0" * 65_000
    assert count_image(draw(1_000, 1_000, "JPEG", exif=exif)) == 1_334


def test_base64_may_have_line_breaks() -> None:
    image = base64.encodebytes(base64.b64decode(draw(1_000, 1_000, "JPEG"))).decode()
    assert "\n" in image.strip()
    assert count_image(image) == count_image(image.replace("\n", "\r\n")) == count_image(f"\n{image}") == 1_334


@pytest.mark.parametrize("data", ["", "A", "A" * 2_000_000, "no image", "éééé", draw(9, 9)[:12]], ids=len)
def test_an_image_that_cannot_be_read_costs_what_most_images_cost(data: str) -> None:
    assert count_image(data) == UNSEEN_TOKENS


DIGITS = b"9" * 400


@pytest.mark.parametrize(
    "head",
    [
        b'<svg width="%b" height="%b" xmlns="http://www.w3.org/2000/svg">' % (DIGITS, DIGITS),
        b"P6\n%b %b\n255\n" % (DIGITS * 200, DIGITS),
        b"\xff\xd8" + b"\xff" * 98_000,
        b"\xff\xd8" + b"\xff\xe0\0\x02" * 24_000,
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBP",
    ],
    ids=["SVG", "netpbm", "JPEG of fill bytes", "JPEG of empty parts", "PNG without more", "WebP without more"],
)
def test_an_image_with_an_odd_head_costs_what_most_images_cost(head: bytes) -> None:
    assert count_image(base64.b64encode(head).decode()) == UNSEEN_TOKENS


def test_the_head_of_an_image_is_read_a_bounded_number_of_times() -> None:
    file = _BoundedFile(bytes(1_000))
    assert len([file.read(1) for _ in range(_MAX_READS)]) == _MAX_READS
    with pytest.raises(ValueError, match="so many segments"):
        file.read(1)


def test_an_image_in_a_data_address_costs_what_its_size_says() -> None:
    assert count_data_url(f"data:image/png;base64,{draw(200, 200)}") == 54
    assert count_data_url("https://example.org/image.png") == UNSEEN_TOKENS
    assert count_data_url("data:") == UNSEEN_TOKENS


def source(data: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": "image/png", "data": data}


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        ({"type": "image", "source": source(draw(200, 200))}, 54),
        ({"type": "image", "source": {"type": "url", "url": "https://example.org/image.png"}}, UNSEEN_TOKENS),
        ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, UNSEEN_TOKENS),
        ({"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}}, UNSEEN_TOKENS),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{draw(200, 200)}"}}, 54),
        ({"type": "image_url", "image_url": {"url": "https://example.org/image.png"}}, UNSEEN_TOKENS),
        ({"type": "image_url"}, UNSEEN_TOKENS),
        ({"type": "image"}, 0),
    ],
    ids=[
        *("image", "by address", "by file", "PDF by address"),
        *("OpenAI's", "OpenAI's by address", "OpenAI's without any", "without a source"),
    ],
)
def test_an_image_costs_the_same_in_a_message_and_in_a_result(block: dict[str, Any], tokens: int) -> None:
    text = {"type": "text", "text": "Look:"}
    plain = estimate_chat([{"role": "user", "content": [text]}], [])
    direct = estimate_request(read_loosely(messages=[{"role": "user", "content": [text, block]}]))
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [block]}
    assert direct.shown == tokens
    assert direct.text == plain.text, "nothing of it counts as text"
    assert estimate_request(read_loosely(messages=[{"role": "user", "content": [text, result]}])).shown == tokens
    twice = estimate_request(read_loosely(messages=[{"role": "user", "content": [block, text, block]}]))
    assert twice.shown == 2 * tokens
