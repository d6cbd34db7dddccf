"""Text from others, made harmless for terminals, menus and logs: nothing in it moves the cursor or hides the rest."""

from __future__ import annotations

import re

MAX_SENTENCE_CHARS = 10_000
"""No sentence of this program is longer; the longest thing that one quotes in full is a path of 8 KB."""

_HARMFUL = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: ESC begins a terminal's commands, and so does one of the upper ones
    "\u2028\u2029"  # end a line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what follows
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufe00-\ufe0d\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # are not seen
    "\ud800-\udfff"  # half a surrogate pair
    "]"
)


def make_sentence(text: str) -> str:
    """`text` as one line: a space for each harmful character and each run of white space, cut at MAX_SENTENCE_CHARS."""
    # what is cut off is not looked at: `text` may be megabytes
    sentence = " ".join(_HARMFUL.sub(" ", text.strip()[: 2 * MAX_SENTENCE_CHARS]).split())
    return sentence if len(sentence) <= MAX_SENTENCE_CHARS else f"{sentence[:MAX_SENTENCE_CHARS]}…"


def escape(text: str) -> str:
    """`text` on one line, with each harmful character written as Python writes it: `\\x1b`, `\\n`, `\\u202e`."""
    return _HARMFUL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
