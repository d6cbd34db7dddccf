"""The fast ways are taken: for the requests of a session, and for the chunks of an answer."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream, whole
from tests.support.gateway import WEATHER, RunningGateway, question
from tests.support.loop_watch import count_turns
from tray_app.proxy.exchange import attempt, intake
from tray_app.proxy.exchange.intake import Intake
from tray_app.proxy.upstream import client
from tray_app.translate.answer.chunk import Chunk, decode_chunk


def count_known(gateway: RunningGateway) -> int:
    assert gateway.service.running is not None
    return gateway.service.running.gateway.translator.known_requests


def test_each_request_of_a_session_is_translated_by_means_of_what_is_known(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.default = lambda _: whole(completion("fine"))
    messages = [{"role": "user", "content": "Go"}]
    for turn in range(4):
        assert gateway.ask(question(messages=messages, tools=[WEATHER])).text == "fine"
        messages += [{"role": "assistant", "content": f"fine {turn}"}, {"role": "user", "content": "And then?"}]
    assert count_known(gateway) == 4


def test_a_large_session_needs_no_worker_process(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.default = lambda _: whole(completion("fine"))
    sides = ("user", "assistant")
    messages = [{"role": sides[n % 2], "content": f"{n} " * 50_000} for n in range(19)]
    assert gateway.ask(question(messages=messages)).text == "fine"
    assert count_known(gateway) == 1
    assert [len(message["content"]) for message in upstream.received[-1].body["messages"]] == [
        len(message["content"]) for message in messages
    ]


def test_a_session_of_many_messages_needs_no_worker_process_either(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.default = lambda _: whole(completion("fine"))
    messages = [{"role": ("user", "assistant")[n % 2], "content": f"{n} é words " * 100} for n in range(2_501)]
    for count in (2_499, 2_501):
        assert gateway.ask(question(messages=messages[:count], tools=[WEATHER])).text == "fine"
        assert upstream.received[-1].body["messages"] == messages[:count]
    assert count_known(gateway) == 2


def test_a_large_request_is_sent_in_portions_between_which_others_have_their_turn() -> None:
    pieces = [b"[", *[b"abc" * 1_000, b","] * 200, b"d" * 700_000, b"", b"]"]

    async def send() -> list[tuple[bytes, int]]:
        async with count_turns() as turns:
            return [(portion, turns.count) async for portion in client._one_by_one(pieces)]  # noqa: SLF001

    sent = asyncio.run(send())
    assert b"".join(portion for portion, _ in sent) == b"".join(pieces)
    assert all(100_000 < len(portion) < 300_000 for portion, _ in sent[:-1])
    assert all(before < after for (_, before), (_, after) in pairwise(sent))


def test_chunks_that_differ_in_their_text_only_are_not_decoded(
    gateway: RunningGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []

    def decode(payload: bytes) -> Chunk:
        decoded.append(payload)
        return decode_chunk(payload)

    monkeypatch.setattr(intake, "decode_chunk", decode)
    words = [f"word{n} " for n in range(100)]
    upstream.script(stream(*map(text, words), finish()))
    assert gateway.ask(question(stream=True)).text == "".join(words)
    assert len(decoded) < 10


def test_plain_events_are_passed_on_without_waking_the_task_of_the_request(
    gateway: RunningGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[bytes] = []

    class Spy(Intake):
        async def feed(self, data: bytes) -> bool:
            parts.append(data)
            return await super().feed(data)

    monkeypatch.setattr(attempt, "Intake", Spy)
    words = [f"word{n} " for n in range(10)]
    gates = [Gate() for _ in words]
    steps: list[Any] = [step for word, gate in zip(words, gates, strict=True) for step in (text(word), gate)]
    upstream.script(stream(*steps, finish()))
    with gateway.stream(question(stream=True)) as answer:
        for gate in gates:
            answer.read_until("content_block_delta")
            gate.open()
        assert answer.read_rest().text == "".join(words)
    assert len(b"".join(parts).split(b"word")) == 2, "only the first word came through the task"
