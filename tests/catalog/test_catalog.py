"""The catalog: names find their rows, rows replace each other, and listed models get rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tray_app.catalog import (
    DEFAULTS,
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
    join_rows,
    row_by_family,
)

OWN = replace(UNKNOWN, id="lab/Own-1", label="Own 1", letter="O", in_menu=True)
CATALOGUE = Catalog()


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


def test_the_users_rows_follow_the_defaults_or_replace_rows_with_their_id() -> None:
    corrected, kimi = replace(GLM_4_7, context_tokens=1000), replace(KIMI_K3, label="Kimi")
    assert join_rows([]) == MODELS
    assert join_rows([OWN, kimi, corrected])[:4] == (corrected, MINIMAX_M2_1, OWN, kimi)
    assert len(join_rows([OWN, kimi, corrected])) == len(MODELS) + 1


def test_the_rows_that_the_user_wants_first_come_first() -> None:
    rows = join_rows([OWN], ["Lab/own-1", "nobody/knows", MINIMAX_M2_1.id])
    assert rows[:3] == (OWN, MINIMAX_M2_1, GLM_4_7)
    assert len(rows) == len(MODELS) + 1


def test_hidden_models_are_not_offered_unless_they_are_selected_but_still_found() -> None:
    catalog = Catalog(join_rows([OWN]), hidden=frozenset({"lab/own-1", GLM_4_7.id}))
    assert catalog.offered(GLM_4_7) == (GLM_4_7, MINIMAX_M2_1)
    assert catalog.offered(MINIMAX_M2_1) == (MINIMAX_M2_1,)
    assert [row.id for row in catalog.models if row not in catalog.shown] == [GLM_4_7.id, "lab/Own-1"]
    assert catalog.find("lab/own-1") == OWN


def test_an_alias_takes_precedence_over_a_row_of_its_name() -> None:
    catalog = Catalog(aliases={"z-ai/glm4.7": GLM_5_2.id, "claude-opus-5-5": KIMI_K3.id})
    assert catalog.find("Z-AI/GLM4.7[1m]") is GLM_5_2
    assert catalog.find("claude-opus-5-5") is KIMI_K3
    assert catalog.models == MODELS[1:]


def test_the_tray_decides_unless_the_user_lets_clients_choose() -> None:
    assert CATALOGUE.resolve("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=False) is GLM_4_7
    assert CATALOGUE.resolve("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=True) is KIMI_K3
    assert CATALOGUE.resolve("claude-haiku-5-5", GLM_4_7, client_chooses=True) is GLM_4_7


def test_the_menu_offers_its_models_and_the_selected_one() -> None:
    assert CATALOGUE.offered(MINIMAX_M2_1) == DEFAULTS
    assert CATALOGUE.offered(GPT_OSS_20B) == (*DEFAULTS, GPT_OSS_20B)
    hidden = replace(MINIMAX_M2_1, in_menu=False)
    assert Catalog(join_rows([hidden, OWN])).offered(GLM_4_7) == (GLM_4_7, OWN)
    assert Catalog(join_rows([hidden, OWN])).offered(hidden) == (GLM_4_7, OWN, hidden)


def test_the_menu_shows_the_model_that_an_alias_stands_for() -> None:
    catalog = Catalog(aliases={GLM_4_7.id: GLM_5_2.id})
    assert catalog.offered(GLM_5_2) == (GLM_5_2, MINIMAX_M2_1)


def test_a_listed_model_that_no_row_knows_gets_one_like_its_family() -> None:
    listed = {"z-ai/glm-6", "minimaxai/minimax-m4", "nvidia/nemotron-4-ultra-900b-a80b", "new-lab/first-model-1"}
    catalog = CATALOGUE.with_listed({*listed, "z-ai/glm4.7", "Moonshotai/Kimi-K3"})
    assert catalog.rows[: len(MODELS)] == MODELS
    assert [row.label for row in catalog.rows[len(MODELS) :]] == [
        "MiniMax M4",
        "First Model 1",
        "Nemotron 4 Ultra 900B A80B",
        "GLM 6",
    ]
    assert catalog.find("Z-AI/GLM-6[1m]") == row_by_family("z-ai/glm-6", MODELS)
    assert catalog.offered(GLM_4_7) == DEFAULTS, "the menu's choices stay"


def test_models_that_do_not_chat_and_odd_ids_get_no_row() -> None:
    odd = ("nvidia/nv-embedqa-e5-v5", "meta/llama-guard-4-12b", "glm-6", "a/b c", "a/\x1b[2J", "", "/", "a/$(id)")
    assert CATALOGUE.with_listed(odd) is CATALOGUE


def test_a_listed_model_is_like_the_users_row_of_its_family() -> None:
    catalog = Catalog(join_rows([replace(OWN, context_tokens=5_000)])).with_listed(["lab/own-2", "lab/Own-1"])
    assert [row.id for row in catalog.rows if row.id.startswith("lab/")] == ["lab/Own-1", "lab/own-2"]
    listed = catalog.find("lab/own-2")
    assert listed is not None
    assert (listed.label, listed.context_tokens, listed.in_menu) == ("Own 2", 5_000, False)


def test_fallbacks_come_in_their_order_without_the_model_itself_and_what_is_unavailable() -> None:
    catalog = Catalog(fallback_ids=(KIMI_K3.id, GLM_4_7.id, "lab/nothing", GLM_5_3.id))
    assert catalog.fallbacks(MINIMAX_M2_1, []) == (KIMI_K3, GLM_4_7, GLM_5_3)
    assert catalog.fallbacks(GLM_4_7, [KIMI_K3.id]) == (GLM_5_3,)
    assert CATALOGUE.fallbacks(GLM_4_7, []) == ()
