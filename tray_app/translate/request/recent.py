"""Keeps what was used of late within a limit of memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A dict that forgets what was not used for long.

    It has two generations. When the young one is full, it becomes the old one, and the old one is forgotten. What is
    found in the old one becomes young again. So each step takes the same time, however much is kept.
    """

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: so much may all values cost together."""
        self._most_bytes = most_bytes // 2
        self._young: dict[Key, tuple[Value, int]] = {}
        self._old: dict[Key, tuple[Value, int]] = {}
        self._young_bytes = 0

    @property
    def size(self) -> int:
        """The number of values that are kept."""
        return len(self._young) + len(self._old)

    def get(self, key: Key) -> Value | None:
        """Returns the value of a key; None if there is none, or no more."""
        if found := self._young.get(key):
            return found[0]
        if found := self._old.pop(key, None):
            self.put(key, *found)
            return found[0]
        return None

    def put(self, key: Key, value: Value, cost_bytes: int) -> None:
        """Keeps a value, which takes about `cost_bytes` of memory. One that is larger than a generation is not kept."""
        if cost_bytes > self._most_bytes:
            return
        if self._young_bytes + cost_bytes > self._most_bytes:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = (value, cost_bytes)
        self._young_bytes += cost_bytes
