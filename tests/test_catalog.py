"""The models: every row is complete, a name finds its row, and other models take the place of withdrawn ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import (
    DEFAULTS,
    EFFORTS,
    GLM_4_7,
    GLM_5_2,
    GLM_5_3,
    GPT_OSS_20B,
    KIMI_K3,
    MINIMAX_M2_1,
    MODELS,
    UNKNOWN,
    Catalog,
    Model,
    find_model,
    join_rows,
)

OWN = replace(UNKNOWN, id="lab/Own-1", label="Own 1", letter="O", in_menu=True)
CATALOGUE = Catalog()


@pytest.mark.parametrize("model", MODELS, ids=[model.id for model in MODELS])
def test_a_row_has_what_the_code_needs(model: Model) -> None:
    assert find_model(model.id) is model, "an id is written in small letters, and stands in one row"
    assert model.label
    assert len(model.letter) == 1
    assert 0 < model.max_output_tokens <= model.context_tokens
    assert bool(model.thinking_on) == bool(model.thinking_off), "a switch has two positions"
    assert model.efforts == tuple(effort for effort in EFFORTS if effort in model.efforts)


@pytest.mark.parametrize("model", MODELS, ids=[model.id for model in MODELS])
def test_successors_lead_to_a_model_that_is_not_on_its_way_out(model: Model) -> None:
    seen = [model]
    while seen[-1].successor:
        successor = find_model(seen[-1].successor)
        assert successor is not None
        assert successor not in seen
        seen.append(successor)


def test_the_two_defaults_are_known_models_and_the_only_ones_of_the_menu() -> None:
    assert DEFAULTS == (GLM_4_7, MINIMAX_M2_1)
    assert all(model in MODELS for model in DEFAULTS)
    assert [model.in_menu for model in MODELS] == [model in DEFAULTS for model in MODELS]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("z-ai/glm4.7", GLM_4_7),
        ("z-ai/glm4.7[1m]", GLM_4_7),
        (" Z-AI/GLM4.7[1M] ", GLM_4_7),
        ("moonshotai/kimi-k3", KIMI_K3),
        ("lab/own-1[1m]", OWN),
        ("claude-opus-5-5[1m]", None),
        ("glm4.7", None),
        ("", None),
        ("[1m]", None),
    ],
)
def test_a_name_finds_its_row(name: str, model: Model | None) -> None:
    assert Catalog(join_rows([OWN])).find(name) is model


def test_the_users_rows_follow_the_defaults_or_take_the_place_of_rows_with_their_id() -> None:
    corrected, kimi = replace(GLM_4_7, context_tokens=1000), replace(KIMI_K3, label="Kimi")
    assert join_rows([]) == MODELS
    assert join_rows([OWN, kimi, corrected])[:4] == (corrected, MINIMAX_M2_1, OWN, kimi)
    assert len(join_rows([OWN, kimi, corrected])) == len(MODELS) + 1


def test_an_alias_wins_over_a_row_of_its_name() -> None:
    catalog = Catalog(aliases={"z-ai/glm4.7": GLM_5_2.id, "claude-opus-5-5": KIMI_K3.id})
    assert catalog.find("Z-AI/GLM4.7[1m]") is GLM_5_2
    assert catalog.find("claude-opus-5-5") is KIMI_K3
    assert catalog.models == MODELS[1:]


def test_the_tray_decides_unless_the_user_lets_clients_choose() -> None:
    assert CATALOGUE.resolve("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=False) is GLM_4_7
    assert CATALOGUE.resolve("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=True) is KIMI_K3
    assert CATALOGUE.resolve("claude-haiku-5-5", GLM_4_7, client_chooses=True) is GLM_4_7


def test_the_menu_offers_its_models_and_what_is_selected() -> None:
    assert CATALOGUE.offered(MINIMAX_M2_1) == DEFAULTS
    assert CATALOGUE.offered(GPT_OSS_20B) == (*DEFAULTS, GPT_OSS_20B)
    hidden = replace(MINIMAX_M2_1, in_menu=False)
    assert Catalog(join_rows([hidden, OWN])).offered(GLM_4_7) == (GLM_4_7, OWN)
    assert Catalog(join_rows([hidden, OWN])).offered(hidden) == (GLM_4_7, OWN, hidden)


def test_in_the_menu_the_model_that_an_alias_stands_for_takes_its_place() -> None:
    catalog = Catalog(aliases={GLM_4_7.id: GLM_5_2.id})
    assert catalog.offered(GLM_5_2) == (GLM_5_2, MINIMAX_M2_1)


@pytest.mark.parametrize(
    ("unavailable", "listed", "successor"),
    [
        ([], [], GLM_5_2),
        ([GLM_4_7.id], [GLM_5_2.id, GLM_5_3.id], GLM_5_2),
        ([GLM_4_7.id, GLM_5_2.id], [], GLM_5_3),
        ([GLM_5_2.id], [GLM_5_2.id], GLM_5_3),
        ([], [GLM_5_3.id], GLM_5_3),
        ([], [KIMI_K3.id], GLM_5_2),
        ([GLM_5_2.id, GLM_5_3.id], [GLM_5_2.id], None),
    ],
)
def test_the_successor_is_the_first_of_its_line_that_nvidia_still_has(
    unavailable: list[str], listed: list[str], successor: Model | None
) -> None:
    assert CATALOGUE.successor(GLM_4_7, unavailable, listed) is successor


def test_successors_that_lead_back_or_nowhere_come_to_an_end() -> None:
    back = replace(GLM_5_2, successor=GLM_4_7.id)
    catalog = Catalog(join_rows([back]))
    assert catalog.successor(GLM_4_7, [back.id], []) is None
    assert catalog.successor(replace(OWN, successor="lab/nothing"), [], []) is None
    assert catalog.successor(GPT_OSS_20B, [], []) is None


def test_fallbacks_come_in_their_order_without_the_model_itself_and_what_is_unavailable() -> None:
    catalog = Catalog(fallback_ids=(KIMI_K3.id, GLM_4_7.id, "lab/nothing", GLM_5_3.id))
    assert catalog.fallbacks(MINIMAX_M2_1, []) == (KIMI_K3, GLM_4_7, GLM_5_3)
    assert catalog.fallbacks(GLM_4_7, [KIMI_K3.id]) == (GLM_5_3,)
    assert CATALOGUE.fallbacks(GLM_4_7, []) == ()
