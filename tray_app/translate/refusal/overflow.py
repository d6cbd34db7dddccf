"""Translates the error for a prompt that exceeds the model's window into the words that Claude Code understands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.refusal.counts import Counts
from tray_app.translate.refusal.overflow_wordings import (
    find_shortage,
    is_overflow_name,
    make_plain,
    read_counts,
    says_overflow,
)

LEAST_ROOM_TOKENS = 4_000
"""Least room for an answer, in tokens, with which the client is asked for a shorter answer.

Claude Code 2.1.330 then asks for an answer of the room less 1,000 tokens, and fails if that is below 3,000. Told that
the prompt is too long, it compacts the conversation instead.
"""

_SENTENCE_END = re.compile(r"(?<=[.:;])\s")
_LONG_NUMBER = re.compile(r"\d{4,}+")


def find_overflow(
    error_text: str,
    names: Iterable[str],
    counts: Counts,
    window_tokens: int,
    input_tokens: int,
    request: Iterable[bytes] = (),
) -> InvalidRequest | None:
    """Returns the error for a prompt that is too long for the model; None if upstream's error is another one.

    `names` are the values of fields such as `code` and `type`, and `counts` those of numeric fields. If a number is
    missing, the model's window and the estimate of the prompt replace it. `request` is its JSON in pieces.
    """
    text = make_plain(error_text)
    if (shortage := find_shortage(text)) is not None:
        return _explain(Counts(prompt=window_tokens + shortage), window_tokens, 0)
    is_named = any(map(is_overflow_name, names))
    if not is_named and (not says_overflow(text) or _is_quoted(error_text, request)):
        return None
    found = read_counts(text)
    told = replace(found, prompt=counts.prompt or found.prompt, limit=counts.limit or found.limit)
    return _explain(told, window_tokens, input_tokens)


def _is_quoted(error_text: str, request: Iterable[bytes]) -> bool:
    """Returns whether every sentence with a number in an error text is also in the request.

    Then upstream only quotes the client, because upstream's own sentences contain the numbers of this request.
    """
    if len({*_LONG_NUMBER.findall(error_text)}) < 2:  # a single number may be the model's window, which never changes
        return False
    pieces = [*request]
    sentences = (sentence.strip() for sentence in _SENTENCE_END.split(error_text) if _LONG_NUMBER.search(sentence))
    return all(any(json_text.encode(sentence)[1:-1] in piece for piece in pieces) for sentence in sentences)


def _explain(counts: Counts, window_tokens: int, input_tokens: int) -> InvalidRequest:
    """Returns the error whose words make Claude Code compact the conversation, or ask for a shorter answer."""
    limit, answer = counts.limit or window_tokens, counts.answer
    prompt = counts.prompt or (counts.total - answer if counts.total > answer > 0 else 0)
    least = prompt or input_tokens
    if least + answer > limit and limit - least >= LEAST_ROOM_TOKENS:
        return InvalidRequest(f"input length and `max_tokens` exceed context limit: {least} + {answer} > {limit}")
    asked = counts.total or (prompt if prompt > limit else prompt + answer if prompt else 0)
    if not counts.limit and 0 < asked <= limit:  # the window has become smaller
        limit = asked - 1
    if asked <= limit:
        asked = max(input_tokens, limit + 1)
    return InvalidRequest(f"prompt is too long: {asked} tokens > {limit} maximum")
