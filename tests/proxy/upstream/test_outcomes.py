"""The outcomes of requests, and how they change later requests and the status."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import KEYS, StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.client import read_events
from tests.support.fake_upstream import FakeUpstream, Gate, Reply, refusal, stream, whole
from tests.support.gateway import RunningGateway, both_ways, question
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.status.board import Topic
from tray_app.status.findings import ModelTrouble, Unavailability

GLM, MINIMAX, GPT_OSS = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "openai/gpt-oss-20b"


HELLO = whole(completion("Hello!"))
RETIRED = refusal(410, {"detail": "The model 'z-ai/glm4.7' has reached its end of life on 2026-05-14"})
UNSERVED = refusal(404, {"detail": "Function 'abc': Not found for account 'xyz'"})
BUSY = refusal(503)


# ---- models that are unavailable


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (RETIRED, ModelTrouble(Unavailability.RETIRED, "2026-05-14")),
        (UNSERVED, ModelTrouble(Unavailability.NOT_SERVED)),
    ],
    ids=["retired", "not served"],
)
def test_an_unavailable_model_is_marked_until_it_answers_again(
    gateway: RunningGateway, upstream: FakeUpstream, reply: Reply, trouble: ModelTrouble
) -> None:
    upstream.script(reply, HELLO)
    assert gateway.ask().outcome == (400, "billing_error")
    assert gateway.board.status.model_troubles == ((GLM, trouble),)
    gateway.ask()
    assert not gateway.board.status.unavailable_models


def test_a_refused_key_is_reported_until_a_request_is_answered(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(401), refusal(401), HELLO)
    gateway.ask()
    gateway.ask()
    [(topic, trouble)] = gateway.board.status.troubles
    assert topic == Topic.REFUSED_KEY
    assert trouble.title == "NVIDIA refused the key – fix…"
    assert "set-key" in trouble.sentence
    gateway.ask()
    assert gateway.board.status.troubles == ()


def test_the_report_of_a_refused_key_ends_with_another_key(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(401))
    gateway.ask()
    gateway.configure(replace(KEYS, nvidia="nvapi-another"))
    gateway.wait_status(lambda status: not status.troubles)


# ---- fallback models


@both_ways
@pytest.mark.parametrize("reply", [RETIRED, UNSERVED, BUSY, refusal(429)], ids=["retired", "unserved", "503", "429"])
def test_a_fallback_model_answers_if_the_chosen_one_refuses(
    start_gateway: StartGateway, upstream: FakeUpstream, reply: Reply, is_stream: bool
) -> None:
    gateway = start_gateway(fallback_models=(MINIMAX, GPT_OSS))
    upstream.script(reply, stream(text("Hello!"), finish()) if is_stream else HELLO)
    answer = gateway.ask(question(stream=is_stream))
    assert answer.text == "Hello!"
    assert [received.body["model"] for received in upstream.received] == [GLM, MINIMAX]
    assert upstream.received[1].body["max_tokens"] == 1000
    told = read_events(answer.raw)[0]["message"]["model"] if is_stream else answer.body["model"]
    assert told == MINIMAX
    [(topic, trouble)] = gateway.board.status.troubles
    assert (topic, trouble.title) == (Topic.FALLBACK, "MiniMax M2.1 answers for GLM 4.7")

    upstream.script(HELLO)
    gateway.ask()
    assert gateway.board.status.troubles == ()


def test_fallback_models_are_tried_in_order_and_then_the_last_refusal_is_told(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(fallback_models=(MINIMAX, GPT_OSS))
    upstream.script(BUSY, BUSY, refusal(429))
    assert gateway.ask().status == 429
    assert [received.body["model"] for received in upstream.received] == [GLM, MINIMAX, GPT_OSS]


def test_without_fallback_models_the_refusal_is_told(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(BUSY)
    assert gateway.ask().status == 529


def test_no_fallback_model_is_tried_for_a_malformed_request_or_a_refused_key(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(fallback_models=(MINIMAX,))
    upstream.script(refusal(422, {"message": "messages.0: wrong"}), refusal(401))
    assert gateway.ask().status == 400
    assert gateway.ask().status == 400
    assert len(upstream.received) == 2


# ---- the limit


def test_requests_beyond_the_limit_wait_for_their_turn(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(requests_per_minute=1, timeouts=Timeouts(retry_budget_s=0, queue_s=0.05))
    upstream.script(HELLO)
    assert gateway.ask().status == 200
    refused = gateway.ask()
    assert refused.outcome == (429, "rate_limit_error")
    assert "waited" in refused.sentence
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(upstream.received) == 1


def test_a_client_that_leaves_the_queue_leaves_nothing_behind(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(requests_per_minute=1)
    upstream.script(HELLO)
    gateway.ask()
    with gateway.send_only(question()):
        gateway.wait_active(1)
    gateway.wait_active(0)
    assert len(upstream.received) == 1


def test_a_streamed_request_in_the_queue_gets_pings(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(requests_per_minute=1, timeouts=Timeouts(first_ping_s=0.01, ping_s=0.01))
    upstream.script(HELLO)
    gateway.ask()
    with gateway.stream() as answer:
        answer.read_until("ping")
        answer.read_until("ping")
        gateway.wait_status(lambda status: bool(status.waits))
    gateway.wait_status(lambda status: not status.waits)


def test_no_request_waits_without_a_limit(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(requests_per_minute=0)
    upstream.default = lambda _: HELLO
    assert {gateway.ask().status for _ in range(60)} == {200}


def test_the_demo_has_no_limit(start_gateway: StartGateway) -> None:
    gateway = start_gateway(is_demo=True, requests_per_minute=1)
    assert {gateway.ask(question(max_tokens=5)).status for _ in range(3)} == {200}


def test_a_refusal_of_one_model_does_not_delay_another(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(clients_choose_model=True, requests_per_minute=40)
    upstream.script(refusal(429), HELLO)
    assert gateway.ask(question(model=GLM)).status == 429
    with gateway.stream_later():  # this one waits for the pause of GLM
        assert gateway.ask(question(model=MINIMAX)).status == 200
        upstream.script(stream(text("Hello!"), finish()))


# ---- parameters that a model refuses


@both_ways
def test_a_refused_parameter_is_left_out_at_once_and_from_then_on(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path, is_stream: bool
) -> None:
    gateway = start_gateway(state_folder=tmp_path)
    hello = stream(text("Hello!"), finish()) if is_stream else HELLO
    upstream.script(
        refusal(400, {"error": {"message": "Validation: Unsupported parameter(s): `top_p`", "code": 400}}), hello, hello
    )
    asked = question(stream=is_stream, top_p=0.9, temperature=0.5)
    assert gateway.ask(asked).text == "Hello!"
    assert gateway.ask(asked).text == "Hello!"
    assert ["top_p" in received.body for received in upstream.received] == [True, False, False]
    assert {received.body["temperature"] for received in upstream.received} == {0.5}
    gateway.stop()

    upstream.script(hello)
    assert start_gateway(state_folder=tmp_path).ask(asked).text == "Hello!"
    assert "top_p" not in upstream.received[-1].body


def test_a_refused_field_that_cannot_be_left_out_is_the_clients_error(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(refusal(400, {"error": {"message": "Validation: Unsupported parameter(s): `messages`"}}))
    assert gateway.ask().outcome == (400, "invalid_request_error")
    assert len(upstream.received) == 1


def test_a_stream_that_is_cut_leaves_the_queue_empty(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), gate := Gate()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
    upstream.wait_received().wait_left()
    gate.open()
    gateway.wait_active(0)
    upstream.script(HELLO)
    assert gateway.ask().status == 200
