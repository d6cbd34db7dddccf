"""Blocks that change the conversation instead of saying something in it: summaries, changes of the tools, and blocks
that only Anthropic's servers read.
"""

from __future__ import annotations

from collections.abc import Sequence

from tray_app.translate.request.body import ContentBlock, Message, dicts

SILENT = frozenset({"fallback", "mcp_tool_listing"})
"""Blocks that servers keep for themselves: where another model took over, and which tools an MCP server lists."""


def is_silent(block: ContentBlock) -> bool:
    """Whether a block says nothing to a model. A summary that failed is empty."""
    return block["type"] in SILENT or (block["type"] == "compaction" and not is_summary(block))


def is_summary(block: ContentBlock) -> bool:
    """Whether a block sums up the conversation before it, which it stands for.

    https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    return block.get("type") == "compaction" and bool(block.get("content"))


def since_summary(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages from the last summary of the conversation on; all messages if there is none."""
    for n in range(len(messages) - 1, -1, -1):
        if any(is_summary(block) for block in dicts(messages[n].content)):
            return messages[n:]
    return messages


def is_change(block: ContentBlock) -> bool:
    """Whether a block adds a tool to those that the model may call, or removes one."""
    return block.get("type") in ("tool_addition", "tool_removal")


def changed_tool(block: ContentBlock) -> str:
    """The name of the tool that a `tool_addition` or `tool_removal` is about; empty if it is about MCP servers' tools,
    which run on Anthropic's servers."""
    tool = block.get("tool")
    if isinstance(tool, dict) and tool.get("type") == "tool_definition":
        tool = tool.get("definition")
    elif not isinstance(tool, dict) or tool.get("type") != "tool_reference":
        return ""
    name = tool.get("name") if isinstance(tool, dict) else None
    return name if isinstance(name, str) else ""
