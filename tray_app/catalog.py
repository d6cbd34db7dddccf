"""The models and their facts, as rows. A rule that differs by model is a field here, never an `if` elsewhere.

Limits and switches: NVIDIA's model pages and user reports, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """One model as NVIDIA serves it. Sizes in tokens."""

    id: str
    label: str
    letter: str
    """What the tray icon shows."""
    context_tokens: int
    max_output_tokens: int
    takes_images: bool = False
    thinking_on: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that switch thinking on; empty: the model has no switch."""
    thinking_off: Mapping[str, Any] = field(default_factory=dict)
    takes_required_tool_choice: bool = True
    """False: `tool_choice: required` can loop, so `auto` and an instruction go instead."""


GLM_4_7 = Model(
    id="z-ai/glm4.7",
    label="GLM 4.7",
    letter="G",
    context_tokens=131_072,
    max_output_tokens=131_072,
    # clear_thinking false keeps the reasoning of earlier turns in the prompt, which interleaved thinking lives on
    thinking_on={"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
    thinking_off={"chat_template_kwargs": {"enable_thinking": False, "clear_thinking": False}},
    takes_required_tool_choice=False,
)

MINIMAX_M2_1 = Model(
    id="minimaxai/minimax-m2.1",
    label="MiniMax M2.1",
    letter="M",
    context_tokens=204_800,
    max_output_tokens=8_192,
)

MODELS: tuple[Model, ...] = (GLM_4_7, MINIMAX_M2_1)


def find_model(model_id: str) -> Model | None:
    """The row of `model_id`; a trailing `[1m]`, Claude Code's mark for a long window, is ignored."""
    plain = model_id.removesuffix("[1m]").strip().lower()
    return next((model for model in MODELS if model.id == plain), None)


def resolve_model(asked: str, selected: Model, *, client_chooses: bool) -> Model:
    """The model that answers a request naming `asked`.

    The tray decides, so that a click switches running sessions too. Where the user lets clients choose, a name of the
    catalogue is honoured and any other (such as the `claude-*` names of unmapped tiers) gets the selected model.
    """
    if client_chooses:
        return find_model(asked) or selected
    return selected
