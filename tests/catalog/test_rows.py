"""The rows of the program: every one is complete, dated, and says what it rests on."""

from __future__ import annotations

import re

import pytest

from tray_app.catalog import (
    DEFAULTS,
    EFFORTS,
    GLM_4_7,
    GLM_5_3_FLASH,
    GPT_OSS_20B,
    MINIMAX_M2_1,
    MINIMAX_M3_1_FLASH,
    MODELS,
    Model,
    family_of,
    find_model,
    find_relative,
    is_chat_model,
)


@pytest.mark.parametrize("model", MODELS, ids=[model.id for model in MODELS])
def test_a_row_is_complete(model: Model) -> None:
    assert find_model(model.id) is model, "an id is written in small letters, and stands in one row"
    assert model.label
    assert len(model.letter) == 1
    assert 0 < model.max_output_tokens <= model.context_tokens
    assert bool(model.thinking_on) == bool(model.thinking_off), "a switch has two positions"
    assert not model.successor, "a successor is the user's choice, else the family's"
    assert re.search(r"20\d\d", model.source), "the source has a date"
    assert re.fullmatch(r"(20\d\d-\d\d(-\d\d)?)?", model.retired_on)
    assert model.efforts == tuple(effort for effort in EFFORTS if effort in model.efforts)


def test_the_two_defaults_are_known_models_and_the_only_ones_of_the_menu() -> None:
    assert DEFAULTS == (GLM_4_7, MINIMAX_M2_1)
    assert all(model in MODELS for model in DEFAULTS)
    assert [model.in_menu for model in MODELS] == [model in DEFAULTS for model in MODELS]


def test_every_row_is_one_of_a_chat_model() -> None:
    assert all(is_chat_model(model.id) for model in MODELS)


def test_each_choice_has_a_relative_that_is_served() -> None:
    assert find_relative(GLM_4_7) is GLM_5_3_FLASH
    assert find_relative(MINIMAX_M2_1) is MINIMAX_M3_1_FLASH
    assert find_relative(GPT_OSS_20B) is None
    assert find_relative(GLM_5_3_FLASH) is None, "a model is no relative of itself"


def test_the_models_that_are_served_come_before_the_retired_ones() -> None:
    rest = [bool(model.retired_on) for model in MODELS if model not in DEFAULTS]
    assert rest == sorted(rest)
    assert {family_of(model.id) for model in DEFAULTS} == {"z-ai/glm", "minimaxai/minimax-m"}
