"""The list of models and the probes: their requests, their times, and that they never do harm."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Protocol, cast

import pytest

from tests.conftest import KEYS, LogFile
from tests.support.chunks import completion, finish, whole_call
from tests.support.fake_upstream import (
    CUT,
    HANG_UP,
    TIMEOUT_S,
    FakeUpstream,
    Gate,
    Reply,
    listing,
    refusal,
    stream,
    whole,
)
from tests.support.gateway import NVIDIA_KEY, RunningGateway
from tests.support.nvidia_catalogue import read_day
from tests.support.ports import free_port
from tests.support.simulated_nvidia import NvidiaThread
from tray_app import APP_ID, __version__
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.finder import ModelFinder
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.evidence import Evidence
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings
from tray_app.status.board import Status, StatusBoard, Topic
from tray_app.status.findings import ModelTrouble, Unavailability

GLM, KIMI = "z-ai/glm4.7", "moonshotai/kimi-k3"
DAY_S = 24 * 3600.0


class StartChecking(Protocol):
    """Starts a gateway that checks the list. Keywords are settings."""

    def __call__(
        self, keys: Keys = ..., *, every_s: float | None = ..., is_demo: bool = ..., **settings: Any
    ) -> RunningGateway: ...


@pytest.fixture
def start_checking(upstream: FakeUpstream) -> Iterator[StartChecking]:
    running: list[RunningGateway] = []

    def start(
        keys: Keys = KEYS, *, every_s: float | None = DAY_S, is_demo: bool = False, **settings: Any
    ) -> RunningGateway:
        chosen = replace(
            Settings(nvidia_url=upstream.url, addr=Address("127.0.0.1", 0), probe_models=False), **settings
        )
        running.append(RunningGateway(chosen, keys, is_demo=is_demo, poll_models_every_s=every_s))
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()


def has_list(status: Status) -> bool:
    return status.listed_models == {GLM}


def test_at_start_the_list_is_asked_for_with_the_key(start_checking: StartChecking, upstream: FakeUpstream) -> None:
    upstream.model_list = listing(KIMI, GLM)
    gateway = start_checking()
    gateway.wait_status(lambda status: status.listed_models == {KIMI, GLM})
    assert upstream.list_requests[0]["Authorization"] == f"Bearer {NVIDIA_KEY}"
    assert upstream.list_requests[0]["User-Agent"] == f"{APP_ID}/{__version__}"
    assert len(upstream.list_requests) == 1


def test_the_list_is_asked_for_again_and_again(start_checking: StartChecking, upstream: FakeUpstream) -> None:
    upstream.model_list = listing(GLM)
    gateway = start_checking(every_s=0.01)
    gateway.wait_status(has_list)
    upstream.model_list = listing(KIMI)
    gateway.wait_status(lambda status: status.listed_models == {KIMI})
    upstream.wait_listed(5)


def test_a_check_out_of_turn_uses_the_settings_in_force(start_checking: StartChecking, upstream: FakeUpstream) -> None:
    upstream.model_list = listing(GLM)
    gateway = start_checking(Keys())
    gateway.configure(Keys(nvidia="nvapi-another"))
    gateway.service.poll_models()
    gateway.wait_status(has_list)
    assert upstream.wait_listed()["Authorization"] == "Bearer nvapi-another"


def test_nothing_is_asked_for_while_the_app_is_paused(start_checking: StartChecking, upstream: FakeUpstream) -> None:
    upstream.model_list = listing(GLM)
    gateway = start_checking()
    gateway.wait_status(has_list)
    looks = gateway.board.status.look.finished
    config = GatewayConfig(gateway.settings, KEYS, is_paused=True)
    gateway.service.configure(config)
    gateway.service.poll_models()
    gateway.wait_status(lambda status: status.look.finished > looks)
    assert len(upstream.list_requests) == 1
    gateway.service.configure(replace(config, is_paused=False))
    gateway.service.poll_models()
    upstream.wait_listed(2)


UNUSABLE: dict[str, Reply] = {
    "not there": refusal(404),
    "key not accepted for it": refusal(403, {"detail": f"bad key {NVIDIA_KEY}"}),
    "elsewhere": refusal(302, Location="/v1/elsewhere"),
    "a web page": refusal(200, "<html></html>", "text/html"),
    "no JSON": Reply((b'{"data":',)),
    "a list": whole([{"id": GLM}]),
    "no data": whole({"object": "list"}),
    "wrong data": whole({"data": 5}),
    "no ids": whole({"data": [{"id": 5}, "x", {}]}),
    "cut": Reply((b'{"data":', CUT)),
    "longer than any list": Reply((json.dumps({"data": [{"id": GLM}], "rest": "x" * 9_000_000}).encode(),)),
    "too deep": Reply((b"[" * 100_000 + b"]" * 100_000,)),
}


@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_that_is_no_list_changes_nothing(
    start_checking: StartChecking, upstream: FakeUpstream, log_file: LogFile, reply: Reply
) -> None:
    upstream.model_list = listing(GLM)
    gateway = start_checking()
    gateway.wait_status(has_list)
    heard: list[Status] = []
    gateway.board.subscribe(heard.append)
    upstream.model_list = reply
    gateway.service.poll_models()
    upstream.wait_listed(2)
    upstream.model_list = listing(KIMI)
    gateway.service.poll_models()  # begins when the one before has ended
    gateway.wait_status(lambda status: status.listed_models == {KIMI})
    assert {status.listed_models for status in heard} <= {frozenset({GLM}), frozenset({KIMI})}
    assert " INFO    no list of models from " in log_file.text
    assert "Traceback" not in log_file.text
    assert NVIDIA_KEY not in log_file.text


def test_an_upstream_that_is_down_changes_nothing_and_is_asked_again_soon(
    start_checking: StartChecking, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.proxy.models.finder._RETRY_S", 0.01)
    gateway = start_checking(nvidia_url=f"http://127.0.0.1:{free_port()}/v1/chat/completions")
    deadline_s = time.monotonic() + TIMEOUT_S
    while log_file.text.count("no list of models") < 2:
        assert time.monotonic() < deadline_s, "it is not asked again"
        assert gateway.request("GET", "/health").status == 200


def test_the_systems_proxy_is_used_but_not_towards_this_machine(
    start_checking: StartChecking, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.model_list = listing(GLM)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{upstream.port}")
    start_checking(nvidia_url="http://nvidia.invalid/v1/chat/completions").wait_status(has_list)
    assert upstream.list_requests[0]["Host"] == "nvidia.invalid"
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    start_checking().wait_status(has_list)


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        (Keys(), {}),
        (KEYS, {"is_demo": True}),
        (KEYS, {"every_s": None}),
        (KEYS, {"nvidia_url": "http://127.0.0.1:1/v1"}),
    ],
    ids=["no key", "the demo", "no check", "no usual address"],
)
def test_nothing_is_sent_if_there_is_no_list_to_ask_for(
    start_checking: StartChecking, upstream: FakeUpstream, log_file: LogFile, keys: Keys, more: dict[str, Any]
) -> None:
    gateway = start_checking(keys, **{"every_s": 0.001, **more})
    gateway.service.poll_models()
    for _ in range(5):
        assert gateway.request("GET", "/health").status == 200
    assert not upstream.list_requests
    assert "no list of models" not in log_file.text


def test_a_check_that_waits_holds_up_neither_a_request_nor_the_quit(
    start_checking: StartChecking, upstream: FakeUpstream
) -> None:
    upstream.model_list = replace(listing(GLM), before=(gate := Gate()))
    gateway = start_checking()
    gate.wait_reached()
    upstream.script(whole(completion("Hello!")))
    assert gateway.ask().text == "Hello!"
    gateway.stop()
    assert not gateway.board.status.listed_models


def test_no_check_begins_while_the_gateway_ends(
    start_checking: StartChecking, upstream: FakeUpstream, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is closed by then, so a check would log a fault of this program."""
    close = UpstreamClient.close

    async def close_slowly(self: UpstreamClient) -> None:
        await close(self)
        for _ in range(100):
            await asyncio.sleep(0)  # lets the other tasks run

    monkeypatch.setattr(UpstreamClient, "close", close_slowly)
    upstream.model_list = replace(listing(GLM), before=(gate := Gate()))
    gateway = start_checking()
    gate.wait_reached()
    gateway.service.poll_models()  # begins when this one has ended
    gateway.stop()
    gc.collect()  # an exception of a task that nobody awaited is logged when the task is collected
    assert "Traceback" not in log_file.text


@pytest.mark.parametrize("turns", range(8))
def test_a_check_that_becomes_due_does_not_outlast_the_gateway(turns: int) -> None:
    """The number of turns that the event loop has had by then makes no difference."""

    async def play() -> None:
        config = GatewayConfig(Settings(), KEYS, is_demo=True)
        gateway = SimpleNamespace(config=config, evidence=Evidence(StatusBoard()))
        check = ModelFinder(cast("Gateway", gateway), DAY_S)
        check.start()
        for _ in range(10):  # after these turns it waits for the next day
            await asyncio.sleep(0)
        check.look_again(is_asked=False)
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(TIMEOUT_S):
            await check.stop()

    asyncio.run(play())


def test_a_service_that_does_not_run_checks_nothing(start_checking: StartChecking) -> None:
    gateway = start_checking(Keys())
    gateway.stop()
    gateway.service.poll_models()


def test_a_list_that_refuses_the_key_is_reported_as_a_refused_key(
    start_checking: StartChecking, upstream: FakeUpstream
) -> None:
    upstream.model_list = refusal(401, {"detail": f"bad key {NVIDIA_KEY}"})
    gateway = start_checking()
    gateway.wait_status(lambda status: Topic.REFUSED_KEY in dict(status.troubles))
    trouble = dict(gateway.board.status.troubles)[Topic.REFUSED_KEY]
    assert trouble.verb == "set-key"
    assert NVIDIA_KEY not in trouble.sentence


# ---- probes


def test_a_running_gateway_finds_out_what_answers_and_ends_in_the_middle_of_it(
    start_checking: StartChecking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.proxy.upstream.evidence.PUBLISH_S", 0.05)

    def knows_both_choices(status: Status) -> bool:
        flashes = ("z-ai/glm-5.3-flash", "minimaxai/minimax-m3.1-flash")
        return all(status.findings.find(model_id).calls_tools for model_id in flashes)

    with NvidiaThread(read_day("first_day")) as nvidia:
        gateway = start_checking(nvidia_url=nvidia.url, probe_models=True)
        gateway.wait_status(knows_both_choices)
        assert gateway.board.status.findings.find(GLM).refusal == ModelTrouble(Unavailability.RETIRED, "2026-05-14")
        gateway.stop()


def test_a_probe_leaves_out_what_the_model_refuses(
    start_checking: StartChecking, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.model_list = listing(GLM)
    upstream.default = lambda body: (
        refusal(400, {"detail": "Validation: Unsupported parameter(s): chat_template_kwargs"})
        if "chat_template_kwargs" in body
        else stream(whole_call("report_ready", {"is_ready": True}), finish("tool_calls"))
    )
    upstream.takes_probes = True
    gateway = start_checking(probe_models=True)
    gateway.wait_status(lambda status: status.findings.find(GLM).calls_tools is True)
    probes = [received.body for received in upstream.received if received.body["model"] == GLM]
    assert ["chat_template_kwargs" in body for body in probes] == [True, False]
    assert [tool["function"]["name"] for tool in probes[0]["tools"]] == ["report_ready"]
    assert probes[0]["stream"] is True


def test_a_call_that_a_model_writes_as_text_counts(start_checking: StartChecking, upstream: FakeUpstream) -> None:
    upstream.model_list = listing(GLM)
    leaked = "<tool_call>report_ready\n<arg_key>is_ready</arg_key>\n<arg_value>true</arg_value></tool_call>"
    upstream.default = lambda _: whole(completion(leaked))
    upstream.takes_probes = True
    gateway = start_checking(probe_models=True)
    gateway.wait_status(lambda status: status.findings.find(GLM).calls_tools is True)


def test_a_network_that_is_down_says_nothing_about_models_and_is_tried_again_soon(
    start_checking: StartChecking, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.proxy.models.finder._RETRY_S", 0.01)
    monkeypatch.setattr("tray_app.proxy.models.look._NEXT_ROUND_S", 0.01)
    upstream.model_list = listing(*(f"a/b{n}" for n in range(20)))
    upstream.default = lambda _: HANG_UP
    upstream.takes_probes = True
    gateway = start_checking(probe_models=True)
    upstream.wait_listed(3)
    gateway.stop()
    assert all(finding.answers is None for finding in gateway.board.status.findings.by_model.values())


@pytest.mark.parametrize(
    "reply",
    [
        Reply((b"<html>",)),
        whole({"choices": []}),
        stream(finish()),
        stream(b"data: {", CUT),
        stream({"error": {"message": "ResourceExhausted", "code": 503}}),
        refusal(402, {"detail": "no credits"}),
        refusal(503),
        refusal(429),
    ],
    ids=["a web page", "nothing", "an empty stream", "cut", "an error in the stream", "no credits", "503", "429"],
)
def test_a_model_that_gives_no_answer_is_asked_three_times(
    start_checking: StartChecking, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("tray_app.proxy.models.look._NEXT_ROUND_S", 0.01)
    monkeypatch.setattr("tray_app.proxy.upstream.window.PAUSE_S", 0.01)
    upstream.model_list = listing(GLM)
    upstream.default = lambda body: reply if body["model"] == GLM else refusal(404)
    upstream.takes_probes = True
    gateway = start_checking(probe_models=True)
    gateway.wait_status(lambda status: status.findings.find(GLM).answers is False)
    assert [received.body["model"] for received in upstream.received].count(GLM) == 3
    assert gateway.board.status.findings.find(GLM).refusal is None
