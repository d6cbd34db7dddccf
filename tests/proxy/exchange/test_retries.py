"""Transient errors: which requests are retried, for how long, and what the client is told in the end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, delta, finish, text, think, usage
from tests.support.client import fold
from tests.support.fake_upstream import CUT, HANG_UP, FakeUpstream, Gate, Reply, event, hello, refusal, stream, whole
from tests.support.gateway import QUICK, WEATHER, RunningGateway, both_ways, question
from tests.support.leftovers import wait_until_held
from tray_app.proxy.upstream.timeouts import Timeouts

DEGRADED = {"status": 400, "detail": "Function id 'abc': DEGRADED function cannot be invoked"}

PASSING: dict[str, Reply] = {
    "429": refusal(429, {"status": 429, "title": "Too Many Requests"}),
    "500": refusal(500, {"error": {"message": "Internal"}}),
    "502 web page": refusal(502, "<html>Bad Gateway</html>", "text/html"),
    "503": refusal(503),
    "504": refusal(504, {"detail": "Gateway Timeout"}),
    "degraded": refusal(400, DEGRADED),
    "exhausted": refusal(400, {"detail": "ResourceExhausted: worker queue is full"}),
    "error under 200": whole({"error": {"message": "Engine died", "code": 500}}),
    "no choices": whole({"choices": []}),
    "no JSON": Reply((b"<html>",), content_type="application/json"),
}


@pytest.fixture
def patient(start_gateway: StartGateway) -> RunningGateway:
    """A gateway that retries for as long as it takes, almost without a pause, and asks one model only."""
    return start_gateway(timeouts=QUICK, follow_successors=False)


@both_ways
@pytest.mark.parametrize("fault", PASSING)
def test_a_transient_error_is_hidden_from_the_client(
    patient: RunningGateway, upstream: FakeUpstream, fault: str, is_stream: bool
) -> None:
    upstream.script(PASSING[fault], PASSING[fault], hello(is_stream=is_stream))
    answer = patient.ask(question(stream=is_stream))
    assert (answer.status, answer.text) == (200, "Hello!")
    assert len(upstream.received) == 3
    bodies = [received.body for received in upstream.received]
    assert bodies[0] == bodies[1] == bodies[2]


@both_ways
def test_a_request_is_retried_if_its_connection_breaks_without_an_answer(
    patient: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.script(HANG_UP, HANG_UP, HANG_UP, hello(is_stream=is_stream))
    assert patient.ask(question(stream=is_stream)).text == "Hello!"


@pytest.mark.parametrize(
    "broken",
    [
        stream(CUT, ends=False),
        stream(ends=False),
        stream({"error": {"message": "Engine died"}}),
        stream({"choices": [{"delta": {"role": "assistant", "content": ""}}]}, CUT, ends=False),
        Reply((b"data: nonsense\n\n",), content_type="text/event-stream"),
    ],
    ids=["cut", "end of file", "error", "cut after the role", "malformed"],
)
def test_a_stream_that_breaks_before_its_first_word_is_retried(
    patient: RunningGateway, upstream: FakeUpstream, broken: Reply
) -> None:
    upstream.script(broken, hello(is_stream=True))
    answer = patient.ask(question(stream=True))
    assert answer.story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


def test_a_stream_that_breaks_after_its_first_word_is_not_retried(
    patient: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hel"), CUT, ends=False))
    answer = patient.ask(question(stream=True))
    assert answer.story == ["start text#0", "+Hel", "error overloaded_error"]
    assert len(upstream.received) == 1


def test_a_plain_answer_that_breaks_in_the_middle_is_retried(patient: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(Reply((b'{"choices": [{"mess', CUT)), hello(is_stream=False))
    assert patient.ask().text == "Hello!"


@both_ways
@pytest.mark.parametrize(
    "fault",
    [
        refusal(401),
        refusal(403),
        refusal(404, {"detail": "Function 'x': Not found for account 'y'"}),
        refusal(410, {"detail": "The model 'x' has reached its end of life on 2026-05-14"}),
        refusal(400, {"message": "maximum context length is 131072 tokens. However, you requested 140000 tokens."}),
        refusal(422, {"message": "messages.0: wrong"}),
    ],
    ids=["401", "403", "404", "410", "too long", "422"],
)
def test_a_permanent_error_is_not_retried(
    patient: RunningGateway, upstream: FakeUpstream, fault: Reply, is_stream: bool
) -> None:
    upstream.script(fault)
    answer = patient.ask(question(stream=is_stream))
    assert answer.status == 400
    assert answer.headers["x-should-retry"] == "false"
    assert len(upstream.received) == 1


@both_ways
def test_when_the_budget_is_spent_the_client_is_told_when_to_come_back(
    start_gateway: StartGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_pause_s=0.02, longest_pause_s=0.02, retry_budget_s=0.1))
    upstream.default = lambda _: PASSING["429"]
    answer = gateway.ask(question(stream=is_stream))
    assert answer.outcome == (429, "rate_limit_error")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert 2 <= len(upstream.received) <= 12


def test_a_request_is_not_retried_if_its_client_left_during_the_pause(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_pause_s=600, longest_pause_s=600, retry_budget_s=6_000))
    upstream.script(PASSING["503"])
    with gateway.send_only(question(stream=True)):
        upstream.wait_received()
        gateway.wait_active(1)
    gateway.wait_active(0)
    assert len(upstream.received) == 1


# ---- pings


def test_a_client_that_waits_long_gets_its_200_and_pings(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, ping_s=0.01))
    upstream.script(stream(text("Hello!"), gate := Gate(), finish(), before=(headers := Gate())))
    with gateway.stream() as answer:
        for _ in range(3):
            answer.read_until("ping")
        assert answer.text == ""
        headers.open()
        gate.wait_reached()
        answer.read_until("content_block_delta")
        answer.read_until("ping")  # also in the middle of the answer
        gate.open()
        assert [line for line in answer.read_rest().story if line != "ping"] == [
            *("start text#0", "+Hello!", "stop#0", "end end_turn")
        ]


def test_a_quick_answer_has_no_pings(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(hello(is_stream=True))
    assert "ping" not in gateway.ask(question(stream=True)).story


def test_a_client_that_waits_through_retries_sees_one_clean_answer(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, ping_s=0.01, first_pause_s=0.1, longest_pause_s=0.1))
    upstream.script(PASSING["503"], stream(CUT, ends=False), hello(is_stream=True))
    story = gateway.ask(question(stream=True)).story
    assert story[0] == "ping"
    assert [line for line in story if line != "ping"] == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [(PASSING["429"], "error overloaded_error"), (PASSING["500"], "error overloaded_error")],
    ids=["429", "500"],
)
def test_a_transient_error_after_the_200_makes_the_client_repeat_the_request(
    start_gateway: StartGateway, upstream: FakeUpstream, fault: Reply, told: str
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, retry_budget_s=0))
    held = Reply(fault.steps, fault.status, fault.content_type, before=(gate := Gate()))
    upstream.script(held)
    with gateway.stream() as answer:
        answer.read_until("ping")
        gate.open()
        assert [line for line in answer.read_rest().story if line != "ping"] == [told]


def test_an_error_that_needs_the_user_keeps_its_type_after_the_200(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01))
    upstream.script(Reply(status=401, before=(gate := Gate())))
    with gateway.stream() as answer:
        answer.read_until("ping")
        gate.open()
        assert answer.read_rest().story[-1] == "error billing_error"


def test_a_client_that_leaves_between_pings_leaves_nothing_behind(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=Timeouts(first_ping_s=0.01, ping_s=0.01))
    upstream.script(stream(before=(gate := Gate())))
    with gateway.stream() as answer:
        answer.read_until("ping")
        received = upstream.wait_received()
    gateway.wait_active(0)
    received.wait_left()
    gate.open()


# ---- answers that come later (202)


@both_ways
def test_after_a_202_the_answer_is_polled_until_it_is_there(
    patient: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    pending = refusal(202, NVCF_REQID="5e0c-1")
    upstream.script(pending, pending, pending, whole(completion("Hello!")))
    assert patient.ask(question(stream=is_stream)).text == "Hello!"
    assert [received.target for received in upstream.received[1:]] == ["/v2/nvcf/pexec/status/5e0c-1"] * 3
    assert {received.headers["Authorization"] for received in upstream.received} == {
        upstream.received[0].headers["Authorization"]
    }


def test_a_refusal_after_a_202_is_told_as_any_other(patient: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(202, NVCF_REQID="5e0c-1"), refusal(410, {"detail": "end of life on 2026-05-14"}))
    assert "retired" in patient.ask().sentence


@pytest.mark.parametrize("request_id", ["../../v1/models", "a" * 200, "a b"])
def test_an_id_that_leads_elsewhere_is_not_followed(
    start_gateway: StartGateway, upstream: FakeUpstream, request_id: str
) -> None:
    upstream.script(refusal(202, NVCF_REQID=request_id))
    assert start_gateway().ask().outcome == (502, "api_error")
    assert len(upstream.received) == 1


# ---- answers that lack what they announce


def test_an_empty_answer_is_asked_for_once_more_without_streaming(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(finish()), whole(completion("Hello!")))
    assert gateway.ask(question(stream=True)).story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]
    first, second = (received.body for received in upstream.received)
    assert second == {key: value for key, value in first.items() if key not in ("stream", "stream_options")}


@both_ways
def test_a_second_answer_is_asked_for_after_the_first_connection_is_given_back(
    start_gateway: StartGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, is_stream: bool
) -> None:
    """The second request may wait for its turn for minutes. Here the server does not end its stream by itself."""
    monkeypatch.setattr("tray_app.proxy.upstream.client._REST_S", 0.01)
    upstream.script(stream(finish(), b"data: [DONE]\n\n", Gate(), ends=False))
    gateway = start_gateway(requests_per_minute=1)
    with gateway.send_only(question(stream=is_stream)):
        wait_until_held(gateway, lambda held: held.waiting == 1 and held.upstream_connections == 0)
    upstream.received[0].wait_left()


@both_ways
def test_a_missing_call_is_taken_from_the_second_answer(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "list_files", "arguments": "{}"}}
    first = stream(text("Let me look."), finish("tool_calls"))
    plain = whole(completion("Let me look.", "tool_calls"))
    upstream.script(first if is_stream else plain, whole(completion("I look at it.", "tool_calls", tool_calls=[call])))
    tools = [{"name": "list_files", "input_schema": {"type": "object"}}]
    answer = gateway.ask(question(stream=is_stream, tools=tools))
    if is_stream:
        assert answer.story == [
            *("start text#0", "+Let me look.", "stop#0"),
            *("start tool_use#1 list_files c1", "+{}", "stop#1", "end tool_use"),
        ]
    else:
        assert [block["type"] for block in answer.body["content"]] == ["text", "tool_use"]
        assert answer.text == "Let me look."


@pytest.mark.parametrize(
    ("second", "city"),
    [('{"city": "Oslo", "days": 3}', {"city": "Oslo", "days": 3}), ('{"town": "Oslo"}', {"city": "Os"})],
    ids=["goes on from there", "says another thing"],
)
@both_ways
def test_a_call_that_breaks_off_is_completed_from_a_second_answer_if_that_goes_on_from_there(
    gateway: RunningGateway, upstream: FakeUpstream, second: str, city: dict[str, Any], is_stream: bool
) -> None:
    def calling(arguments: str) -> dict[str, Any]:
        function = {"name": "get_weather", "arguments": arguments}
        return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}

    half = calling('{"city": "Os')
    upstream.script(
        stream(delta(**half), finish("tool_calls")) if is_stream else whole(completion(None, "tool_calls", **half)),
        whole(completion(None, "tool_calls", **calling(second))),
    )
    answer = gateway.ask(question(stream=is_stream, tools=[WEATHER]))
    content = fold(answer.raw).content if is_stream else answer.body["content"]
    assert [block["input"] for block in content] == [city]
    assert len(upstream.received) == 2


@both_ways
@pytest.mark.parametrize("second", [whole(completion("")), refusal(503), HANG_UP], ids=["empty", "503", "gone"])
def test_the_first_answer_stands_if_the_second_lacks_the_call_as_well(
    gateway: RunningGateway, upstream: FakeUpstream, second: Reply, is_stream: bool
) -> None:
    first = stream(text("I look."), finish("tool_calls")) if is_stream else whole(completion("I look.", "tool_calls"))
    upstream.script(first, second)
    if second is HANG_UP:
        upstream.script(HANG_UP)  # a request on a kept-alive connection is sent once more on a new one
    answer = gateway.ask(question(stream=is_stream))
    assert answer.status == 200
    assert answer.text == "I look."


EMPTY: dict[str, Reply] = {
    "no finish": stream(),
    "a finish": stream(finish()),
    "a finish and a count": stream(finish(), usage(12, 0)),
    "a count": stream(usage(12, 0)),
    "the role": stream(delta(role="assistant", content=""), finish()),
    "blanks": stream(text("\n"), text("  "), finish()),
    "no choices": stream({"choices": []}, {"choices": []}),
    "calls that never came": stream(finish("tool_calls")),
    "thinking that nobody asked for": stream(think("hm"), finish()),
    "null": stream(delta(content=None), finish()),
    "an unknown end": stream(finish("whatever")),
    "an empty message": whole(completion("")),
    "no message": whole({"choices": [{}]}),
    "nobody's message": whole({"choices": [{"message": None, "finish_reason": "stop"}]}),
}
NOTHING_AT_ALL: dict[str, Reply] = {
    "no choices": whole({"choices": []}),
    "null choices": whole({"choices": None}),
    "an object": whole({}),
    "null": whole(None),
    "no byte": Reply((b"",)),
    "blanks": Reply((b" \n ",)),
    "a count": whole({"usage": {"prompt_tokens": 1}}),
}


@both_ways
@pytest.mark.parametrize("case", EMPTY)
def test_an_answer_without_content_is_retried_until_it_has_some(
    patient: RunningGateway, upstream: FakeUpstream, case: str, is_stream: bool
) -> None:
    empty, hello_there = EMPTY[case], hello(is_stream=is_stream)
    upstream.script(empty, whole(completion("")), empty, refusal(503), hello_there)
    answer = patient.ask(question(stream=is_stream))
    assert (answer.status, answer.text) == (200, "Hello!")


@both_ways
@pytest.mark.parametrize("case", EMPTY)
def test_an_answer_without_content_is_never_a_success(
    gateway: RunningGateway, upstream: FakeUpstream, case: str, is_stream: bool
) -> None:
    upstream.script(EMPTY[case], whole(completion("")))
    answer = gateway.ask(question(stream=is_stream))
    assert (answer.outcome, answer.sentence) == ((502, "api_error"), "NVIDIA's answer is empty. Please try again.")


@both_ways
@pytest.mark.parametrize("case", NOTHING_AT_ALL)
def test_a_body_that_is_no_answer_is_retried_or_an_error(
    start_gateway: StartGateway, upstream: FakeUpstream, case: str, is_stream: bool
) -> None:
    upstream.script(NOTHING_AT_ALL[case], NOTHING_AT_ALL[case], hello(is_stream=is_stream))
    assert start_gateway().ask(question(stream=is_stream)).outcome == (502, "api_error")
    assert start_gateway(timeouts=QUICK).ask(question(stream=is_stream)).text == "Hello!"


@both_ways
@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (refusal(401), (400, "billing_error")),
        (refusal(400, {"message": "The input (200000 tokens) is too long"}), (400, "invalid_request_error")),
        (whole({"error": {"message": "busy"}}), (529, "overloaded_error")),
        (whole({"error": {"message": "no", "code": 429}}), (429, "rate_limit_error")),
        (whole(completion("Hel", "abort")), (502, "api_error")),
    ],
    ids=["401", "400", "busy", "429", "given up"],
)
def test_the_error_of_the_second_answer_is_told_if_the_first_was_empty(
    gateway: RunningGateway, upstream: FakeUpstream, second: Reply, outcome: tuple[int, str], is_stream: bool
) -> None:
    upstream.script(stream(), second)
    assert gateway.ask(question(stream=is_stream)).outcome == outcome
    assert len(upstream.received) == 2


@both_ways
@pytest.mark.parametrize("reason", ["abort", "error", "cancelled", "ERROR", "insufficient_system_resource"])
def test_an_answer_that_upstream_gave_up_is_retried(
    patient: RunningGateway, upstream: FakeUpstream, reason: str, is_stream: bool
) -> None:
    upstream.script(
        stream(finish(reason), usage(12, 0)),
        stream(text("Hel") | {"choices": [{"delta": {"content": "Hel"}, "finish_reason": reason}]}),
        whole(completion("Hel", reason)),
        hello(is_stream=is_stream),
    )
    assert patient.ask(question(stream=is_stream)).text == "Hello!"


@pytest.mark.parametrize("last", [finish("abort"), finish("error"), {"choices": [{"error": {"message": "died"}}]}])
def test_an_answer_that_upstream_gives_up_after_its_first_word_is_an_error(
    patient: RunningGateway, upstream: FakeUpstream, last: dict[str, Any]
) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), last, usage(12, 1)))
    with patient.stream() as reading:
        reading.read_until("content_block_delta")
        gate.open()
        answer = reading.read_rest()
    assert answer.story == ["start text#0", "+Hel", "error overloaded_error"]
    assert len(upstream.received) == 1


@both_ways
@pytest.mark.parametrize(
    ("first", "stop_reason"),
    [
        (whole(completion(None, refusal="I cannot help with that.")), "refusal"),
        (stream(delta(refusal="I cannot "), delta(refusal="help with that."), finish()), "refusal"),
        (stream(text("I cannot help with that."), finish("content_filter")), "refusal"),
    ],
    ids=["whole", "streamed", "filtered"],
)
def test_a_models_refusal_reaches_the_client(
    gateway: RunningGateway, upstream: FakeUpstream, first: Reply, stop_reason: str, is_stream: bool
) -> None:
    upstream.script(first)
    answer = gateway.ask(question(stream=is_stream))
    assert answer.text == "I cannot help with that."
    told = fold(answer.raw).stop_reason if is_stream else answer.body["stop_reason"]
    assert told == stop_reason
    assert len(upstream.received) == 1


def test_the_stop_reason_and_usage_of_the_second_answer_count(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(finish()), whole(completion("Hel", "length")))
    answer = gateway.ask(question(stream=True))
    assert answer.story == ["start text#0", "+Hel", "stop#0", "end max_tokens"]
    assert fold(answer.raw).usage["output_tokens"] == 3


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_empty_answer_with_a_reason_is_not_asked_for_again(
    gateway: RunningGateway, upstream: FakeUpstream, reason: str
) -> None:
    upstream.script(stream(finish(reason)))
    gateway.ask(question(stream=True))
    assert len(upstream.received) == 1


def test_a_stream_with_an_empty_event_only_is_retried(patient: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(Reply((event({"choices": []}),), content_type="text/event-stream"), hello(is_stream=True))
    assert patient.ask(question(stream=True)).text == "Hello!"
