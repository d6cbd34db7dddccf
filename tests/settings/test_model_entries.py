"""Changes of the entries of "models": all else stays, and an entry that says nothing is left out."""

from __future__ import annotations

from typing import Any

import pytest

from tray_app.errors import SettingsError
from tray_app.settings.model_entries import correct_model, find_wrong_facts, put_in_menu
from tray_app.settings.models import read_model_list

GLM, OWN = "z-ai/glm4.7", "lab/own"
OTHERS: list[Any] = ["damaged", {"id": "lab/other", "comment": "kept"}, 7]


def is_in_menu(entries: list[Any], model_id: str) -> bool:
    rows = read_model_list({"models": entries})[0]["models"]
    return any(row.in_menu for row in rows if row.id == model_id)


def test_a_corrected_model_stays_in_the_menu_or_out_of_it() -> None:
    assert correct_model([], GLM, {"context_tokens": 5}) == [{"id": GLM, "context_tokens": 5}]
    out = correct_model([], OWN, {"context_tokens": 5})
    assert out == [{"id": OWN, "hidden": True, "context_tokens": 5}]
    assert not is_in_menu(out, OWN)
    assert correct_model([{"id": OWN}], OWN, {"label": "Mine"}) == [{"id": OWN, "label": "Mine"}]


def test_a_fact_that_is_taken_back_leaves_the_others() -> None:
    entries = [{"id": "LAB/own[1m]", "context_tokens": 5, "label": "Mine"}]
    assert correct_model(entries, OWN, {"context_tokens": None}) == [{"id": "LAB/own[1m]", "label": "Mine"}]


@pytest.mark.parametrize("model_id", [GLM, OWN])
def test_an_entry_that_says_nothing_any_more_is_left_out(model_id: str) -> None:
    assert not correct_model(correct_model([], model_id, {"label": "Mine"}), model_id, {"label": None})


def test_a_model_is_put_into_the_menu_and_taken_out_again() -> None:
    inside = put_in_menu(OTHERS, OWN, is_in=True)
    assert inside == [*OTHERS, {"id": OWN}]
    assert is_in_menu(inside, OWN)
    assert put_in_menu(inside, OWN, is_in=False) == OTHERS
    outside = put_in_menu(OTHERS, GLM, is_in=False)
    assert outside == [*OTHERS, {"id": GLM, "hidden": True}]
    assert put_in_menu(outside, GLM, is_in=True) == OTHERS


def test_what_a_model_was_corrected_by_stays_when_it_leaves_the_menu() -> None:
    entries = put_in_menu([{"id": OWN, "label": "Mine"}, *OTHERS], OWN, is_in=False)
    assert entries == [{"id": OWN, "label": "Mine", "hidden": True}, *OTHERS]


def test_a_wrong_fact_is_named_with_what_it_must_be() -> None:
    problems = find_wrong_facts(OWN, {"context_tokens": "many", "max_output_tokens": 0, "label": None, "letter": "L"})
    assert problems == {
        "context_tokens": "This must be a whole number of tokens, 1 or more.",
        "max_output_tokens": "This must be a whole number of tokens, 1 or more.",
    }
    with pytest.raises(SettingsError, match="colour"):
        find_wrong_facts(OWN, {"colour": "red"})
