"""The rows of the models that come with the program. Each says where its facts come from, and when.

An unknown fact has the value that is safe for every model: text only, no switch for thinking, and no field that a
model might refuse. Facts that differ in truth become known when the model refuses something.

NVIDIA serves a good model for four to ten weeks, so the rows of today are examples of their families: a member that
does not exist yet gets a row like theirs (`families.py`).
"""

from __future__ import annotations

from tray_app.catalog.families import UNKNOWN, family_of, version_of
from tray_app.catalog.model import EarlierThinking, Model
from tray_app.catalog.names import plain_name

_LISTED = "a list of NVIDIA's live models of 2026-11-20"
"""The source of the rows whose facts no document of NVIDIA was read for."""
_REFERENCE = "NVIDIA's model page and API reference of November 2026"

GLM_4_7 = Model(
    id="z-ai/glm4.7",
    label="GLM 4.7",
    letter="G",
    context_tokens=131_072,
    max_output_tokens=131_072,
    takes_required_tool_choice=False,
    # clear_thinking=False keeps the thinking of earlier turns in the prompt, which interleaved thinking needs
    thinking_on={"chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
    thinking_off={"chat_template_kwargs": {"enable_thinking": False, "clear_thinking": False}},
    in_menu=True,
    retired_on="2026-05-14",
    source=f"{_REFERENCE}; NVIDIA's refusal of 2026-05-14",
)

MINIMAX_M2_1 = Model(
    id="minimaxai/minimax-m2.1",
    label="MiniMax M2.1",
    letter="M",
    context_tokens=204_800,
    max_output_tokens=8_192,
    forgets_thinking_at_user_turns=True,
    in_menu=True,
    retired_on="2026-04",
    source="reports of November 2026 about M2.7; it was gone before May 2026, on an unknown day",
)

GLM_5_3_FLASH = Model(
    id="z-ai/glm-5.3-flash",
    label="GLM 5.3 Flash",
    letter="G",
    context_tokens=1_000_000,
    max_output_tokens=131_072,
    takes_images=True,
    takes_required_tool_choice=False,
    efforts=("low", "high", "max"),  # thinking cannot be switched off
    source=_LISTED,
)

MINIMAX_M3_1_FLASH = Model(
    id="minimaxai/minimax-m3.1-flash",
    label="MiniMax M3.1 Flash",
    letter="M",
    context_tokens=262_144,
    max_output_tokens=262_144,
    takes_images=True,
    takes_required_tool_choice=False,  # unknown
    # It has five levels of effort and no off switch. The names of the levels are unknown, so that none is sent.
    forgets_thinking_at_user_turns=True,  # as in M2.1; unknown here, and a reminder does no harm
    source=_LISTED,
)

NEMOTRON_3_ULTRA = Model(
    id="nvidia/nemotron-3-ultra-550b-a55b",
    label="Nemotron 3 Ultra",
    letter="N",
    context_tokens=1_000_000,
    max_output_tokens=65_536,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=f"{_LISTED}, which has it since September",
)

NEMOTRON_3_5_LIGHTNING = Model(
    id="nvidia/nemotron-3.5-lightning-30b-a3b",
    label="Nemotron 3.5 Lightning",
    letter="N",
    context_tokens=262_144,
    max_output_tokens=262_144,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=_LISTED,
)

LAGUNA_XS_2_1 = Model(
    id="poolside/laguna-xs-2.1",
    label="Laguna XS 2.1",
    letter="L",
    context_tokens=262_144,
    max_output_tokens=16_384,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=_LISTED,
)

STEP_5_PREVIEW = Model(
    id="stepfun-ai/step-5-preview",
    label="Step 5 Preview",
    letter="S",
    context_tokens=1_048_576,
    max_output_tokens=UNKNOWN.max_output_tokens,  # unknown
    takes_images=True,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=_LISTED,
)

NEMOTRON_3_5_SUPER_VL = Model(
    id="nvidia/nemotron-3.5-super-vl-120b-a12b",
    label="Nemotron 3.5 Super VL",
    letter="N",
    context_tokens=1_048_576,
    max_output_tokens=8_192,  # the list is not sure of this
    takes_images=True,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=_LISTED,
)

MUSE_GLIMMER = Model(
    id="meta/muse-glimmer-30b",
    label="Muse Glimmer 30B",
    letter="M",
    context_tokens=131_072,
    max_output_tokens=UNKNOWN.max_output_tokens,  # unknown
    takes_images=True,
    takes_required_tool_choice=False,  # unknown, as are its switch for thinking and what it takes of earlier thinking
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source=_LISTED,
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
    retired_on="2026-08-21",
    source=f"{_REFERENCE}; NVIDIA's refusal of 2026-08-21",
)

GLM_5_3 = Model(
    id="z-ai/glm-5.3",
    label="GLM 5.3",
    letter="G",
    context_tokens=1_000_000,
    max_output_tokens=131_072,
    takes_required_tool_choice=False,
    efforts=("low", "high", "max"),  # thinking cannot be switched off
    retired_on="2026-11-02",
    source=f"{_REFERENCE}; lists of live models lack it since 2026-11-02",
)

KIMI_K3 = Model(
    id="moonshotai/kimi-k3",
    label="Kimi K3",
    letter="K",
    context_tokens=1_048_576,
    max_output_tokens=65_536,  # the value of K2.6 in NVIDIA's reference, which lacks K3
    takes_images=True,
    thinking_on={"chat_template_kwargs": {"thinking": True}},
    thinking_off={"chat_template_kwargs": {"thinking": False}},
    efforts=("low", "high", "max"),
    retired_on="2026-10-21",
    source=f"{_REFERENCE}; lists of live models lack it since 2026-10-21",
)

GPT_OSS_20B = Model(
    id="openai/gpt-oss-20b",
    label="GPT-OSS 20B",
    letter="O",
    context_tokens=131_072,
    max_output_tokens=32_768,
    takes_required_tool_choice=False,  # unknown
    efforts=("low", "medium", "high"),  # thinking cannot be switched off
    earlier_thinking=EarlierThinking.LEFT_OUT,  # it is unknown whether its endpoint accepts the field
    retired_on="2026-11-20",
    source=f"{_REFERENCE}; lists of live models lack it since 2026-11-20",
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
    # its published template turns the field into these tags; in the content, no validation can refuse them
    earlier_thinking=EarlierThinking.IN_CONTENT,
    retired_on="2026-10-03",
    source=f"{_REFERENCE}; NVIDIA's refusal of 2026-10-03",
)

DEFAULTS: tuple[Model, ...] = (GLM_4_7, MINIMAX_M2_1)
"""The two choices of the menu. Each stands for its family: while NVIDIA does not serve it, its newest relative does."""

_SERVED = (
    *(GLM_5_3_FLASH, MINIMAX_M3_1_FLASH),
    *(NEMOTRON_3_ULTRA, NEMOTRON_3_5_LIGHTNING, LAGUNA_XS_2_1, STEP_5_PREVIEW, NEMOTRON_3_5_SUPER_VL, MUSE_GLIMMER),
)
"""The rows of models that were served at their date, in the order in which they are tried while nothing is known.

The relatives of the choices come first, then the one that is listed longest, then those with a long answer.
"""

MODELS: tuple[Model, ...] = (*DEFAULTS, *_SERVED, GLM_5_2, GLM_5_3, KIMI_K3, GPT_OSS_20B, NEMOTRON_3_SUPER)
"""All rows that come with the program."""


def find_model(model_id: str) -> Model | None:
    """Returns the program's own row for an id; None if there is none."""
    return next((model for model in MODELS if model.id == plain_name(model_id)), None)


def find_relative(model: Model) -> Model | None:
    """Returns the newest other row of the program in a model's family that is served; None if there is none."""
    family = family_of(model.id)
    relatives = (row for row in _SERVED if family_of(row.id) == family and row.id != model.id)
    return max(relatives, key=lambda row: version_of(row.id), default=None)
