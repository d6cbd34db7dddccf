"""The models and their facts, as rows. A rule that differs by model is a field here, never an `if` elsewhere.

Limits and switches: NVIDIA's model pages and API reference, and user reports, November 2026. What is not known of a
model has the value that every model bears: text only, no switch, nothing sent that it might refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Anthropic's levels of effort, weakest first; models take some of them."""


class EarlierThinking(Enum):
    """How the thinking of earlier turns goes back to a model."""

    IN_FIELD = auto()
    """As `reasoning_content` of the assistant's message."""
    IN_CONTENT = auto()
    """In the content, between `<think>` tags."""
    LEFT_OUT = auto()


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
    takes_top_k: bool = False
    takes_json_schema: bool = False
    """False: a schema for the answer goes as an instruction, not as `response_format`."""
    takes_required_tool_choice: bool = True
    """False: `tool_choice: required` can loop, so `auto` and an instruction go instead."""
    thinking_on: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that switch thinking on; empty: the model has no switch."""
    thinking_off: Mapping[str, Any] = field(default_factory=dict)
    efforts: tuple[str, ...] = ()
    """What `reasoning_effort` may be, weakest first; empty: the field is not sent."""
    earlier_thinking: EarlierThinking = EarlierThinking.IN_FIELD
    forgets_thinking_at_user_turns: bool = False
    """True: its template drops all thinking before the last user turn, so reminders beside results go with them."""
    successor: str = ""
    """Id of the model to take instead once NVIDIA has retired this one."""


GLM_4_7 = Model(
    id="z-ai/glm4.7",
    label="GLM 4.7",
    letter="G",
    context_tokens=131_072,
    max_output_tokens=131_072,
    takes_required_tool_choice=False,
    # clear_thinking false keeps the reasoning of earlier turns in the prompt, which interleaved thinking lives on
    thinking_on={"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
    thinking_off={"chat_template_kwargs": {"enable_thinking": False, "clear_thinking": False}},
    successor="z-ai/glm-5.2",
)

MINIMAX_M2_1 = Model(
    id="minimaxai/minimax-m2.1",
    label="MiniMax M2.1",
    letter="M",
    context_tokens=204_800,
    max_output_tokens=8_192,
    forgets_thinking_at_user_turns=True,
    successor="moonshotai/kimi-k3",  # M2.5, M2.7 and M3 have left NVIDIA's offer, too (September 2026)
)

GLM_5_2 = Model(
    id="z-ai/glm-5.2",
    label="GLM 5.2",
    letter="G",
    context_tokens=1_000_000,
    max_output_tokens=131_072,
    takes_required_tool_choice=False,
    thinking_on={"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
    thinking_off={"chat_template_kwargs": {"enable_thinking": False, "clear_thinking": False}},
    successor="z-ai/glm-5.3",  # its page calls the free endpoint deprecated (autumn 2026)
)

GLM_5_3 = Model(
    id="z-ai/glm-5.3",
    label="GLM 5.3",
    letter="G",
    context_tokens=1_000_000,
    max_output_tokens=131_072,
    takes_required_tool_choice=False,
    efforts=("low", "high", "max"),  # thinking cannot be switched off
)

KIMI_K3 = Model(
    id="moonshotai/kimi-k3",
    label="Kimi K3",
    letter="K",
    context_tokens=1_048_576,
    max_output_tokens=65_536,  # of K2.6 in NVIDIA's reference, which has no entry for K3
    takes_images=True,
    thinking_on={"chat_template_kwargs": {"thinking": True}},
    thinking_off={"chat_template_kwargs": {"thinking": False}},
    efforts=("low", "high", "max"),
)

GPT_OSS_20B = Model(
    id="openai/gpt-oss-20b",
    label="GPT-OSS 20B",
    letter="O",
    context_tokens=131_072,
    max_output_tokens=32_768,
    takes_required_tool_choice=False,  # not known
    efforts=("low", "medium", "high"),  # thinking cannot be switched off
    earlier_thinking=EarlierThinking.LEFT_OUT,  # whether its endpoint takes the field is not known
)

NEMOTRON_3_SUPER = Model(
    id="nvidia/nemotron-3-super-120b-a12b",
    label="Nemotron 3 Super",
    letter="N",
    context_tokens=262_144,
    max_output_tokens=32_768,
    takes_json_schema=True,
    thinking_on={"chat_template_kwargs": {"enable_thinking": True}},
    thinking_off={"chat_template_kwargs": {"enable_thinking": False}},
    # its published template turns the field into these tags; as content, no schema of messages can refuse them
    earlier_thinking=EarlierThinking.IN_CONTENT,
)

DEFAULTS: tuple[Model, ...] = (GLM_4_7, MINIMAX_M2_1)
"""What the menu offers."""

MODELS: tuple[Model, ...] = (*DEFAULTS, GLM_5_2, GLM_5_3, KIMI_K3, GPT_OSS_20B, NEMOTRON_3_SUPER)
"""All that can be set in the settings, or named by clients where the user lets them choose."""


def find_model(model_id: str) -> Model | None:
    """The row of `model_id`; a trailing `[1m]`, Claude Code's mark for a long window, is ignored."""
    plain = model_id.strip().lower().removesuffix("[1m]").strip()
    return next((model for model in MODELS if model.id == plain), None)


def offered_models(selected: Model) -> tuple[Model, ...]:
    """The models of the menu: the defaults, and the selected one where it is another."""
    return DEFAULTS if selected in DEFAULTS else (*DEFAULTS, selected)


def resolve_model(asked: str, selected: Model, *, client_chooses: bool) -> Model:
    """The model that answers a request naming `asked`.

    The tray decides, so that a click switches running sessions too. Where the user lets clients choose, a name of the
    catalogue is honoured and any other (such as the `claude-*` names of unmapped tiers) gets the selected model.
    """
    if client_chooses:
        return find_model(asked) or selected
    return selected
