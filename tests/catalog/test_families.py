"""Families: what an id says about its model, and the row that a new member gets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tray_app.catalog import (
    GLM_4_7,
    GLM_5_3,
    GLM_5_3_FLASH,
    GPT_OSS_20B,
    KIMI_K3,
    LAGUNA_XS_2_1,
    MINIMAX_M2_1,
    MINIMAX_M3_1_FLASH,
    MODELS,
    NEMOTRON_3_5_LIGHTNING,
    UNKNOWN,
    Model,
    family_of,
    first_letter,
    is_chat_model,
    row_by_family,
    version_of,
)

IDS = st.text() | st.from_regex(r"[a-z0-9-]{1,9}/[A-Za-z0-9._\-/]{1,30}", fullmatch=True)


@pytest.mark.parametrize(
    ("model_id", "family", "version"),
    [
        ("z-ai/glm4.7", "z-ai/glm", (4, 7)),
        ("Z-AI/GLM-5.3-Flash[1m]", "z-ai/glm", (5, 3)),
        ("z-ai/glm-6", "z-ai/glm", (6,)),
        ("minimaxai/minimax-m2.1", "minimaxai/minimax-m", (2, 1)),
        ("moonshotai/kimi-k2-instruct-0905", "moonshotai/kimi-k", (2,)),
        ("nvidia/nemotron-3.5-super-vl-120b-a12b", "nvidia/nemotron", (3, 5)),
        ("nvidia/llama-3_3-nemotron-super-49b-v1_5", "nvidia/llama", (3, 3)),
        ("openai/gpt-oss-20b", "openai/gpt-oss", ()),
        ("openai/gpt-oss-20b-2", "openai/gpt-oss", (2,)),
        ("meta/muse-glimmer-30b", "meta/muse-glimmer", ()),
        ("mistralai/mixtral-8x7b-128k", "mistralai/mixtral", ()),
        ("01-ai/yi-large", "01-ai/yi-large", ()),
        ("lab/3model", "lab/3model", (3,)),
        ("a/b/c-2", "a/b/c", (2,)),
        ("glm-5", "glm", (5,)),
        ("", "", ()),
        ("lab/m-" + "9" * 9_000, "lab/m", (999_999_999,)),
        ("lab/m-²", "lab/m-²", ()),
    ],
)
def test_an_id_tells_the_family_and_the_version(model_id: str, family: str, version: tuple[int, ...]) -> None:
    assert (family_of(model_id), version_of(model_id)) == (family, version)


@given(model_id=IDS)
def test_every_text_has_a_family_a_version_and_a_row(model_id: str) -> None:
    row = row_by_family(model_id, MODELS)
    assert row.id == model_id
    assert len(row.label) <= 40
    assert family_of(family_of(model_id)) == family_of(model_id)
    assert all(number >= 0 for number in version_of(model_id))
    if is_chat_model(model_id):
        assert row.label
        assert row.label.isprintable()
        assert len(row.letter) == 1


@pytest.mark.parametrize(
    ("model_id", "like", "label"),
    [
        ("z-ai/glm-6", GLM_5_3_FLASH, "GLM 6"),
        ("z-ai/glm-5.1", GLM_4_7, "GLM 5.1"),
        ("z-ai/glm4.5", GLM_4_7, "GLM 4.5"),
        ("z-ai/glm-5.3-air", GLM_5_3_FLASH, "GLM 5.3 Air"),
        ("minimaxai/minimax-m4-flash", MINIMAX_M3_1_FLASH, "MiniMax M4 Flash"),
        ("minimaxai/minimax-m2.7", MINIMAX_M2_1, "MiniMax M2.7"),
        ("nvidia/nemotron-4-nano-vl-12b-v2", NEMOTRON_3_5_LIGHTNING, "Nemotron 4 Nano VL 12B V2"),
        ("openai/gpt-oss-120b", GPT_OSS_20B, "GPT-OSS 120B"),
        ("poolside/laguna-xs-3", LAGUNA_XS_2_1, "Laguna XS 3"),
    ],
)
def test_a_new_member_is_like_the_nearest_row_and_spelled_like_its_family(
    model_id: str, like: Model, label: str
) -> None:
    row = row_by_family(model_id, MODELS)
    assert row == replace(like, id=model_id, label=label, takes_images=False, in_menu=False, retired_on="")
    assert row.source == f"assumed: like {like.label}"


def test_of_two_rows_with_one_version_the_one_that_is_served_counts() -> None:
    for rows in ([GLM_5_3, GLM_5_3_FLASH], [GLM_5_3_FLASH, GLM_5_3]):
        assert row_by_family("z-ai/glm-6", rows).source == "assumed: like GLM 5.3 Flash"


@pytest.mark.parametrize(
    ("model_id", "label", "letter"),
    [
        ("new-lab/first-model-1-preview", "First Model 1 Preview", "F"),
        ("mistralai/mixtral-8x7b_v0_1", "Mixtral 8X7B V0.1", "M"),
        ("lab/", "lab/", "L"),
        ("lab/-", "lab/-", "L"),
        ("lab/" + "long-" * 20, "Long Long Long Long Long Long Long Long", "L"),
    ],
)
def test_a_model_of_an_unknown_family_has_cautious_facts(model_id: str, label: str, letter: str) -> None:
    assert row_by_family(model_id, MODELS) == replace(UNKNOWN, id=model_id, label=label, letter=letter)


def test_a_label_that_the_user_changed_is_no_spelling_for_its_family() -> None:
    mine = replace(KIMI_K3, label="My favourite")
    assert row_by_family("moonshotai/kimi-k4", [mine]).label == "Kimi K4"


def test_the_letter_of_a_label_is_its_first_letter_or_digit() -> None:
    assert [first_letter(label) for label in ("glm", "«Eigenes»", "5 Flash", "«»", "ßa")] == ["G", "E", "5", "«", "S"]
