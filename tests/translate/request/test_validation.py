"""Bodies become typed requests, or errors that name the field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.rows import read
from tray_app.errors import InvalidRequest, ThreadUnsupported
from tray_app.translate.request.body import Message
from tray_app.translate.request.validation import (
    MOST_NAME_CHARS,
    MOST_STOP_CHARS,
    MOST_STOP_SEQUENCES,
    read_request,
)

HI = {"role": "user", "content": "hi"}


@pytest.mark.parametrize("body", [{}, {"model": None}], ids=["no model", "model null"])
def test_a_request_without_a_model_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"^model: Field required$"):
        read_request({"messages": [HI], **body})


@pytest.mark.parametrize("model", [5, "", ["m"]], ids=repr)
def test_a_model_name_that_is_no_text_is_refused(model: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^model: Input should be a valid string$"):
        read(model=model, messages=[HI])


def test_a_model_name_may_not_be_longer_than_anthropics_limit() -> None:
    assert read(model="m" * MOST_NAME_CHARS, messages=[HI]).model == "m" * MOST_NAME_CHARS
    with pytest.raises(InvalidRequest, match=r"^model: String should have at most 256 characters$"):
        read(model="m" * (MOST_NAME_CHARS + 1), messages=[HI])


@pytest.mark.parametrize("name", ["max_tokens", "top_k", "temperature", "top_p"])
@pytest.mark.parametrize("number", [2**31, 2**64, 10**400], ids=["2**31", "2**64", "10**400"])
def test_a_number_may_be_huge(name: str, number: int) -> None:
    assert getattr(read(messages=[HI], **{name: number}), name) == number


@pytest.mark.parametrize("name", ["max_tokens", "top_k"])
def test_a_whole_number_with_a_point_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name}: Input should be a valid integer$"):
        read(messages=[HI], **{name: 1.0})


def test_half_a_surrogate_pair_may_stand_in_any_text() -> None:
    content = [{"type": "text", "text": "\ud83d", "\ud83d": 1}]
    request = read(model="\ud83d", messages=[{"role": "user", "content": content}], stop_sequences=["\ud83d"])
    assert (request.model, request.messages[0].content, request.stops) == ("\ud83d", content, ["\ud83d"])


def test_half_a_surrogate_pair_may_stand_in_the_name_of_a_field() -> None:
    request = read(messages=[{**HI, "\ud83d": 1}], temperature=1, **{"\ude00": {"\ud83d": 1}})
    assert request.messages == [Message("user", "hi")]
    assert request.temperature == 1


@pytest.mark.parametrize("role", ["\ud83d", "x - at `$.model", None, ["user"], {}], ids=ascii)
def test_an_odd_role_is_named_by_its_place(role: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^messages\.1\.role: Input should be 'user' or 'assistant'$"):
        read(messages=[HI, {"role": role, "content": "hi"}])
    with pytest.raises(InvalidRequest, match=r"^messages\.0\.role: Input should be 'user' or 'assistant'$"):
        read(messages=[{"content": "hi"}])


def test_a_field_that_is_null_counts_as_left_out() -> None:
    names = ("system", "max_tokens", "stream", "thinking", "tools", "tool_choice", "stop_sequences", "temperature")
    others = ("top_p", "top_k", "output_config", "output_format", "metadata")
    assert read(messages=[HI], **dict.fromkeys([*names, *others])) == read(messages=[HI])


def test_a_thread_is_refused_before_other_errors() -> None:
    with pytest.raises(ThreadUnsupported):
        read_request({"thread": {"id": "thread_1"}})
    assert read(messages=[HI], thread=None) == read(messages=[HI], thread="x") == read(messages=[HI])


def test_the_current_name_of_the_answer_format_takes_precedence_over_the_old_one() -> None:
    old, new = ({"type": "json_schema", "schema": {"title": title}} for title in ("old", "new"))
    assert read(messages=[HI], output_format=old).answer_schema == {"title": "old"}
    assert read(messages=[HI], output_format=old, output_config={"format": new}).answer_schema == {"title": "new"}
    assert read(messages=[HI], output_format=old, output_config={"format": None}).answer_schema == {"title": "old"}
    assert read(messages=[HI]).answer_schema is None


def test_a_deep_body_with_an_odd_name_is_refused() -> None:
    deep: Any = "deep"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        read(messages=[HI], metadata={"\ud83d": deep}, **{"\ud83d": 1})


@pytest.mark.parametrize(
    "stops",
    [["x"] * (MOST_STOP_SEQUENCES + 1), ["x" * (MOST_STOP_CHARS + 1)]],
    ids=["too many", "too long"],
)
def test_stop_sequences_beyond_the_limits_are_refused(stops: list[str]) -> None:
    assert read(messages=[HI], stop_sequences=["x"] * MOST_STOP_SEQUENCES).stops
    with pytest.raises(InvalidRequest, match=r"^stop_sequences: List should have at most 500 strings, of 50000 char"):
        read(messages=[HI], stop_sequences=stops)
