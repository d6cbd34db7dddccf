"""The conversation so far: Anthropic turns as OpenAI messages.

OpenAI wants one `tool` message per call, directly after the calling turn and in call order; Anthropic's results come in
the next user turn in any order, mixed with text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
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
"""Of a result that several calls of one id share: a request must not grow with each of them."""

ChatMessage = dict[str, Any]


@dataclass(slots=True)
class _Turn:
    role: str
    blocks: list[ContentBlock] = field(default_factory=list)
    reminders: list[str] = field(default_factory=list)
    """System texts from within the conversation. A second system message is lost in some models' templates."""


def to_messages(messages: Sequence[Message], model: Model, tools: Mapping[str, Tool]) -> list[ChatMessage]:
    """The OpenAI messages of a conversation, without a system message. InvalidRequest if nothing is said in it.

    `tools`: name as sent -> tool, for earlier calls to go back in the words of the schemas that are sent.
    """
    chat: list[ChatMessage] = []
    open_calls: list[str] = []
    for turn in _read_turns(messages, tools):
        if turn.role == "assistant":
            message = _assistant_message(turn.blocks, model, tools)
            open_calls = [call["id"] for call in message.get("tool_calls", ())]
            chat.append(message)
        else:
            chat += _user_messages(turn, open_calls, model)
            open_calls = []
    chat += [_tool_message(call, NO_RESULT) for call in open_calls]
    if not chat:
        raise InvalidRequest("messages: at least one message must have content")
    return chat


def _read_turns(messages: Sequence[Message], tools: Collection[str]) -> list[_Turn]:
    """Alternating user and assistant turns: neighbours of one role are joined, system turns folded into user turns."""
    turns: list[_Turn] = []
    newest_user = _find_newest_user(messages)
    for n, message in enumerate(messages):
        if message.role == "system":
            text = _read_reminder(message, tools)
            is_cleared = message.clear_at == "next_user_message" and n < newest_user
            if text and not is_cleared:
                _find_turn(turns, "user").reminders.append(f"{_REMINDER}\n{text}\n</system-reminder>")
        else:
            _take_blocks(turns, message.role, message.blocks)
    return turns


def _read_reminder(message: Message, tools: Collection[str]) -> str:
    """The text of a system message in mid conversation. Of changes of tools it tells those that hold at the end, as the
    tools that are sent are those of the end."""
    if message.content is None:
        return ""
    return read_system([block for block in message.blocks if not is_change(block) or _holds(block, tools)])


def _holds(change: ContentBlock, tools: Collection[str]) -> bool:
    return (change["type"] == "tool_addition") is (upstream_name(changed_tool(change)) in tools)


def _find_newest_user(messages: Sequence[Message]) -> int:
    """The place of the last message of the user; -1 if there is none."""
    return next((n for n in range(len(messages) - 1, -1, -1) if messages[n].role == "user"), -1)


def _take_blocks(turns: list[_Turn], role: str, blocks: list[ContentBlock]) -> None:
    """Adds a message's blocks. A summary of the conversation takes the place of all that is before it, as at
    Anthropic's API; it begins the conversation as the user's words, since a model's template may want those first."""
    said = [block for block in blocks if not is_silent(block)]
    summaries = [n for n, block in enumerate(said) if is_summary(block)]
    if summaries:
        summary = to_text(said[summaries[-1]])
        turns[:] = [_Turn("user", [{"type": "text", "text": f"{_SUMMARY}\n{summary}"}])]
        said = said[summaries[-1] + 1 :]
    if said or not blocks:
        _find_turn(turns, role).blocks += said


def _find_turn(turns: list[_Turn], role: str) -> _Turn:
    """The last turn, or a new one if that is the other side's."""
    if not turns or turns[-1].role != role:
        turns.append(_Turn(role))
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


def _user_messages(turn: _Turn, open_calls: list[str], model: Model) -> list[ChatMessage]:
    results, own = _sort_results(turn.blocks, open_calls)
    chat: list[ChatMessage] = []
    known: dict[str, str] = {}
    for call, blocks in zip(open_calls, results, strict=True):
        if blocks:
            known[call] = "\n".join(_result_text(block, model) for block in blocks)
        text = known.get(call, NO_RESULT)
        chat.append(_tool_message(call, text if blocks or len(text) <= _MAX_REPEATED_CHARS else SAME_RESULT))
    parts: list[ContentBlock] = [{"type": "text", "text": reminder} for reminder in turn.reminders]
    for blocks in results:  # a tool message carries text only, so what a tool shows follows it
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
    blocks: list[ContentBlock], open_calls: list[str]
) -> tuple[list[list[ContentBlock]], list[ContentBlock]]:
    """The results of each call, and the blocks that are none. Calls that share an id get its results in turn."""
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
            if len(calls) > 1:  # the last one takes all that are left
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
