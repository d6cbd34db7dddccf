"""The requests of one run are numbered, and those that ended last can be asked for."""

from __future__ import annotations

from tests.conftest import StartGateway
from tests.support.fake_upstream import FakeUpstream, hello
from tests.support.gateway import RunningGateway, question
from tray_app.history.record import Outcome, RequestRecord
from tray_app.proxy.exchange.recent import MOST_KEPT, Ended, Recent
from tray_app.settings.keys import Keys

RECORD = RequestRecord(1.0)


def numbers(ended: tuple[Ended, ...]) -> list[int]:
    return [each.number for each in ended]


def ended_in(gateway: RunningGateway) -> list[tuple[int, Outcome]]:
    assert gateway.service.running is not None
    return [(each.number, each.record.outcome) for each in gateway.service.running.gateway.recent.since(0)]


def test_requests_are_listed_in_the_order_in_which_they_ended() -> None:
    recent = Recent()
    assert [recent.take_number() for _ in range(4)] == [1, 2, 3, 4]
    for number in (3, 1, 4):
        recent.add(number, RECORD)
    assert numbers(recent.since(0)) == [3, 1, 4]
    assert numbers(recent.since(3)) == [1, 4]
    assert numbers(recent.since(4)) == []
    assert numbers(recent.since(2)) == [3, 1, 4]


def test_only_the_newest_are_kept() -> None:
    recent = Recent()
    for number in range(1, MOST_KEPT + 6):
        recent.add(number, RECORD)
    assert numbers(recent.since(0))[0] == 6
    assert len(recent.since(2)) == MOST_KEPT
    assert numbers(recent.since(MOST_KEPT + 4)) == [MOST_KEPT + 5]


def test_each_run_has_a_name_of_its_own() -> None:
    assert Recent().run != Recent().run


def test_each_request_for_an_answer_has_a_number_also_if_it_is_refused_and_no_history_is_kept(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(Keys(nvidia="nvapi-of-the-test", server="server-key"), keep_history=False)
    upstream.script(hello(is_stream=False))
    gateway.ask()
    gateway.request("POST", "/v1/messages/count_tokens", question(), x_api_key="server-key")
    gateway.ask(x_api_key="server-key")
    assert ended_in(gateway) == [(1, Outcome.REFUSED), (2, Outcome.ANSWERED)]
