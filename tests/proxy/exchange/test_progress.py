"""The progress of requests on the board, in virtual time and with a real gateway."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import delta, finish, text, think, whole_call
from tests.support.fake_upstream import FakeUpstream, Gate, hello, refusal, stream
from tests.support.gateway import QUICK, RunningGateway, question
from tests.support.virtual_time import VirtualLoop, run_virtually
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, NAMED_MODEL_HEADER, Model
from tray_app.errors import Overloaded, RateLimited
from tray_app.proxy.exchange import progress
from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.exchange.progress import PUBLISH_S, SENT_AGAIN_S, SHOW_DELAY_S, SHOW_SILENCE_S, ProgressBook
from tray_app.proxy.upstream.evidence import Evidence
from tray_app.proxy.upstream.outcomes import Outcomes
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.status.board import Status, StatusBoard
from tray_app.status.progress import Delay, RequestPhase, RequestProgress, SessionModel

PASS = asyncio.sleep


@pytest.fixture(autouse=True)
def unix_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's clock goes with the time of the event loop."""
    real = time.time

    def find_unix_time() -> float:
        loop = asyncio.get_running_loop()
        return loop.time() + 1_000 if isinstance(loop, VirtualLoop) else real()

    monkeypatch.setattr(progress, "time", SimpleNamespace(time=find_unix_time))


class Story:
    """A book of records with its board, and each status that the board told, with its time in seconds."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        pacer = Pacer()
        self.book = ProgressBook(self.board, pacer, Outcomes(self.board, pacer, Evidence(self.board)))
        self.told: list[tuple[float, Status]] = []
        self.board.subscribe(lambda status: self.told.append((asyncio.get_running_loop().time(), status)))

    @property
    def request(self) -> RequestProgress:
        [request] = self.board.status.requests
        return request


def test_a_quiet_request_is_told_once_for_each_phase_whatever_it_says() -> None:
    async def story() -> list[tuple[float, list[RequestPhase]]]:
        story = Story()
        with story.book.record(Notes("session")) as record:
            record.choose("nvidia", GLM_4_7)
            record.send()
            for _ in range(600):
                await PASS(0.05)
                record.hear(RequestPhase.TEXT, 5)
        await PASS(1)
        return [(time_s, [request.phase for request in status.requests]) for time_s, status in story.told]

    assert run_virtually(story()) == [(PUBLISH_S, [RequestPhase.TEXT]), (pytest.approx(30, abs=PUBLISH_S), [])]


def test_a_request_that_is_over_at_once_is_never_told() -> None:
    async def story() -> list[tuple[float, Status]]:
        story = Story()
        with story.book.record(Notes("")):
            await PASS(0.1)
        await PASS(10)
        return story.told

    assert run_virtually(story()) == []


def test_a_silence_is_told_each_second_once_it_is_long() -> None:
    async def story() -> list[tuple[int, int]]:
        story = Story()
        with story.book.record(Notes("")) as record:
            record.choose("nvidia", GLM_4_7)
            await PASS(5.1)
            record.send()
            await PASS(SHOW_SILENCE_S + 2.9)
            silent = story.request
            assert (silent.delay, silent.delayed_since - silent.began_at) == (Delay.SILENCE, 5)
            record.hear(RequestPhase.THINKING, 5)
            await PASS(1)
            assert story.request.delay is None
        return [(int(time_s), status.requests[0].delayed_s) for time_s, status in story.told if status.requests]

    assert run_virtually(story()) == [(0, 0), (5, 0), (15, 10), (16, 11), (17, 12), (18, 0)]


def test_retries_count_from_the_begin_of_the_request() -> None:
    async def story() -> RequestProgress:
        story = Story()
        with story.book.record(Notes("")) as record:
            record.choose("nvidia", GLM_4_7)
            for _ in range(4):
                record.wait()
                record.send()
                await PASS(10)
                record.fail(Overloaded("Busy."))
                await PASS(5.1)
            return story.request

    request = run_virtually(story())
    assert (request.phase, request.tries, request.failure) == (RequestPhase.PAUSING, 4, "NVIDIA is overloaded")
    assert (request.delay, request.delayed_s) == (Delay.RETRIES, 60)
    assert request.delayed_since == request.began_at


async def fail_and_come_again(book: ProgressBook, pause_s: float, model: Model, *, gives_up: bool = True) -> None:
    """Fails for 90 s, ends, and comes again after a pause, for 5 s."""
    with book.record(Notes("session")) as record:
        record.choose("nvidia", GLM_4_7)
        record.send()
        record.fail(Overloaded("Busy."))
        await PASS(90)
        if gives_up:
            record.give_up()
    await PASS(pause_s)
    with book.record(Notes("session")) as record:
        record.choose("nvidia", model)
        record.send()
        await PASS(5.1)


@pytest.mark.parametrize(
    ("pause_s", "model", "gives_up", "shown"),
    [
        (20, GLM_4_7, True, ("NVIDIA is overloaded", 2, Delay.RETRIES, 115)),
        (SENT_AGAIN_S, GLM_4_7, True, ("", 1, None, 0)),
        (20, MINIMAX_M2_1, True, ("", 1, None, 0)),
        (20, GLM_4_7, False, ("", 1, None, 0)),
    ],
    ids=["again", "much later", "to another model", "after the user broke it off"],
)
def test_a_request_that_the_client_sends_again_goes_on_waiting(
    pause_s: float, model: Model, gives_up: bool, shown: tuple[object, ...]
) -> None:
    async def story() -> RequestProgress:
        story = Story()
        await fail_and_come_again(story.book, pause_s, model, gives_up=gives_up)
        return story.request

    request = run_virtually(story())
    assert (request.failure, request.tries, request.delay, request.delayed_s) == shown


def test_a_request_that_nvidia_refused_because_of_its_limit_waits_for_the_limit() -> None:
    async def story() -> list[Delay | None]:
        story, delays = Story(), list[Delay | None]()
        with story.book.record(Notes("")) as record:
            record.choose("nvidia", GLM_4_7)
            record.send()
            record.fail(RateLimited("Too many."))
            for pause_s in (SHOW_DELAY_S - 1, 2):
                await PASS(pause_s)
                delays.append(story.request.delay)
        return delays

    assert run_virtually(story()) == [None, Delay.RATE_LIMIT]


def test_waits_are_told_by_model_the_longest_first() -> None:
    async def story() -> list[tuple[str, int, int]]:
        story = Story()
        with story.book.record(Notes("")) as a, story.book.record(Notes("")) as b:
            a.choose("nvidia", MINIMAX_M2_1)
            b.choose("nvidia", MINIMAX_M2_1)
            a.wait()
            b.wait()
            await PASS(4.5)
            with story.book.record(Notes("")) as c, story.book.record(Notes("")) as d:
                c.choose("nvidia", GLM_4_7)
                d.choose("nvidia", GLM_4_7)
                c.wait()
                await PASS(4.4)
        [first, second] = story.told[-1][1].waits
        return [(wait.model, wait.waiting, wait.longest_s) for wait in (first, second)]

    assert run_virtually(story()) == [("MiniMax M2.1", 2, 8), ("GLM 4.7", 1, 4)]


def test_sessions_keep_the_model_that_answered_last() -> None:
    async def story() -> tuple[SessionModel, ...]:
        story = Story()
        for n in range(40):
            with story.book.record(Notes(f"session-{n}")) as record:
                record.choose("nvidia", GLM_4_7)
                await PASS(1)
        with story.book.record(Notes("session-10")) as record:
            record.choose("nvidia", MINIMAX_M2_1)
            await PASS(1)
        return story.board.status.sessions

    sessions = run_virtually(story())
    assert len(sessions) == 32
    assert sessions[0].session_id == "session-8"
    assert sessions[-1] == SessionModel("session-10", "nvidia", "MiniMax M2.1")


def test_the_end_of_the_gateway_clears_what_the_board_shows_of_requests() -> None:
    async def story() -> Status:
        story = Story()
        with story.book.record(Notes("session")) as record:
            record.choose("nvidia", GLM_4_7)
            await PASS(1)
            assert story.board.status.active_requests == 1
            story.book.close()
        await PASS(1)
        return story.board.status

    assert run_virtually(story()) == Status()


# ---- with a real gateway

SESSION = {"x_claude_code_session_id": "fd36f9bb-0001"}


def only_request(gateway: RunningGateway) -> RequestProgress:
    [request] = gateway.board.status.requests
    return replace(request, began_at=0)


@pytest.mark.parametrize(
    ("part", "phase"),
    [
        (think("Hm"), RequestPhase.THINKING),
        (text("Hi"), RequestPhase.TEXT),
        (whole_call("get_weather", {"city": "Oslo"}), RequestPhase.TOOL),
        (delta(content="", reasoning_content="Hm"), RequestPhase.THINKING),
    ],
    ids=["thinking", "text", "tool", "empty text beside thinking"],
)
def test_the_board_shows_what_a_request_does(
    gateway: RunningGateway, upstream: FakeUpstream, part: dict[str, object], phase: RequestPhase
) -> None:
    before, gate = Gate(), Gate()
    upstream.script(stream(part, gate, text("."), finish(), before=before))
    threads = set[str]()
    gateway.board.subscribe(lambda _: threads.add(threading.current_thread().name))
    with gateway.stream_later():
        gateway.wait_status(lambda status: bool(status.requests) and status.requests[0].tries == 1)
        asked = RequestProgress("claude-sonnet-5", GLM_4_7.id, "GLM 4.7", phase=RequestPhase.ASKED, tries=1)
        assert only_request(gateway) == asked
        before.open()
        gateway.wait_status(lambda status: bool(status.requests) and status.requests[0].phase is phase)
        gate.open()
    gateway.wait_active(0)
    assert threads == {"proxy"}


def test_a_retried_request_says_why_and_how_often(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway, gate = start_gateway(timeouts=QUICK), Gate()
    upstream.script(refusal(503), refusal(503), replace(hello(is_stream=False), before=gate))
    with gateway.send_only(question()):
        gateway.wait_status(lambda status: bool(status.requests) and status.requests[0].tries == 3)
        assert only_request(gateway).failure == "NVIDIA is overloaded"
        [shown] = gateway.request("GET", "/health").body["requests"]
        assert (shown["phase"], shown["tries"], shown["failure"]) == ("asked", 3, "NVIDIA is overloaded")
        assert "session_id" not in shown
    gate.open()


@pytest.mark.parametrize(("sent", "known"), [("fd36f9bb-0001", "fd36f9bb-0001"), ("a b", ""), ("x" * 65, "")])
def test_the_session_is_the_one_that_claude_code_names(
    gateway: RunningGateway, upstream: FakeUpstream, sent: str, known: str
) -> None:
    gate = Gate()
    upstream.script(stream(text("Hi"), gate, finish()))
    with gateway.stream(None, x_claude_code_session_id=sent) as answer:
        gateway.wait_status(lambda status: bool(status.requests) and status.requests[0].tries == 1)
        assert only_request(gateway).session_id == known
        gate.open()
        answer.read_rest()
    expected = (SessionModel(known, "claude-sonnet-5", "GLM 4.7"),) if known else ()
    assert gateway.board.status.sessions == expected


@pytest.mark.parametrize(("headers", "follows"), [({}, True), ({NAMED_MODEL_HEADER.replace("-", "_"): "named"}, False)])
def test_a_session_follows_the_tray_unless_it_names_its_model(
    gateway: RunningGateway, upstream: FakeUpstream, headers: dict[str, str], follows: bool
) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask(question(model=GLM_4_7.id), **SESSION, **headers)
    gateway.wait_status(lambda status: bool(status.sessions))
    assert gateway.board.status.sessions[0].follows_tray is follows
