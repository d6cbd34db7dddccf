"""Removes quotes of the request from the text of an error, because prompts can say anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BLOCK_LETTERS = 12
"""Letters of _LETTERS that must be equal for a quote. They take about 36 characters of English, which is no chance."""

_MOST_LOOKS = 50
"""Most searches of the whole request for the ends of quotes. After them, the rest near a quote counts as quoted."""

_STEP_LETTERS = 4_096 * _BLOCK_LETTERS
"""Letters that are searched in one step. It is short enough for other threads to run in between."""

_BLOCK = re.compile(rb"[a-z]{%d}" % _BLOCK_LETTERS)

_LETTERS = "ghijklmopqsvwyz"
"""The letters that are compared. The others also occur in escapes (`\\n`, `\\u00e9`, `\\x1b`), which may differ between
a quote and the request. Spaces, punctuation and digits may differ as well."""
_COUNTS = frozenset(_LETTERS + _LETTERS.upper())
_OTHERS = bytes(set(range(256)) - {ord(letter) for letter in _COUNTS})


def cut_quotes(error_text: str, request: Iterable[bytes]) -> str:
    """Returns the error text without quotes of the request, whose JSON comes in pieces that may end anywhere.

    A quote of at least two blocks (_BLOCK_LETTERS) is always found. A shorter one may be missed.
    """
    places = [place for place, character in enumerate(error_text) if character in _COUNTS]
    letters = _squeeze(error_text.encode("ascii", "replace"))
    own: list[str] = []
    end = 0  # two quotes may share letters between them
    for first, last in _find_quotes(letters, b"".join(map(_squeeze, request))):
        own.append(error_text[end : max(end, places[first])])
        end = places[last - 1] + 1
    return "; ".join(filter(None, [*own, error_text[end:]]))


def _find_quotes(letters: bytes, request: bytes) -> list[tuple[int, int]]:
    """Returns the start and the end of each quote within the letters of an error text."""
    starts = range(len(letters) - _BLOCK_LETTERS + 1)
    blocks = {letters[start : start + _BLOCK_LETTERS] for start in starts}
    # blocks of the request begin at every _BLOCK_LETTERS-th letter, so the ends of a quote may not be found yet
    found: set[bytes] = set()
    for start in range(0, len(request), _STEP_LETTERS):
        found |= blocks.intersection(_BLOCK.findall(request, start, start + _STEP_LETTERS))
    quotes: list[tuple[int, int]] = []
    for start in starts:
        if letters[start : start + _BLOCK_LETTERS] in found:
            first = quotes.pop()[0] if quotes and start <= quotes[-1][1] else start
            quotes.append((first, start + _BLOCK_LETTERS))
    looks = iter(range(_MOST_LOOKS))
    return [_extend(first, last, letters, request, looks) for first, last in quotes]


def _extend(first: int, last: int, letters: bytes, request: bytes, looks: Iterator[int]) -> tuple[int, int]:
    """Returns the quote with the quoted letters around it. After _MOST_LOOKS searches, all possible letters count."""
    least, most = max(0, first - _BLOCK_LETTERS + 1), min(len(letters), last + _BLOCK_LETTERS - 1)
    while first > least and (next(looks, None) is None or letters[first - 1 : first - 1 + _BLOCK_LETTERS] in request):
        first -= 1
    while last < most and (next(looks, None) is None or letters[last + 1 - _BLOCK_LETTERS : last + 1] in request):
        last += 1
    return first, last


def _squeeze(text: bytes) -> bytes:
    """Returns the letters that are compared, in lower case."""
    return text.translate(None, _OTHERS).lower()
