"""What the page is told of the running requests and of the pace of each model, by a real gateway."""

from __future__ import annotations

import json
import time

import msgspec

from tests.conftest import StartGateway
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, hello, refusal, stream
from tests.support.gateway import QUICK, RunningGateway, question
from tests.support.waiting import wait_for
from tray_app.catalog import GLM_4_7, PROJECT_HEADER
from tray_app.history.record import Reason
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.status.live import Gauge, LiveRequest
from tray_app.status.progress import RequestPhase

PAUSES = Timeouts(first_pause_s=50, longest_pause_s=50, error_pause_s=0)
"""A request that fails pauses for longer than a test takes."""


def live(running: RunningGateway) -> tuple[LiveRequest, ...]:
    return running.inside(Gateway.live)


def gauge(running: RunningGateway) -> Gauge:
    [found] = running.inside(Gateway.gauges)
    return found


def test_nothing_is_told_while_nothing_runs(gateway: RunningGateway) -> None:
    assert live(gateway) == ()
    assert gateway.inside(Gateway.gauges) == ()


def test_a_request_is_told_from_its_sending_to_its_answer(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    before, gate = Gate(), Gate()
    upstream.script(stream(text("x" * 400), gate, text("."), finish(), before=before))
    began_s = time.time()
    with gateway.stream_later():
        asked = gateway.wait_request(lambda request: request.phase is RequestPhase.ASKED)
        assert (asked.number, asked.asked, asked.model_id, asked.model) == (1, "claude-sonnet-5", GLM_4_7.id, "GLM 4.7")
        assert (asked.reason, asked.tries, asked.failure, asked.delay) == (Reason.TRAY.value, 1, "", None)
        assert (asked.tokens, asked.first_token_s, asked.waiting_before, asked.next_try_at) == (None, None, None, None)
        assert began_s <= asked.began_at <= time.time()
        before.open()
        heard = gateway.wait_request(lambda request: request.tokens is not None)
        assert heard.tokens is not None
        assert 50 < heard.tokens < 200
        assert heard.first_token_s is not None
        assert json.loads(msgspec.json.encode(heard))["phase"] == "text"
        gate.open()
    wait_for(lambda: not live(gateway), "the end of the request")


def test_the_project_and_the_session_are_told(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hi"), gate := Gate(), finish()))
    headers = {"x_claude_code_session_id": "session-1", PROJECT_HEADER: "/home/me"}
    with gateway.stream(None, **headers) as answer:
        [found] = live(gateway)
        assert (found.session_id, found.project) == ("session-1", "/home/me")
        gate.open()
        answer.read_rest()


def test_no_key_that_a_client_sends_is_told(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hi"), gate := Gate(), finish()))
    with gateway.stream(question(model=f"model-{gateway.keys.nvidia}")) as answer:
        [found] = live(gateway)
        assert found.asked == "model-[hidden]"
        gate.open()
        answer.read_rest()


def test_a_pause_after_a_failure_says_why_and_when_it_ends(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(timeouts=PAUSES)
    upstream.script(refusal(503, {"detail": "ResourceExhausted: Worker local total request limit reached (77/32)"}))
    with gateway.send_only(question()):
        paused = gateway.wait_request(lambda request: request.next_try_at is not None)
        assert (paused.phase, paused.failure) == (RequestPhase.PAUSING, "77 wait for 32 places at NVIDIA")
        assert paused.next_try_at is not None
        assert paused.next_try_at > time.time()
        assert live(gateway) == (paused,), "the same moment has the same time whenever one looks"
        told = gauge(gateway).queue
        assert told is not None
        assert (told.waiting, told.places) == (77, 32)
        assert paused.began_at <= told.told_at <= time.time()


def test_what_nvidia_told_of_its_queue_is_forgotten_when_its_next_refusal_does_not_tell(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=QUICK)
    busy = refusal(503, {"detail": "ResourceExhausted: Worker local total request limit reached (77/32)"})
    upstream.script(busy, refusal(503), hello(is_stream=False))
    gateway.ask()
    assert gauge(gateway).queue is None


def test_requests_that_wait_for_their_turn_know_their_place(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway, gate = start_gateway(requests_per_minute=1), Gate()
    upstream.script(stream(text("Hi"), gate, finish()))
    with gateway.stream() as answer, gateway.send_only(question()):
        first = gateway.wait_request(lambda request: request.number == 2 and request.waiting_before is not None)
        with gateway.send_only(question()):
            second = gateway.wait_request(lambda request: request.number == 3 and request.waiting_before is not None)
            assert (first.waiting_before, second.waiting_before) == (0, 1)
            assert first.next_try_at is not None
            assert second.next_try_at is not None
            assert time.time() < first.next_try_at < second.next_try_at
            found = gauge(gateway)
            assert (found.model_id, found.model, found.used, found.limit, found.waiting) == (
                GLM_4_7.id,
                "GLM 4.7",
                1,
                1,
                2,
            )
            assert (found.next_slot_at, found.is_pause, found.queue) == (first.next_try_at, False, None)
        gate.open()
        answer.read_rest()


def test_a_model_with_room_takes_a_request_at_once(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask()
    found = gauge(gateway)
    assert (found.used, found.waiting, found.next_slot_at) == (1, 0, None)


def test_looking_changes_nothing_on_the_board(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hi"), gate := Gate(), finish()))
    with gateway.stream() as answer:
        gateway.wait_status(lambda status: bool(status.requests) and status.requests[0].phase is RequestPhase.TEXT)
        before = gateway.board.status
        live(gateway)
        gateway.inside(Gateway.gauges)
        assert gateway.board.status is before
        gate.open()
        answer.read_rest()
