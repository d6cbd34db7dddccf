"""Streams that run beside another request, to see whether it holds them up.

Each stream goes in lockstep: upstream says the next word only when the client has read the last one. So a stream that
moves on while something else is worked on cannot have lived on what stood in a buffer: the gateway has served it.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.chunks import finish, text
from tests.support.fake_upstream import TIMEOUT_S, FakeUpstream, Gate, Reply, stream
from tests.support.gateway import RunningGateway, question

MOST_WORDS = 1_000
_PROMPT = "count "


@dataclass
class Bystanders:
    """The running streams, and how many words each has read so far."""

    words: list[int]
    is_over: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def count(self, number: int) -> None:
        """Counts one more word of a stream."""
        with self._changed:
            self.words[number] += 1
            self._changed.notify_all()

    def wait_for_progress(self, words: int) -> None:
        """Returns once every stream has read so many more words."""
        wanted = [count + words for count in self.words]
        with self._changed:
            assert self._changed.wait_for(lambda: all(map(operator.ge, self.words, wanted)), TIMEOUT_S), self.words

    def least_progress(self, work: Callable[[], object]) -> int:
        """How many words the slowest stream has read while `work` was done."""
        before = [*self.words]
        work()
        return min(after - at_first for at_first, after in zip(before, self.words, strict=True))


@contextmanager
def bystanders(
    gateway: RunningGateway, upstream: FakeUpstream, others: Callable[[dict[str, Any]], Reply], count: int = 20
) -> Iterator[Bystanders]:
    """Runs so many streams. `others` answers every other request."""
    gates = [[Gate() for _ in range(MOST_WORDS)] for _ in range(count)]
    running = Bystanders([0] * count)

    def answer(body: dict[str, Any]) -> Reply:
        prompt = body["messages"][-1]["content"]
        if not prompt.startswith(_PROMPT):
            return others(body)
        parts = [part for gate in gates[int(prompt.removeprefix(_PROMPT))] for part in (text("word "), gate)]
        return stream(*parts, finish())

    def read(number: int) -> None:
        with gateway.stream(question(f"{_PROMPT}{number}")) as words:
            for gate in gates[number]:
                words.read_until("content_block_delta")
                running.count(number)
                gate.open()
                if running.is_over:
                    return

    upstream.default = answer
    readers = [threading.Thread(target=read, args=(number,)) for number in range(count)]
    for reader in readers:
        reader.start()
    try:
        running.wait_for_progress(1)  # the first word of a stream takes longest
        yield running
    finally:
        running.is_over = True
        for reader in readers:
            reader.join(TIMEOUT_S)
