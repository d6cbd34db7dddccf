"""Requests as data. Each case under cases/ holds the request of a client, and the request for upstream or the error."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.validators import check_chat_request
from tests.translate.bounded import bounded
from tests.translate.rows import FAMILIES, ROWS, ask, read
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, EarlierThinking, Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.request.chat import to_chat

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(Path(__file__).parent.glob("cases/*.json"))
    for case in json.loads(file.read_text("utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_a_request_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    model = ROWS[case.get("model", "glm")]
    body = copy.deepcopy(case["request"])
    if "error" in case:
        with pytest.raises(InvalidRequest) as refusal:
            to_chat(read(**body), model)
        assert refusal.value.message == case["error"]
        return
    chat = to_chat(read(**body), model).body
    assert body == case["request"], "the client's body was changed"
    assert {key: chat.get(key) for key in case["chat"]} == case["chat"]
    assert set(case.get("absent", ())).isdisjoint(chat)
    text = json_text.encode(chat).decode()
    assert "cache_control" not in text
    assert "billing-header" not in text
    check_chat_request(json.loads(text), family=FAMILIES.get(chat["model"]))


def test_only_fields_that_nvidia_accepts_are_sent() -> None:
    accepted = {"model", "messages", "max_tokens", "temperature", "top_p", "stop", "stream", "stream_options", "tools"}
    accepted |= {"tool_choice", "parallel_tool_calls", "chat_template_kwargs"}
    for case in (param.values[0] for param in CASES):
        if isinstance(case, dict) and "chat" in case:
            model = ROWS[case.get("model", "glm")]
            chat = to_chat(read(**case["request"]), model).body
            by_row = {"reasoning_effort": bool(model.efforts), "response_format": model.takes_json_schema}
            assert set(chat) <= accepted | {name for name, is_taken in by_row.items() if is_taken}, case["name"]
            assert "max_tokens" in chat


def test_a_row_is_all_that_a_new_model_needs() -> None:
    model = Model(
        id="lab/made-up",
        label="Made Up",
        letter="X",
        context_tokens=9_000,
        max_output_tokens=500,
        takes_images=True,
        takes_top_k=True,
        takes_json_schema=True,
        thinking_on={"chat_template_kwargs": {"ponder": True}},
        thinking_off={"chat_template_kwargs": {"ponder": False}},
        efforts=("medium",),
        earlier_thinking=EarlierThinking.IN_CONTENT,
    )
    chat = to_chat(
        read(
            messages=[
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "?"}],
                },
                {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://a.test/b"}}]},
            ],
            top_k=40,
            thinking={"type": "adaptive"},
            output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        ),
        model,
    )
    assert chat.body == {
        "model": "lab/made-up",
        "messages": [
            {"role": "assistant", "content": "<think>\nhm\n</think>\n?"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.test/b"}}]},
        ],
        "max_tokens": 500,
        "top_k": 40,
        "chat_template_kwargs": {"ponder": True},
        "reasoning_effort": "medium",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
    }


@pytest.mark.parametrize("top_k", [0, -1], ids=repr)
def test_a_top_k_of_zero_or_less_is_not_sent(top_k: int) -> None:
    assert "top_k" not in ask(replace(GLM_4_7, takes_top_k=True), top_k=top_k).body


def test_max_tokens_leave_room_for_the_prompt_in_the_window() -> None:
    prompt = "word " * 50_000  # it has 50,000 tokens
    chat = ask(GLM_4_7, max_tokens=128_000, messages=[{"role": "user", "content": prompt}])
    assert 40_000 < chat.input_tokens < 60_000
    assert chat.input_tokens + chat.body["max_tokens"] <= GLM_4_7.context_tokens


def test_a_full_window_still_asks_for_some_tokens_so_that_upstream_says_it_is_full() -> None:
    chat = ask(MINIMAX_M2_1, max_tokens=8_000, messages=[{"role": "user", "content": "word " * 400_000}])
    assert chat.body["max_tokens"] == 1_024


@pytest.mark.parametrize(
    ("thinking", "is_shown"),
    [
        ({"type": "adaptive"}, True),
        ({"type": "enabled", "budget_tokens": 2048}, True),
        ({"type": "disabled"}, False),
        (None, False),
    ],
    ids=["adaptive", "enabled", "disabled", "absent"],
)
def test_thinking_is_shown_only_to_a_client_that_asked_for_it(thinking: object, is_shown: bool) -> None:
    assert ask(MINIMAX_M2_1, thinking=thinking).shows_thinking is is_shown


def test_is_stream_follows_the_stream_field() -> None:
    assert ask(stream=True).is_stream
    assert not ask(stream=False).is_stream
    assert not ask().is_stream


def test_the_client_names_of_renamed_tools_are_kept_for_the_answer() -> None:
    name = "mcp__" + "long_server_name_" * 5
    chat = ask(tools=[{"name": name, "input_schema": {"type": "object"}}])
    [(sent, tool)] = chat.tools.items()
    assert tool.name == name
    assert chat.body["tools"][0]["function"]["name"] == sent
    assert len(sent) == 64


def test_the_requests_of_one_conversation_share_their_prefix_whatever_the_billing_header_says() -> None:
    def system(mark: str) -> list[dict[str, Any]]:
        header = f"x-anthropic-billing-header: cc_version=2.1.330; cch={mark};"
        return [{"type": "text", "text": header}, {"type": "text", "text": "You are Claude Code."}]

    assert ask(system=system("a1b2c")).body == ask(system=system("0ff1e")).body


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(2_000):
        schema = {"properties": {"p": schema}}
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        ask(tools=[{"name": "T", "input_schema": schema}])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BLOCK_TYPES = st.sampled_from(
    [
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "tool_reference",
        "search_result",
        "new_kind",
    ]
)


def any_block(content: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "text": st.text(max_size=3) | JSON,
        "thinking": st.text(max_size=3) | JSON,
        "id": st.sampled_from(["a", "b"]) | JSON,
        "tool_use_id": st.sampled_from(["a", "b"]) | JSON,
        "name": st.text(max_size=3) | JSON,
        "input": JSON,
        "content": content | JSON,
        "source": JSON
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "base64", "url", "content"])}, optional={"content": content, "data": JSON}
        ),
        "is_error": st.booleans() | JSON,
    }
    return st.fixed_dictionaries({"type": BLOCK_TYPES}, optional=fields)


CONTENT = st.text(max_size=3) | st.lists(any_block(st.text(max_size=3) | st.lists(any_block(JSON), max_size=2)) | JSON)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": CONTENT | JSON})
TOOL = st.fixed_dictionaries({}, optional={"name": JSON, "type": JSON, "description": JSON, "input_schema": JSON})
FORMAT = st.fixed_dictionaries({"type": st.just("json_schema")}, optional={"schema": JSON}) | JSON
BODY = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE | JSON, max_size=4) | JSON},
    optional={
        "system": CONTENT | JSON,
        "tools": st.lists(TOOL | JSON, max_size=3) | JSON,
        "tool_choice": st.fixed_dictionaries({"type": JSON | st.sampled_from(["any", "tool"])}) | JSON,
        "output_config": st.fixed_dictionaries({}, optional={"effort": JSON, "format": FORMAT}) | JSON,
        "output_format": FORMAT,
        **dict.fromkeys(["max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "thinking"], JSON),
    },
)


@bounded
@given(BODY, st.sampled_from([*ROWS.values()]))
def test_any_json_object_is_translated_or_refused_by_field(body: dict[str, Any], model: Any) -> None:
    try:
        chat = to_chat(read(**body), model)
    except InvalidRequest as refusal:
        names_a_field = refusal.message.partition(":")[0].partition(".")[0] in {*body, "messages"}
        if not names_a_field:
            raise
    else:
        check_chat_request(json.loads(json_text.encode(chat.body)), family="glm")
