"""What an open page is told of requests, by a real gateway in front of a scripted upstream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, hello, refusal, stream
from tests.support.gateway import RunningGateway
from tests.support.page import Browser, NotingDesk
from tests.support.waiting import wait_for
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.history.record import CANCELLED, Outcome, Reason, RequestRecord
from tray_app.page.routes import Page
from tray_app.page.views.ended import find_result, show_ended
from tray_app.page.views.now import show_now
from tray_app.status.live import Gauge, LiveRequest, NvidiaQueue
from tray_app.status.progress import Delay, RequestPhase

Events = Iterator[tuple[str, str, Any]]


def find_next(events: Events, name: str) -> tuple[str, Any]:
    """The id and the data of the next event of a name."""
    return next((event_id, data) for found, event_id, data in events if found == name)


def ask(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(hello(is_stream=False))
    gateway.ask()


def test_an_ended_request_is_told_with_the_model_that_answered_and_why(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    with browser.listen() as events:
        assert find_next(events, "begun")[1]["run"]
        ask(paged, upstream)
        event_id, told = find_next(events, "ended")
    assert event_id.endswith("-1")
    assert (told["number"], told["asked"], told["used"]) == (1, "tray", GLM_4_7.label)
    assert told["result"] == {"word": "answered", "tone": "ok"}
    assert told["record"]["asked"] == "claude-sonnet-5"


def test_a_page_that_comes_back_is_told_only_what_is_newer(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    ask(paged, upstream)
    with browser.listen() as events:
        last_id, _ = find_next(events, "ended")
    ask(paged, upstream)
    with browser.listen(Last_Event_ID=last_id) as events:
        told = [next(events) for _ in range(3)]
    assert [name for name, _, _ in told] == ["state", "now", "ended"]
    assert told[2][2]["number"] == 2


@pytest.mark.parametrize("last_id", ["another-7", "7", "-", "another-x", "another-" + "9" * 5000])
def test_a_page_of_another_run_is_told_that_this_one_began_and_then_all(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream, last_id: str
) -> None:
    ask(paged, upstream)
    with browser.listen(Last_Event_ID=last_id) as events:
        names = [next(events)[0] for _ in range(4)]
    assert names == ["state", "now", "begun", "ended"]


def test_a_failed_request_says_why_and_what_to_do(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(refusal(503))
    paged.ask()
    with browser.listen() as events:
        told = find_next(events, "ended")[1]
    assert told["result"] == {"word": "NVIDIA is overloaded", "tone": "bad"}
    assert told["way_out"]["action"]["do"] == "choose_model"


def test_a_running_request_is_told_until_it_ends(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hi"), gate := Gate(), finish()))
    with browser.listen() as events, paged.stream() as answer:
        moments = (data["requests"] for name, _, data in events if name == "now")
        [row] = next(rows for rows in moments if rows and rows[0]["state"]["word"] == "writing")
        assert (row["number"], row["asked"], row["model"], row["other"]) == (1, "tray", GLM_4_7.label, None)
        assert row["tokens"] > 0
        gate.open()
        answer.read_rest()
        assert next(rows for rows in moments if not rows) == []


def test_nothing_is_told_twice_while_nothing_changes(browser: Browser, paged: RunningGateway) -> None:
    with browser.listen() as events:
        first = [next(events)[0] for _ in range(3)]
        paged.configure(log_bodies=True)
        assert [*first, next(events)[0]] == ["state", "now", "begun", "state"]


def test_a_running_request_is_cancelled_from_the_page(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(text("Hi"), Gate(), ends=False))
    with browser.listen() as events, paged.stream() as answer:
        answer.read_until("content_block_start")
        assert browser.act(do="cancel_request", number=1).status == 200
        assert find_next(events, "ended")[1]["result"] == {"word": "cancelled by you", "tone": ""}
        assert answer.read_rest().error["type"]
    assert browser.act(do="cancel_request", number=1).sentence == "This request has ended already."


def test_another_model_answers_a_request_that_waits(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(stream(before=(gate := Gate())), hello(is_stream=True))
    with browser.listen() as events, paged.stream_later() as answer:
        upstream.wait_received()
        assert browser.act(do="ask_instead", number=1, model_id="no/model").status == 400
        assert browser.act(do="ask_instead", number=1, model_id=MINIMAX_M2_1.id).status == 200
        ended = find_next(events, "ended")[1]
        gate.open()
    assert answer.result().text == "Hello!"
    assert (ended["used"], ended["record"]["reason"]) == (MINIMAX_M2_1.label, Reason.CHOSEN)
    assert "answer has begun" in browser.act(do="ask_instead", number=1, model_id=MINIMAX_M2_1.id).sentence


RUNS = LiveRequest(
    number=1,
    asked="claude-sonnet-5",
    model_id=GLM_4_7.id,
    model=GLM_4_7.label,
    reason="tray",
    project="/home/me/shop",
    session_id="",
    kind="",
    turn=None,
    is_background=False,
    phase=RequestPhase.ASKED,
    began_at=1000.0,
    tries=1,
    failure="",
    delay=None,
    delayed_s=0,
    waiting_before=None,
    next_try_at=None,
    tokens=None,
    first_token_s=None,
    can_change_model=False,
)
IDLE = Gauge(GLM_4_7.id, GLM_4_7.label, 0, 40, 0, None, is_pause=False, queue=None, today=412)


def show_row(**changes: Any) -> Any:
    return show_now([replace(RUNS, **changes)], [], IDLE, lambda _: MINIMAX_M2_1)["requests"][0]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"phase": RequestPhase.PREPARING}, ("being prepared", "", "")),
        ({"phase": RequestPhase.WAITING, "waiting_before": 2}, ("waiting for its turn", "", "2 before it")),
        ({"phase": RequestPhase.WAITING, "waiting_before": 0}, ("waiting for its turn", "", "it is the next one")),
        ({}, ("asked", "", "")),
        ({"delay": Delay.SILENCE}, ("asked", "warn", "NVIDIA says nothing at the moment")),
        ({"failure": "it broke", "tries": 2}, ("asked", "warn", "")),
        ({"phase": RequestPhase.THINKING}, ("thinking", "ok", "")),
        ({"phase": RequestPhase.TEXT}, ("writing", "ok", "")),
        ({"phase": RequestPhase.TOOL}, ("calling a tool", "ok", "")),
        (
            {"phase": RequestPhase.PAUSING, "failure": "NVIDIA is overloaded", "tries": 4},
            ("NVIDIA is overloaded", "warn", "4 tries"),
        ),
        ({"phase": RequestPhase.PAUSING, "failure": "77 wait", "tries": 1}, ("77 wait", "warn", "1 try")),
    ],
)
def test_the_state_of_a_running_request_is_told_in_words(changes: dict[str, Any], state: tuple[str, str, str]) -> None:
    shown = show_row(**changes)["state"]
    assert (shown["word"], shown["tone"], shown["details"]) == state


def test_a_request_that_is_tried_again_tells_why_and_what_comes_when() -> None:
    again = show_row(phase=RequestPhase.WAITING, failure="it broke", next_try_at=1010.0)["state"]
    assert (again["note"], again["next"], again["next_at"]) == ("before that: it broke", "in", 1010.0)
    paused = show_row(phase=RequestPhase.PAUSING, failure="it broke", next_try_at=1010.0)["state"]
    assert (paused["note"], paused["next"], paused["next_at"]) == ("", "next in", 1010.0)


def test_another_model_is_offered_only_while_nothing_has_come_and_it_takes_long() -> None:
    assert show_row(delay=Delay.RETRIES, can_change_model=True)["other"]["id"] == MINIMAX_M2_1.id
    assert show_row(failure="it broke", can_change_model=True)["other"] is not None
    assert show_row(can_change_model=True)["other"] is None
    assert show_row(delay=Delay.RETRIES, can_change_model=False)["other"] is None


def test_the_chosen_model_has_a_gauge_while_nothing_runs() -> None:
    shown = show_now([], [], IDLE, lambda _: None)
    assert [(gauge["used"], gauge["limit"], gauge["next_slot_at"]) for gauge in shown["gauges"]] == [(0, 40, None)]
    assert shown["day"] == {
        "model_id": GLM_4_7.id,
        "model": GLM_4_7.label,
        "requests": 412,
        "limit": 10_000,
    }


def test_each_model_in_use_has_a_gauge_and_the_newest_word_of_nvidias_queue_is_told() -> None:
    first = replace(IDLE, queue=NvidiaQueue(77, 32, 10.0), used=31)
    second = replace(IDLE, model_id="other", model="Other", queue=NvidiaQueue(5, 8, 20.0))
    shown = show_now([], [first, second], IDLE, lambda _: None)
    assert [gauge["used"] for gauge in shown["gauges"]] == [31, 0]
    assert shown["queue"] == {"waiting": 5, "places": 8, "told_at": 20.0, "model": "Other"}


def test_a_page_that_has_left_costs_nothing(start_gateway: StartGateway, tmp_path: Path) -> None:
    page = Page(tmp_path, tmp_path / "history.sqlite3", NotingDesk())
    browser = Browser(start_gateway(make_page=lambda: page).address.url, tmp_path)
    browser.enter()
    with browser.listen() as events:
        next(events)
        assert page.feeds.open_count == 1
    wait_for(lambda: page.feeds.open_count == 0, "the end of the feed")


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (RequestRecord(1.0), ("answered", "ok")),
        (RequestRecord(1.0, tool_calls=1), ("1 tool call", "ok")),
        (RequestRecord(1.0, tool_calls=2), ("2 tool calls", "ok")),
        (RequestRecord(1.0, outcome=Outcome.LEFT), ("the client left", "")),
        (RequestRecord(1.0, outcome=Outcome.FAILED, cause="it broke"), ("it broke", "bad")),
        (RequestRecord(1.0, outcome=Outcome.REFUSED), ("refused here", "bad")),
        (RequestRecord(1.0, outcome=Outcome.FAILED, error=CANCELLED), ("cancelled by you", "")),
    ],
)
def test_the_result_is_told_in_a_few_words(record: RequestRecord, result: tuple[str, str]) -> None:
    assert find_result(record) == result


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_for_a_model_has_a_sentence(reason: Reason) -> None:
    assert show_ended(1, RequestRecord(1.0, model_id="m", reason=reason), "M", None)["why"].endswith(".")


@pytest.mark.parametrize(
    ("record", "title"),
    [
        (RequestRecord(1.0, kind="turn", turn=14), "Turn 14"),
        (RequestRecord(1.0, kind="turn"), "Turn"),
        (RequestRecord(1.0, kind="sub-agent"), "Sub-agent"),
        (RequestRecord(1.0, kind="title", is_background=True), "Title"),
        (RequestRecord(1.0, kind="other"), "Request"),
        (RequestRecord(1.0, is_background=True), "Background request"),
    ],
)
def test_the_title_of_a_request_says_what_it_is_for(record: RequestRecord, title: str) -> None:
    assert show_ended(1, record, "M", None)["what"]["title"] == title


@pytest.mark.parametrize(
    ("folder", "name"), [("/home/me/shop-api", "shop-api"), ("C:\\work\\shop", "shop"), ("/", "/"), ("", "")]
)
def test_the_name_of_a_folder_is_its_last_part(folder: str, name: str) -> None:
    assert show_ended(1, RequestRecord(1.0, project=folder), "M", None)["what"]["project"] == name
