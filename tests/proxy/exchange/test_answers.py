"""Questions and their answers: plain, streamed, with tools, thinking and images."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, think, usage, whole_call
from tests.support.client import read_events
from tests.support.fake_upstream import FakeUpstream, Gate, Reply, stream, whole
from tests.support.gateway import NVIDIA_KEY, WEATHER, RunningGateway, both_ways, question
from tray_app.catalog import AS_IN_TRAY, GLM_4_7, MINIMAX_M2_1, NAMED_MODEL_HEADER
from tray_app.settings.keys import Keys
from tray_app.shells import name_command

THINK = {"type": "adaptive"}


def test_a_plain_question_gets_a_message(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    answer = gateway.ask()
    assert answer.status == 200
    assert answer.body["content"] == [{"type": "text", "text": "Hello!"}]
    assert answer.body["model"] == GLM_4_7.id
    assert answer.body["stop_reason"] == "end_turn"
    assert answer.body["usage"]["input_tokens"] == 12
    assert answer.headers["request-id"].startswith("req_")


def test_a_streamed_question_gets_a_stream(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), text("lo!"), finish(), usage(12, 3)))
    answer = gateway.ask(question(stream=True))
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["request-id"].startswith("req_")
    assert answer.story == ["start text#0", "+Hel", "+lo!", "stop#0", "end end_turn"]


@both_ways
def test_thinking_text_and_two_calls_arrive_in_order(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    calls = [whole_call("get_weather", {"city": city}, f"call_{n}", n) for n, city in enumerate(("Rome", "Oslo"))]
    if is_stream:
        upstream.script(stream(think("hm"), text("Let me look."), *calls, finish("tool_calls"), usage(5, 5)))
    else:
        parts = [part["choices"][0]["delta"]["tool_calls"][0] for part in calls]
        upstream.script(whole(completion("Let me look.", "tool_calls", reasoning_content="hm", tool_calls=parts)))
    answer = gateway.ask(question(stream=is_stream, tools=[WEATHER], thinking=THINK))
    if is_stream:
        assert answer.story == [
            *("start thinking#0", "+hm", "stop#0"),
            *("start text#1", "+Let me look.", "stop#1"),
            *("start tool_use#2 get_weather call_0", '+{"city": "Rome', '+"}', "stop#2"),
            *("start tool_use#3 get_weather call_1", '+{"city": "Oslo', '+"}', "stop#3"),
            "end tool_use",
        ]
    else:
        kinds = [block["type"] for block in answer.body["content"]]
        assert kinds == ["thinking", "text", "tool_use", "tool_use"]
        assert answer.body["content"][3]["input"] == {"city": "Oslo"}
        assert answer.body["stop_reason"] == "tool_use"


def test_a_tool_result_is_sent_with_its_call(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Sunny.")))
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sun"}]},
    ]
    gateway.ask(question(messages=turns, tools=[WEATHER]))
    roles = [message["role"] for message in upstream.received[0].body["messages"]]
    assert roles == ["user", "assistant", "tool"]


def test_upstream_gets_our_key_and_no_header_of_the_client(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    gateway.request(
        "POST",
        "/v1/messages?beta=true",
        question(metadata={"user_id": "somebody"}),
        Authorization="Bearer of-the-client",
        x_api_key="of-the-client",
        anthropic_beta="something-2026",
        Cookie="of=the-client",
    )
    received = upstream.received[0]
    assert received.target == "/v1/chat/completions"
    assert received.headers["Authorization"] == f"Bearer {NVIDIA_KEY}"
    assert "of-the-client" not in str(dict(received.headers))
    assert not {"x-api-key", "anthropic-beta", "Cookie"} & set(received.headers)
    assert "metadata" not in received.body


@both_ways
def test_the_connection_to_upstream_serves_the_next_request(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.default = lambda body: stream(text("Hello!"), finish()) if is_stream else whole(completion("Hello!"))
    for _ in range(3):
        gateway.ask(question(stream=is_stream))
    assert len({received.sender for received in upstream.received}) == 1


def test_an_answer_is_complete_at_its_end_mark_even_if_upstream_lingers(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hello!"), finish(), b"data: [DONE]\n\n", gate := Gate(), ends=False))
    with gateway.stream() as answer:
        answer.read_until("message_stop")
        answer.read_end()
        gate.open()
        gateway.wait_active(0)
    upstream.script(stream(text("Hello again!"), finish()))
    assert gateway.ask(question(stream=True)).text == "Hello again!"
    assert len({received.sender for received in upstream.received}) == 1, "the connection was thrown away"


def test_frames_arrive_while_upstream_still_speaks(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    first, second = Gate(), Gate()
    upstream.script(stream(text("one "), first, text("two "), second, text("three"), finish()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        assert answer.text == "one "
        gateway.wait_active(1)
        first.open()
        answer.read_until("content_block_delta")
        assert answer.text == "one two "
        second.open()
        assert answer.read_rest().text == "one two three"
    gateway.wait_active(0)


def test_a_whole_answer_to_a_stream_request_becomes_a_stream(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    answer = gateway.ask(question(stream=True))
    assert answer.story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


def test_a_stream_without_finish_reason_ends_well_at_its_end_mark(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hello!")))
    assert gateway.ask(question(stream=True)).story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


def test_a_stream_with_finish_reason_ends_well_without_its_end_mark(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hello!"), finish(), ends=False))
    assert gateway.ask(question(stream=True)).story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


def test_thirty_requests_at_once_get_their_own_answers(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    everybody_is_here = Gate()

    def echo(body: dict[str, Any]) -> Reply:
        said = body["messages"][-1]["content"]
        if not body.get("stream"):
            return whole(completion(said), before=everybody_is_here)
        return stream(text(said[:5]), everybody_is_here, text(said[5:]), finish(), usage(12, 3))

    upstream.default = echo
    prompts = [f"question {n} of many" for n in range(30)]
    with ThreadPoolExecutor(len(prompts)) as pool:
        answers = [pool.submit(gateway.ask, question(p, stream=n % 2 == 0)) for n, p in enumerate(prompts)]
        upstream.wait_received(len(prompts))
        everybody_is_here.open()
        assert [answer.result().text for answer in answers] == prompts
    gateway.wait_active(0)


# ---- which model


def test_the_tray_decides_the_model(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    answer = start_gateway(model=MINIMAX_M2_1.id).ask(question(model=GLM_4_7.id))
    assert answer.body["model"] == upstream.received[0].body["model"] == MINIMAX_M2_1.id


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (GLM_4_7.id, GLM_4_7.id),
        (f"{GLM_4_7.id}[1m]", GLM_4_7.id),
        (MINIMAX_M2_1.id.upper(), MINIMAX_M2_1.id),
        ("claude-haiku-5-5", MINIMAX_M2_1.id),
        ("no/such-model", MINIMAX_M2_1.id),
    ],
    ids=["known", "known with a long window", "in capitals", "Claude's own", "unknown"],
)
def test_clients_choose_the_model_if_the_user_lets_them(
    start_gateway: StartGateway, upstream: FakeUpstream, asked: str, used: str
) -> None:
    upstream.script(whole(completion("Hello!")))
    answer = start_gateway(model=MINIMAX_M2_1.id, clients_choose_model=True).ask(question(model=asked))
    assert answer.body["model"] == upstream.received[0].body["model"] == used


@pytest.mark.parametrize(("asked", "used"), [(GLM_4_7.id, GLM_4_7.id), (AS_IN_TRAY, MINIMAX_M2_1.id)])
def test_a_session_of_the_launcher_names_a_model_or_the_one_of_the_tray(
    start_gateway: StartGateway, upstream: FakeUpstream, asked: str, used: str
) -> None:
    upstream.script(whole(completion("Hello!")))
    gateway = start_gateway(model=MINIMAX_M2_1.id)
    answer = gateway.ask(question(model=asked), **{NAMED_MODEL_HEADER: "named"})
    assert answer.body["model"] == upstream.received[0].body["model"] == used


def test_another_model_is_used_from_the_next_request_on(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()), whole(completion("Hello!")))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        gateway.configure(model=MINIMAX_M2_1.id)
        assert gateway.ask().body["model"] == MINIMAX_M2_1.id
        gate.open()
        assert f'"model":"{GLM_4_7.id}"'.encode() in answer.read_rest().raw


def test_another_key_is_used_from_the_next_request_on(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(whole(completion("Hello!")))
    gateway.configure(Keys(nvidia="nvapi-another"))
    gateway.ask()
    assert upstream.received[0].headers["Authorization"] == "Bearer nvapi-another"


def test_without_an_nvidia_key_the_user_is_told_what_to_do(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(Keys())
    for is_stream in (False, True):
        answer = gateway.ask(question(stream=is_stream))
        assert answer.outcome == (400, "billing_error")
        assert answer.sentence == (
            "Claude NVIDIA Tray has no NVIDIA API key yet. Get one on build.nvidia.com, "
            f"then run `{name_command('set-key')}` in a terminal."
        )
    assert not upstream.received


HALF = "half \ud83d"
"""Half a surrogate pair in the form that `json.dumps` writes. A strict server refuses it."""


def test_half_surrogate_pairs_are_repaired_in_a_question_and_kept_in_an_answer(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    tool = {"name": "look", "description": HALF, "input_schema": {"type": "object", "title": HALF}}
    call_and_result = [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {HALF: HALF}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": HALF},
                {"type": "text", "text": HALF},
            ],
        },
    ]
    wanted = {"format": {"type": "json_schema", "schema": {"title": HALF}}}
    upstream.script(whole(completion(HALF)))
    answer = gateway.ask(
        question(system=HALF, tools=[tool], messages=call_and_result, stop_sequences=[f"!{HALF}"], output_config=wanted)
    )
    assert answer.text == HALF
    sent = json.dumps(upstream.received[0].body)
    assert "\\ud83d" not in sent.replace("\\\\", "")
    assert sent.count("half \\ufffd") == 9
    assert json.loads(upstream.received[0].body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {
        "half \ufffd": "half \ufffd"
    }


# ---- auto mode's classifier


@pytest.mark.parametrize("stop_reason", [{}, {"stop_reason": None}, {"stop_reason": "</block>"}], ids=str)
@both_ways
def test_the_classifier_is_told_where_its_answer_stopped(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool, stop_reason: dict[str, Any]
) -> None:
    if is_stream:
        end = finish()
        end["choices"][0] |= stop_reason
        upstream.script(stream(text("<block>"), text("no"), end, usage(12, 3)))
    else:
        whole_answer = completion("<block>no")
        whole_answer["choices"][0] |= stop_reason
        upstream.script(whole(whole_answer))
    answer = gateway.ask(
        question("x" * 145_000, stop_sequences=["</block>"], safeguards={"mode": "auto"}, stream=is_stream)
    )
    assert answer.text == "<block>no"
    body = read_events(answer.raw)[-2] if is_stream else answer.body
    ending = body["delta"] if is_stream else body
    assert (ending["stop_reason"], ending["stop_sequence"]) == ("stop_sequence", "</block>")
    assert "safeguard_results" not in body
    sent = upstream.received[0].body
    assert sent["stop"] == ["</block>"]
    assert sent["chat_template_kwargs"]["enable_thinking"] is False
    assert "safeguards" not in sent
