"""The estimate of tokens."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tray_app.translate.tokens import estimate_text, estimate_tokens, size_bytes


def estimate(**body: Any) -> int:
    return estimate_tokens(body)


def test_prose_is_about_a_token_per_four_letters() -> None:
    prose = "The quick brown fox jumps over the lazy dog. " * 100  # 1,001 tokens in common vocabularies
    assert 1000 <= estimate(messages=[{"role": "user", "content": prose}]) <= 1400


def test_a_chinese_character_is_about_a_token() -> None:
    assert 700 <= estimate(messages=[{"role": "user", "content": "漢" * 1000}]) <= 1100


@pytest.mark.parametrize(
    "body",
    [
        {"system": "x" * 3600},
        {"system": [{"type": "text", "text": "x" * 3600}]},
        {"tools": [{"name": "T", "description": "x" * 1800, "input_schema": {"description": "x" * 1800}}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 3600}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "x" * 3600}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": {"x": "x" * 3600}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [{"text": "x" * 3600}]}]}]},
    ],
    ids=["system", "system blocks", "tools", "text", "thinking", "call", "result"],
)
def test_every_part_of_a_request_counts(body: dict[str, Any]) -> None:
    assert 1000 <= estimate_tokens(body) <= 1050


def test_an_estimate_is_additive() -> None:
    one = {"role": "user", "content": "x" * 360}
    other = {"role": "assistant", "content": [{"type": "text", "text": "y" * 720}]}
    both = estimate(messages=[one, other])
    assert abs(both - estimate(messages=[one]) - estimate(messages=[other])) <= 1
    assert abs(estimate(system="z" * 3600, messages=[one, other]) - both - 1000) <= 1


@pytest.mark.parametrize("kind", ["image", "document"])
def test_base64_counts_as_what_it_shows_not_by_its_length(kind: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 2_000_000}
    shown = estimate(messages=[{"role": "user", "content": [{"type": kind, "source": source}]}])
    assert 1000 <= shown <= 2000
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": kind, "source": source}]}
    assert 1000 <= estimate(messages=[{"role": "user", "content": [result]}]) <= 2100


@pytest.mark.parametrize("body", [{}, {"messages": None}, {"messages": "x"}, {"messages": [None, 5, True]}], ids=repr)
def test_an_estimate_is_never_below_one(body: dict[str, Any]) -> None:
    assert estimate_tokens(body) >= 1


def test_half_a_surrogate_pair_counts_like_any_character() -> None:
    assert size_bytes("\ud83d") == 1
    assert estimate(messages=[{"role": "user", "content": "\ud83d" * 360}]) >= 100


def test_an_empty_answer_is_estimated_as_one_token() -> None:
    assert estimate_text(0) == 1
    assert estimate_text(3600) == 1000


def test_a_large_conversation_is_estimated_quickly() -> None:
    turns = [{"role": "user", "content": [{"type": "text", "text": "word " * 200}]} for _ in range(2_000)]
    started_s = time.perf_counter()
    estimate(messages=turns)
    assert time.perf_counter() - started_s < 1  # milliseconds, on an idle machine
