"""Finds the tools that a request offers if its messages add and remove tools.

Blocks of the types `tool_addition` and `tool_removal` are in system messages or in a summary of the conversation. The
changes in a summary replace all earlier ones (Anthropic's SDK 2.13, November 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tray_app.translate.request.body import Message, MessagesRequest, dicts
from tray_app.translate.request.control_blocks import changed_tool, is_change, is_summary


def effective_tools(request: MessagesRequest) -> Sequence[dict[str, Any]]:
    """Returns the definitions of the tools that the model may call at the end of the conversation.

    A change of a tool without a definition is ignored.
    """
    declared = request.tools or []
    changes = _find_changes(request.messages)
    if not changes:
        return declared
    added: dict[str, Any] = {}
    removed: set[str] = set()
    for change in changes:
        name = changed_tool(change)
        if change["type"] == "tool_removal":
            removed.add(name)
            continue
        removed.discard(name)
        if name and isinstance(definition := change["tool"].get("definition"), dict):
            added[name] = definition
    tools: dict[str | int, Any] = {}
    for n, tool in enumerate(declared):
        tools.setdefault(_name(tool) or n, tool)
    tools.update(added)
    return [tool for name, tool in tools.items() if name not in removed]


def _find_changes(messages: Sequence[Message]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    for message in messages:
        for block in dicts(message.content):
            if is_change(block):
                changes.append(block)
            elif is_summary(block) and block.get("tool_changes") is not None:
                changes = [*filter(is_change, dicts(block["tool_changes"]))]
    return changes


def _name(tool: dict[str, Any]) -> str:
    name = tool.get("name")
    return name if isinstance(name, str) else ""
