"""The body of a client's request as typed values, which `validation.read_request` makes.

Content blocks and tools stay dicts, because kinds that do not exist yet are kept. Fields that are not named here
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
    output_config: Any = None
    """A dict, if a system message sets the effort of the turn."""

    @property
    def blocks(self) -> list[ContentBlock]:
        """The content as blocks."""
        return to_blocks(self.content)


class Thinking(msgspec.Struct, frozen=True):
    """The `thinking` field: whether the model is to think, and how its thinking is shown."""

    type: Any = None
    display: Any = None


class AnswerFormat(msgspec.Struct, frozen=True):
    """The `format` that the answer must have."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct, frozen=True):
    """The `output_config` field."""

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
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    """Its shape is checked only if the request offers tools."""
    stop_sequences: list[Any] | None = None
    """Strings."""
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    output_config: OutputConfig | None = None
    output_format: AnswerFormat | None = None
    """The name that `output_config.format` had as a beta."""

    @property
    def stops(self) -> list[str]:
        """The stop sequences that are not empty."""
        return [stop for stop in self.stop_sequences or () if stop]

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must fit; None if it may be any text."""
        current = self.output_config.format if self.output_config else None
        wanted = current or self.output_format
        return wanted.schema if wanted else None

    def newest_blocks(self) -> Iterator[ContentBlock]:
        """The blocks of all messages, the newest first."""
        for message in reversed(self.messages):
            if isinstance(message.content, list):
                yield from reversed(message.content)

    @property
    def effort(self) -> str:
        """The effort that the request asks for in its own field; empty if it asks for none."""
        return (self.output_config.effort if self.output_config else None) or ""


def to_blocks(content: str | list[ContentBlock]) -> list[ContentBlock]:
    """A content value as a list of blocks."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def dicts(value: object) -> list[dict[str, Any]]:
    """The dicts in a list; an empty list if the value is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
