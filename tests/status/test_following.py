"""Following: which model answers for a choice, given the status and the settings, and what the user is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import GLM_4_7, GLM_5_3_FLASH, MINIMAX_M2_1, MINIMAX_M3_1_FLASH
from tray_app.settings.settings import Settings
from tray_app.status.board import Failing, Status
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability
from tray_app.status.following import find_answering, find_catalog, find_stand_ins, label_choice
from tray_app.status.messages import explain_stand_in, find_successor, find_trouble, list_news

RETIRED = ModelTrouble(Unavailability.RETIRED, "2026-05-14")
GOOD = Finding(answers=True, calls_tools=True)
REFUSED = Status(model_troubles=((GLM_4_7.id, RETIRED),))
FOLLOWED = replace(REFUSED, findings=Findings({GLM_5_3_FLASH.id: GOOD}))
LABEL = "GLM 4.7 (retired): GLM 5.3 Flash"


@pytest.mark.parametrize("status", [REFUSED, FOLLOWED], ids=["nothing else is known", "its relative answers"])
def test_a_refused_choice_is_followed_by_its_relative(status: Status) -> None:
    assert find_answering(GLM_4_7, status, Settings()) is GLM_5_3_FLASH
    assert label_choice(GLM_4_7, status, Settings()) == LABEL
    assert find_stand_ins(status, Settings()) == {GLM_4_7.id: GLM_5_3_FLASH}


def test_no_model_is_followed_if_the_user_does_not_want_it_or_the_demo_answers() -> None:
    settings = Settings(follow_successors=False)
    assert find_answering(GLM_4_7, FOLLOWED, settings) is GLM_4_7
    assert label_choice(GLM_4_7, FOLLOWED, settings) == "GLM 4.7 (retired)"
    demo = replace(FOLLOWED, is_demo=True)
    assert find_answering(GLM_4_7, demo, Settings()) is GLM_4_7
    assert label_choice(GLM_4_7, demo, Settings()) == "GLM 4.7"


def test_a_model_that_keeps_failing_is_not_followed_and_follows_no_other() -> None:
    failing = (Failing(MINIMAX_M2_1.id, "NVIDIA is overloaded"), Failing(GLM_5_3_FLASH.id, "NVIDIA is overloaded"))
    status = replace(FOLLOWED, failing=failing)
    assert find_answering(MINIMAX_M2_1, status, Settings()).id == MINIMAX_M2_1.id
    assert find_answering(GLM_4_7, status, Settings()) is MINIMAX_M3_1_FLASH


def test_a_stand_in_is_news_once_it_has_answered_and_no_trouble() -> None:
    assert find_trouble(REFUSED, Settings()) is None
    assert find_successor(REFUSED, Settings()) is None, "there is nothing to click"
    assert explain_stand_in(REFUSED, Settings()) is None, "it is not known whether it answers"
    [news] = list_news(FOLLOWED, Settings()).values()
    assert news.title == "GLM 5.3 Flash answers for GLM 4.7"
    assert news.sentence == (
        "NVIDIA retired GLM 4.7 on 2026-05-14. GLM 5.3 Flash answers in its place. "
        "You can choose another model in the menu."
    )
    assert explain_stand_in(FOLLOWED, Settings(follow_successors=False)) is None


def test_another_stand_in_is_other_news() -> None:
    refused = replace(FOLLOWED, model_troubles=(*FOLLOWED.model_troubles, (GLM_5_3_FLASH.id, RETIRED)))
    moved = replace(refused, findings=Findings({MINIMAX_M3_1_FLASH.id: GOOD}))
    told, next_told = list_news(FOLLOWED, Settings()), list_news(moved, Settings())
    assert "MiniMax M3.1 Flash answers for GLM 4.7" in next_told
    assert "MiniMax M3.1 Flash answers for GLM 4.7" not in told


def test_the_catalog_is_the_same_one_until_the_list_or_the_settings_change() -> None:
    settings, listed = Settings(), Status(listed_models=frozenset({"vendor/new-model"}))
    first = find_catalog(listed, settings)
    assert first.find("vendor/new-model") is not None
    assert find_catalog(replace(listed, url="http://127.0.0.1:1"), settings) is first
    assert find_catalog(Status(), settings).find("vendor/new-model") is None
    renamed = replace(settings, aliases={"vendor/new-model": GLM_4_7.id})
    assert find_catalog(listed, renamed).find("vendor/new-model") == GLM_4_7
