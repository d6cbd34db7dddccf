"""The tags between which models write their thinking in the text of an answer, one row for each family."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThinkTags:
    """The tags of one family. Neither contains the first character of the other, except as its own first character."""

    opener: str
    closer: str
    within: bool = False
    """Tells whether they also count at the beginning of a line within an answer. Prose may well use the other tags."""
    ends_before: tuple[str, ...] = ()
    """Tags that also end the thinking. They are not part of it."""


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
"""Opener -> tags that also count within an answer."""
LONE_CLOSERS = {tags.closer: tags for tags in THINK_TAGS if tags.closer in ("</think>", "</mm:think>")}
"""Closers that may come without their opener, because some chat templates write the opener into the prompt."""
