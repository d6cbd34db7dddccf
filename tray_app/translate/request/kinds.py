"""Tells what a request is for: a turn of the user, or one of the requests that Claude Code makes beside the turns.

No field says so. A request is recognised by what Claude Code 2.1.332 sends (observed November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tray_app.translate.request.body import Message, MessagesRequest, dicts

_SESSION = "x-claude-code-session-id"
_SUB_AGENT = "x-claude-code-agent-id"
_CLASSIFIER_STOP = "</block>"
_CLASSIFIER_START = "You are a security monitor for autonomous AI coding agents."
"""The system prompt of auto mode's classifier. Its second question, after a first "block", has no stop sequence."""

_COMPACTION_START = "CRITICAL: Respond with TEXT ONLY."
_COMPACTION_WORDS = "<summary> block"
"""Both are in the message that has the model sum up the conversation, whatever the user adds to it."""

_NOT_THE_USERS = (
    "<system-reminder>",
    "<local-command-",
    "<command-",
    "<bash-",
    "<task-notification>",
    "This session is being continued from a previous conversation",
    _COMPACTION_START,
)
"""Claude Code begins the texts so that it puts into the user's messages by itself."""


class Kind(StrEnum):
    """What a request is for."""

    TURN = "turn"
    """The user has asked something, and the model works on it."""
    SUB_AGENT = "sub-agent"
    TITLE = "title"
    """It asks for the title or the name of a session."""
    COMPACTION = "compaction"
    """It asks for a summary that replaces the conversation."""
    CHECK = "check"
    """Auto mode asks whether a command is safe. A turn waits for the verdict."""
    OTHER = "other"


def find_kind(request: MessagesRequest, headers: Mapping[str, str], *, is_search: bool = False) -> Kind:
    """Returns what a request is for. `is_search` tells whether a web search is all that it asks for.

    `headers` ignores the case of names, or has them in lower case.
    """
    if not request.tools and (_CLASSIFIER_STOP in request.stops or _is_classifier(request)):
        return Kind.CHECK
    if _SUB_AGENT in headers:
        return Kind.SUB_AGENT
    if _is_naming(request):
        return Kind.TITLE
    if is_search or request.max_tokens == 0:
        return Kind.OTHER
    if _is_compaction(request):
        return Kind.COMPACTION
    # Requests of Claude Code without tools are its own, such as a summary of a web page.
    return Kind.TURN if request.tools or _SESSION not in headers else Kind.OTHER


def count_turns(request: MessagesRequest) -> int:
    """Returns how many messages with words of the user the conversation has."""
    return sum(map(has_own_words, request.messages))


def _is_classifier(request: MessagesRequest) -> bool:
    return any(text.startswith(_CLASSIFIER_START) for text in _texts(request.system))


def _is_naming(request: MessagesRequest) -> bool:
    """Returns whether the request asks for a session's title or name: it has no tools, and its answer one field."""
    properties = (request.answer_schema or {}).get("properties")
    return not request.tools and isinstance(properties, dict) and set(properties) in ({"title"}, {"name"})


def _is_compaction(request: MessagesRequest) -> bool:
    newest = next((message for message in reversed(request.messages) if message.role == "user"), None)
    return newest is not None and any(
        text.startswith(_COMPACTION_START) and _COMPACTION_WORDS in text for text in _texts(newest.content)
    )


def has_own_words(message: Message) -> bool:
    """Tells whether a message has words of the user, and not only results of tools and words of Claude Code."""
    return message.role == "user" and any(
        text and not text.startswith(_NOT_THE_USERS) for text in _texts(message.content)
    )


def _texts(content: object) -> list[str]:
    """Returns the texts of a string or of a list of blocks."""
    if isinstance(content, str):
        return [content]
    texts = (block.get("text") for block in dicts(content) if block.get("type") == "text")
    return [text for text in texts if isinstance(text, str)]
