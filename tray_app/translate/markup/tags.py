"""The tags that the reader looks for in the text of a model."""

from __future__ import annotations

import re

from tray_app.translate.markup.grammar import END_TOKENS
from tray_app.translate.markup.grammars import BY_OPENER, CLOSERS
from tray_app.translate.markup.literals import to_pattern
from tray_app.translate.markup.think_tags import BY_OPENER as THINK_TAGS
from tray_app.translate.markup.think_tags import LONE_CLOSERS, WITHIN

CONTROL_TOKENS = frozenset(
    {
        *("<|assistant|>", "<|system|>", "<|im_start|>", *END_TOKENS),
        *("<|start|>assistant", "<|channel|>final", "<|message|>", "<|end|>", "<|return|>"),
    }
)
"""Tokens of chat templates, which are never text."""

PREAMBLE, MESSAGE = "<|channel|>commentary", "<|message|>"
"""gpt-oss begins what it says before a call with both. The first one is a control token only if the second follows."""

TAGS = (
    *dict.fromkeys((*(tag for tag in BY_OPENER if tag[0] == "<"), *CLOSERS, *WITHIN, *LONE_CLOSERS, *CONTROL_TOKENS)),
)
"""Tags that may be markup anywhere. Each begins with `<` and contains no other `<`."""

TAG = re.compile(to_pattern(TAGS))

TAG_OR_LINE_END = re.compile(to_pattern([*({*TAGS} - {*WITHIN, *LONE_CLOSERS} | {*BY_OPENER} & {*TAGS}), "\n"]))
"""Is used in a line that names think tags, because think tags are text there."""

DEPENDENT = frozenset({*LONE_CLOSERS, PREAMBLE})
"""Tags whose meaning depends on the text behind them."""

FIRST_TAGS = (*THINK_TAGS, *(opener for opener in BY_OPENER if opener[0] != "<"))
"""Tags that are markup at the beginning of an answer."""

FIRST_TAG = re.compile("|".join(map(re.escape, FIRST_TAGS)))

_MAX_TAG_CHARS = max(map(len, TAGS))
_BEGINNINGS = frozenset(tag[:length] for tag in TAGS for length in range(1, len(tag)))
_MAX_FIRST_CHARS = max(map(len, FIRST_TAGS))
_FIRST_BEGINNINGS = frozenset(tag[:length] for tag in FIRST_TAGS for length in range(len(tag)))


def find_beginning(text: str, place: int) -> int:
    """Returns where a tag may begin that the end of the text cuts off. That is the end of the text if none may."""
    found = text.rfind("<", max(place, len(text) - _MAX_TAG_CHARS))
    return found if found >= 0 and text[found:] in _BEGINNINGS else len(text)


def may_be_first_tag(text: str, place: int) -> bool:
    """Tells whether the text from `place` on may become one of `FIRST_TAGS` when more text arrives."""
    return text[place : place + _MAX_FIRST_CHARS] in _FIRST_BEGINNINGS


def needs_more(tag: str, behind: str) -> bool:
    """Tells whether more text is needed to know what the tag means. `behind` is the text that has arrived behind it."""
    if tag in LONE_CLOSERS:
        return not behind
    return tag == PREAMBLE and behind != MESSAGE and MESSAGE.startswith(behind)
