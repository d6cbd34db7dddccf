"""Token counts of a running gateway: estimated, corrected by upstream's counts, and kept for the next start."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, text, usage
from tests.support.fake_upstream import CUT, FakeUpstream, Reply, stream, whole
from tests.support.gateway import WEATHER, RunningGateway, question
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.proxy.upstream.evidence import FILE_NAME as EVIDENCE_FILE_NAME
from tray_app.proxy.upstream.learned_calibrations import FILE_NAME, Calibrations
from tray_app.translate.request.calibration import Calibration
from tray_app.translate.request.tokens import Estimate

LONG = "All work and no play makes Jack a dull boy. " * 400
"""About 4,000 tokens."""
TEXT = Estimate(10_000, 0)


def count(gateway: RunningGateway, **fields: Any) -> int:
    answer = gateway.request("POST", "/v1/messages/count_tokens", question(LONG, **fields))
    tokens: int = answer.body["input_tokens"]
    return tokens


def teach(gateway: RunningGateway, upstream: FakeUpstream, true_tokens: int, times: int = 3) -> None:
    """Lets the gateway answer long questions for which upstream reports these token counts."""
    for n in range(times):
        is_stream = n % 2 == 0
        reported = {"prompt_tokens": true_tokens, "completion_tokens": 3}
        streamed = stream(text("Hello!"), finish(), usage(true_tokens, 3))
        upstream.script(streamed if is_stream else whole({**completion("Hello!"), "usage": reported}))
        gateway.ask(question(LONG, stream=is_stream))


# ---- counting


def test_twenty_five_counts_at_once_cost_no_upstream_request(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    tools = [{**WEATHER, "name": f"tool_{n}", "description": "word " * n} for n in range(25)]
    one_by_one = [count(gateway, tools=[tool]) for tool in tools]
    with ThreadPoolExecutor(len(tools)) as pool:
        at_once = list(pool.map(lambda tool: count(gateway, tools=[tool]), tools))
    assert at_once == one_by_one == sorted(one_by_one)
    assert not upstream.received


def test_a_malformed_tool_is_refused_as_anthropic_refuses_it(gateway: RunningGateway) -> None:
    answer = gateway.request("POST", "/v1/messages/count_tokens", question(tools=[{"description": "nameless"}]))
    assert answer.outcome == (400, "invalid_request_error")
    assert answer.sentence == "tools.0.name: Field required"


# ---- learning


def test_upstreams_counts_correct_every_estimate(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    true_tokens = round(count(gateway) * 1.4)
    teach(gateway, upstream, true_tokens)
    assert count(gateway) == pytest.approx(true_tokens, rel=0.01)
    upstream.script(stream(text("Hello!"), finish()), whole({**completion("Hello!"), "usage": None}))
    streamed, plain = (gateway.ask(question(LONG, stream=is_stream)) for is_stream in (True, False))
    assert f'"input_tokens":{count(gateway)},'.encode() in streamed.raw.partition(b"\n\n")[0]
    assert plain.body["usage"]["input_tokens"] == count(gateway)


def test_each_model_has_its_own_correction(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    before = count(gateway)
    teach(gateway, upstream, before * 2)
    gateway.configure(model=MINIMAX_M2_1.id)
    assert count(gateway) == before
    gateway.configure(model=GLM_4_7.id)
    assert count(gateway) == pytest.approx(before * 2, rel=0.01)


def test_cached_tokens_are_part_of_what_was_reported(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    before = count(gateway)
    counted = usage(before, 3)
    counted["usage"]["prompt_tokens_details"] = {"cached_tokens": before - 5}
    for _ in range(3):
        upstream.script(stream(text("Hello!"), finish(), counted))
        gateway.ask(question(LONG, stream=True))
    assert count(gateway) == pytest.approx(before, rel=0.01)


ODD = 100_000


@pytest.mark.parametrize(
    ("prompt", "reply"),
    [
        ("Hello", stream(text("Hello!"), finish(), usage(ODD, 3))),
        (LONG, stream(text("Hello!"), finish())),
        (LONG, stream(text("Hello!"), finish(), usage(0, 3))),
        (LONG, stream(text("Hel"), usage(ODD, 3), CUT)),
        (LONG, stream(text("Hel"), usage(ODD, 3), b'data: {"error": {"message": "overloaded"}}\n\n')),
    ],
    ids=["a tiny prompt", "no usage", "no prompt tokens", "a cut stream", "an error"],
)
def test_counts_that_tell_nothing_of_the_model_teach_nothing(
    gateway: RunningGateway, upstream: FakeUpstream, prompt: str, reply: Reply
) -> None:
    before = count(gateway)
    upstream.script(reply)
    gateway.ask(question(prompt, stream=True))
    assert count(gateway) == before


def test_the_demo_teaches_nothing(start_gateway: StartGateway, tmp_path: Path) -> None:
    gateway = start_gateway(is_demo=True, state_folder=tmp_path)
    before = count(gateway)
    gateway.ask(question(LONG))
    gateway.ask(question(LONG, stream=True))
    assert count(gateway) == before
    gateway.stop()
    assert not list(tmp_path.iterdir())


# ---- remembering


def test_what_was_learned_outlives_the_gateway(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    folder = tmp_path / "not" / "yet"
    first = start_gateway(state_folder=folder)
    before = count(first)
    teach(first, upstream, round(before * 1.2))
    learned = count(first)
    first.stop()
    assert {file.name for file in folder.iterdir()} == {FILE_NAME, EVIDENCE_FILE_NAME}
    assert list(json.loads((folder / FILE_NAME).read_text())) == [GLM_4_7.id]

    assert learned == pytest.approx(before * 1.2, rel=0.01)
    assert count(start_gateway(state_folder=folder)) == pytest.approx(learned, abs=1)
    assert count(start_gateway(state_folder=tmp_path / "another")) == before
    assert count(start_gateway()) == before


NESTED = b"[" * 100_000


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        NESTED,
        *(
            json.dumps({GLM_4_7.id: ratios}).encode()
            for ratios in ("1.2", [], [0.1], [99], [None], [1.2] * 99, [[1.2]])
        ),
        b'{"z-ai/glm4.7": [NaN]}',
    ],
    ids=lambda damage: damage[:40],
)
def test_a_damaged_file_is_replaced_by_what_is_learned_next(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / FILE_NAME).write_bytes(damage)
    before = count(start_gateway())
    gateway = start_gateway(state_folder=tmp_path)
    assert count(gateway) == before
    teach(gateway, upstream, round(before * 1.2))
    gateway.stop()
    assert count(start_gateway(state_folder=tmp_path)) == pytest.approx(before * 1.2, rel=0.01)


def test_answers_go_on_if_the_folder_cannot_be_written(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("the user's own")
    gateway = start_gateway(state_folder=in_the_way)
    before = count(gateway)
    teach(gateway, upstream, round(before * 1.2))
    assert count(gateway) == pytest.approx(before * 1.2, rel=0.01)
    gateway.stop()
    assert in_the_way.read_text() == "the user's own"


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME / "kept").mkdir(parents=True)

    async def live() -> None:
        calibrations = Calibrations(tmp_path)
        calibrations.learn("a/model", TEXT, 12_000)
        await calibrations.close()

    asyncio.run(live())
    assert [file.name for file in tmp_path.rglob("*")] == [FILE_NAME, "kept"], "and nothing is left lying around"


def test_the_file_is_written_when_a_factor_has_moved_and_not_for_every_answer(tmp_path: Path) -> None:
    async def live() -> None:
        calibrations = Calibrations(tmp_path)
        this = asyncio.current_task()

        async def learn(reported: int) -> bool:
            """Returns whether this count made the file be written."""
            calibrations.learn("a/model", TEXT, reported)
            writing = asyncio.all_tasks() - {this}
            await asyncio.gather(*writing)
            return bool(writing)

        assert await learn(12_000)
        assert await learn(12_000)
        assert not await learn(12_000)
        assert not await learn(12_050)
        assert Calibrations(tmp_path).of("a/model").ratios == (1.0, 1.2, 1.2)
        assert [await learn(9_000) for _ in range(4)] == [False, False, False, True], "four of seven speak for it"
        await calibrations.close()
        assert Calibrations(tmp_path).of("a/model") == calibrations.of("a/model")

    asyncio.run(live())


def test_closing_saves_changes_that_were_too_small_before(tmp_path: Path) -> None:
    async def live() -> None:
        calibrations = Calibrations(tmp_path)
        calibrations.learn("a/model", TEXT, 10_010)
        assert not (tmp_path / FILE_NAME).exists()
        await calibrations.close()
        written = (tmp_path / FILE_NAME).stat().st_mtime_ns
        await calibrations.close()
        assert (tmp_path / FILE_NAME).stat().st_mtime_ns == written, "nothing new, nothing written"

    asyncio.run(live())
    assert Calibrations(tmp_path).of("a/model") == Calibration((1.0, 1.001))


def test_many_answers_at_once_leave_one_whole_file(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    gateway = start_gateway(state_folder=tmp_path, clients_choose_model=True)
    before = count(gateway)
    upstream.default = lambda _: stream(text("Hello!"), finish(), usage(round(before * 1.3), 3))
    models = [GLM_4_7.id, MINIMAX_M2_1.id] * 15
    with ThreadPoolExecutor(len(models)) as pool:
        list(pool.map(lambda model: gateway.ask(question(LONG, model=model, stream=True)), models))
    gateway.stop()
    assert {file.name for file in tmp_path.iterdir()} == {FILE_NAME, EVIDENCE_FILE_NAME}
    again = Calibrations(tmp_path)
    for model in set(models):
        assert again.of(model).factor == pytest.approx(1.3, rel=0.01)
        assert len(again.of(model).ratios) == 7


def test_two_gateways_share_what_they_learn_only_through_the_folder(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    one, other = start_gateway(state_folder=tmp_path / "one"), start_gateway(state_folder=tmp_path / "other")
    before = count(one)
    teach(one, upstream, before * 2)
    assert count(other) == before
    one.stop()
    assert count(start_gateway(state_folder=tmp_path / "one")) > before
