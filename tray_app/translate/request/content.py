"""Translates content blocks of Anthropic's Messages API to OpenAI's content parts or to plain text.

https://docs.anthropic.com/en/api/messages. An unknown block becomes its text, or a note that names its type.
"""

from __future__ import annotations

from tray_app.translate.request.body import ContentBlock, dicts, to_blocks
from tray_app.translate.request.server_blocks import tell_block
from tray_app.translate.request.tools import upstream_name

NO_IMAGES_NOTE = "[There was an image here. This model reads text only.]"
_IMAGE_FOLLOWS_NOTE = "[The image follows.]"
_BILLING_HEADER = "x-anthropic-billing-header:"


def read_system(system: str | list[ContentBlock] | None) -> str:
    """Returns the text of a system prompt without Claude Code's billing header.

    The header contains a hash that changes with every request, which would defeat upstream's prefix cache.
    """
    if system is None:
        return ""
    texts = (_without_billing_header(to_text(block)) for block in to_blocks(system))
    return "\n\n".join(text for text in texts if text.strip())


def _without_billing_header(text: str) -> str:
    if not text.startswith(_BILLING_HEADER):
        return text
    return text.partition("\n")[2].lstrip("\n")


def to_parts(blocks: list[ContentBlock], *, takes_images: bool) -> list[ContentBlock]:
    """Returns the blocks of a user turn as OpenAI's content parts (`text`, `image_url`), without empty texts.

    The images of a document follow its text. If `takes_images` is false, a note stands in the place of each image.
    """
    parts: list[ContentBlock] = []
    for block in blocks:
        if block["type"] == "image":
            url = _image_url(block)
            if takes_images and url:
                parts.append({"type": "image_url", "image_url": {"url": url}})
            else:
                parts.append({"type": "text", "text": NO_IMAGES_NOTE})
        elif text := to_text(block, images_follow=takes_images):
            parts.append({"type": "text", "text": text})
            if takes_images:
                parts += to_parts(find_images([block]), takes_images=True)
    return parts


def find_images(content: object) -> list[ContentBlock]:
    """Returns the images of a content value and of the documents in it, in order."""
    images: list[ContentBlock] = []
    unread = dicts(content)[::-1]
    while unread:
        block = unread.pop()
        if block.get("type") == "image":
            images.append(block)
        elif block.get("type") == "document" and isinstance(block.get("source"), dict):
            unread += dicts(block["source"].get("content"))[::-1]
    return images


def join_parts(parts: list[ContentBlock]) -> str | list[ContentBlock]:
    """Returns one string if all parts are text, because some servers accept nothing else; otherwise the parts."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def to_text(block: ContentBlock, *, images_follow: bool = False) -> str:
    """Returns the text of one block, or a note if it has none.

    `images_follow` is true if the images that `find_images` finds in the block are sent after this text.
    """
    pieces: list[str] = []
    _write_block(block, images_follow, pieces)
    return "".join(pieces)


def flatten(content: object, *, images_follow: bool = False) -> str:
    """Returns the text of a content value: None, a string or a list of blocks, each of which begins a line."""
    pieces: list[str] = []
    _write_content(content, images_follow, pieces)
    return "".join(pieces)


def _write_block(block: ContentBlock, images_follow: bool, pieces: list[str]) -> None:
    """Appends the text of one block to `pieces`, so that a text within nested documents is copied only once."""
    kind = block["type"]
    if kind == "image":
        pieces.append(_IMAGE_FOLLOWS_NOTE if images_follow else NO_IMAGES_NOTE)
    elif kind == "document":
        _write_document(block, images_follow, pieces)
    elif kind == "tool_reference":
        pieces.append(f"Tool {upstream_name(str(block.get('tool_name')))} is now loaded.")
    elif kind == "search_result":
        pieces.append(f"{block.get('title')} ({block.get('source')})\n")
        _write_content(block.get("content"), False, pieces)
    elif isinstance(block.get("text"), str):
        pieces.append(block["text"])
    elif (told := tell_block(block)) is not None:
        for piece in told:
            _write_content(piece, False, pieces)
    else:
        pieces.append(f"[There was content of the type {kind} here. This model cannot read it.]")


def _write_content(content: object, images_follow: bool, pieces: list[str]) -> None:
    if isinstance(content, list):
        blocks = [block for block in dicts(content) if "type" in block]
        for n, block in enumerate(blocks):
            if n:
                pieces.append("\n")
            _write_block(block, images_follow, pieces)
    elif content is not None:
        pieces.append(str(content))


def _image_url(block: ContentBlock) -> str:
    source = block.get("source")
    if not isinstance(source, dict):
        return ""
    if source.get("type") == "base64":
        return f"data:{source.get('media_type', 'image/png')};base64,{source.get('data', '')}"
    return str(source.get("url") or "")


def _write_document(block: ContentBlock, images_follow: bool, pieces: list[str]) -> None:
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    title = str(block.get("title") or "document")
    if source.get("type") not in ("text", "content"):
        kind = source.get("url") or source.get("file_id") or source.get("media_type") or source.get("type")
        pieces.append(f'[There was a document here, "{title}" ({kind}). This model cannot read it.]')
        return
    pieces.append(f'<document title="{title}">\n')
    if block.get("context"):
        pieces.append(f"[About this document: {block['context']}]\n")
    if source["type"] == "text":
        pieces.append(str(source.get("data", "")))
    else:
        _write_content(source.get("content"), images_follow, pieces)
    pieces.append("\n</document>")
