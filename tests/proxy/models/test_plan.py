"""Which models are probed, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.nvidia_catalogue import read_day
from tray_app.catalog import DEFAULTS, UNKNOWN
from tray_app.proxy.models.plan import is_due, list_candidates
from tray_app.proxy.upstream.records import MOST_TRIES, RENEW_AFTER_S, SILENCE_HOLDS_S, Record, Refusal
from tray_app.settings.settings import Settings
from tray_app.status.findings import Unavailability

FIRST_DAY = [offer.id for offer in read_day("first_day").models if offer.is_listed]
NOW_S = 1_795_780_800.0
DAY_S = 24 * 3600.0


def plan(*listed: str, settings: Settings | None = None) -> list[str]:
    return [model.id for model in list_candidates(settings or Settings(), listed)]


def test_the_choices_come_first_and_then_the_newest_of_each_family_by_turns() -> None:
    listed = ("z-ai/glm-5.1", "z-ai/glm-6", "minimaxai/minimax-m4", "minimaxai/minimax-m3.1-flash", "z-ai/glm-5.3")
    assert plan(*listed) == [
        *(model.id for model in DEFAULTS),
        *("z-ai/glm-6", "minimaxai/minimax-m4", "z-ai/glm-5.3", "minimaxai/minimax-m3.1-flash", "z-ai/glm-5.1"),
    ]


def test_all_listed_chat_models_are_candidates_and_nothing_else() -> None:
    found = plan(*FIRST_DAY)
    assert len(set(found)) == len(found)
    assert "baai/bge-m3" not in found
    assert "nvidia/nv-embed-v1" not in found
    assert set(found) <= {*FIRST_DAY, *(model.id for model in DEFAULTS)}
    assert len(found) > 65


def test_a_model_that_the_user_chose_is_a_choice_with_a_family() -> None:
    own = replace(UNKNOWN, id="own/model-1", label="Own", in_menu=True)
    settings = Settings(models=(own,), model=own.id)
    assert plan("own/model-2", "z-ai/glm-6", settings=settings)[:5] == [
        *(model.id for model in DEFAULTS),
        *("own/model-1", "z-ai/glm-6", "own/model-2"),
    ]


@pytest.mark.parametrize(
    ("record", "is_needed"),
    [
        (Record(), True),
        (Record(answered_at=NOW_S, called_at=NOW_S), False),
        (Record(answered_at=NOW_S), True),
        (Record(answered_at=NOW_S, uncalled=MOST_TRIES), False),
        (Record(answered_at=NOW_S - RENEW_AFTER_S, called_at=NOW_S - RENEW_AFTER_S), True),
        (Record(silent=1, silent_at=NOW_S), True),
        (Record(silent=MOST_TRIES, silent_at=NOW_S), False),
        (Record(silent=MOST_TRIES, silent_at=NOW_S - SILENCE_HOLDS_S), True),
        (Record(refusal=Refusal(Unavailability.NOT_SERVED, NOW_S)), False),
        (Record(refusal=Refusal(Unavailability.NOT_SERVED, NOW_S - DAY_S)), True),
        (Record(refusal=Refusal(Unavailability.RETIRED, NOW_S - 29 * DAY_S)), False),
        (Record(refusal=Refusal(Unavailability.NOT_ALLOWED, NOW_S)), False),
    ],
    ids=[
        *("nothing is known", "it answered and called", "it answered, and nothing is known of tools"),
        *("it calls no tools", "it answered a day ago", "it was silent once", "it was silent in all tries"),
        *("it was silent long ago", "it is not served", "it was not served", "it is retired", "it is forbidden"),
    ],
)
def test_a_probe_is_due_where_a_gap_is_left(record: Record, is_needed: bool) -> None:
    assert is_due(record, NOW_S, is_asked=False) is is_needed


def test_a_user_who_asks_hears_of_silent_and_forbidden_models_again_but_not_of_refused_ones() -> None:
    assert is_due(Record(silent=MOST_TRIES, silent_at=NOW_S), NOW_S, is_asked=True)
    assert is_due(Record(refusal=Refusal(Unavailability.NOT_ALLOWED, NOW_S)), NOW_S, is_asked=True)
    for kind in (Unavailability.RETIRED, Unavailability.NOT_SERVED):
        assert not is_due(Record(refusal=Refusal(kind, NOW_S)), NOW_S, is_asked=True)
