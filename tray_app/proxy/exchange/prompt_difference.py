"""What differs between two prompts of one session, and why NVIDIA's cache could not be used for the later one.

NVIDIA keeps prompts that it has read. A later prompt is read from there up to the first place at which it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import msgspec

from tray_app.redaction import find_margin_chars, show_part
from tray_app.translate import json_text
from tray_app.translate.answer.usage import ReportedTokens
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import EncodedMessages

_SHOWN_BEFORE = 200
_SHOWN_AFTER = 800
"""So many characters of a message are shown before and after the first place at which it differs."""
_SWITCHES = "chat_template_kwargs"
"""The field whose values become a part of the prompt, such as whether the model thinks."""
_SYSTEM_START = b'{"role":"system"'


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a chat request that become the model's prompt, as JSON."""

    number: int
    """The number of the request."""
    kind: str
    model_id: str
    system: bytes
    tools: bytes
    switches: bytes
    messages: tuple[bytes, ...]
    """The messages without the system prompt."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between a request and an earlier one of the same session."""

    number: int
    """The number of the earlier request."""
    same_messages: int
    """So many first messages are the same. The system prompt does not count."""
    messages: int
    messages_before: int
    """How many messages the earlier request had."""
    parts: tuple[str, ...]
    """What is not the same, in the order of the prompt: "model", "system prompt", "tools", "switches" (such as whether
    the model thinks) or "message 3". A message that the earlier request did not have is no difference."""
    before: str
    """The first part that differs, cut, as it was in the earlier request; empty if it is the model, or nothing is."""
    after: str


def read_prompt(number: int, kind: str, chat: ChatRequest) -> Prompt:
    """Returns the prompt of a request."""
    body = chat.body
    messages = _split(body["messages"])
    has_system = bool(messages) and messages[0].startswith(_SYSTEM_START)
    return Prompt(
        number,
        kind,
        chat.model.id,
        messages[0] if has_system else b"",
        json_text.encode_valid(body.get("tools")),
        json_text.encode_valid(body.get(_SWITCHES)),
        tuple(messages[has_system:]),
    )


def find_before(prompt: Prompt, earlier: Sequence[Prompt]) -> Prompt | None:
    """Returns the prompt that this one continues, of those of the same session, the newest last; None: there is none.

    That is the one with which it shares the most messages, since sub-agents have conversations of their own. If none
    shares a message, it is the newest of the same kind.
    """
    others = [other for other in earlier if other.number != prompt.number]
    shared = [(_count_same(other, prompt), other.number, other) for other in others]
    best = max(shared, key=lambda one: one[:2], default=None)
    if best is not None and best[0]:
        return best[2]
    return next((other for other in reversed(others) if other.kind == prompt.kind), None)


def compare(before: Prompt, after: Prompt, secrets: Sequence[str]) -> Difference:
    """Returns what differs. No secret is in its texts."""
    same = _count_same(before, after)
    pairs = {
        "system prompt": (before.system, after.system),
        "tools": (before.tools, after.tools),
        "switches": (before.switches, after.switches),
    }
    if same < min(len(before.messages), len(after.messages)):
        pairs[f"message {same + 1}"] = before.messages[same], after.messages[same]
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    model = ("model",) if before.model_id != after.model_id else ()
    old, new = next(iter(differing.values()), (b"", b""))
    place = _find_place(old, new)
    return Difference(
        before.number,
        same,
        len(after.messages),
        len(before.messages),
        (*model, *differing),
        _show(old, place, secrets),
        _show(new, place, secrets),
    )


def explain_miss(difference: Difference | None, tokens: ReportedTokens) -> str:
    """Returns a sentence that says why most of the prompt did not come from NVIDIA's cache.

    It is empty if most of it did, if NVIDIA does not say how many tokens came from there, or if nobody can tell why.
    """
    if difference is None or tokens.cached is None or not tokens.prompt or tokens.cached * 2 >= tokens.prompt:
        return ""
    if not difference.parts:
        return (
            "The whole request before is the beginning of this one, so the request is not the reason: NVIDIA no longer "
            "had it in its cache, or another of its servers answered."
        )
    first = difference.parts[0]
    if first == "model":
        return "The request before went to another model, and each model has a cache of its own."
    told = _TOLD.get(first, f"{first[:1].upper()}{first[1:]} of {difference.messages} is another one")
    return f"{told} than in the request before, and NVIDIA's cache ends at the first difference."


_TOLD = {
    "system prompt": "The system prompt is another one",
    "tools": "The tools are others",
    "switches": "The switches of the prompt, such as the one for thinking, are others",
}


def _split(messages: Any) -> list[bytes]:
    """Returns each message of a chat request as JSON."""
    if not isinstance(messages, EncodedMessages):
        return [json_text.encode_valid(message) for message in messages]
    return [bytes(raw) for raw in msgspec.json.decode(b"".join(messages.parts()), type=list[msgspec.Raw])]


def _count_same(before: Prompt, after: Prompt) -> int:
    pairs = zip(before.messages, after.messages, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _find_place(old: bytes, new: bytes) -> int:
    """Returns the number of bytes that both have in common at their beginning."""
    low, high = 0, min(len(old), len(new))
    while low < high:  # the beginnings are compared as a whole, because a loop over the bytes would be slow
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[:middle] == new[:middle] else (low, middle - 1)
    return low


def _show(message: bytes, place: int, secrets: Sequence[str]) -> str:
    """Returns the text around a place, without secrets, even those that the cut divides."""
    text = message.decode("utf-8", "replace")
    at = len(message[:place].decode("utf-8", "ignore"))
    start, end = max(at - _SHOWN_BEFORE, 0), min(at + _SHOWN_AFTER, len(text))
    first = max(start - find_margin_chars(secrets), 0)
    shown = show_part(text[first : end + find_margin_chars(secrets)], start - first, end - first, secrets)
    return f"{'… ' if start else ''}{shown}{' …' if end < len(text) else ''}"
