"""The records of one model: what they say, and for how long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tray_app.proxy.upstream.records import (
    ANSWER_HOLDS_S,
    KEPT_DAYS,
    MOST_TRIES,
    SILENCE_HOLDS_S,
    Record,
    Refusal,
    find_findings,
    utc_date,
)
from tray_app.status.findings import NOTHING_FOUND, Finding, ModelTrouble, Unavailability

NOW_S = 1_795_780_800.0  # 2026-11-27, 12:00 UTC
DAY_S = 24 * 3600.0
TODAY = date(2026, 11, 27)


def find(record: Record, now_s: float = NOW_S) -> Finding:
    return find_findings({"m": record}, now_s).find("m")


def test_an_empty_record_says_nothing() -> None:
    assert find(Record()) == NOTHING_FOUND
    assert utc_date(NOW_S) == TODAY


def test_an_answer_holds_until_the_look_of_the_next_day_has_renewed_it() -> None:
    record = Record(answered_at=NOW_S, called_at=NOW_S)
    assert (find(record).answers, find(record).calls_tools) == (True, True)
    assert find(record, NOW_S + DAY_S + 3600).answers is True
    assert find(record, NOW_S + ANSWER_HOLDS_S).answers is None
    assert find(record).holds_until == NOW_S + ANSWER_HOLDS_S


@pytest.mark.parametrize(
    ("kind", "days"),
    [(Unavailability.RETIRED, 30), (Unavailability.NOT_SERVED, 20 / 24), (Unavailability.NOT_ALLOWED, 1)],
)
def test_a_refusal_holds_for_as_long_as_it_is_likely_to_be_true(kind: Unavailability, days: float) -> None:
    record = Record(refusal=Refusal(kind, NOW_S, "2026-05-14"))
    finding = find(record, NOW_S + days * DAY_S - 1)
    assert (finding.answers, finding.refusal) == (False, ModelTrouble(kind, "2026-05-14"))
    later = find(record, NOW_S + days * DAY_S)
    assert (later.answers, later.refusal) == (None, None)


def test_a_model_that_is_still_not_served_is_asked_ever_more_seldom() -> None:
    refusal, waits_h = Refusal(Unavailability.NOT_SERVED, NOW_S), []
    for _ in range(5):
        waits_h.append((refusal.holds_until - refusal.at) / 3600)
        again_s = refusal.holds_until
        refusal = Refusal(refusal.kind, again_s, doublings=refusal.renew(again_s))
    assert waits_h == [20, 40, 80, 160, 160]
    assert refusal.renew(refusal.at + 1) == refusal.doublings


def test_one_silence_is_no_verdict_and_several_are() -> None:
    assert find(Record(silent=MOST_TRIES - 1, silent_at=NOW_S)).answers is None
    silent = Record(silent=MOST_TRIES, silent_at=NOW_S)
    assert find(silent).answers is False
    assert find(silent, NOW_S + SILENCE_HOLDS_S).answers is None


def test_one_answer_without_the_call_is_no_verdict_and_several_are() -> None:
    assert find(Record(answered_at=NOW_S, uncalled=MOST_TRIES - 1)).calls_tools is None
    assert find(Record(answered_at=NOW_S, uncalled=MOST_TRIES)).calls_tools is False


def test_counts_are_kept_by_day_and_old_days_are_left_out() -> None:
    record = Record()
    for ago in range(KEPT_DAYS + 5, -1, -1):
        record = record.with_day(TODAY - timedelta(days=ago), sent=2, succeeded=1)
    assert len(record.days) == KEPT_DAYS
    record = record.with_day(TODAY, sent=1, failed=1).with_day(TODAY, sent=1, probes=1)
    finding = find(record)
    assert (finding.asked, finding.succeeded, finding.today) == (KEPT_DAYS + 1, KEPT_DAYS, 4)
    assert find(record, NOW_S + DAY_S).today == 0
    assert find(record, NOW_S + KEPT_DAYS * DAY_S).asked == 0


def test_a_clock_that_was_wrong_leaves_no_days_in_the_future() -> None:
    record = Record().with_day(TODAY + timedelta(days=400), sent=1).with_day(TODAY, sent=1)
    assert [day.date for day in record.days] == [TODAY]


def test_requests_tell_more_of_the_first_token_than_a_probe() -> None:
    assert find(Record(probed_s=0.44)).first_token_s == 0.4
    assert find(Record(probed_s=0.44, first_token_s=(9.0, 1.5, 2.0))).first_token_s == 2.0
