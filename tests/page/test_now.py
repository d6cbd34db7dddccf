"""What an open page is told of requests, by a real gateway in front of a scripted upstream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.fake_upstream import FakeUpstream, hello, refusal
from tests.support.gateway import RunningGateway
from tests.support.page import Browser, NotingDesk
from tests.support.waiting import wait_for
from tray_app.catalog import GLM_4_7
from tray_app.history.record import Outcome, Reason, RequestRecord
from tray_app.page.routes import Page
from tray_app.page.views.ended import find_result, show_ended

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
        told = [next(events) for _ in range(2)]
    assert [(name, data["number"]) for name, _, data in told if name == "ended"] == [("ended", 2)]
    assert "begun" not in [name for name, _, _ in told]


@pytest.mark.parametrize("last_id", ["another-7", "7", "-", "another-x", "another-" + "9" * 5000])
def test_a_page_of_another_run_is_told_that_this_one_began_and_then_all(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream, last_id: str
) -> None:
    ask(paged, upstream)
    with browser.listen(Last_Event_ID=last_id) as events:
        names = [next(events)[0] for _ in range(3)]
    assert names == ["state", "begun", "ended"]


def test_a_failed_request_says_why_and_what_to_do(
    browser: Browser, paged: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(refusal(503))
    paged.ask()
    with browser.listen() as events:
        told = find_next(events, "ended")[1]
    assert told["result"] == {"word": "NVIDIA is overloaded", "tone": "bad"}
    assert told["way_out"]["action"]["do"] == "choose_model"


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
    ],
)
def test_the_result_is_told_in_a_few_words(record: RequestRecord, result: tuple[str, str]) -> None:
    assert find_result(record) == result


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_for_a_model_has_a_sentence(reason: Reason) -> None:
    assert show_ended(1, RequestRecord(1.0, model_id="m", reason=reason), "M", None)["why"].endswith(".")


@pytest.mark.parametrize(
    ("folder", "name"), [("/home/me/shop-api", "shop-api"), ("C:\\work\\shop", "shop"), ("/", "/"), ("", "")]
)
def test_the_name_of_a_folder_is_its_last_part(folder: str, name: str) -> None:
    assert show_ended(1, RequestRecord(1.0, project=folder), "M", None)["what"]["project"] == name
