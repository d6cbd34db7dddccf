"""What differs between two prompts of a session, and why NVIDIA's cache was not used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.translate.rows import read
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Model
from tray_app.proxy.exchange.prompt_difference import (
    Difference,
    Prompt,
    compare,
    explain_miss,
    find_before,
    read_prompt,
)
from tray_app.translate.answer.usage import ReportedTokens
from tray_app.translate.request.chat import to_chat
from tray_app.translate.request.encoded import EncodedMessages, encode_system

SECRET = "nvapi-secret-of-the-tests-0123456789"
MISSED = ReportedTokens(prompt=1000, cached=0, output=5)

TOOL = {"name": "get_weather", "description": "Weather", "input_schema": {"type": "object"}}
FIRST = [{"role": "user", "content": "Fix the tests"}]
LATER = [*FIRST, {"role": "assistant", "content": "Done."}, {"role": "user", "content": "And now?"}]


def prompt(number: int, messages: list[dict[str, Any]], *, model: Model = GLM_4_7, **fields: Any) -> Prompt:
    body = {"system": "You are a friend.", "tools": [TOOL], **fields}
    return read_prompt(number, "turn", to_chat(read(messages=messages, **body), model))


def differ(before: Prompt, after: Prompt) -> Difference:
    return compare(before, after, (SECRET,))


def test_a_longer_conversation_differs_in_nothing() -> None:
    found = differ(prompt(1, FIRST), prompt(2, LATER))
    assert found == Difference(1, same_messages=1, messages=3, messages_before=1, parts=(), before="", after="")


@pytest.mark.parametrize(
    ("after", "parts", "shown"),
    [
        (prompt(2, LATER, system="You are a foe."), ("system prompt",), ("friend", "foe")),
        (prompt(2, LATER, tools=[{**TOOL, "description": "Storms"}]), ("tools",), ("Weather", "Storms")),
        (prompt(2, LATER, thinking={"type": "adaptive"}), ("switches",), ("false", "true")),
        (prompt(2, [{"role": "user", "content": "Break it"}, *LATER[1:]]), ("message 1",), ("Fix", "Break")),
    ],
    ids=["system", "tools", "thinking", "message"],
)
def test_the_first_part_that_differs_is_shown(after: Prompt, parts: tuple[str, ...], shown: tuple[str, str]) -> None:
    found = differ(prompt(1, FIRST), after)
    assert found.parts == parts
    assert shown[0] in found.before
    assert shown[1] in found.after


def test_another_model_comes_first() -> None:
    found = differ(prompt(1, FIRST), prompt(2, LATER, model=MINIMAX_M2_1, system="You are a foe."))
    assert found.parts[:2] == ("model", "system prompt")


def test_only_the_place_of_a_difference_is_shown_without_secrets() -> None:
    before, after = f"{'x ' * 500}{SECRET} {'y ' * 75}", f" {'z ' * 390}{SECRET} {'z ' * 2500}"
    old, new = ([{"role": "user", "content": f"{before}{word}{after}"}] for word in ("old", "new"))
    found = differ(prompt(1, old), prompt(2, new))
    for text, word in ((found.before, "old"), (found.after, "new")):
        assert text.startswith("… ")
        assert text.endswith(" …")
        assert word in text
        assert len(text) < 1100
        assert not any(SECRET[n : n + 8] in text for n in range(len(SECRET) - 8))


def test_encoded_messages_are_compared_like_others() -> None:
    chat = to_chat(read(messages=LATER, system="You are a friend."), GLM_4_7)
    small = read_prompt(1, "turn", chat)
    encoded = EncodedMessages(
        encode_system("You are a friend."), (small.messages[0] + b",", *small.messages[1:2], b",")
    )
    encoded = replace(encoded, pieces=(*encoded.pieces, small.messages[2]))
    large = read_prompt(2, "turn", replace(chat, body={**chat.body, "messages": encoded}))
    assert differ(small, large).parts == ()
    assert differ(small, large).same_messages == 3


def test_the_request_before_is_the_one_of_the_same_conversation() -> None:
    sub_agent = replace(prompt(3, [{"role": "user", "content": "You are a sub-agent"}]), kind="sub-agent")
    turn = prompt(2, FIRST)
    assert find_before(prompt(4, LATER), [turn, sub_agent]) is turn
    assert find_before(prompt(2, LATER), [turn]) is None, "the same request with another model"
    assert find_before(prompt(4, LATER), []) is None


def test_after_a_compaction_it_is_the_newest_of_the_same_kind() -> None:
    other, turn = replace(prompt(2, FIRST), kind="title"), prompt(1, FIRST)
    summary = prompt(4, [{"role": "user", "content": "This session is being continued"}])
    assert find_before(summary, [turn, other]) is turn
    assert find_before(summary, [other]) is None


SAME = differ(prompt(1, FIRST), prompt(2, LATER))


@pytest.mark.parametrize(
    ("difference", "tokens", "words"),
    [
        (replace(SAME, parts=("model",)), MISSED, "another model"),
        (replace(SAME, parts=("system prompt",)), MISSED, "The system prompt is another one than"),
        (replace(SAME, parts=("tools", "message 2")), MISSED, "The tools are others than"),
        (replace(SAME, parts=("switches",)), MISSED, "such as the one for thinking"),
        (replace(SAME, parts=("message 2",)), MISSED, "Message 2 of 3 is another one than"),
        (SAME, MISSED, "no longer had it in its cache"),
    ],
)
def test_a_missed_cache_has_a_reason(difference: Difference, tokens: ReportedTokens, words: str) -> None:
    assert words in explain_miss(difference, tokens)


@pytest.mark.parametrize(
    ("difference", "tokens"),
    [
        (None, MISSED),
        (SAME, ReportedTokens()),
        (SAME, ReportedTokens(prompt=1000)),
        (replace(SAME, parts=("tools",)), ReportedTokens(prompt=1000, cached=900)),
    ],
    ids=["first of its session", "nothing reported", "no cache reported", "the cache was used"],
)
def test_nothing_is_said_if_nobody_knows_or_the_cache_was_used(
    difference: Difference | None, tokens: ReportedTokens
) -> None:
    assert explain_miss(difference, tokens) == ""
