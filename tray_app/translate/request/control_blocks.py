"""Blocks that control the conversation: summaries of it, changes of the tools, and notes for Anthropic's servers."""

from __future__ import annotations

from collections.abc import Sequence

from tray_app.translate.request.body import ContentBlock, Message, dicts

SILENT = frozenset({"fallback", "mcp_tool_listing"})
"""Types of blocks for Anthropic's servers: another model took over, or an MCP server listed its tools."""


def is_silent(block: ContentBlock) -> bool:
    """Returns whether a block has no text for a model. A summary is empty if summarising failed."""
    return block["type"] in SILENT or (block["type"] == "compaction" and not is_summary(block))


def is_summary(block: ContentBlock) -> bool:
    """Returns whether a block is a summary that replaces the conversation before it.

    https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    return block.get("type") == "compaction" and bool(block.get("content"))


def since_summary(messages: Sequence[Message]) -> Sequence[Message]:
    """Returns the messages from the last summary on; all messages if there is no summary."""
    for n in range(len(messages) - 1, -1, -1):
        if any(is_summary(block) for block in dicts(messages[n].content)):
            return messages[n:]
    return messages


def is_change(block: ContentBlock) -> bool:
    """Returns whether a block adds or removes a tool that the model may call."""
    return block.get("type") in ("tool_addition", "tool_removal")


def changed_tool(block: ContentBlock) -> str:
    """Returns the name of the tool that a `tool_addition` or `tool_removal` is about.

    It is empty if the block is about the tools of an MCP server, which run on Anthropic's servers.
    """
    tool = block.get("tool")
    if isinstance(tool, dict) and tool.get("type") == "tool_definition":
        tool = tool.get("definition")
    elif not isinstance(tool, dict) or tool.get("type") != "tool_reference":
        return ""
    name = tool.get("name") if isinstance(tool, dict) else None
    return name if isinstance(name, str) else ""
