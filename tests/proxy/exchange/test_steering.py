"""The user cancels running requests, or has another model asked, at each moment at which that may happen."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEYS, StartGateway
from tests.proxy.exchange.test_search import Backend, search_question
from tests.sessions.claude_run import run_claude
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, Received, hello, refusal, stream
from tests.support.gateway import AT_ONCE, QUICK, Answer, RunningGateway, both_ways, question
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.history.record import Outcome, Reason
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.settings import Address, Settings
from tray_app.status.live import LiveRequest
from tray_app.status.progress import RequestPhase

SENTENCE = "Cancelled on the page of Claude NVIDIA Tray."
CAUSE = "cancelled by the user"
SESSION = {"x_claude_code_session_id": "session-1"}

PAUSES = Timeouts(first_pause_s=50, longest_pause_s=50, error_pause_s=0)
"""A request that fails pauses for longer than a test takes."""
PINGS = replace(AT_ONCE, first_ping_s=0.001)
"""A stream is opened by a ping before its content comes."""


def cancel(running: RunningGateway, number: int) -> bool:
    return running.inside(lambda gateway: gateway.cancel(number))


def ask_minimax(running: RunningGateway, number: int) -> bool:
    return running.inside(lambda gateway: gateway.ask_instead(number, MINIMAX_M2_1))


def is_asked(request: LiveRequest) -> bool:
    return request.phase is RequestPhase.ASKED


def is_pausing(request: LiveRequest) -> bool:
    return request.next_try_at is not None and request.phase is RequestPhase.PAUSING


class Asking:
    """A request that is sent in another thread."""

    def __init__(self, gateway: RunningGateway, body: dict[str, Any] | None = None, **headers: str) -> None:
        self._answers: list[Answer] = []
        self._thread = threading.Thread(target=lambda: self._answers.append(gateway.ask(body, **headers)))
        self._thread.start()

    def wait(self) -> Answer:
        self._thread.join(20)
        return self._answers[0]


# ---- cancelling


@both_ways
def test_a_request_without_an_answer_is_cancelled_with_an_error_that_nobody_repeats(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.script(replace(hello(is_stream=is_stream), before=(gate := Gate())))
    asking = Asking(gateway, question(stream=is_stream))
    gateway.wait_request(is_asked)
    assert cancel(gateway, 1)
    answer = asking.wait()
    assert (answer.outcome, answer.sentence) == ((400, "billing_error"), SENTENCE)
    assert answer.headers["x-should-retry"] == "false"
    upstream.wait_received().wait_left()
    record = gateway.wait_ended()
    assert (record.outcome, record.error, record.cause) == (Outcome.FAILED, "CancelledByUser", CAUSE)
    gate.open()


def test_a_request_that_waits_for_its_turn_is_cancelled_and_frees_its_place(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(requests_per_minute=1)
    upstream.script(hello(is_stream=False))
    gateway.ask()
    asking = Asking(gateway)
    gateway.wait_request(lambda request: request.waiting_before == 0)
    assert cancel(gateway, 2)
    assert asking.wait().sentence == SENTENCE
    assert gateway.inside(lambda inner: inner.pacer.waiting_count) == 0
    assert gateway.wait_ended(2).outcome is Outcome.REFUSED


def test_a_request_that_pauses_between_two_tries_is_cancelled(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=PAUSES)
    upstream.script(refusal(503))
    asking = Asking(gateway)
    gateway.wait_request(is_pausing)
    assert cancel(gateway, 1)
    assert asking.wait().sentence == SENTENCE
    assert gateway.wait_ended().cause == CAUSE


def test_an_answer_that_streams_ends_with_the_error(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        assert cancel(gateway, 1)
        assert answer.read_rest().error == {"type": "billing_error", "message": SENTENCE}
    upstream.wait_received().wait_left()
    assert gateway.wait_ended().cause == CAUSE
    gate.open()


def test_a_web_search_is_cancelled() -> None:
    gate = Gate()
    gateway = RunningGateway(Settings(addr=Address("127.0.0.1", 0)), KEYS, search_backend=Backend(gate=gate))
    asking = Asking(gateway, search_question())
    gate.wait_reached()
    assert cancel(gateway, 1)
    assert asking.wait().sentence == SENTENCE
    gate.open()
    gateway.stop()


def test_what_is_over_or_unknown_cannot_be_cancelled(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask()
    gateway.wait_active(0)
    assert not cancel(gateway, 1)
    assert not cancel(gateway, 2)
    assert not ask_minimax(gateway, 1)


def test_a_request_is_cancelled_once(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(replace(hello(is_stream=False), before=(gate := Gate())))
    asking = Asking(gateway)
    gateway.wait_request(is_asked)
    assert gateway.inside(lambda inner: [inner.cancel(1), inner.cancel(1), inner.ask_instead(1, MINIMAX_M2_1)]) == [
        True,
        False,
        False,
    ]
    assert asking.wait().sentence == SENTENCE
    gate.open()


def test_a_request_whose_client_has_left_cannot_be_cancelled(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with gateway.stream():
        gate.wait_reached()
    gateway.wait_ended()
    assert not cancel(gateway, 1)
    gate.open()


@pytest.mark.parametrize("is_cancel", [True, False], ids=["cancelled", "another model"])
def test_if_the_client_leaves_in_the_same_moment_it_has_left(
    gateway: RunningGateway, upstream: FakeUpstream, is_cancel: bool
) -> None:
    upstream.script(replace(hello(is_stream=False), before=(gate := Gate())))

    def interrupt(inner: Gateway) -> bool:
        [task] = inner.serving
        task.cancel()  # as aiohttp does when a client has left
        return inner.cancel(1) if is_cancel else inner.ask_instead(1, MINIMAX_M2_1)

    with gateway.send_only(question()):
        gateway.wait_request(is_asked)
        assert gateway.inside(interrupt)
        assert gateway.wait_ended().outcome is Outcome.LEFT
    gate.open()


def test_a_cancelled_request_that_the_quitting_app_cancels_as_well_says_that_it_quits(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(replace(hello(is_stream=False), before=(gate := Gate())))

    def interrupt(inner: Gateway) -> None:
        inner.cancel(1)
        inner.begin_drain()
        inner.cancel_drain()

    asking = Asking(gateway)
    gateway.wait_request(is_asked)
    gateway.inside(interrupt)
    assert "was quit" in asking.wait().sentence
    gate.open()


# ---- the request that Claude Code sends again


def cancel_in_the_middle(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with gateway.stream(None, **SESSION) as answer:
        answer.read_until("content_block_delta")
        assert cancel(gateway, 1)
        answer.read_rest()
    gate.open()


def test_a_cancelled_stream_that_is_asked_for_again_is_refused_once(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    cancel_in_the_middle(gateway, upstream)
    assert gateway.ask(**SESSION).sentence == SENTENCE
    upstream.script(hello(is_stream=False))
    assert gateway.ask(**SESSION).text == "Hello!"


def test_a_longer_conversation_and_another_session_are_not_refused(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    cancel_in_the_middle(gateway, upstream)
    upstream.script(*[hello(is_stream=False)] * 3)
    talk = [*question()["messages"], {"role": "assistant", "content": "Hel"}, {"role": "user", "content": "Go on"}]
    assert gateway.ask(question(messages=talk), **SESSION).text == "Hello!"
    assert gateway.ask(x_claude_code_session_id="session-2").text == "Hello!"
    assert gateway.ask().text == "Hello!"


def test_a_request_that_was_cancelled_before_its_stream_is_not_expected_again(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(replace(hello(is_stream=True), before=(gate := Gate())), hello(is_stream=False))
    asking = Asking(gateway, question(stream=True), **SESSION)
    gateway.wait_request(is_asked)
    assert cancel(gateway, 1)
    assert asking.wait().status == 400
    assert gateway.ask(**SESSION).text == "Hello!"
    gate.open()


@pytest.mark.kit
def test_claude_code_shows_that_its_request_was_cancelled_and_does_not_repeat_it(
    gateway: RunningGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    gate = Gate()
    upstream.script(stream(text("The beginning of an answer"), gate, finish()))

    def watch(part: bytes) -> None:
        if b"The beginning" in part:
            assert cancel(gateway, 1)

    run = run_claude(gateway, tmp_path, "Say hello.", watch=watch)
    gate.open()
    assert SENTENCE in run.printed
    assert run.statuses == [200, 400]
    assert len(upstream.received) == 1


# ---- another model


def script_switch(upstream: FakeUpstream, *, is_stream: bool) -> Gate:
    """The first model says nothing, the second one answers."""
    upstream.script(replace(hello(is_stream=is_stream), before=(gate := Gate())), hello(is_stream=is_stream))
    return gate


def check_switched(gateway: RunningGateway, upstream: FakeUpstream, answer: Answer, tries: int = 2) -> None:
    assert answer.text == "Hello!"
    record = gateway.wait_ended()
    assert (record.model_id, record.reason, record.tries) == (MINIMAX_M2_1.id, Reason.CHOSEN, tries)
    assert (record.outcome, record.error) == (Outcome.ANSWERED, "")
    assert upstream.received[-1].body["model"] == MINIMAX_M2_1.id


@both_ways
def test_another_model_answers_a_request_that_was_asked_already(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    gate = script_switch(upstream, is_stream=is_stream)
    asking = Asking(gateway, question(stream=is_stream))
    assert gateway.wait_request(is_asked).can_change_model
    first: Received = upstream.wait_received()
    assert ask_minimax(gateway, 1)
    answer = asking.wait()
    first.wait_left()
    check_switched(gateway, upstream, answer)
    gate.open()


def test_another_model_answers_after_a_ping_has_opened_the_stream(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=PINGS)
    gate = script_switch(upstream, is_stream=True)
    with gateway.stream() as answer:
        answer.read_until("ping")
        assert ask_minimax(gateway, 1)
        check_switched(gateway, upstream, answer.read_rest())
    gate.open()


def test_another_model_answers_a_request_that_waits_for_its_turn(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(requests_per_minute=1)
    upstream.script(*[hello(is_stream=False)] * 2)
    gateway.ask()
    asking = Asking(gateway)
    gateway.wait_request(lambda request: request.waiting_before == 0)
    assert ask_minimax(gateway, 2)
    assert asking.wait().text == "Hello!"
    record = gateway.wait_ended(2)
    assert (record.model_id, record.reason, record.tries) == (MINIMAX_M2_1.id, Reason.CHOSEN, 1)


def test_another_model_answers_a_request_that_pauses(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(timeouts=PAUSES)
    upstream.script(refusal(503), hello(is_stream=False))
    asking = Asking(gateway)
    gateway.wait_request(is_pausing)
    assert ask_minimax(gateway, 1)
    check_switched(gateway, upstream, asking.wait())


def test_an_answer_that_has_begun_keeps_its_model(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
    with gateway.stream() as answer:
        answer.read_until("content_block_delta")
        assert not gateway.wait_request(lambda request: request.tries == 1).can_change_model
        assert not ask_minimax(gateway, 1)
        gate.open()
        assert answer.read_rest().text == "Hello"


def test_the_other_model_is_tried_again_and_may_be_replaced_and_cancelled_as_well(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=QUICK)
    before = [Gate() for _ in range(2)]
    upstream.script(
        replace(hello(is_stream=False), before=before[0]),
        refusal(503),
        replace(hello(is_stream=False), before=before[1]),
    )
    asking = Asking(gateway)
    gateway.wait_request(is_asked)
    assert ask_minimax(gateway, 1)
    gateway.wait_request(
        lambda request: request.model_id == MINIMAX_M2_1.id and request.tries == 2 and is_asked(request)
    )
    assert cancel(gateway, 1)
    assert asking.wait().sentence == SENTENCE
    for gate in before:
        gate.open()


def test_the_last_of_two_wishes_in_one_moment_counts(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    gate = script_switch(upstream, is_stream=False)
    asking = Asking(gateway)
    gateway.wait_request(is_asked)
    assert gateway.inside(lambda inner: [inner.ask_instead(1, model) for model in (GLM_4_7, MINIMAX_M2_1)]) == [
        True,
        True,
    ]
    check_switched(gateway, upstream, asking.wait())
    gate.open()
