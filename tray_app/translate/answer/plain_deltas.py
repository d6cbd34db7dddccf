"""Reads chunks that differ from an earlier one in nothing but a piece of text, without decoding them.

Most chunks of an answer are such ones. This is the fast twin of `chunk.decode_chunk`: it gives the same text, or none.
"""

from __future__ import annotations

import re

from tray_app.translate import json_text
from tray_app.translate.answer.chunk import Choice, Chunk, Message, decode_chunk

_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*+')
"""The inside of a JSON string without escapes."""
_PROBE = "a text that no chunk has"
_MOST_LESSONS = 16
"""So many forms of chunks are learned in one answer. Most answers have two: one for thinking, and one for text. If each
chunk has a form of its own, such as one with the time, learning is given up."""
_MOST_BYTES = 16 * 1024


class PlainDeltas:
    """The forms of the chunks of one answer."""

    def __init__(self) -> None:
        self.is_thinking = False
        """Tells whether what `read` returns is thinking, and not text."""
        self._before = self._behind = b""
        self._lessons_left = _MOST_LESSONS

    def read_events(self, data: bytes) -> list[str]:
        """Returns the contents of whole events, all of which carry chunks of the last form; empty if they do not."""
        if not self._before or not data.endswith(b"\n\n"):
            return []
        texts = []
        for event in data[:-2].split(b"\n\n"):
            text = self.read(event[6:]) if event.startswith(b"data: ") else ""
            if not text:
                return []
            texts.append(text)
        return texts

    def read(self, payload: bytes) -> str:
        """Returns the only content of a chunk of the last form; empty if the chunk must be decoded."""
        before, behind = self._before, self._behind
        if not before or not payload.startswith(before) or not payload.endswith(behind):
            return ""
        if not _PLAIN.fullmatch(payload, len(before), len(payload) - len(behind)):
            return ""
        try:
            return payload[len(before) : -len(behind)].decode()
        except UnicodeDecodeError:
            return ""

    def learn(self, payload: bytes, chunk: Chunk) -> None:
        """Learns the form of a chunk, if it is one that has nothing but a piece of text or thinking."""
        if not self._lessons_left or len(payload) > _MOST_BYTES or b"\n" in payload:
            return
        content = _find_only_content(chunk)
        if content is None:
            return
        self._lessons_left -= 1
        text, is_thinking = content
        inside = b'"%b"' % json_text.encode(text)[1:-1]
        before, _, behind = payload.partition(inside)
        before, behind = before + b'"', b'"' + behind
        # The same text may stand elsewhere in the chunk. Another text in its place shows whether this is the content.
        if payload.count(inside) == 1:
            probe = _find_only_content(decode_chunk(before + _PROBE.encode() + behind))
            if probe == (_PROBE, is_thinking):
                self._before, self._behind, self.is_thinking = before, behind, is_thinking


def _find_only_content(chunk: Chunk) -> tuple[str, bool] | None:
    """Returns the text of a chunk that has nothing else that counts, and whether it is thinking; None for others."""
    choice = chunk.choices[0] if chunk.choices and len(chunk.choices) == 1 else None
    delta = choice.delta if choice else None
    if delta is None or chunk != Chunk([Choice(delta=delta)]):
        return None
    if isinstance(delta.content, str) and delta.content and delta == Message(content=delta.content):
        return delta.content, False
    thinking = delta.reasoning_content
    if thinking and delta in (Message(reasoning_content=thinking), Message(content="", reasoning_content=thinking)):
        return thinking, True
    return None
