"""Which parts of an error text are quotes: servers repeat the request in their errors, and prompts can say anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BLOCK_LETTERS = 12
"""So many letters that count, some 36 characters of English, are equal by chance in no two texts."""

_MOST_LOOKS = 50
"""Each is a search of the whole request. An error text in which so many are needed is all quotes."""

_STEP_LETTERS = 4_096 * _BLOCK_LETTERS
"""So few are looked through in one step that the threads of others can have their turn in between."""

_BLOCK = re.compile(rb"[a-z]{%d}" % _BLOCK_LETTERS)

_LETTERS = "ghijklmopqsvwyz"
"""The letters that count. The others also come from escapes (`\\n`, `\\u00e9`, `\\x1b`), which may stand in a quote
but not in the request. Spaces, marks and digits change just as easily."""
_COUNTS = frozenset(_LETTERS + _LETTERS.upper())
_OTHERS = bytes(set(range(256)) - {ord(letter) for letter in _COUNTS})


def cut_quotes(error_text: str, request: Iterable[bytes]) -> str:
    """The error text without what also stands in the request, which comes as JSON in pieces that may end anywhere.

    A quote is found where it has at least two blocks of letters; a shorter one may be missed.
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
    """Where the letters of the request stand in those of an error text, from the first to after the last."""
    starts = range(len(letters) - _BLOCK_LETTERS + 1)
    blocks = {letters[start : start + _BLOCK_LETTERS] for start in starts}
    # only every so many letters does a block of the request begin, so these may begin a little late and end early
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
    """The quote with those letters around it that belong to it, too; all that may, when there were enough looks."""
    least, most = max(0, first - _BLOCK_LETTERS + 1), min(len(letters), last + _BLOCK_LETTERS - 1)
    while first > least and (next(looks, None) is None or letters[first - 1 : first - 1 + _BLOCK_LETTERS] in request):
        first -= 1
    while last < most and (next(looks, None) is None or letters[last + 1 - _BLOCK_LETTERS : last + 1] in request):
        last += 1
    return first, last


def _squeeze(text: bytes) -> bytes:
    """The letters that count, small."""
    return text.translate(None, _OTHERS).lower()
