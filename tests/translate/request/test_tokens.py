"""The estimated tokens of requests and answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.rows import ask, read, read_loosely
from tray_app.errors import InvalidRequest
from tray_app.translate.request.tokens import (
    LEAST_CALIBRATING_TOKENS,
    TOOLS_TOKENS,
    TURN_TOKENS,
    Estimate,
    estimate_request,
    estimate_text,
    estimate_text_tokens,
    size_bytes,
)

LONG = "x" * 6_000  # it has 1,000 tokens


def estimate(**body: Any) -> int:
    return estimate_request(read_loosely(**body)).tokens()


def user(*blocks: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


# What o200k_base, a public vocabulary of 200,000 entries, makes of these texts
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 201),
        ('{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}\n' * 20, 360),
        ("    if value is None:\n        return default_value\n" * 20, 220),
        ("2026-11-24 13:42:07.123 INFO request 8f14e45f served in 1.27 s\n" * 20, 620),
        ("请帮我修复这个测试，然后运行所有的测试并告诉我结果。" * 20, 340),
        ("Bitte repariere diesen Test und führe danach alle Tests aus. " * 20, 261),
        ("https://example.org/api/v2/items?id=12345&sort=desc\n" * 20, 340),
    ],
    ids=["prose", "JSON", "code", "log", "Chinese", "German", "addresses"],
)
def test_texts_of_many_kinds_are_estimated_within_a_sixth(text: str, tokens: int) -> None:
    assert abs(estimate_text_tokens(text) / tokens - 1) < 1 / 6


@pytest.mark.parametrize(
    "body",
    [
        {"system": LONG},
        {"system": [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]},
        {"messages": [{"role": "user", "content": LONG}]},
        {"messages": [{"role": "system", "content": LONG}]},
        {"messages": [user({"type": "text", "text": LONG})]},
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": LONG, "signature": LONG}]}]},
        {"messages": [user({"type": "tool_result", "tool_use_id": LONG, "content": LONG})]},
        {"messages": [user({"type": "tool_result", "content": [{"type": "text", "text": LONG}]})]},
        {
            "messages": [
                user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": LONG}})
            ]
        },
        {"messages": [user({"type": "document", "source": {"type": "content", "content": [{"text": LONG}]}})]},
        {"messages": [user({"type": "something_of_tomorrow", "words": LONG})]},
    ],
    ids=[
        *("system", "system blocks", "text", "system turn", "text block", "thinking", "result", "result blocks"),
        *("document", "document of blocks", "unknown block"),
    ],
)
def test_every_text_of_a_request_counts(body: dict[str, Any]) -> None:
    assert 1_000 + TURN_TOKENS <= estimate(**body) <= 1_000 + 2 * TURN_TOKENS


def test_the_input_of_a_call_counts() -> None:
    call = {"type": "tool_use", "id": LONG, "name": "T", "input": {LONG: [{"text": LONG}]}}
    assert 2_000 < estimate(messages=[{"role": "assistant", "content": [call]}]) < 2_030


def test_a_tool_counts_with_its_name_description_and_schema() -> None:
    tool = {"name": "T", "description": LONG, "input_schema": {"type": "object", "description": LONG}}
    assert 2_000 + TOOLS_TOKENS < estimate(tools=[tool]) < 2_040 + TOOLS_TOKENS
    assert estimate(tools=[{**tool, "cache_control": {"type": "ephemeral"}}]) == estimate(tools=[tool])


@pytest.mark.parametrize(
    ("body", "same"),
    [
        ({"system": [{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}]}, {}),
        ({"system": "x-anthropic-billing-header: cch=1;\nBe kind."}, {"system": "Be kind."}),
        (
            {"messages": [user({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}})]},
            {"messages": [user("Hi")]},
        ),
        (
            {"messages": [user({"type": "document", "source": {"type": "text", "media_type": LONG, "data": "Hi"}})]},
            {"messages": [user("Hi")]},
        ),
        (
            {"messages": [user({"type": "web_search_result", "title": "Hi", "encrypted_content": LONG})]},
            {"messages": [user("Hi")]},
        ),
        ({"messages": [user({"type": "redacted_thinking", "data": LONG})]}, {"messages": [user()]}),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]}, {}),
        ({"tools": []}, {}),
        ({"metadata": {"user_id": LONG}, "stop_sequences": [LONG]}, {}),
    ],
    ids=[
        "billing header",
        "text after it",
        "cache control",
        "media type",
        "encrypted content",
        "redacted thinking",
        "server tool",
        "no tools",
        "other fields",
    ],
)
def test_what_no_model_reads_does_not_count(body: dict[str, Any], same: dict[str, Any]) -> None:
    assert estimate(**body) == estimate(**same)


def test_the_billing_header_never_changes_the_count() -> None:
    counts = {estimate(system=f"x-anthropic-billing-header: cch={'9' * n};\nBe kind.") for n in range(1, 40)}
    assert len(counts) == 1


TEXTS = st.text(max_size=40)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXTS, "signature": TEXTS}),
    st.fixed_dictionaries(
        {"type": st.just("tool_use"), "id": TEXTS, "name": TEXTS, "input": st.dictionaries(TEXTS, TEXTS)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_result"), "tool_use_id": TEXTS, "content": st.lists(TEXTS, max_size=3)}
    ),
    st.fixed_dictionaries({"type": st.just("image"), "source": st.just({"type": "url", "url": "https://example.org"})}),
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.lists(BLOCKS, max_size=4)}),
    max_size=6,
)


@bounded
@given(MESSAGES, MESSAGES, st.text(max_size=200))
def test_a_request_costs_what_its_parts_cost(before: list[Any], after: list[Any], system: str) -> None:
    whole, *parts = (
        estimate_request(read_loosely(**body))
        for body in (
            {"system": system, "messages": before + after},
            {"system": system},
            {"messages": before},
            {"messages": after},
        )
    )
    assert whole.shown == sum(part.shown for part in parts)
    assert whole.text == pytest.approx(sum(part.text for part in parts), abs=0.5)  # line breaks between texts count


@bounded
@given(MESSAGES)
def test_more_messages_never_have_fewer_tokens(messages: list[Any]) -> None:
    counts = [estimate(messages=messages[:n]) for n in range(len(messages) + 1)]
    assert counts == sorted(counts)
    assert counts[0] == 1


def test_the_estimate_of_a_request_is_that_of_the_request_sent_upstream() -> None:
    """The estimates of a request in Anthropic's and in OpenAI's form differ only by the tokens for turns."""
    body: dict[str, Any] = {
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=abc;"}, {"type": "text", "text": LONG}],
        "tools": [{"name": "Read", "description": LONG, "input_schema": {"type": "object", "properties": {}}}],
        "messages": [
            user({"type": "text", "text": LONG}),
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": LONG, "signature": "s"},
                    {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": LONG}},
                ],
            },
            user({"type": "tool_result", "tool_use_id": "t1", "content": LONG}, {"type": "text", "text": LONG}),
        ],
    }
    counted, sent = estimate_request(read(**body)), ask(**body).estimate
    assert counted.text == pytest.approx(sent.text, abs=2 * TURN_TOKENS)


def test_an_image_for_a_model_without_images_counts_as_the_note_that_is_sent() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    chat = ask(messages=[user(image)])
    assert chat.estimate.shown == 0
    assert chat.input_tokens < 40


def test_an_estimate_is_never_below_one() -> None:
    assert estimate_request(read_loosely(messages=[])).tokens(0.5) == 1


@pytest.mark.parametrize("body", [{}, {"messages": None}, {"messages": "x"}, {"messages": [None, 5, True]}], ids=repr)
def test_malformed_messages_are_not_counted(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"^messages"):
        read(**body)


@pytest.mark.parametrize("body", [{"system": 5}, {"system": [5]}, {"tools": 5}, {"tools": [{}]}], ids=repr)
def test_a_malformed_system_prompt_or_tool_is_named(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(body))):
        estimate_request(read(messages=[{"role": "user", "content": "hi"}], **body))


def test_half_a_surrogate_pair_counts_like_any_character() -> None:
    assert size_bytes("\ud83d") == 1
    assert 100 < estimate_text_tokens("\ud83d" * 360) < 360
    assert estimate(messages=[user({"type": "tool_use", "input": {"x": "\ud83d"}})]) > TURN_TOKENS


def test_messages_before_a_summary_are_not_counted() -> None:
    long = [{"role": "user", "content": "word " * 1000}, {"role": "assistant", "content": "word " * 1000}]
    summary = {"role": "assistant", "content": [{"type": "compaction", "content": "They said a word."}]}
    failed = {"role": "assistant", "content": [{"type": "compaction", "content": None}]}
    short = [summary, {"role": "user", "content": "go on"}]
    assert estimate(messages=[*long, *short]) == estimate(messages=short)
    assert estimate(messages=[*long, failed]) >= estimate(messages=long)


def test_calibration_scales_text_and_leaves_images_alone() -> None:
    assert Estimate(text=1000.0, shown=500).tokens(1.2) == 1_700


@pytest.mark.parametrize(
    ("estimate", "tells"),
    [
        (Estimate(LEAST_CALIBRATING_TOKENS, 0), True),
        (Estimate(LEAST_CALIBRATING_TOKENS - 1, 0), False),
        (Estimate(50_000, 1_600), False),
    ],
    ids=["text", "too little", "with an image"],
)
def test_only_long_requests_without_images_calibrate_a_model(estimate: Estimate, tells: bool) -> None:
    assert estimate.is_calibrating is tells


def test_an_empty_answer_is_estimated_as_one_token() -> None:
    assert estimate_text(0) == 1
    assert estimate_text(4_200) == 1_000
