"""Translates the conversation so far from Anthropic's messages to OpenAI's.

OpenAI requires one `tool` message for each call, directly after the message with the calls and in their order.
Anthropic has the results in the next message of the user, in any order and mixed with text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tray_app.catalog import EarlierThinking, Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.request.body import ContentBlock, Message
from tray_app.translate.request.content import find_images, flatten, join_parts, read_system, to_parts, to_text
from tray_app.translate.request.control_blocks import changed_tool, is_change, is_silent, is_summary
from tray_app.translate.request.tools import Tool, upstream_name
from tray_app.translate.signature import read_hidden

_REMINDER = "<system-reminder>"
NO_RESULT = "[This call has no result: it was interrupted.]"
_SUMMARY = "[Summary of the conversation up to here:]"
SAME_RESULT = "[The result is above, at the call with the same id.]"
_MAX_REPEATED_CHARS = 200
"""The longest result, in characters, that is repeated if several calls have the same id.

A longer one is sent once, so that the request does not grow with each of these calls.
"""

ChatMessage = dict[str, Any]


@dataclass(slots=True)
class Turn:
    """Neighbouring messages of the same side."""

    role: str
    blocks: list[ContentBlock] = field(default_factory=list)
    reminders: list[str] = field(default_factory=list)
    """Texts of system messages within the conversation. The templates of some models drop a second system message."""


def to_messages(messages: Sequence[Message], model: Model, tools: Mapping[str, Tool]) -> list[ChatMessage]:
    """Returns the conversation as OpenAI's messages, without a system message. InvalidRequest if it has no content.

    `tools` maps the name sent upstream to the tool, whose schema says how the arguments of earlier calls are named.
    """
    chat: list[ChatMessage] = []
    open_calls: list[str] = []
    for turn in _read_turns(messages, tools):
        said, open_calls = translate_turn(turn, open_calls, model, tools)
        chat += said
    chat += interrupt(open_calls)
    if not chat:
        raise InvalidRequest("messages: at least one message must have content")
    return chat


def translate_turn(
    turn: Turn, open_calls: Sequence[str], model: Model, tools: Mapping[str, Tool]
) -> tuple[list[ChatMessage], list[str]]:
    """Returns the messages of a turn, and the ids of the calls that wait for their results after it.

    `open_calls` are those that wait for them before it.
    """
    if turn.role == "assistant":
        message = _assistant_message(turn.blocks, model, tools)
        return [message], [call["id"] for call in message.get("tool_calls", ())]
    return _user_messages(turn, open_calls, model), []


def interrupt(open_calls: Sequence[str]) -> list[ChatMessage]:
    """Returns the results of calls at the end of a conversation that have none."""
    return [_tool_message(call, NO_RESULT) for call in open_calls]


def _read_turns(messages: Sequence[Message], tools: Collection[str]) -> list[Turn]:
    """Returns alternating turns of user and assistant. A system message becomes part of a turn of the user."""
    turns: list[Turn] = []
    newest_user = find_newest_user(message.role for message in messages)
    for n, message in enumerate(messages):
        if message.role == "system":
            text = _read_reminder(message, tools)
            if text and not is_cleared(message.clear_at, n, newest_user):
                _find_turn(turns, "user").reminders.append(write_reminder(text))
        else:
            _take_blocks(turns, message.role, message.blocks)
    return turns


def _read_reminder(message: Message, tools: Collection[str]) -> str:
    """Returns the text of a system message within the conversation.

    It tells only those changes of tools that are still valid at the end, because the tools of the end are sent.
    """
    if message.content is None:
        return ""
    return read_system([block for block in message.blocks if not is_change(block) or _holds(block, tools)])


def _holds(change: ContentBlock, tools: Collection[str]) -> bool:
    """Returns whether a change of a tool is still valid at the end of the conversation."""
    return (change["type"] == "tool_addition") is (upstream_name(changed_tool(change)) in tools)


def write_reminder(text: str) -> str:
    """Returns the text of a system message within the conversation, as the user's turn has it."""
    return f"{_REMINDER}\n{text}\n</system-reminder>"


def is_cleared(clear_at: object, place: int, newest_user: int) -> bool:
    """Tells whether a system message is valid no more. Both places are indexes in the conversation."""
    return clear_at == "next_user_message" and place < newest_user


def find_newest_user(roles: Iterable[str]) -> int:
    """Returns the index of the last message of the user; -1 if there is none."""
    return max((n for n, role in enumerate(roles) if role == "user"), default=-1)


def _take_blocks(turns: list[Turn], role: str, blocks: list[ContentBlock]) -> None:
    """Adds the blocks of a message to the turns. A summary of the conversation replaces all turns before it.

    The summary is given to the user, because the templates of some models require that the user speaks first.
    """
    said = [block for block in blocks if not is_silent(block)]
    summaries = [n for n, block in enumerate(said) if is_summary(block)]
    if summaries:
        summary = to_text(said[summaries[-1]])
        turns[:] = [Turn("user", [{"type": "text", "text": f"{_SUMMARY}\n{summary}"}])]
        said = said[summaries[-1] + 1 :]
    if said or not blocks:
        _find_turn(turns, role).blocks += said


def _find_turn(turns: list[Turn], role: str) -> Turn:
    """Returns the last turn, or a new one if the last turn belongs to the other side."""
    if not turns or turns[-1].role != role:
        turns.append(Turn(role))
    return turns[-1]


def _assistant_message(blocks: list[ContentBlock], model: Model, tools: Mapping[str, Tool]) -> ChatMessage:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        kind = block["type"]
        if kind == "tool_use":
            calls.append(_call(block, tools))
        elif kind == "thinking":
            thoughts.append(str(block.get("thinking") or "") or read_hidden(block.get("signature")))
        elif kind != "redacted_thinking" and (text := to_text(block)):
            texts.append(text)
    message: ChatMessage = {"role": "assistant", "content": "\n\n".join(texts)}
    if thinking := "\n".join(thought for thought in thoughts if thought):
        match model.earlier_thinking:
            case EarlierThinking.IN_FIELD:
                message["reasoning_content"] = thinking
            case EarlierThinking.IN_CONTENT:
                message["content"] = f"<think>\n{thinking}\n</think>\n{message['content']}"
    if calls:
        message["tool_calls"] = calls
    return message


def _call(block: ContentBlock, tools: Mapping[str, Tool]) -> dict[str, Any]:
    name, arguments = upstream_name(block["name"]), block.get("input")
    arguments = arguments if isinstance(arguments, dict) else {}
    if name in tools:
        arguments = tools[name].parameters.rename(arguments)
    return {
        "id": block["id"],
        "type": "function",
        "function": {"name": name, "arguments": json_text.encode_valid(arguments).decode()},
    }


def _user_messages(turn: Turn, open_calls: Sequence[str], model: Model) -> list[ChatMessage]:
    results, own = _sort_results(turn.blocks, open_calls)
    chat: list[ChatMessage] = []
    known: dict[str, str] = {}
    for call, blocks in zip(open_calls, results, strict=True):
        if blocks:
            known[call] = "\n".join(_result_text(block, model) for block in blocks)
        text = known.get(call, NO_RESULT)
        chat.append(_tool_message(call, text if blocks or len(text) <= _MAX_REPEATED_CHARS else SAME_RESULT))
    parts: list[ContentBlock] = [{"type": "text", "text": reminder} for reminder in turn.reminders]
    for blocks in results:  # a tool message holds text only, so images follow it
        parts += _result_images(blocks, model)
    for block in own:
        if block["type"] == "tool_result":
            parts.append({"type": "text", "text": f"[Result of an earlier call]\n{_result_text(block, model)}"})
            parts += _result_images([block], model)
        else:
            parts += to_parts([block], takes_images=model.takes_images)
    if chat and parts and model.forgets_thinking_at_user_turns and all(map(_is_reminder, parts)):
        chat[-1]["content"] += "".join(f"\n\n{part['text']}" for part in parts)
    elif parts:
        chat.append({"role": "user", "content": join_parts(parts)})
    return chat


def _sort_results(
    blocks: list[ContentBlock], open_calls: Sequence[str]
) -> tuple[list[list[ContentBlock]], list[ContentBlock]]:
    """Returns the results of each call, and the other blocks. Calls with the same id share its results in order."""
    results: list[list[ContentBlock]] = [[] for _ in open_calls]
    waiting: dict[str, deque[list[ContentBlock]]] = {}
    for call, result in zip(open_calls, results, strict=True):
        waiting.setdefault(call, deque()).append(result)
    others: list[ContentBlock] = []
    for block in blocks:
        calls = waiting.get(str(block.get("tool_use_id"))) if block["type"] == "tool_result" else None
        if calls is None:
            others.append(block)
        else:
            calls[0].append(block)
            if len(calls) > 1:  # the last call gets all remaining results
                calls.popleft()
    return results, others


def _is_reminder(part: ContentBlock) -> bool:
    return part["type"] == "text" and str(part["text"]).startswith(_REMINDER)


def _result_text(block: ContentBlock, model: Model) -> str:
    text = flatten(block.get("content"), images_follow=model.takes_images)
    return f"[The tool failed]\n{text}" if block.get("is_error") is True else text


def _result_images(results: list[ContentBlock], model: Model) -> list[ContentBlock]:
    if not model.takes_images:
        return []
    return to_parts([image for result in results for image in find_images(result.get("content"))], takes_images=True)


def _tool_message(call: str, text: str) -> ChatMessage:
    return {"role": "tool", "tool_call_id": call, "content": text}
