"""The models and their facts, as rows. A rule that differs by model is a field here, never an `if` elsewhere.

The facts are from NVIDIA's model pages, its API reference and user reports of November 2026. An unknown fact has the
value that is safe for every model: text only, no switch for thinking, and no field that a model might refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Anthropic's levels of effort, lowest first. Each model accepts some of them."""

AS_IN_TRAY = "nvidia"
"""The name with which the launcher's sessions of Claude Code ask for the model that is chosen in the tray."""
AS_IN_TRAY_LABEL = "NVIDIA (as in the tray)"
"""The label of that name, for the user."""

LISTED_AS_IN_TRAY = "claude-nvidia-tray"
"""The same name in the gateway's list of models, of which Claude Code takes only names with "claude" or "anthropic"."""

NAMED_MODEL_HEADER = "x-claude-nvidia-tray-model"
"""The header of a request whose model is meant as it is named. The launcher's sessions send it, the exports do not."""


class EarlierThinking(Enum):
    """How a model gets the thinking of earlier turns."""

    IN_FIELD = auto()
    """As `reasoning_content` of the assistant's message."""
    IN_CONTENT = auto()
    """In the content, between `<think>` tags."""
    LEFT_OUT = auto()
    """The model does not get it."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model as NVIDIA serves it."""

    id: str
    label: str
    letter: str
    """The letter in the tray icon."""
    context_tokens: int
    """Size of the window, for prompt and answer together."""
    max_output_tokens: int
    takes_images: bool = False
    takes_top_k: bool = False
    takes_json_schema: bool = False
    """If False, the schema for an answer is sent as an instruction instead of `response_format`."""
    takes_required_tool_choice: bool = True
    """If False, `tool_choice: required` may make the model loop. Then `auto` and an instruction are sent instead."""
    thinking_on: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that switch thinking on; empty if the model has no switch."""
    thinking_off: Mapping[str, Any] = field(default_factory=dict)
    """Request fields that switch thinking off; empty if the model has no switch."""
    efforts: tuple[str, ...] = ()
    """Accepted values of `reasoning_effort`, lowest first. If there are none, the field is not sent."""
    earlier_thinking: EarlierThinking = EarlierThinking.IN_FIELD
    forgets_thinking_at_user_turns: bool = False
    """If True, its template drops all thinking before the last user turn. So reminders are added to tools' results."""
    successor: str = ""
    """Id of the model that replaces this one after NVIDIA has retired it; empty if there is none."""
    in_menu: bool = False
    """Tells whether the menu offers the model."""


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
    successor="z-ai/glm-5.2",
    in_menu=True,
)

MINIMAX_M2_1 = Model(
    id="minimaxai/minimax-m2.1",
    label="MiniMax M2.1",
    letter="M",
    context_tokens=204_800,
    max_output_tokens=8_192,
    forgets_thinking_at_user_turns=True,
    successor="moonshotai/kimi-k3",  # NVIDIA has withdrawn M2.5, M2.7 and M3, too (September 2026)
    in_menu=True,
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
    max_output_tokens=65_536,  # the value of K2.6 in NVIDIA's reference, which lacks K3
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
    takes_required_tool_choice=False,  # unknown
    efforts=("low", "medium", "high"),  # thinking cannot be switched off
    earlier_thinking=EarlierThinking.LEFT_OUT,  # it is unknown whether its endpoint accepts the field
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
)

UNKNOWN = Model(
    id="",
    label="",
    letter="",
    context_tokens=131_072,
    max_output_tokens=8_192,
    takes_required_tool_choice=False,
    earlier_thinking=EarlierThinking.LEFT_OUT,
)
"""The assumed facts of a model that the user adds, as far as the settings do not give them."""

DEFAULTS: tuple[Model, ...] = (GLM_4_7, MINIMAX_M2_1)
"""The models that the menu offers by default."""

MODELS: tuple[Model, ...] = (*DEFAULTS, GLM_5_2, GLM_5_3, KIMI_K3, GPT_OSS_20B, NEMOTRON_3_SUPER)
"""All rows that come with the program."""


def plain_name(name: str) -> str:
    """Returns a name in its form for comparison: lower case, without `[1m]`, Claude Code's mark for a long window."""
    return name.strip().lower().removesuffix("[1m]").strip()


def find_model(model_id: str) -> Model | None:
    """Returns the program's own row for an id; None if there is none."""
    return next((model for model in MODELS if model.id == plain_name(model_id)), None)


def join_rows(own_rows: Iterable[Model]) -> tuple[Model, ...]:
    """Returns all rows: the defaults, the user's own, then the rest. A row of the user replaces one with its id."""
    added = {model.id: model for model in own_rows}
    defaults = [added.pop(model.id, model) for model in DEFAULTS]
    rest = [model for model in MODELS if model not in DEFAULTS and model.id not in added]
    return (*defaults, *added.values(), *rest)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models of one user: the rows, and the settings for aliases and fallback models."""

    rows: tuple[Model, ...] = MODELS
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Plain name -> id of the row that it stands for. It takes precedence over a row of that name."""
    fallback_ids: tuple[str, ...] = ()
    """Ids of the models that answer if another one cannot, in their order."""

    @property
    def models(self) -> tuple[Model, ...]:
        """Returns all rows that can be chosen, which are those that no alias replaces."""
        return tuple(row for row in self.rows if plain_name(row.id) not in self.aliases)

    def find(self, name: str) -> Model | None:
        """Returns the model that a name stands for; None if there is none."""
        plain = plain_name(name)
        plain = plain_name(self.aliases.get(plain, plain))
        return next((row for row in self.rows if plain_name(row.id) == plain), None)

    def resolve(self, asked: str, selected: Model, *, client_chooses: bool) -> Model:
        """Returns the model that answers a request for the name `asked`.

        The user's choice in the tray decides, so that a click also switches running sessions. If clients may choose, a
        name of the catalog counts, and any other name (such as `claude-*`) stands for the selected model.
        """
        if client_chooses:
            return self.find(asked) or selected
        return selected

    def offered(self, selected: Model) -> tuple[Model, ...]:
        """Returns the models of the menu, and the selected one if it is not among them."""
        offered: list[Model] = []
        for row in (*(row for row in self.rows if row.in_menu), selected):
            model = self.find(row.id) or row
            if model not in offered:
                offered.append(model)
        return tuple(offered)

    def successor(self, model: Model, unavailable: Collection[str], listed: Collection[str]) -> Model | None:
        """Returns the next successor of `model` that NVIDIA still offers; None if there is none.

        Ids in `unavailable` are skipped. Ids in `listed` take precedence over others.
        """
        lineage = [model]
        while (after := self.find(lineage[-1].successor)) and after not in lineage:
            lineage.append(after)
        remaining = [after for after in lineage[1:] if after.id not in unavailable]
        return next((after for after in remaining if after.id in listed), remaining[0] if remaining else None)

    def fallbacks(self, model: Model, unavailable: Collection[str]) -> tuple[Model, ...]:
        """Returns the fallback models for `model` in their order, without those whose id is in `unavailable`."""
        found = (self.find(fallback_id) for fallback_id in self.fallback_ids)
        return tuple(other for other in found if other and other.id not in {model.id, *unavailable})
