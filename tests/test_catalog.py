"""The models: every row has what the code needs, and a name finds its row."""

from __future__ import annotations

import pytest

from tray_app.catalog import (
    DEFAULTS,
    EFFORTS,
    GLM_4_7,
    GPT_OSS_20B,
    KIMI_K3,
    MINIMAX_M2_1,
    MODELS,
    Model,
    find_model,
    offered_models,
    resolve_model,
)


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


def test_the_two_defaults_are_known_models() -> None:
    assert DEFAULTS == (GLM_4_7, MINIMAX_M2_1)
    assert all(model in MODELS for model in DEFAULTS)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("z-ai/glm4.7", GLM_4_7),
        ("z-ai/glm4.7[1m]", GLM_4_7),
        (" Z-AI/GLM4.7[1M] ", GLM_4_7),
        ("moonshotai/kimi-k3", KIMI_K3),
        ("claude-opus-5-5[1m]", None),
        ("glm4.7", None),
        ("", None),
        ("[1m]", None),
    ],
)
def test_a_name_finds_its_row(name: str, model: Model | None) -> None:
    assert find_model(name) is model


def test_the_tray_decides_unless_the_user_lets_clients_choose() -> None:
    assert resolve_model("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=False) is GLM_4_7
    assert resolve_model("moonshotai/kimi-k3[1m]", GLM_4_7, client_chooses=True) is KIMI_K3
    assert resolve_model("claude-haiku-5-5", GLM_4_7, client_chooses=True) is GLM_4_7


def test_the_menu_offers_the_defaults_and_what_is_selected() -> None:
    assert offered_models(MINIMAX_M2_1) == DEFAULTS
    assert offered_models(GPT_OSS_20B) == (*DEFAULTS, GPT_OSS_20B)
