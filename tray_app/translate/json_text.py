r"""Encodes and decodes JSON whose text may hold half of a surrogate pair.

A model's tokens can split the escape of an emoji (\ud83d) from its other half. Such text is not valid Unicode, and
msgspec refuses it. The standard library writes it as an escape, and the client's parser joins the halves again. Strict
servers upstream would refuse the escape, so the text of requests is made valid before it is sent.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()

_MAX_INT_DIGITS = 4_300
"""Python's limit for the digits of an integer in text, because reading one takes time quadratic in its length."""


def encode(value: Any) -> bytes:
    """Returns the value as compact JSON in UTF-8. Half of a surrogate pair becomes an escape."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def encode_valid(value: Any) -> bytes:
    """Returns the value as compact JSON whose text is valid Unicode.

    Two halves of a surrogate pair that are neighbours become one character. Any other half becomes U+FFFD.
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def decode(data: bytes | bytearray) -> Any:
    """Returns the value that JSON stands for.

    Raises ValueError if the bytes are not JSON. NaN, Infinity and numbers too large for a float are not JSON.
    """
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return json.loads(data, parse_constant=_refuse_constant, parse_float=_read_float)


def _read_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large for a float")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_int(digits: str) -> int | float:
    """Returns the integer of these digits, or infinity if there are too many digits for Python."""
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else float(digits)


decoder = json.JSONDecoder(parse_int=read_int, parse_constant=_refuse_constant)
"""Decodes JSON text with integers of any length."""

lenient_decoder = json.JSONDecoder(parse_int=read_int, strict=False)
"""Decodes JSON text with integers of any length, and also accepts NaN and control characters in strings."""
