"""Watches the text for stop sequences while it arrives.

Upstream takes four of them at most, and does not always say at which one it stopped.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence


class StopWatcher:
    """Lets text pass up to the first stop sequence, and holds back only text that may begin one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._tree = _StopTree(filter(None, stops)) if any(stops) else None
        self._node = 0  # its beginning of a sequence is held back
        self.matched: str | None = None
        """The sequence that was found. No text passes behind it. None if there was none yet."""

    def feed(self, text: str) -> str:
        """Returns the text that certainly stands before any stop sequence."""
        if self._tree is None:
            return text
        if self.matched is not None:
            return ""
        before, held_chars = self._node, self._tree.depths[self._node]
        self._node, read_chars = self._tree.walk(before, text)
        ending = self._tree.find_stop(self._node)
        settled = held_chars + read_chars - (len(ending) or self._tree.depths[self._node])
        if ending:
            self._node, self.matched = 0, ending
        if settled <= held_chars:
            return self._tree.cut(before, settled)
        return self._tree.cut(before, held_chars) + text[: settled - held_chars]

    def flush(self) -> str:
        """Returns the text that was held back. Is called at the end of the text."""
        node, self._node = self._node, 0
        return "" if self._tree is None else self._tree.cut(node, self._tree.depths[node])


class _StopTree:
    """All stop sequences in one tree, after Aho and Corasick, so that each character of a text is looked at once.

    A node stands for the beginning of one or more sequences. Node 0 stands for the empty beginning.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._children: list[dict[str, int]] = [{}]  # node -> next character -> node
        self._sequences = [""]  # node -> a sequence that has this beginning
        self.depths = [0]
        """Node -> the length of its beginning, in characters."""
        self._stop_chars = [0]  # node -> length of the longest sequence at the end of its beginning; 0: none
        for stop in stops:
            self._add(stop)
        self._shorter = [0] * len(self._children)  # node -> the longest other beginning at the end of its own
        self._link()
        self._first = re.compile(f"[{''.join(map(re.escape, self._children[0]))}]")  # all first characters

    def walk(self, node: int, text: str) -> tuple[int, int]:
        """Reads `text` behind the beginning of `node`, up to the end of the first sequence if there is one.

        Returns the node of the longest beginning at the end of what was read, and how many characters were read.
        """
        at = 0
        while at < len(text):
            if not node:
                first = self._first.search(text, at)
                if first is None:
                    break
                at = first.start()
            node = self._step(node, text[at])
            at += 1
            if self._stop_chars[node]:
                return node, at
        return node, len(text)

    def find_stop(self, node: int) -> str:
        """Returns the longest sequence at the end of the beginning of `node`. Empty if there is none."""
        depth = self.depths[node]
        return self._sequences[node][depth - self._stop_chars[node] : depth]

    def cut(self, node: int, length: int) -> str:
        """Returns the first `length` characters of the beginning of `node`."""
        return self._sequences[node][:length]

    def _add(self, stop: str) -> None:
        node = 0
        for depth, character in enumerate(stop, 1):
            child = self._children[node].get(character)
            if child is None:
                child = self._children[node][character] = len(self._children)
                self._children.append({})
                self._sequences.append(stop)
                self.depths.append(depth)
                self._stop_chars.append(0)
            node = child
        self._stop_chars[node] = len(stop)

    def _link(self) -> None:
        """Finds the shorter beginning of each node. Nodes with short beginnings come first."""
        nodes = deque(self._children[0].values())
        while nodes:
            node = nodes.popleft()
            for character, child in self._children[node].items():
                self._shorter[child] = self._step(self._shorter[node], character)
                self._stop_chars[child] = self._stop_chars[child] or self._stop_chars[self._shorter[child]]
                nodes.append(child)

    def _step(self, node: int, character: str) -> int:
        """Returns the node of the longest beginning at the end of `node`'s beginning and the character."""
        while (child := self._children[node].get(character)) is None and node:
            node = self._shorter[node]
        return child or 0
