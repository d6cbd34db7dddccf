"""The body of a client's request as typed values. `validation.read_request` makes them.

Content blocks and tools stay dicts, so that unknown kinds of them are kept. Fields that are not named here
(metadata, betas, context_management, ...) are for Anthropic's own servers: they are neither sent nor refused.
https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

ContentBlock = dict[str, Any]


class Message(msgspec.Struct, frozen=True):
    """One message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: Any = None
    """A string, or a list of content blocks."""
    clear_at: Any = None
    """`next_user_message` if a system message is valid up to the next message of the user only."""
    output_config: Any = None
    """A dict if a system message sets the effort of the turn."""

    @property
    def blocks(self) -> list[ContentBlock]:
        """Returns the content as a list of blocks."""
        return to_blocks(self.content)


class Thinking(msgspec.Struct, frozen=True):
    """The `thinking` field: whether the model should think, and how the client is shown its thinking."""

    type: Any = None
    display: Any = None

    @property
    def is_on(self) -> bool:
        """Returns whether the model should think."""
        return self.type in ("enabled", "adaptive")

    @property
    def is_hidden(self) -> bool:
        """Returns whether the client gets thinking blocks without their text.

        `updates` shows only notes between calls. The models here do not distinguish them from other thinking.
        """
        return self.display in ("omitted", "updates")


class AnswerFormat(msgspec.Struct, frozen=True):
    """The format that the answer must have."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct, frozen=True):
    """The `output_config` field: what the request asks of its answer as a whole."""

    effort: str | None = None
    format: AnswerFormat | None = None


class MessagesRequest(msgspec.Struct, frozen=True):
    """The body of a request to `/v1/messages` or `/v1/messages/count_tokens`.

    None stands for a field that is left out or null.
    """

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: list[Message]
    system: Any = None
    """A string, or a list of content blocks."""
    max_tokens: int | None = None
    stream: bool | None = None
    thinking: Thinking | None = None
    """None switches thinking off."""
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    """Its shape is checked only if the request offers tools."""
    stop_sequences: list[Any] | None = None
    """A list of strings. Its items are checked after the other fields, by hand."""
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    output_config: OutputConfig | None = None
    output_format: AnswerFormat | None = None
    """The former name of `output_config.format`, from when it was a beta."""

    @property
    def stops(self) -> list[str]:
        """Returns the stop sequences that are not empty."""
        return [stop for stop in self.stop_sequences or () if stop]

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """Returns the JSON schema that the answer must match; None if any text is allowed."""
        current = self.output_config.format if self.output_config else None
        wanted = current or self.output_format
        return wanted.schema if wanted else None

    def newest_blocks(self) -> Iterator[ContentBlock]:
        """Yields the blocks of all messages from the newest to the oldest. Messages that are plain text have none."""
        for message in reversed(self.messages):
            if isinstance(message.content, list):
                yield from reversed(message.content)

    @property
    def effort(self) -> str:
        """Returns the effort in the request's own field; empty if it has none."""
        return (self.output_config.effort if self.output_config else None) or ""


def to_blocks(content: str | list[ContentBlock]) -> list[ContentBlock]:
    """Returns a content value as a list of blocks."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def dicts(value: object) -> list[dict[str, Any]]:
    """Returns the dicts in a list; an empty list if the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
