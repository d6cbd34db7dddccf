"""The bodies of requests: their size, their encoding, and how many are held at once."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import zlib
from collections.abc import Callable

import pytest

from tests.conftest import StartGateway
from tests.support.bystanders import bystanders
from tests.support.chunks import completion
from tests.support.fake_upstream import TIMEOUT_S, FakeUpstream, refusal, whole
from tests.support.gateway import QUICK, Answer, RunningGateway, both_ways, question
from tests.support.leftovers import wait_until_nothing_is_held
from tests.support.pdfs import make_pdf, make_slow_pdf
from tests.support.virtual_time import run_virtually
from tray_app.proxy.exchange import bodies
from tray_app.proxy.exchange.bodies import MAX_BODY_BYTES, SMALL_BYTES, SMALL_OBJECTS, Body, BodyReader, _Room

LARGE = "many words of a long conversation, é \ud83d. " * (SMALL_BYTES // 32)
LARGE_SENT = LARGE.replace("\ud83d", "\ufffd")
"""The same text as it is sent to upstream, which refuses half a surrogate pair."""
SERVED = whole(completion("served"))


def post(gateway: RunningGateway, data: bytes, encoding: str = "") -> Answer:
    headers = {"Content-Encoding": encoding} if encoding else {}
    return gateway.request("POST", "/v1/messages", data, **headers)


# ---- large requests


@both_ways
def test_a_large_request_is_sent_as_a_small_one_is(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    upstream.script(SERVED, SERVED)
    fields = {
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "a.b", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto"},
        "stop_sequences": ["1", "2", "3", "4", "5"],
        "temperature": 0.5,
        "stream": is_stream,
    }
    assert gateway.ask(question("hi", **fields)).status == 200
    assert gateway.ask(question(LARGE, **fields)).text == "served"
    small, large = (received.body for received in upstream.received)
    assert large.pop("messages") == [small["messages"][0], {"role": "user", "content": LARGE_SENT}]
    del small["messages"]
    assert large == {**small, "max_tokens": large["max_tokens"]}


def test_a_request_of_many_small_parts_counts_as_large(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    messages = [{"role": ("user", "assistant")[n % 2], "content": f"{n}"} for n in range(SMALL_OBJECTS)]
    data = json.dumps(question(messages=messages)).encode()
    body = Body()
    body.add(data)
    assert len(data) < SMALL_BYTES
    assert body.join_small() is None
    upstream.script(SERVED)
    assert post(gateway, data).text == "served"
    assert upstream.received[0].body["messages"] == messages


def test_the_error_for_a_large_request_names_the_wrong_field(gateway: RunningGateway) -> None:
    answer = gateway.ask(question(LARGE, max_tokens="many"))
    assert (answer.outcome, answer.sentence) == (
        (400, "invalid_request_error"),
        "max_tokens: Input should be a valid integer",
    )
    assert post(gateway, b"[" * 2 * SMALL_BYTES).sentence == "The request body is not valid JSON."


def test_the_tokens_of_a_large_request_are_counted(gateway: RunningGateway) -> None:
    def count(prompt: str) -> int:
        tokens: int = gateway.request("POST", "/v1/messages/count_tokens", question(prompt)).body["input_tokens"]
        return tokens

    half = LARGE[: SMALL_BYTES // 2]
    assert count(half * 4) == pytest.approx(4 * count(half), rel=0.01)


def test_a_pdf_in_a_large_request_is_read_too(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(SERVED)
    source = {"type": "base64", "media_type": "application/pdf", "data": make_pdf("from the PDF")}
    content = [{"type": "document", "source": source}, {"type": "text", "text": LARGE}]
    assert gateway.ask(question(messages=[{"role": "user", "content": content}])).text == "served"
    assert "from the PDF" in upstream.received[0].body["messages"][0]["content"]


def test_a_large_request_is_repeated_and_sent_to_a_fallback_model(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    fallback = "minimaxai/minimax-m2.1"
    gateway = start_gateway(timeouts=QUICK, fallback_models=(fallback,), follow_successors=False)
    upstream.script(refusal(503), refusal(410), SERVED)
    assert gateway.ask(question(LARGE)).text == "served"
    assert [received.body["model"] for received in upstream.received] == ["z-ai/glm4.7", "z-ai/glm4.7", fallback]
    assert all(received.body["messages"][-1]["content"] == LARGE_SENT for received in upstream.received)


def test_a_parameter_that_is_refused_is_left_out_of_a_large_request(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    unsupported = {"error": {"message": "Unsupported parameter: temperature", "param": "temperature"}}
    upstream.script(refusal(400, unsupported), SERVED)
    assert gateway.ask(question(LARGE, temperature=0.5)).text == "served"
    first, second = (received.body for received in upstream.received)
    assert second == {name: value for name, value in first.items() if name != "temperature"}


# ---- limits


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(gateway: RunningGateway) -> None:
    connection = http.client.HTTPConnection(gateway.host, timeout=TIMEOUT_S)
    connection.putrequest("POST", "/v1/messages")
    connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["message"] == "The request is larger than 64 MB."
    connection.close()


def test_a_compressed_body_is_unpacked(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    packs: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "GZIP": gzip.compress,
        "identity": bytes,
    }
    upstream.script(*[SERVED] * 2 * len(packs))
    for encoding, pack in packs.items():
        for prompt, sent in (("hi", "hi"), (LARGE, LARGE_SENT)):
            assert post(gateway, pack(json.dumps(question(prompt)).encode()), encoding).text == "served", encoding
            assert upstream.received[-1].body["messages"][-1]["content"] == sent, encoding


def test_a_gzip_body_may_have_several_members(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(SERVED)
    data = json.dumps(question("hi")).encode()
    assert post(gateway, gzip.compress(data[:20]) + gzip.compress(data[20:]), "gzip").text == "served"


def test_a_small_body_that_unpacks_to_too_much_is_refused(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1_000_000)
    bomb = gzip.compress(b'{"a": "' + b"x" * 50_000_000)
    assert post(gateway, bomb, "gzip").outcome == (413, "request_too_large")


@pytest.mark.parametrize(
    ("data", "encoding", "sentence"),
    [
        (gzip.compress(b"{}")[:-4], "gzip", "not encoded as its headers say"),
        (b"{}", "gzip", "not encoded as its headers say"),
        (b"", "gzip", "not encoded as its headers say"),
        (b"{}", "br", "must be gzip, deflate or none"),
    ],
    ids=["broken off", "not packed", "empty", "brotli"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    gateway: RunningGateway, data: bytes, encoding: str, sentence: str
) -> None:
    answer = post(gateway, data, encoding)
    assert answer.outcome == (400, "invalid_request_error")
    assert sentence in answer.sentence


@pytest.mark.parametrize("number", ["1e999", "-1e999", "Infinity", "NaN"])
def test_a_number_that_json_does_not_allow_is_never_sent(gateway: RunningGateway, number: str) -> None:
    text = json.dumps(question("half \ud83d", temperature=0.5)).replace("0.5", number)
    assert post(gateway, text.encode()).sentence == "The request body is not valid JSON."


# ---- the room for large bodies


def test_large_requests_wait_for_room_and_fail_if_there_is_none(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    assert gateway.service.running is not None
    gateway.service.running.gateway.bodies = BodyReader(room_bytes=SMALL_BYTES, wait_s=0)
    assert gateway.ask(question(LARGE)).outcome == (529, "overloaded_error")
    upstream.script(SERVED)
    assert gateway.ask(question("a small one needs none")).text == "served"
    wait_until_nothing_is_held(gateway)


def test_room_is_given_first_come_first_served() -> None:
    async def use() -> list[str]:
        room, order = _Room(10), []

        async def take(name: str, size_bytes: int) -> None:
            await room.take(size_bytes)
            order.append(name)

        tasks = {}
        for name, size_bytes in (("a", 8), ("b", 6), ("c", 1), ("d", 4)):
            tasks[name] = asyncio.create_task(take(name, size_bytes))
            await asyncio.sleep(0)
        assert order == ["a"]  # c would fit, but b came before it
        tasks["b"].cancel()
        await asyncio.sleep(1)
        assert order == ["a", "c"]
        room.give_back(8)
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        room.give_back(5)
        assert room.left_bytes == 10
        return order

    assert run_virtually(use()) == ["a", "c", "d"]


def test_room_for_a_request_that_was_cancelled_is_given_back() -> None:
    async def use() -> None:
        room = _Room(10)
        await room.take(10)
        late = asyncio.create_task(room.take(10))
        await asyncio.sleep(0)
        room.give_back(10)
        late.cancel()  # in the same turn of the loop
        with pytest.raises(asyncio.CancelledError):
            await late
        assert room.left_bytes == 10

    run_virtually(use())


def test_small_pieces_of_a_body_are_joined() -> None:
    body = Body()
    for _ in range(200_000):
        body.add(b"x")
    assert len(body.pieces) == 4
    assert body.size_bytes == 200_000


# ---- streams beside a large request


def test_streams_go_on_while_a_large_request_is_translated(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    large = question(messages=[{"role": ("user", "assistant")[n % 2], "content": f"{n}"} for n in range(60_000)])
    with bystanders(gateway, upstream, lambda _: SERVED) as running:
        assert running.least_progress(lambda: gateway.request("POST", "/v1/messages/count_tokens", large)) >= 3


def test_streams_go_on_while_a_pdf_is_read(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    def leave_after_a_while() -> None:
        with gateway.send_only(slow):
            gateway.wait_active(21)
            running.wait_for_progress(20)

    source = {"type": "base64", "media_type": "application/pdf", "data": make_slow_pdf(pages=9)}
    slow = question(messages=[{"role": "user", "content": [{"type": "document", "source": source}]}])
    with bystanders(gateway, upstream, lambda _: SERVED) as running:
        assert running.least_progress(leave_after_a_while) >= 20
