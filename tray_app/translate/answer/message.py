"""Builds the message object of an answer that is not streamed."""

from __future__ import annotations

from typing import Any

from tray_app.translate.answer.answer import Answer
from tray_app.translate.answer.blocks import TEXT, THINKING
from tray_app.translate.answer.envelope import wrap_content
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.arguments.mending import as_object
from tray_app.translate.json_text import decoder
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.signature import sign_hidden


class ContentWriter:
    """Writes blocks into a content list."""

    def __init__(self, *, omits_thinking: bool = False) -> None:
        """`omits_thinking`: thinking is not written as text, but carried by the signature of its block."""
        self._omits_thinking = omits_thinking
        self.content: list[dict[str, Any]] = []
        self._fragments: list[str] = []

    def start(self, block: dict[str, Any]) -> None:
        """Opens a block. `block` is the block without its text or input."""
        self._fragments = []
        self.content.append({**block})

    def add(self, fragment: str) -> None:
        """Adds a fragment to the open block."""
        self._fragments.append(fragment)

    def add_fragments(self, fragments: Fragments) -> None:
        """Adds several fragments to the open block."""
        self._fragments.append(fragments.text)

    def stop(self) -> None:
        """Closes the open block."""
        block, text = self.content[-1], "".join(self._fragments)
        if block["type"] == TEXT:
            block["text"] = text
        elif block["type"] == THINKING:
            shown, hidden = ("", text) if self._omits_thinking else (text, "")
            block.update(thinking=shown, signature=sign_hidden(hidden))
        else:
            block["input"] = read_input(text)


def read_input(arguments: str) -> dict[str, Any]:
    """Returns the input of a call. Text that is no JSON object is kept under one key, so that the tool's own error
    shows it."""
    try:
        return as_object(decoder.decode(arguments))
    except (ValueError, RecursionError):
        return as_object(arguments)


class MessageBuilder:
    """Turns chunks, or one whole completion, into a message."""

    def __init__(self, request: ChatRequest, message_id: str) -> None:
        self._writer = ContentWriter(omits_thinking=request.omits_thinking)
        self._request = request
        self._message_id = message_id
        self.answer = Answer(self._writer, request, message_id)

    def finish(self) -> dict[str, Any]:
        """Closes the answer and returns the message."""
        ending = self.answer.finish()
        content = self._writer.content
        return wrap_content(
            self._request, self._message_id, content, ending.usage, ending.stop_reason, ending.stop_sequence
        )
