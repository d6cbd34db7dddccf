"""Each failure leads to a sentence and at most one button."""

from __future__ import annotations

import inspect

import pytest

from tray_app import errors
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.history.record import CANCELLED, Outcome, RequestRecord
from tray_app.page.actions import ChooseModel, LookAgain
from tray_app.page.views.ways_out import WayOut, find_other, find_way_out, list_usable
from tray_app.settings.settings import Settings
from tray_app.status.board import Failing, Status
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

ERRORS = [
    name
    for name, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.ProxyError) and found not in (errors.ProxyError, errors.CancelledByUser)
]
VIEWS = {"", "welcome", "settings", "connect", "logs"}


def failed(error: str, outcome: Outcome = Outcome.FAILED) -> RequestRecord:
    return RequestRecord(1.0, model_id=GLM_4_7.id, outcome=outcome, error=error, cause="it failed")


def way_out(error: str) -> WayOut:
    found = find_way_out(failed(error), GLM_4_7.label, MINIMAX_M2_1)
    assert found is not None
    return found


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.LEFT])
def test_a_request_that_did_not_fail_needs_no_way_out(outcome: Outcome) -> None:
    assert find_way_out(failed("", outcome), GLM_4_7.label, MINIMAX_M2_1) is None


def test_what_the_user_has_cancelled_needs_no_way_out() -> None:
    assert find_way_out(failed(CANCELLED), GLM_4_7.label, MINIMAX_M2_1) is None


@pytest.mark.parametrize("error", ERRORS)
def test_each_error_has_a_sentence_and_at_most_one_button(error: str) -> None:
    found = way_out(error)
    assert found.sentence.endswith(".")
    assert bool(found.verb) is (bool(found.action) != bool(found.view))
    assert found.view in VIEWS


@pytest.mark.parametrize("error", ["ModelUnavailable", "RateLimited", "Overloaded", "UpstreamTimeout", "UpstreamFault"])
def test_a_model_that_fails_leads_to_another_one(error: str) -> None:
    found = way_out(error)
    assert (found.verb, found.action) == (f"Use {MINIMAX_M2_1.label}", ChooseModel(MINIMAX_M2_1.id))


def test_while_no_other_model_is_known_the_button_looks_for_one() -> None:
    found = find_way_out(failed("Overloaded"), GLM_4_7.label, None)
    assert found is not None
    assert found.action == LookAgain()


def test_what_the_gateway_itself_refused_has_a_way_out_too() -> None:
    found = find_way_out(failed("WrongServerKey", Outcome.REFUSED), "", None)
    assert found is not None
    assert found.view == "connect"


def test_a_long_conversation_is_shortened_by_the_user_alone() -> None:
    assert "/compact" in way_out("RequestTooLarge").sentence
    assert not way_out("RequestTooLarge").verb


def test_the_values_for_the_page_name_the_action_as_the_page_sends_it() -> None:
    assert way_out("Overloaded").show()["action"] == {"do": "choose_model", "model_id": MINIMAX_M2_1.id}


def test_models_that_answer_are_usable_and_the_one_that_failed_is_no_way_out() -> None:
    answers = Findings({GLM_4_7.id: Finding(answers=True), MINIMAX_M2_1.id: Finding(answers=True, first_token_s=9.0)})
    usable = list_usable(Status(findings=answers), Settings())
    assert find_other(GLM_4_7.id, usable) == MINIMAX_M2_1
    assert find_other(MINIMAX_M2_1.id, usable) == GLM_4_7
    assert find_other(MINIMAX_M2_1.id, (MINIMAX_M2_1,)) is None


def test_a_model_that_keeps_failing_is_not_usable() -> None:
    answers = Findings({GLM_4_7.id: Finding(answers=True), MINIMAX_M2_1.id: Finding(answers=True)})
    status = Status(findings=answers, failing=(Failing(MINIMAX_M2_1.id, "NVIDIA is overloaded"),))
    assert list_usable(status, Settings()) == (GLM_4_7,)


def test_models_of_the_menu_of_which_nothing_is_known_are_usable_and_refused_ones_are_not() -> None:
    refused = ((GLM_4_7.id, ModelTrouble(Unavailability.RETIRED, "2026-05-14")),)
    answers = Findings({GLM_4_7.id: Finding(answers=True)})
    assert list_usable(Status(findings=answers), Settings())[:2] == (GLM_4_7, MINIMAX_M2_1)
    assert GLM_4_7 not in list_usable(Status(model_troubles=refused), Settings())
