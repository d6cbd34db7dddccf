"""What happened on Anthropic's servers, as text: their tools' calls and results, as they stand in a conversation that
began there.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools and .../mcp-connector. A model here can call
none of these tools, so their calls are told, not sent as calls. What is encrypted is left out: only Anthropic's servers
read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tray_app.translate import json_text
from tray_app.translate.request.body import ContentBlock, Message
from tray_app.translate.request.tools import upstream_name

Piece = str | list[Any]
"""Text, or content blocks whose text belongs in its place."""

SILENT = frozenset({"fallback", "mcp_tool_listing"})
"""Blocks that servers keep for themselves: where another model took over, and which tools an MCP server lists."""

_RESULT_ENDING = "_tool_result"
_ENCRYPTED_NOTE = "[The output is encrypted. Only Anthropic's servers can read it.]"


def tell_block(block: ContentBlock) -> Iterator[Piece] | None:
    """What a block of a server's tool says; None if it is no such block."""
    kind = str(block["type"])
    if kind in _CALLS:
        return _CALLS[kind](block)
    if kind in _OTHERS:
        return _OTHERS[kind](block)
    if kind.endswith(_RESULT_ENDING):
        return _tell_result(kind.removesuffix(_RESULT_ENDING), block.get("content"))
    return None


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
        if any(is_summary(block) for block in _dicts(messages[n].content)):
            return messages[n:]
    return messages


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
    yield _as_blocks(block.get("content"))


def _tell_tool_result(block: ContentBlock) -> Iterator[Piece]:
    yield "[Result of an earlier call]\n"
    if block.get("is_error") is True:
        yield "[The tool failed]\n"
    yield _as_blocks(block.get("content"))


def _tell_compaction(block: ContentBlock) -> Iterator[Piece]:
    yield _as_blocks(block.get("content"))


def _tell_upload(block: ContentBlock) -> Iterator[Piece]:
    yield f"[The file {block.get('file_id')} was uploaded to the container of the code execution tool.]"


def _tell_browser(block: ContentBlock) -> Iterator[Piece]:
    lines = ["[Open tabs of the browser:]"]
    for tab in _dicts(block.get("tabs")):
        mark = " (active)" if tab.get("active") is True else ""
        lines.append(f"{tab.get('tab_id')}: {tab.get('title')} {tab.get('url')}{mark}")
    for change in _dicts(block.get("state_changes")):
        facts = (change.get(key) for key in ("type", "tab_id", "download_id", "url", "path", "error"))
        lines.append(" ".join(str(fact) for fact in facts if fact is not None))
    yield "\n".join(lines)


def _tell_addition(block: ContentBlock) -> Iterator[Piece]:
    if name := changed_tool(block):
        yield f"Tool {upstream_name(name)} is available from here on."


def _tell_removal(block: ContentBlock) -> Iterator[Piece]:
    if name := changed_tool(block):
        yield f"Tool {upstream_name(name)} is not available from here on."


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


def _tell_result(tool: str, content: object) -> Iterator[Piece]:
    """The result of a server's tool: one object, or a list of pages that a search found."""
    if not isinstance(content, dict):
        yield f"[Result of {tool}:]\n"
        yield _list_pages(content) if _is_page_list(content) else _as_blocks(content) or "nothing"
        return
    kind = str(content.get("type"))
    if "error_code" in content or kind.endswith("_error"):
        reason = ": ".join(str(fact) for fact in (content.get("error_code"), content.get("error_message")) if fact)
        yield f"[{tool} failed: {reason or 'no reason is given'}]"
        return
    yield f"[Result of {tool}:]\n"
    yield from _RESULTS.get(kind, _tell_unknown)(content)


def _is_page_list(content: object) -> bool:
    pages = _dicts(content)
    return bool(pages) and all(page.get("type") == "web_search_result" for page in pages)


def _list_pages(content: object) -> str:
    lines: list[str] = []
    for number, page in enumerate(_dicts(content), 1):
        age = f" ({page['page_age']})" if page.get("page_age") else ""
        lines.append(f"{number}. {page.get('title') or 'a page'}{age}\n   {page.get('url')}")
    return "\n".join(lines)


def _tell_page(content: ContentBlock) -> Iterator[Piece]:
    when = f", retrieved at {content['retrieved_at']}" if content.get("retrieved_at") else ""
    yield f"{content.get('url')}{when}\n"
    yield _as_blocks(content.get("content"))


def _tell_execution(content: ContentBlock) -> Iterator[Piece]:
    lines = [_ENCRYPTED_NOTE] if "encrypted_stdout" in content else []
    if content.get("stdout"):
        lines.append(str(content["stdout"]))
    if content.get("stderr"):
        lines.append(f"[stderr:]\n{content['stderr']}")
    lines.append(f"[return code: {content.get('return_code')}]")
    if files := [str(file.get("file_id")) for file in _dicts(content.get("content")) if file.get("file_id")]:
        lines.append(f"[files: {', '.join(files)}]")
    yield "\n".join(lines)


def _tell_view(content: ContentBlock) -> Iterator[Piece]:
    if content.get("file_type") not in ("text", None):
        yield f"[This was a file of the type {content['file_type']}. This model cannot read it.]"
        return
    if content.get("start_line") is not None:
        yield f"[from line {content['start_line']}]\n"
    yield str(content.get("content") or "")


def _tell_creation(content: ContentBlock) -> Iterator[Piece]:
    yield "[The file was overwritten.]" if content.get("is_file_update") is True else "[The file was created.]"


def _tell_replacement(content: ContentBlock) -> Iterator[Piece]:
    yield "[The text was replaced.]"
    if isinstance(lines := content.get("lines"), list):
        yield "\n" + "\n".join(str(line) for line in lines)


def _tell_found_tools(content: ContentBlock) -> Iterator[Piece]:
    yield _dicts(content.get("tool_references")) or "no tools"


def _tell_redacted(_: ContentBlock) -> Iterator[Piece]:
    yield _ENCRYPTED_NOTE


def _tell_unknown(content: ContentBlock) -> Iterator[Piece]:
    """A result of a kind that does not exist yet: its texts, as far as they can be told from what no model reads."""
    values = (content.get(name) for name in ("title", "url", "text", "stdout", "stderr"))
    texts = [value for value in values if isinstance(value, str)]
    blocks = _as_blocks(content.get("content"))
    yield "\n".join(texts)
    if texts and blocks:
        yield "\n"
    yield blocks


def _as_blocks(content: object) -> list[Any]:
    """A content value as a list of blocks: it may be missing, a text, one block or several."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else [content]


def _dicts(value: object) -> list[ContentBlock]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


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
_RESULTS: dict[str, Callable[[ContentBlock], Iterator[Piece]]] = {
    "web_fetch_result": _tell_page,
    "code_execution_result": _tell_execution,
    "bash_code_execution_result": _tell_execution,
    "encrypted_code_execution_result": _tell_execution,
    "text_editor_code_execution_view_result": _tell_view,
    "text_editor_code_execution_create_result": _tell_creation,
    "text_editor_code_execution_str_replace_result": _tell_replacement,
    "tool_search_tool_search_result": _tell_found_tools,
    "advisor_redacted_result": _tell_redacted,
}
