"""Makes text from outside harmless for terminals, menus and logs: it cannot move the cursor or hide other text."""

from __future__ import annotations

import re

MAX_SENTENCE_CHARS = 10_000
"""Longest sentence. The longest text that this program quotes in full is a path of 8 KB."""

_HARMFUL = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters; two of them begin a command of the terminal
    "\u2028\u2029"  # these end a line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these change the direction of the text
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufe00-\ufe0d\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # these are invisible
    "\ud800-\udfff"  # halves of surrogate pairs
    "]"
)


def make_sentence(text: str) -> str:
    """Returns `text` as one line, cut at MAX_SENTENCE_CHARS. Harmful characters and white space become one space."""
    # Only the beginning is searched, because `text` may have megabytes.
    sentence = " ".join(_HARMFUL.sub(" ", text.strip()[: 2 * MAX_SENTENCE_CHARS]).split())
    return sentence if len(sentence) <= MAX_SENTENCE_CHARS else f"{sentence[:MAX_SENTENCE_CHARS]}…"


def escape(text: str) -> str:
    r"""Returns `text` as one line, with each harmful character escaped as in Python: `\x1b`, `\n`, `\u202e`."""
    return _HARMFUL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
