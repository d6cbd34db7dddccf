"""Reads events whose chunks differ from an earlier one in nothing but a piece of text, without decoding them.

Most events of an answer are such ones. This is the fast twin of `sse.py` and `chunk.py`: it gives the same, or nothing.
"""

from __future__ import annotations

from tray_app.translate import json_text
from tray_app.translate.answer.chunk import Choice, Chunk, Message, decode_chunk
from tray_app.translate.answer.fragments import Fragments, make_fragments

_PROBE = "a text that no chunk has"
_MOST_LESSONS = 16
"""So many forms of chunks are learned in one answer. Most answers have two: one for thinking, and one for text. If each
chunk has a form of its own, such as one with the time, learning is given up."""
_MOST_BYTES = 16 * 1024


class PlainDeltas:
    """The forms of the chunks of one answer."""

    def __init__(self) -> None:
        self._begin = self._end = self._between = b""  # what stands before and behind the contents of events
        self._is_thinking = False
        self._lessons_left = _MOST_LESSONS

    def read(self, events: bytes) -> Fragments | None:
        """Returns the contents of whole events, all of which carry chunks of the last form; None for other events.

        `events` is a part of an event stream. Its lines end in LF.
        """
        begin, end = self._begin, self._end
        if not begin or not events.startswith(begin) or not events.endswith(end):
            return None
        if len(events) < len(begin) + len(end):
            return None
        pieces = events[len(begin) : -len(end)].split(self._between)
        return make_fragments(pieces, is_thinking=self._is_thinking)

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
                self._begin, self._end, self._is_thinking = b"data: " + before, behind + b"\n\n", is_thinking
                self._between = self._end + self._begin


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
