"""The letters in the icon: models that are offered together have different ones, and a user recognises them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import (
    DEFAULTS,
    GLM_4_7,
    GLM_5_3_FLASH,
    LAGUNA_XS_2_1,
    MINIMAX_M2_1,
    MINIMAX_M3_1_FLASH,
    MODELS,
    NEMOTRON_3_5_LIGHTNING,
    NEMOTRON_3_5_SUPER_VL,
    NEMOTRON_3_ULTRA,
    Model,
)
from tray_app.tray.letters import letters_of


@pytest.mark.parametrize(
    ("models", "letters"),
    [
        (DEFAULTS, "GM"),
        ((GLM_4_7, GLM_5_3_FLASH), "G5"),
        ((*DEFAULTS, GLM_5_3_FLASH, MINIMAX_M3_1_FLASH), "GM53"),
        ((NEMOTRON_3_ULTRA, NEMOTRON_3_5_LIGHTNING, NEMOTRON_3_5_SUPER_VL), "NLS"),
        ((GLM_4_7, replace(GLM_5_3_FLASH, letter="X")), "GX"),
    ],
)
def test_a_model_keeps_its_letter_and_a_later_one_gets_the_next_that_tells_it_apart(
    models: tuple[Model, ...], letters: str
) -> None:
    assert "".join(letters_of(models).values()) == letters


def test_the_choices_and_all_models_that_are_served_differ_by_their_letters() -> None:
    models = [model for model in MODELS if model in DEFAULTS or not model.retired_on]
    letters = letters_of(models)
    assert len(set(letters.values())) == len(letters) == len(models)
    assert (letters[LAGUNA_XS_2_1.id], letters[NEMOTRON_3_ULTRA.id]) == ("L", "N"), "no earlier one takes its letter"


def test_models_whose_labels_have_nothing_of_their_own_share_a_letter() -> None:
    first, second = replace(GLM_4_7, id="a", label="G"), replace(GLM_4_7, id="b", label="G")
    assert letters_of([first, second]) == {"a": "G", "b": "G"}


def test_a_label_of_signs_only_keeps_the_letter_of_its_row() -> None:
    assert letters_of([replace(MINIMAX_M2_1, label="«»", letter="«")]) == {MINIMAX_M2_1.id: "«"}
