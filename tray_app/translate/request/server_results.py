"""Turns the results of tools that ran on Anthropic's servers into text.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tray_app.translate.request.body import ContentBlock, dicts

Piece = str | list[Any]
"""A text, or content blocks whose text is inserted here."""

_ENCRYPTED_NOTE = "[The output is encrypted. Only Anthropic's servers can read it.]"


def tell_result(tool: str, content: object) -> Iterator[Piece]:
    """Yields the text of a tool's result, which is one object or a list of pages that a search found."""
    if not isinstance(content, dict):
        yield f"[Result of {tool}:]\n"
        yield _list_pages(content) if _is_page_list(content) else as_blocks(content) or "nothing"
        return
    kind = str(content.get("type"))
    if "error_code" in content or kind.endswith("_error"):
        reason = ": ".join(str(fact) for fact in (content.get("error_code"), content.get("error_message")) if fact)
        yield f"[{tool} failed: {reason or 'no reason is given'}]"
        return
    yield f"[Result of {tool}:]\n"
    yield from _RESULTS.get(kind, _tell_unknown)(content)


def _is_page_list(content: object) -> bool:
    pages = dicts(content)
    return bool(pages) and all(page.get("type") == "web_search_result" for page in pages)


def _list_pages(content: object) -> str:
    lines: list[str] = []
    for number, page in enumerate(dicts(content), 1):
        age = f" ({page['page_age']})" if page.get("page_age") else ""
        lines.append(f"{number}. {page.get('title') or 'a page'}{age}\n   {page.get('url')}")
    return "\n".join(lines)


def _tell_page(content: ContentBlock) -> Iterator[Piece]:
    when = f", retrieved at {content['retrieved_at']}" if content.get("retrieved_at") else ""
    yield f"{content.get('url')}{when}\n"
    yield as_blocks(content.get("content"))


def _tell_execution(content: ContentBlock) -> Iterator[Piece]:
    lines = [_ENCRYPTED_NOTE] if "encrypted_stdout" in content else []
    if content.get("stdout"):
        lines.append(str(content["stdout"]))
    if content.get("stderr"):
        lines.append(f"[stderr:]\n{content['stderr']}")
    lines.append(f"[return code: {content.get('return_code')}]")
    if files := [str(file.get("file_id")) for file in dicts(content.get("content")) if file.get("file_id")]:
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
    yield dicts(content.get("tool_references")) or "no tools"


def _tell_redacted(_: ContentBlock) -> Iterator[Piece]:
    yield _ENCRYPTED_NOTE


def _tell_unknown(content: ContentBlock) -> Iterator[Piece]:
    """Yields the texts of a result of unknown type, from the fields that usually hold text for a model."""
    values = (content.get(name) for name in ("title", "url", "text", "stdout", "stderr"))
    texts = [value for value in values if isinstance(value, str)]
    blocks = as_blocks(content.get("content"))
    yield "\n".join(texts)
    if texts and blocks:
        yield "\n"
    yield blocks


def as_blocks(content: object) -> list[Any]:
    """Returns a content value (None, a string, one block or several) as a list of blocks."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else [content]


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
