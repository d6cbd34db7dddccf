"""The fast translation gives what the plain one gives, or nothing. What clients usually send is translated by it."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.rows import ROWS
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Model
from tray_app.errors import InvalidRequest
from tray_app.settings.settings import Settings
from tray_app.translate import json_text
from tray_app.translate.request import known
from tray_app.translate.request.encoded import encode_body
from tray_app.translate.request.known import MOST_TURN_MESSAGES, Memory, translate_known
from tray_app.translate.request.known_messages import MOST_MESSAGES
from tray_app.translate.request.question import Question, Rules, read_body, read_question
from tray_app.translate.request.recent import Recent
from tray_app.translate.request.splitter import Splitter
from tray_app.translate.request.steps import STEP_WORK

RULES = Rules(Settings().catalog, GLM_4_7)
CASES = [
    pytest.param(case["request"], ROWS[case.get("model", "glm")], id=f"{file.stem}: {case['name']}")
    for file in sorted(Path(__file__).parent.glob("cases/*.json"))
    for case in json.loads(file.read_text("utf-8"))
]


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps({"model": "any", **body}).encode()


def translate(data: bytes, model: Model | None, memory: Memory) -> Question | None:
    steps = translate_known([data], RULES, {}, model, memory)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Question | None = end.value
            return found


def plain(data: bytes, model: Model | None) -> Question | None:
    """Returns the answer of the plain translation; None if it refuses the request."""
    try:
        return read_question(read_body(data), RULES, {}, model)
    except InvalidRequest:
        return None


def describe(question: Question) -> dict[str, Any]:
    """Returns all that counts of a question as plain values."""
    chat = question.chat
    return {
        "asked": question.requested_model,
        "search": question.search,
        "is_background": question.is_background,
        "kind": (question.kind, question.turn),
        "body": json.loads(b"".join(encode_body(chat.body))),
        "model": chat.model,
        "tools": {sent: (tool.name, tool.parameters.schema) for sent, tool in chat.tools.items()},
        "schemas": dict(chat.callable_schemas),
        "thinking": (chat.shows_thinking, chat.omits_thinking),
        "stops": list(chat.stop_sequences),
        "estimate": chat.estimate,
        "input_tokens": chat.input_tokens,
        "ids": set(chat.used_call_ids),
        "brackets": chat.json_brackets,
    }


def check(body: dict[str, Any], model: Model | None, memory: Memory) -> bool:
    """Compares both translations. Returns whether the fast one has answered."""
    return check_bytes(encode(body), model, memory)


def check_bytes(data: bytes, model: Model | None, memory: Memory) -> bool:
    """Compares both translations of a body. Returns whether the fast one has answered."""
    fast, slow = translate(data, model, memory), plain(data, model)
    assert fast is None or (slow is not None and describe(fast) == describe(slow))
    return fast is not None


@pytest.mark.parametrize(("request_body", "model"), CASES)
def test_each_case_is_translated_as_by_the_plain_translation(request_body: dict[str, Any], model: Model) -> None:
    memory = Memory()
    assert check(request_body, model, memory) is check(request_body, model, memory)


COMMAND = {"type": "object", "properties": {"command": {"type": "string"}}}


def make_session(turns: int) -> dict[str, Any]:
    """Returns a request as Claude Code sends it after so many turns with a tool."""
    first = [text("<system-reminder>x</system-reminder>"), text("Go")]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": first},
        {"role": "system", "content": "You have 200000 tokens left."},
    ]
    for n in range(turns):
        call = {"type": "tool_use", "id": f"toolu_{n}", "name": "Bash", "input": {"command": f"ls {n}"}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": f"file {n}"}
        thinking = {"type": "thinking", "thinking": f"Hm {n}", "signature": "s"}
        messages += [{"role": "assistant", "content": [thinking, call]}, {"role": "user", "content": [result]}]
    messages[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
    return {
        "messages": messages,
        "system": [text(f"x-anthropic-billing-header: {turns}"), text("You are Claude Code.")],
        "tools": [{"name": "Bash", "description": "Runs a command", "input_schema": COMMAND}],
        "stream": True,
        "thinking": {"type": "adaptive"},
    }


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


@pytest.mark.parametrize("model", [GLM_4_7, MINIMAX_M2_1], ids=["glm", "minimax"])
def test_a_session_of_claude_code_is_translated_by_the_fast_translation(model: Model) -> None:
    memory = Memory()
    assert all(check(make_session(turns), model, memory) for turns in range(1, 12))


def test_a_session_goes_on_with_another_model_and_back() -> None:
    memory = Memory()
    for turns in range(1, 12):
        assert check(make_session(turns), MINIMAX_M2_1 if turns % 3 else GLM_4_7, memory)


def test_a_changed_tool_changes_the_translation_of_the_calls_before() -> None:
    memory = Memory()
    body = make_session(3)
    assert check(body, GLM_4_7, memory)
    body["tools"][0]["input_schema"] = {"type": "object", "properties": {"command": {"type": "string"}, "more": {}}}
    assert check(body, GLM_4_7, memory)


def test_what_is_known_is_not_translated_again() -> None:
    memory = Memory()
    translate(encode(make_session(20)), GLM_4_7, memory)
    known = memory.turns.size
    translate(encode(make_session(21)), GLM_4_7, memory)
    # The new call and its result, and the result before, which no longer has the mark of the cache.
    assert memory.turns.size == known + 3


def test_a_memory_that_is_too_small_changes_no_answer() -> None:
    memory = Memory(most_bytes=20_000)
    assert all(check(make_session(turns), GLM_4_7, memory) for turns in range(1, 30))


@pytest.fixture(params=[None, 0], ids=["decoded", "split"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages of a request are found in either way, whatever its size is."""
    if request.param is not None:
        monkeypatch.setattr(known, "_DECODED_BYTES", request.param)


def make_large(*, is_split: bool) -> bytes:
    """Returns a request of one megabyte, which is split, or one that is just not."""
    count = 100 if is_split else 45
    sides = ("user", "assistant")
    messages = [{"role": sides[n % 2], "content": f'{n} "words" ' * 900} for n in range(count)]
    return encode({"messages": messages, "system": "Be kind.", "tools": [{"name": "Bash", "input_schema": COMMAND}]})


class Work:
    """Counts the bytes that are searched, looked up and decoded between two pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts = {"searched": 0, "looked up": 0, "decoded": 0}
        work, get, decode = self, Recent.get, json_text.decode

        class CountingSplitter(Splitter):
            def feed(self, piece: bytes) -> list[bytes]:
                work.counts["searched"] += len(piece)
                return super().feed(piece)

        def count_get(recent: Recent[Any, Any], key: Any) -> Any:
            work.counts["looked up"] += len(key) if isinstance(key, bytes) else 0
            return get(recent, key)

        def count_decode(data: bytes | bytearray) -> Any:
            work.counts["decoded"] += len(data)
            return decode(data)

        monkeypatch.setattr(known, "Splitter", CountingSplitter)
        monkeypatch.setattr(Recent, "get", count_get)
        monkeypatch.setattr(json_text, "decode", count_decode)

    def measure(self, data: bytes, memory: Memory) -> tuple[dict[str, int], dict[str, int]]:
        """Returns the bytes of the largest step, and those of all steps."""
        most, total = dict.fromkeys(self.counts, 0), dict.fromkeys(self.counts, 0)
        steps = translate_known([data], RULES, {}, GLM_4_7, memory)
        for _ in chain(steps, [None]):
            for name, count in self.counts.items():
                most[name], total[name] = max(most[name], count), total[name] + count
            self.counts = dict.fromkeys(self.counts, 0)
        return most, total


@pytest.mark.parametrize("is_split", [True, False])
def test_no_step_works_on_more_than_a_part_of_a_large_request(monkeypatch: pytest.MonkeyPatch, is_split: bool) -> None:
    data, memory = make_large(is_split=is_split), Memory()
    assert check_bytes(data, GLM_4_7, Memory())
    work = Work(monkeypatch)
    for is_known in (False, True):
        most, total = work.measure(data, memory)
        assert total["searched"] == (len(data) if is_split else 0)
        assert total["looked up"] > 0.95 * len(data)
        assert total["decoded"] > 0.95 * len(data) or is_known
        # A step ends with the piece or the message that fills it.
        assert most["searched"] <= STEP_WORK
        assert most["looked up"] < STEP_WORK + 20_000
        assert most["decoded"] < STEP_WORK // 4 + 20_000


@pytest.mark.parametrize(("words", "most"), [(20_000, 5), (1, MOST_TURN_MESSAGES)], ids=["large", "many"])
def test_a_turn_of_large_or_many_messages_is_left_to_the_plain_translation(words: int, most: int) -> None:
    message = {"role": "user", "content": "word " * words}
    assert check({"messages": [message] * most}, GLM_4_7, Memory())
    assert not check({"messages": [message] * (most + 1)}, GLM_4_7, Memory())


def test_a_request_of_very_many_messages_is_left_to_the_plain_translation(either_way: None) -> None:
    for count in (MOST_MESSAGES, MOST_MESSAGES + 2):
        messages = [{"role": ("user", "assistant")[n % 2], "content": "Hm"} for n in range(count)]
        assert check({"messages": messages}, GLM_4_7, Memory()) is (count == MOST_MESSAGES)


IDS = st.integers(0, 3).map("t{}".format)
TEXT = st.text(max_size=20)
BLOCK = st.one_of(
    TEXT.map(text),
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": IDS,
            "name": st.sampled_from(["Bash", "Odd name"]),
            "input": st.fixed_dictionaries({"a": st.integers(0, 3)}),
        }
    ),
    st.fixed_dictionaries({"type": st.just("tool_result"), "tool_use_id": IDS, "content": TEXT}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXT, "signature": st.just("s")}),
    st.sampled_from(
        [
            {"type": "redacted_thinking", "data": "x"},
            {"type": "fallback"},
            {"type": "compaction", "content": "So far"},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": ""}},
            {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Bash"}},
            {"type": "unknown", "x": 1},
            {"type": "text"},
        ]
    ),
)
MESSAGE = st.builds(
    lambda role, content, more: {"role": role, "content": content, **more},
    st.sampled_from(["user", "assistant", "user", "assistant", "system", "odd"]),
    st.one_of(TEXT, st.lists(BLOCK, max_size=4)),
    st.sampled_from([{}, {}, {}, {"clear_at": "next_user_message"}, {"output_config": {"effort": "low"}}]),
)
OPTIONAL = {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}, "required": ["a"]}
TOOLS = st.sampled_from(
    [
        {},
        {"tools": []},
        {"tools": [{"name": "Bash", "input_schema": OPTIONAL}]},
        {"tools": [{"name": "Odd name", "input_schema": COMMAND}, {"type": "bash_20250124", "name": "bash"}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"name": "Bash", "input_schema": 1}]},
        {"tools": [{"name": "Bash", "input_schema": COMMAND}], "tool_choice": {"type": "any"}},
    ]
)
MODELS = st.lists(st.sampled_from([*ROWS.values()]), min_size=1, max_size=3)


@bounded
@given(st.lists(MESSAGE, min_size=1, max_size=10), TOOLS, MODELS)
def test_any_growing_conversation_is_translated_as_by_the_plain_translation(
    messages: list[dict[str, Any]], fields: dict[str, Any], models: list[Model]
) -> None:
    memory = Memory()
    for length in range(1, len(messages) + 1):
        check({"messages": messages[:length], **fields}, models[length % len(models)], memory)


def test_recent_forgets_what_was_not_used_for_long() -> None:
    recent = Recent[int, int](most_bytes=100)
    for n in range(30):
        recent.put(n, n, 10)
        assert recent.get(0) == 0
    assert recent.get(1) is None
    assert recent.size <= 10
    recent.put(99, 99, 1_000)
    assert recent.get(99) is None
