"""The tags between which models write their thinking in the text of an answer, one row for each family."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThinkTags:
    """One family's tags. Neither holds the other's first character, except as its own first one."""

    opener: str
    closer: str
    within: bool = False
    """Whether they also count at the beginning of a line within an answer. Others are words that anybody may use."""
    ends_before: tuple[str, ...] = ()
    """What ends the thinking as well, and is not part of it."""


THINK_TAGS = (
    ThinkTags("<think>", "</think>", within=True),
    ThinkTags("<mm:think>", "</mm:think>", within=True),  # MiniMax
    ThinkTags(  # gpt-oss
        "<|channel|>analysis",
        "<|end|>",
        within=True,
        ends_before=("<|start|>assistant", "<|channel|>final", "<|channel|>commentary", "<|return|>"),
    ),
    ThinkTags("<thinking>", "</thinking>"),
    ThinkTags("<thought>", "</thought>"),
    ThinkTags("<thoughts>", "</thoughts>"),
    ThinkTags("<reasoning>", "</reasoning>"),
    ThinkTags("<seed:think>", "</seed:think>"),
    ThinkTags("<longcat_think>", "</longcat_think>"),
    ThinkTags("[THINK]", "[/THINK]"),  # Mistral
    ThinkTags("◁think▷", "◁/think▷"),  # Kimi
    ThinkTags("<|channel>thought", "<channel|>"),  # Gemma
    ThinkTags("<|START_THINKING|>", "<|END_THINKING|>"),  # Command
    ThinkTags("<|begin_of_thought|>", "<|end_of_thought|>"),
)

BY_OPENER = {tags.opener: tags for tags in THINK_TAGS}
WITHIN = {tags.opener: tags for tags in THINK_TAGS if tags.within}
"""Those that count within an answer, too."""
LONE_CLOSERS = {tags.closer: tags for tags in THINK_TAGS if tags.closer in ("</think>", "</mm:think>")}
"""Closers that come without their opener, as some templates write that into the prompt."""
