"""Pieces of text or thinking that JSON does not change, so that they need not be decoded and encoded."""

from __future__ import annotations

from typing import NamedTuple

_ESCAPED = bytes(range(0x20)) + b'"\\'
"""The bytes that a JSON string cannot hold as they are."""


class Fragments(NamedTuple):
    """The pieces that several chunks bring, one each. None is empty, and none has a character that JSON escapes."""

    pieces: list[bytes]
    """Each piece in UTF-8."""
    text: str
    """All pieces joined."""
    size_bytes: int
    is_thinking: bool


def make_fragments(pieces: list[bytes], *, is_thinking: bool) -> Fragments | None:
    """Returns the pieces as fragments.

    None: one of them is empty, is not UTF-8, or has a character that JSON escapes.
    """
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if not all(pieces) or len(joined.translate(None, _ESCAPED)) < len(joined):
        return None
    try:
        text = joined.decode()
        if len(pieces) > 1 and len(text) < len(joined):
            for piece in pieces:  # halves of a character may be joined to a whole one
                piece.decode()
    except UnicodeDecodeError:
        return None
    return Fragments(pieces, text, len(joined), is_thinking)
