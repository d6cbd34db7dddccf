"""The sentences about troubles and about models that NVIDIA withdrew, and which of them are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import UNKNOWN
from tray_app.settings.settings import Settings
from tray_app.status.board import Status, StatusBoard, Topic, Trouble, Wait
from tray_app.status.findings import ModelTrouble, Unavailability
from tray_app.status.messages import explain_unavailability, find_notice, find_successor, find_trouble, list_news
from tray_app.status.troubles import waiting

GLM, MINIMAX, GPT_OSS = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "openai/gpt-oss-20b"
RETIRED, NOT_SERVED = ModelTrouble(Unavailability.RETIRED, "2026-05-14"), ModelTrouble(Unavailability.NOT_SERVED)
NO_KEY = Trouble("Add your NVIDIA API key…", "There is no key.")


def with_trouble(model_id: str, trouble: ModelTrouble) -> Status:
    return Status(model_troubles=((model_id, trouble),))


@pytest.mark.parametrize(
    ("status", "settings", "title", "sentence"),
    [
        (
            with_trouble(GLM, RETIRED),
            Settings(),
            "GLM 4.7 was retired by NVIDIA – choose a model…",
            'NVIDIA retired GLM 4.7 on 2026-05-14. Choose "Switch to GLM 5.3 Flash", or another model, in the menu.',
        ),
        (
            with_trouble(GPT_OSS, ModelTrouble(Unavailability.RETIRED)),
            Settings(model=GPT_OSS),
            "GPT-OSS 20B was retired by NVIDIA – choose a model…",
            'NVIDIA retired GPT-OSS 20B. Choose "Switch to GLM 5.3 Flash", or another model, in the menu.',
        ),
        (
            with_trouble(MINIMAX, NOT_SERVED),
            Settings(model=MINIMAX),
            "MiniMax M2.1 is not served by NVIDIA – choose a model…",
            "NVIDIA does not serve MiniMax M2.1 to your API key. "
            'Choose "Switch to MiniMax M3.1 Flash", or another model, in the menu.',
        ),
    ],
    ids=["retired", "retired, without date and relatives", "not served"],
)
def test_a_selected_model_that_nvidia_withdrew_is_a_trouble(
    status: Status, settings: Settings, title: str, sentence: str
) -> None:
    assert find_trouble(status, settings) == Trouble(title, sentence)


def test_another_model_that_nvidia_withdrew_is_no_trouble_but_has_a_sentence() -> None:
    status = with_trouble(MINIMAX, RETIRED)
    assert find_trouble(status, Settings()) is None
    told = Trouble("MiniMax M2.1 was retired by NVIDIA", "NVIDIA retired MiniMax M2.1 on 2026-05-14.")
    assert explain_unavailability(MINIMAX, status, Settings()) == told


def test_a_retirement_of_which_only_the_month_is_known_names_the_month() -> None:
    status = with_trouble(MINIMAX, ModelTrouble(Unavailability.RETIRED, "2026-04"))
    told = explain_unavailability(MINIMAX, status, Settings())
    assert told is not None
    assert told.sentence == "NVIDIA retired MiniMax M2.1 in 2026-04."


def test_a_model_that_left_the_settings_has_no_sentence() -> None:
    assert explain_unavailability("lab/own", with_trouble("lab/own", RETIRED), Settings()) is None
    replaced = Settings(aliases={GLM: "z-ai/glm-5.2"})
    assert explain_unavailability(GLM, with_trouble(GLM, RETIRED), replaced) is None


def test_a_port_in_use_is_never_hidden_by_a_fallback_model() -> None:
    board = StatusBoard()
    board.report(Topic.FALLBACK, Trouble("MiniMax M2.1 answers for GLM 4.7", "It does."))
    board.report(Topic.SETTINGS, Trouble("Settings file has a problem…", "It has."))
    board.report(Topic.START, port := Trouble("Port 3001 is in use – fix…", "It is."))
    assert find_trouble(board.status, Settings()) == port


@pytest.mark.parametrize("topic", [Topic.START, Topic.KEY, Topic.REFUSED_KEY])
def test_a_trouble_that_stops_every_request_is_more_urgent_than_a_withdrawn_model(topic: Topic) -> None:
    status = replace(with_trouble(GLM, RETIRED), troubles=((topic, NO_KEY),))
    assert find_trouble(status, Settings()) == NO_KEY


@pytest.mark.parametrize("topic", [Topic.SETTINGS, Topic.FALLBACK])
def test_a_withdrawn_model_is_more_urgent_than_a_trouble_that_stops_no_request(topic: Topic) -> None:
    status = replace(with_trouble(GLM, RETIRED), troubles=((topic, other := Trouble("Something else", "It is.")),))
    assert find_trouble(status, Settings()) == explain_unavailability(GLM, status, Settings())
    assert find_trouble(status, Settings(model=MINIMAX)) == other, "the selected model is another one"


def test_a_model_that_is_only_not_listed_is_no_trouble_but_has_a_successor() -> None:
    status = Status(listed_models=frozenset({"z-ai/glm-5.3"}))
    assert find_trouble(status, Settings()) is None
    successor = find_successor(status, Settings())
    assert successor is not None
    assert successor.id == "z-ai/glm-5.3"


def test_for_an_own_model_that_is_not_listed_only_the_successor_that_the_user_set_is_offered() -> None:
    status = Status(listed_models=frozenset({"z-ai/glm-5.3"}))
    own = replace(UNKNOWN, id="lab/own", label="Own", letter="O")
    assert find_successor(status, Settings(model=own.id, models=(own,))) is None
    succeeded = replace(own, successor="z-ai/glm-5.3")
    successor = find_successor(status, Settings(model=own.id, models=(succeeded,)))
    assert successor is not None
    assert successor.id == "z-ai/glm-5.3"


def test_without_trouble_there_is_no_model_to_switch_to() -> None:
    assert find_trouble(Status(), Settings()) is None
    assert find_successor(Status(), Settings()) is None
    assert find_successor(with_trouble(MINIMAX, RETIRED), Settings()) is None


def test_the_longest_wait_is_shown_unless_there_is_trouble() -> None:
    wait = Wait("GLM 4.7", waiting=2, longest_s=12, used=31, limit=40)
    status = Status(waits=(wait, Wait("MiniMax M2.1", waiting=1, longest_s=3, used=40, limit=40)))
    assert find_trouble(status, Settings()) is None
    assert find_notice(status, Settings()) == Trouble(
        "Waiting for NVIDIA's rate limit, 12 s",
        "31 of 40 requests this minute went to GLM 4.7; 2 wait. Nothing is lost: they go on by themselves. "
        "Fewer agents at once wait less.",
    )
    assert find_notice(Status(waits=(wait,), troubles=((Topic.KEY, NO_KEY),)), Settings()) == NO_KEY
    assert find_notice(Status(), Settings()) is None
    assert "; 1 waits." in waiting(status.waits[1]).sentence


def test_urgent_troubles_are_news() -> None:
    refused, other = Trouble("NVIDIA refused the key – fix…", "It did."), Trouble("Port 3001 is in use", "It is.")
    wait = Wait("GLM 4.7", waiting=2, longest_s=61, used=31, limit=40)
    status = Status(
        troubles=((Topic.START, other), (Topic.REFUSED_KEY, refused)),
        model_troubles=((MINIMAX, RETIRED),),
        waits=(wait,),
    )
    news = list_news(status, Settings())
    assert (set(news), news["REFUSED_KEY"]) == ({"REFUSED_KEY", MINIMAX, "wait"}, refused)
    assert news[MINIMAX].title == "MiniMax M2.1 was retired by NVIDIA"


def test_a_short_wait_is_no_news() -> None:
    wait = Wait("GLM 4.7", waiting=2, longest_s=59, used=31, limit=40)
    assert not list_news(Status(waits=(wait,)), Settings())
