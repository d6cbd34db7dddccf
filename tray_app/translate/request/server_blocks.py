"""Turns blocks about work on Anthropic's servers into text: the calls and results of the tools that run there.

They come with a conversation that began with Anthropic's API.
https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools and .../mcp-connector. The models here cannot
call these tools, so their calls are sent as text. Encrypted data is left out, because only Anthropic's servers can read
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tray_app.translate import json_text
from tray_app.translate.request.body import ContentBlock, dicts
from tray_app.translate.request.control_blocks import SILENT, changed_tool
from tray_app.translate.request.server_results import Piece, as_blocks, tell_result
from tray_app.translate.request.tools import upstream_name

_RESULT_ENDING = "_tool_result"


def tell_block(block: ContentBlock) -> Iterator[Piece] | None:
    """Returns the pieces of a block's text; None if the block is not about work on a server."""
    kind = str(block["type"])
    if kind in _CALLS:
        return _CALLS[kind](block)
    if kind in _OTHERS:
        return _OTHERS[kind](block)
    if kind.endswith(_RESULT_ENDING):
        return tell_result(kind.removesuffix(_RESULT_ENDING), block.get("content"))
    return None


def _tell_call(block: ContentBlock) -> Iterator[Piece]:
    yield f"[The tool {_name(block)} was called with {_input(block)}.]"


def _tell_mcp_call(block: ContentBlock) -> Iterator[Piece]:
    yield f"[The tool {_name(block)} of the MCP server {block.get('server_name')} was called with {_input(block)}.]"


def _name(block: ContentBlock) -> str:
    return str(block.get("name"))


def _input(block: ContentBlock) -> str:
    return json_text.encode_valid(block.get("input") or {}).decode()


def _tell_mcp_result(block: ContentBlock) -> Iterator[Piece]:
    yield "[The MCP tool failed:]\n" if block.get("is_error") is True else "[Result of the MCP tool:]\n"
    yield as_blocks(block.get("content"))


def _tell_tool_result(block: ContentBlock) -> Iterator[Piece]:
    yield "[Result of an earlier call]\n"
    if block.get("is_error") is True:
        yield "[The tool failed]\n"
    yield as_blocks(block.get("content"))


def _tell_compaction(block: ContentBlock) -> Iterator[Piece]:
    yield as_blocks(block.get("content"))


def _tell_upload(block: ContentBlock) -> Iterator[Piece]:
    yield f"[The file {block.get('file_id')} was uploaded to the container of the code execution tool.]"


def _tell_browser(block: ContentBlock) -> Iterator[Piece]:
    lines = ["[Open tabs of the browser:]"]
    for tab in dicts(block.get("tabs")):
        mark = " (active)" if tab.get("active") is True else ""
        lines.append(f"{tab.get('tab_id')}: {tab.get('title')} {tab.get('url')}{mark}")
    for change in dicts(block.get("state_changes")):
        facts = (change.get(key) for key in ("type", "tab_id", "download_id", "url", "path", "error"))
        lines.append(" ".join(str(fact) for fact in facts if fact is not None))
    yield "\n".join(lines)


def _tell_addition(block: ContentBlock) -> Iterator[Piece]:
    if name := changed_tool(block):
        yield f"Tool {upstream_name(name)} is available from here on."


def _tell_removal(block: ContentBlock) -> Iterator[Piece]:
    if name := changed_tool(block):
        yield f"Tool {upstream_name(name)} is not available from here on."


_CALLS: dict[str, Callable[[ContentBlock], Iterator[Piece]]] = {
    "tool_use": _tell_call,
    "server_tool_use": _tell_call,
    "mcp_tool_use": _tell_mcp_call,
}
_OTHERS: dict[str, Callable[[ContentBlock], Iterator[Piece]]] = {
    "tool_result": _tell_tool_result,
    "mcp_tool_result": _tell_mcp_result,
    "compaction": _tell_compaction,
    "container_upload": _tell_upload,
    "browser_state": _tell_browser,
    "tool_addition": _tell_addition,
    "tool_removal": _tell_removal,
    **dict.fromkeys(SILENT, lambda _: iter(())),
}
