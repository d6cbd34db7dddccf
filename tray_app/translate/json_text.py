"""JSON in and out, for text that may hold half a surrogate pair.

A model's tokens can split an emoji's escape (\\ud83d) from its other half. Such text is no valid Unicode, so msgspec
refuses it; the standard library carries it through as an escape, and the client's parser joins the halves again.
Upstream is another matter: a strict server refuses such text, so that what goes there is made valid.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()

_MAX_INT_DIGITS = 4_300
"""Python refuses to read a longer whole number, as that takes the square of its length."""


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def encode_valid(value: Any) -> bytes:
    """The same for servers that take nothing but valid Unicode: halves that stand side by side become the character
    that they are, any other half becomes U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def decode(data: bytes | bytearray) -> Any:
    """Any JSON value. ValueError if the bytes are no JSON: NaN, Infinity and numbers beyond every float are none."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return json.loads(data, parse_constant=_refuse_constant, parse_float=_read_float)


def _read_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is beyond every float")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_int(digits: str) -> int | float:
    """A whole number; one too long for Python becomes a float (infinity, that is), as all do in JavaScript."""
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else float(digits)


decoder = json.JSONDecoder(parse_int=read_int, parse_constant=_refuse_constant)
"""Reads JSON text, with whole numbers of any length."""

lenient_decoder = json.JSONDecoder(parse_int=read_int, strict=False)
"""Likewise, but takes line ends and other control characters in strings, and NaN."""
