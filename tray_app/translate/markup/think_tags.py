"""The tags between which models write their thinking in the text of an answer, one row for each family."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tray_app.translate.markup.text_before import QUOTES


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
_ENDS = {tags.opener: re.compile("|".join(map(re.escape, (tags.closer, *tags.ends_before)))) for tags in THINK_TAGS}
_MOST_END_CHARS = max(len(end) for tags in THINK_TAGS for end in (tags.closer, *tags.ends_before))


@dataclass(slots=True)
class Thinking:
    """Think tags that are open."""

    tags: ThinkTags
    is_sure: bool
    """Whether what is in there is thinking even if they do not close."""
    texts: list[str] = field(default_factory=list)
    """All that is in there, in pieces that are not empty."""

    def find_end(self, text: str, place: int, *, is_last: bool) -> tuple[int, str | None]:
        """Up to where the text from `place` on is thinking, and the closing tag that stands there: empty if something
        else ends the thinking, None if that may still come. A closing tag in quotes is no end."""
        for end in _ENDS[self.tags.opener].finditer(text, place):
            if end[0] != self.tags.closer:
                return end.start(), ""
            before = text[end.start() - 1] if end.start() > place else self._last
            behind = text[end.end() : end.end() + 1]
            if before == "" or before not in QUOTES or (behind != before and (behind or is_last)):
                return end.start(), end[0]
            if not behind:
                return end.start(), None
        return (len(text) if is_last else self._find_beginning(text, place)), None

    @property
    def _last(self) -> str:
        """The last character of the thinking so far."""
        return self.texts[-1][-1] if self.texts else ""

    def _find_beginning(self, text: str, place: int) -> int:
        """Where a tag that ends the thinking may begin at the end of the text; that end if none does."""
        ends = (self.tags.closer, *self.tags.ends_before)
        found = text.rfind(self.tags.closer[0], max(place, len(text) - _MOST_END_CHARS))
        return found if found >= 0 and any(end.startswith(text[found:]) for end in ends) else len(text)
