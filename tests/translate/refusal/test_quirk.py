"""Error texts as data: cases/quirks.json holds upstream's errors for a request, and the request as it is sent next."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.refusal.error_body import read_error_body
from tray_app.translate.refusal.quirk import Quirk, adapt, find_quirks

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "quirks.json").read_text("utf-8"))
each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
USER = {"role": "user", "content": "hi"}
QUESTION: dict[str, Any] = {"model": "m", "messages": [USER], "max_tokens": 9, "stream": True}


def with_instruction(instruction: str) -> dict[str, Any]:
    return {**QUESTION, "messages": [{"role": "system", "content": instruction}, USER]} if instruction else QUESTION


@each_case
def test_an_error_text_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    body = {**QUESTION, **case["request"]}
    kept = copy.deepcopy(body)
    quirks = find_quirks(case["error_text"], body)
    assert adapt(body, quirks) == {
        **with_instruction(case.get("instruction", "")),
        **case.get("left", case["request"]),
    }
    assert bool(quirks) == ("left" in case)
    if "quirks" in case:
        assert [asdict(quirk) for quirk in quirks] == [asdict(Quirk(**quirk)) for quirk in case["quirks"]]
    assert body == kept, "the caller's request was changed"


@each_case
def test_the_same_error_text_does_not_change_the_adapted_request(case: dict[str, Any]) -> None:
    body = {**QUESTION, **case["request"]}
    assert find_quirks(case["error_text"], adapt(body, find_quirks(case["error_text"], body))) == ()


# ---- what may never happen, whatever upstream says

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0, 0.5, 1]),
    "top_p": st.sampled_from([0.1, 1.0]),
    "top_k": st.just(40),
    "stop": st.just(["a", "b"]),
    "stream_options": st.just({"include_usage": True}),
    "tools": st.just([{"type": "function", "function": {"name": "Bash"}}]),
    "tool_choice": st.sampled_from(
        ["auto", "none", "required", {"type": "function", "function": {"name": "Bash", "parameters": {}}}]
    ),
    "parallel_tool_calls": st.booleans(),
    "reasoning_effort": st.sampled_from(["low", "high", "max"]),
    "response_format": st.just({"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}}),
    "chat_template_kwargs": st.sampled_from([{"thinking": True}, {"enable_thinking": True, "clear_thinking": False}]),
}
BODIES = st.fixed_dictionaries({name: st.just(value) for name, value in QUESTION.items()}, optional=FIELDS)
NAMES = st.sampled_from(
    [*QUESTION, *FIELDS, "thinking", "enable_thinking", "chat_template", "stream_options.include_usage", "this model"]
)
WORDS = st.one_of(
    NAMES,
    NAMES.map(lambda name: f"`{name}`"),
    NAMES.map(lambda name: f"body -> {name}"),
    NAMES.map(lambda name: f"(parameter={name})"),
    st.sampled_from(
        [
            "Unsupported parameter(s):",
            "is not supported",
            "is immutable and must be 1",
            "must be one of",
            "Extra inputs are not permitted",
            "Input should be",
            "invalid value for",
            "does not support",
            "unknown variant",
            "expected one of 'auto', 'low' or 'high'",
            "use 'required'",
            "and",
            ",",
            ".",
            ": ",
            "='max'",
        ]
    ),
)
ERROR_TEXTS = st.one_of(
    st.lists(WORDS, max_size=8).map(" ".join),
    st.sampled_from([case["error_text"] for case in CASES]),
)


@bounded
@given(ERROR_TEXTS, BODIES)
def test_no_error_text_removes_an_essential_field_or_changes_the_request_twice(
    error_text: str, body: dict[str, Any]
) -> None:
    kept = copy.deepcopy(body)
    quirks = find_quirks(error_text, body)
    adapted = adapt(body, quirks)
    assert body == kept
    assert bool(quirks) == (adapted != body)
    assert find_quirks(error_text, adapted) == ()
    assert adapt(adapted, quirks) == adapted
    assert {"model", "max_tokens", "stream", "tools"} & body.keys() <= {k for k in adapted if adapted[k] == body[k]}
    assert adapted["messages"][-len(body["messages"]) :] == body["messages"]
    assert adapted.get("chat_template_kwargs") != {}
    assert set(adapted) <= set(body)


@bounded
@given(st.text(), st.binary(), BODIES)
def test_any_error_text_is_read_without_an_exception(text: str, answer: bytes, body: dict[str, Any]) -> None:
    find_quirks(text, body)
    find_quirks(read_error_body(answer).error_text, body)
