"""The models and their facts, as rows. A rule that differs by model is a field here, never an `if` elsewhere.

Limits and switches: NVIDIA's model pages and API reference, and user reports, November 2026. What is not known of a
model has the value that every model bears: text only, no switch, nothing sent that it might refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    in_menu: bool = False


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
    in_menu=True,
)

MINIMAX_M2_1 = Model(
    id="minimaxai/minimax-m2.1",
    label="MiniMax M2.1",
    letter="M",
    context_tokens=204_800,
    max_output_tokens=8_192,
    forgets_thinking_at_user_turns=True,
    successor="moonshotai/kimi-k3",  # M2.5, M2.7 and M3 have left NVIDIA's offer, too (September 2026)
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

UNKNOWN = Model(
    id="",
    label="",
    letter="",
    context_tokens=131_072,
    max_output_tokens=8_192,
    takes_required_tool_choice=False,
    earlier_thinking=EarlierThinking.LEFT_OUT,
)
"""What is assumed of a model that the user adds, where the settings say nothing else."""

DEFAULTS: tuple[Model, ...] = (GLM_4_7, MINIMAX_M2_1)
"""What the menu offers before the user says otherwise."""

MODELS: tuple[Model, ...] = (*DEFAULTS, GLM_5_2, GLM_5_3, KIMI_K3, GPT_OSS_20B, NEMOTRON_3_SUPER)
"""Every row that comes with the program."""


def plain_name(name: str) -> str:
    """A model's name as names are compared: small, and without `[1m]`, Claude Code's mark for a long window."""
    return name.strip().lower().removesuffix("[1m]").strip()


def find_model(model_id: str) -> Model | None:
    """The row that comes with the program for this id."""
    return next((model for model in MODELS if model.id == plain_name(model_id)), None)


def join_rows(own_rows: Iterable[Model]) -> tuple[Model, ...]:
    """All rows, the user's in the place of those with the same id: the defaults, then the user's own, then the rest."""
    added = {model.id: model for model in own_rows}
    defaults = [added.pop(model.id, model) for model in DEFAULTS]
    rest = [model for model in MODELS if model not in DEFAULTS and model.id not in added]
    return (*defaults, *added.values(), *rest)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models of one user: the rows, and what the settings say of how they stand in for each other."""

    rows: tuple[Model, ...] = MODELS
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Plain name -> id of the row that it stands for, be there a row of that name or not."""
    fallback_ids: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        """All that can be chosen: every row but those that an alias replaces."""
        return tuple(row for row in self.rows if plain_name(row.id) not in self.aliases)

    def find(self, name: str) -> Model | None:
        """The model that a name stands for."""
        plain = plain_name(name)
        plain = plain_name(self.aliases.get(plain, plain))
        return next((row for row in self.rows if plain_name(row.id) == plain), None)

    def resolve(self, asked: str, selected: Model, *, client_chooses: bool) -> Model:
        """The model that answers a request naming `asked`.

        The tray decides, so that a click switches running sessions too. Where the user lets clients choose, a name of
        the catalog is honoured and any other (such as the `claude-*` names of unmapped tiers) gets the selected one.
        """
        if client_chooses:
            return self.find(asked) or selected
        return selected

    def offered(self, selected: Model) -> tuple[Model, ...]:
        """The models of the menu, and the selected one where it is another."""
        offered: list[Model] = []
        for row in (*(row for row in self.rows if row.in_menu), selected):
            model = self.find(row.id) or row
            if model not in offered:
                offered.append(model)
        return tuple(offered)

    def successor(self, model: Model, unavailable: Collection[str], listed: Collection[str]) -> Model | None:
        """What to take instead of `model`: its successor, or that one's, the first that NVIDIA still has.

        Ids in `unavailable` are passed over; ids in `listed` come before others.
        """
        lineage = [model]
        while (after := self.find(lineage[-1].successor)) and after not in lineage:
            lineage.append(after)
        remaining = [after for after in lineage[1:] if after.id not in unavailable]
        return next((after for after in remaining if after.id in listed), remaining[0] if remaining else None)

    def fallbacks(self, model: Model, unavailable: Collection[str]) -> tuple[Model, ...]:
        """The models that may answer in the place of `model`, in their order; none whose id is in `unavailable`."""
        found = (self.find(fallback_id) for fallback_id in self.fallback_ids)
        return tuple(other for other in found if other and other.id not in {model.id, *unavailable})
