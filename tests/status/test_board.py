"""The board with the state of the program."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest

from tray_app.settings.settings import Settings
from tray_app.status.board import Phase, Status, StatusBoard, StatusChanges, Topic, Trouble
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability
from tray_app.status.messages import find_trouble

KEY, PORT = Trouble("Add a key…", "There is no key."), Trouble("Port taken…", "The port is taken.")


def test_subscribers_hear_of_a_change_and_only_of_a_change() -> None:
    board, heard = StatusBoard(), list[Status]()
    board.subscribe(heard.append)
    board.publish(phase=Phase.RUNNING, url="http://127.0.0.1:3001")
    board.publish(phase=Phase.RUNNING)
    assert heard == [Status(phase=Phase.RUNNING, url="http://127.0.0.1:3001")]
    assert board.status == heard[0]


@pytest.mark.parametrize("name", ["fase", "troubles"])
def test_a_field_that_cannot_be_published_is_refused_and_changes_nothing(name: str) -> None:
    """Troubles have methods of their own. Setting them as a whole would lose those of other threads."""
    board, heard = StatusBoard(), list[Status]()
    changes: Any = {name: ()}
    board.subscribe(heard.append)
    with pytest.raises(TypeError, match=f"cannot be published: {name}"):
        board.publish(**changes)
    with pytest.raises(TypeError, match="fase"):
        board.publish(fase=Phase.RUNNING)  # type: ignore[call-arg]
    assert (board.status, heard) == (Status(), [])


def test_every_field_that_can_be_published_is_a_field_of_the_status() -> None:
    types = {field.name: field.type for field in fields(Status)}
    assert {name: types.get(name) for name in StatusChanges.__annotations__} == {
        name: annotation.__forward_arg__ for name, annotation in StatusChanges.__annotations__.items()
    }


def test_the_most_urgent_trouble_is_the_one_that_shows_until_it_is_over() -> None:
    board = StatusBoard()
    assert find_trouble(board.status, Settings()) is None
    board.report(Topic.KEY, KEY)
    board.report(Topic.START, PORT)
    assert find_trouble(board.status, Settings()) is PORT
    board.report(Topic.START, None)
    assert find_trouble(board.status, Settings()) is KEY
    board.report(Topic.KEY, None)
    board.report(Topic.KEY, None)
    assert find_trouble(board.status, Settings()) is None


def test_a_trouble_that_changes_keeps_its_rank() -> None:
    board = StatusBoard()
    board.report(Topic.START, PORT)
    board.report(Topic.KEY, KEY)
    board.report(Topic.START, other := Trouble("Reserved…", "The system keeps the port."))
    assert [trouble for _, trouble in board.status.troubles] == [other, KEY]


def test_the_order_of_troubles_is_the_same_whoever_reports_first() -> None:
    for topics in itertools.permutations(Topic):
        board = StatusBoard()
        for topic in topics:
            board.report(topic, KEY)
        assert [topic for topic, _ in board.status.troubles] == list(Topic), topics


def test_troubles_of_many_threads_are_all_kept() -> None:
    board = StatusBoard()
    with ThreadPoolExecutor(8) as pool:
        for n in range(500):
            pool.submit(board.mark_model, f"lab/model-{n}", ModelTrouble(Unavailability.RETIRED))
    assert len(board.status.model_troubles) == 500


GLM, KIMI = "z-ai/glm4.7", "moonshotai/kimi-k3"
RETIRED, NOT_SERVED = ModelTrouble(Unavailability.RETIRED, "2026-05-14"), ModelTrouble(Unavailability.NOT_SERVED)
NOT_LISTED = ModelTrouble(Unavailability.NOT_LISTED)


def test_a_mark_stays_with_its_model_until_it_answers() -> None:
    board = StatusBoard()
    board.mark_model(GLM, NOT_SERVED)
    board.mark_model(KIMI, NOT_SERVED)
    board.mark_model(GLM, RETIRED)
    assert (board.status.model_trouble(GLM), board.status.model_trouble(KIMI)) == (RETIRED, NOT_SERVED)
    assert board.status.unavailable_models == {GLM, KIMI}
    board.clear_model(GLM)
    assert board.status.model_trouble(GLM) is None
    assert board.status.unavailable_models == {KIMI}


def test_a_model_without_trouble_that_answers_changes_nothing() -> None:
    board, heard = StatusBoard(), list[Status]()
    board.subscribe(heard.append)
    board.clear_model(GLM)
    board.publish(listed_models=frozenset({GLM}))
    board.clear_model(GLM)
    assert len(heard) == 1


def test_a_model_counts_as_not_listed_until_it_answers() -> None:
    board = StatusBoard()
    assert board.status.model_trouble(GLM) is None, "no list, no verdict"
    board.publish(listed_models=frozenset({KIMI}))
    assert board.status.model_trouble(GLM) == NOT_LISTED
    assert board.status.unavailable_models == frozenset()
    board.clear_model(GLM)
    assert board.status.model_trouble(GLM) is None


def test_a_list_proves_nothing_about_a_retired_model() -> None:
    board = StatusBoard()
    board.mark_model(GLM, RETIRED)
    board.publish(listed_models=frozenset({GLM}))
    assert board.status.model_trouble(GLM) == RETIRED


def test_forgetting_the_models_clears_every_mark() -> None:
    board = StatusBoard()
    board.mark_model(GLM, NOT_SERVED)
    board.publish(listed_models=frozenset({GLM}), findings=Findings({GLM: Finding(answers=False)}))
    board.forget_models()
    assert board.status == Status()
