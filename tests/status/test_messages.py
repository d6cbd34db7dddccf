"""The sentences about troubles and about models that NVIDIA withdrew, and which of them are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import MODELS, UNKNOWN
from tray_app.settings.settings import Settings
from tray_app.status.board import Failing, Status, StatusBoard, Topic, Trouble, Wait
from tray_app.status.findings import ModelTrouble, Unavailability
from tray_app.status.messages import explain_unavailability, find_notice, find_successor, find_trouble, list_news
from tray_app.status.progress import Delay, RequestProgress

GLM, MINIMAX, GPT_OSS = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "openai/gpt-oss-20b"
UNFOLLOWED = Settings(follow_successors=False)
RETIRED, NOT_SERVED = ModelTrouble(Unavailability.RETIRED, "2026-05-14"), ModelTrouble(Unavailability.NOT_SERVED)
NO_KEY = Trouble("Add your NVIDIA API key…", "There is no key.")


def with_trouble(model_id: str, trouble: ModelTrouble) -> Status:
    return Status(model_troubles=((model_id, trouble),))


@pytest.mark.parametrize(
    ("status", "settings", "title", "sentence"),
    [
        (
            with_trouble(GLM, RETIRED),
            UNFOLLOWED,
            "GLM 4.7 was retired by NVIDIA – choose a model…",
            'NVIDIA retired GLM 4.7 on 2026-05-14. Choose "Switch to GLM 5.3 Flash", or another model, in the menu.',
        ),
        (
            with_trouble(GPT_OSS, ModelTrouble(Unavailability.RETIRED)),
            replace(UNFOLLOWED, model=GPT_OSS),
            "GPT-OSS 20B was retired by NVIDIA – choose a model…",
            'NVIDIA retired GPT-OSS 20B. Choose "Switch to GLM 5.3 Flash", or another model, in the menu.',
        ),
        (
            with_trouble(MINIMAX, NOT_SERVED),
            replace(UNFOLLOWED, model=MINIMAX),
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
    assert find_trouble(status, settings) == Trouble(title, sentence, view="models")


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
    assert find_trouble(status, UNFOLLOWED) == explain_unavailability(GLM, status, UNFOLLOWED)
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


WAIT = Wait("GLM 4.7", waiting=2, longest_s=12, used=31, limit=40, next_s=5)
WAITS = RequestProgress("nvidia", GLM, "GLM 4.7", delay=Delay.RATE_LIMIT, delayed_s=12)
RETRIED = replace(WAITS, tries=4, failure="NVIDIA is overloaded", delay=Delay.RETRIES, delayed_s=110)
SILENT = replace(WAITS, delay=Delay.SILENCE, delayed_s=40)
BOTH = frozenset({GLM, MINIMAX})
FAILING = (Failing(GLM, "NVIDIA is overloaded"),)


def test_the_longest_delay_is_shown_unless_there_is_trouble() -> None:
    status = Status(requests=(RequestProgress("nvidia"), WAITS, replace(WAITS, delayed_s=3)), waits=(WAIT,))
    assert find_trouble(status, Settings()) is None
    assert find_notice(status, Settings()) == Trouble(
        "Waiting for NVIDIA's rate limit, 12 s",
        "31 of 40 requests this minute went to GLM 4.7; 2 wait, and the next one is sent in 5 s. "
        "Nothing is lost: they go on by themselves. "
        "Fewer agents at once wait less, and so do agents that have another model (background_model in the settings).",
    )
    assert find_notice(replace(status, troubles=((Topic.KEY, NO_KEY),)), Settings()) == NO_KEY
    assert find_notice(Status(requests=(RequestProgress("nvidia"),)), Settings()) is None


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (replace(WAIT, waiting=1, next_s=0), "; 1 waits, and the next one is sent now. "),
        (
            replace(WAIT, used=1, limit=4, next_s=9, is_pause=True),
            "refused a request to GLM 4.7, so there is a pause: 2 requests wait, and the next one is sent in 9 s.",
        ),
        (replace(WAIT, waiting=1, is_pause=True), "pause: 1 request waits, and the next one is sent in 5 s. "),
    ],
    ids=["one", "pause", "one in a pause"],
)
def test_a_wait_says_what_for_and_until_when(wait: Wait, words: str) -> None:
    notice = find_notice(Status(requests=(WAITS,), waits=(wait,)), Settings())
    assert notice is not None
    assert words in notice.sentence


@pytest.mark.parametrize(
    ("request_", "title", "words"),
    [
        (RETRIED, "NVIDIA is overloaded, try 4, 110 s", "the request to GLM 4.7 is at its 4th try. Nothing is lost"),
        (replace(RETRIED, tries=22), "NVIDIA is overloaded, try 22, 110 s", "is at its 22nd try."),
        (SILENT, "No word from GLM 4.7 for 40 s", "The request was sent to GLM 4.7, and NVIDIA says nothing."),
        (WAITS, "Waiting for NVIDIA's rate limit, 12 s", "NVIDIA refuses requests to GLM 4.7,"),
    ],
    ids=["retried", "retried often", "silent", "refused"],
)
def test_each_delay_has_a_title_and_a_sentence(request_: RequestProgress, title: str, words: str) -> None:
    notice = find_notice(Status(requests=(request_,)), Settings())
    assert notice is not None
    assert notice.title == title
    assert words in notice.sentence


@pytest.mark.parametrize(
    ("status", "replacement"),
    [
        (Status(failing=FAILING), "GLM 5.3 Flash"),
        (Status(failing=FAILING, listed_models=frozenset({"z-ai/glm-5.2", GLM, MINIMAX})), "GLM 5.2"),
        (Status(failing=FAILING, listed_models=BOTH, answering=frozenset({MINIMAX})), "MiniMax M2.1"),
        (Status(failing=(*FAILING, Failing("z-ai/glm-5.3-flash", "NVIDIA is overloaded"))), "MiniMax M3.1 Flash"),
    ],
    ids=["a relative", "a listed relative", "one that answers", "the relative fails, too"],
)
def test_another_model_is_offered_while_the_selected_one_keeps_failing(status: Status, replacement: str) -> None:
    offered, notice = find_successor(status, Settings()), find_notice(status, Settings())
    assert offered is not None
    assert offered.label == replacement
    assert notice == Trouble(
        "GLM 4.7 keeps failing – choose a model…",
        "NVIDIA is overloaded, and so GLM 4.7 has not answered for a while. "
        f'Choose "Switch to {replacement}", or another model, in the menu.',
        view="models",
    )


def test_a_long_delay_is_no_other_news_when_the_client_comes_again() -> None:
    retried = Status(requests=(RETRIED,), failing=FAILING)
    between = Status(failing=FAILING)
    quiet_s = replace(RETRIED, delayed_s=5)
    for status in (retried, between, Status(requests=(quiet_s,), failing=FAILING)):
        assert set(list_news(status, Settings())) == {"delay"}


def test_another_model_that_fails_is_no_reason_to_switch() -> None:
    assert find_successor(Status(failing=FAILING), Settings(model=MINIMAX)) is None
    assert find_notice(Status(failing=FAILING), Settings(model=MINIMAX)) is None


def test_a_model_without_a_replacement_says_that_it_keeps_failing() -> None:
    failing = tuple(Failing(model.id, "NVIDIA is overloaded") for model in MODELS)
    notice = find_notice(Status(failing=failing), Settings())
    assert notice is not None
    assert (notice.title, find_successor(Status(failing=failing), Settings())) == ("GLM 4.7 keeps failing", None)


def test_urgent_troubles_are_news() -> None:
    refused, other = Trouble("NVIDIA refused the key – fix…", "It did."), Trouble("Port 3001 is in use", "It is.")
    status = Status(
        troubles=((Topic.START, other), (Topic.REFUSED_KEY, refused)),
        model_troubles=((MINIMAX, RETIRED),),
        requests=(replace(WAITS, delayed_s=61),),
    )
    news = list_news(status, Settings())
    assert (set(news), news["REFUSED_KEY"]) == ({"REFUSED_KEY", MINIMAX, "delay"}, refused)
    assert news[MINIMAX].title == "MiniMax M2.1 was retired by NVIDIA"


def test_a_short_delay_is_no_news() -> None:
    assert not list_news(Status(requests=(replace(WAITS, delayed_s=59),)), Settings())
