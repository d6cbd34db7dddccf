"""One model with its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Anthropic's levels of effort, lowest first. Each model accepts some of them."""


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
    """Size of the window in tokens, for prompt and answer together."""
    max_output_tokens: int
    """The most tokens of one answer, with its thinking."""
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
    """Id of the model that the user wants in its place if NVIDIA does not serve it. Empty: the program chooses one."""
    in_menu: bool = False
    """Tells whether the menu offers the model."""
    retired_on: str = ""
    """ISO date since when NVIDIA does not serve it, or year and month. Empty: the source lists it."""
    source: str = field(default="", compare=False)
    """Where the facts come from, with the date; empty in a row that the user wrote."""
