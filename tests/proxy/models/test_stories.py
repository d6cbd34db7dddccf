"""Stories of the finder in virtual time: what it finds out of the simulated NVIDIA, when, and with how many probes."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.proxy.models.world import DAY_S, HOUR_S, World, a_world, play
from tests.support.nvidia_catalogue import Catalogue, Offer, read_day
from tests.support.ports import free_port
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.models.look import DAILY_PROBES, MOST_IN_A_ROW
from tray_app.proxy.models.probe import SILENCE_S
from tray_app.proxy.upstream.records import MOST_TRIES
from tray_app.status.board import Status
from tray_app.status.findings import ModelTrouble, Unavailability

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"
GLM_FLASH, MINIMAX_FLASH = "z-ai/glm-5.3-flash", "minimaxai/minimax-m3.1-flash"
FIRST_DAY, NEXT_DAY, LYING_DAY = read_day("first_day"), read_day("next_day"), read_day("lying_day")


def knows_both_choices(status: Status) -> bool:
    return all(status.findings.find(model_id).calls_tools for model_id in (GLM_FLASH, MINIMAX_FLASH))


def test_on_the_first_day_both_choices_are_known_within_seconds_and_the_rest_within_minutes() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            known_s = await world.wait_status(knows_both_choices)
            asked = len(world.nvidia.asked)
            assert known_s < 15
            assert asked <= 8
            assert (world.find_answering(GLM_4_7), world.find_answering(MINIMAX_M2_1)) == (GLM_FLASH, MINIMAX_FLASH)
            for model_id, date in ((GLM, "2026-05-14"), (MINIMAX, "2026-04-20")):
                assert world.find(model_id).refusal == ModelTrouble(Unavailability.RETIRED, date)
            await asyncio.sleep(HOUR_S)
            findings = world.status.findings.by_model
            answering = {model_id for model_id, finding in findings.items() if finding.answers}
            calling = {model_id for model_id in answering if findings[model_id].calls_tools}
            print(
                f"\nchoices known after {known_s:.0f} s and {asked} probes; in all {len(world.nvidia.asked)} probes, "
                f"{len(answering)} models answer, {len(calling)} call tools, refusals: {dict(world.nvidia.refused)}"
            )
            offers = {
                offer.id: offer for offer in FIRST_DAY.models if offer.conduct == "answers" and not offer.only_keys
            }
            assert answering == offers.keys()
            assert calling == {model_id for model_id, offer in offers.items() if offer.calls_tools}
            assert max(Counter(world.nvidia.asked).values()) <= MOST_TRIES
            assert len(world.nvidia.asked) <= 130 < DAILY_PROBES
            assert not world.status.model_troubles  # which would raise a notification for each model

    play(story())


def test_what_holds_is_not_asked_again_and_on_the_next_day_only_what_may_have_changed() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            await asyncio.sleep(HOUR_S)
            before = len(world.nvidia.asked)
            world.finder.look_again(is_asked=True)
            await asyncio.sleep(HOUR_S)
            again = Counter(world.nvidia.asked[before:])
            assert set(again) == {offer.id for offer in FIRST_DAY.models if offer.conduct == "hangs"}
            assert set(again.values()) == {1}
            before = len(world.nvidia.asked)
            await asyncio.sleep(DAY_S)
            retired = {offer.id for offer in FIRST_DAY.models if offer.conduct == "retired"}
            assert not retired & set(world.nvidia.asked[before:])
            counts = [len(world.nvidia.asked) - before]
            for _ in range(13):
                await asyncio.sleep(DAY_S)
                counts.append(len(world.nvidia.asked) - before - sum(counts))
            print(f"\nprobes on the days from the second on: {counts}")
            assert max(counts) <= 80
            assert sum(counts[6:]) / len(counts[6:]) <= 45

    play(story())


def test_a_new_member_of_a_family_is_found_on_the_day_it_appears_and_the_retirement_of_the_old_one() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            await asyncio.sleep(HOUR_S)
            world.nvidia.catalogue = NEXT_DAY
            await asyncio.sleep(DAY_S)
            assert (world.find("z-ai/glm-6").answers, world.find("z-ai/glm-6").calls_tools) == (True, True)
            assert world.find(GLM_FLASH).refusal == ModelTrouble(Unavailability.RETIRED, "2026-11-28")
            assert world.find_answering(GLM_4_7) == "z-ai/glm-6"
            assert world.status.listed_models == {offer.id for offer in NEXT_DAY.models if offer.is_listed}

    play(story())


def test_a_refused_request_has_the_finder_look_at_once() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            await asyncio.sleep(HOUR_S)
            world.nvidia.catalogue, lists = NEXT_DAY, world.nvidia.list_requests
            world.gateway.evidence.note_refused(GLM_FLASH, ModelTrouble(Unavailability.RETIRED, "2026-11-28"))
            await asyncio.sleep(60)
            assert world.nvidia.list_requests == lists + 1
            assert world.find("z-ai/glm-6").calls_tools is True

    play(story())


def test_a_request_that_is_refused_during_a_look_has_it_begin_anew_with_the_family() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            await asyncio.sleep(30)
            half = len(world.nvidia.asked)
            assert 10 < half < 80
            world.nvidia.catalogue = NEXT_DAY
            world.gateway.evidence.note_refused(GLM_FLASH, ModelTrouble(Unavailability.RETIRED, "2026-11-28"))
            await asyncio.sleep(35)
            assert "z-ai/glm-6" in world.nvidia.asked[half : half + 3]
            await asyncio.sleep(HOUR_S)
            assert len(set(world.nvidia.asked)) > 60

    play(story())


def test_a_list_that_lies_deceives_nobody() -> None:
    async def story() -> None:
        async with a_world(LYING_DAY) as world:
            await asyncio.sleep(HOUR_S)
            assert world.find("z-ai/glm-6").refusal == ModelTrouble(Unavailability.NOT_SERVED)
            assert world.find("z-ai/glm-7-preview").answers is False
            assert world.find("minimaxai/minimax-m5").refusal == ModelTrouble(Unavailability.NOT_ALLOWED)
            assert (world.find("minimaxai/minimax-m4").answers, world.find("minimaxai/minimax-m4").calls_tools) == (
                True,
                False,
            )
            assert (world.find_answering(GLM_4_7), world.find_answering(MINIMAX_M2_1)) == (GLM_FLASH, MINIMAX_FLASH)

    play(story())


def test_an_account_without_permission_costs_three_probes_a_day() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY, key="nvapi-no-permission") as world:
            await asyncio.sleep(12 * HOUR_S)
            assert len(world.nvidia.asked) == MOST_IN_A_ROW
            assert world.find(GLM).refusal == ModelTrouble(Unavailability.NOT_ALLOWED)

    play(story())


def test_a_refused_key_costs_no_probe() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY, key="nvapi-refused") as world:
            await asyncio.sleep(12 * HOUR_S)
            assert not world.nvidia.asked
            assert world.status.troubles

    play(story())


def test_a_busy_model_is_tried_three_times_and_then_left_alone_until_the_next_day() -> None:
    async def story() -> None:
        async with a_world(Catalogue((Offer(GLM, "busy"), Offer("a/b", "answers", calls_tools=True)))) as world:
            await asyncio.sleep(12 * HOUR_S)
            assert world.nvidia.asked.count(GLM) == MOST_TRIES
            assert world.find(GLM).asked == 0  # no request of a client
            await asyncio.sleep(DAY_S)
            assert world.nvidia.asked.count(GLM) == 2 * MOST_TRIES

    play(story())


def test_a_model_that_thinks_for_long_before_it_calls_is_no_model_without_tools() -> None:
    async def story() -> None:
        offer = Offer(GLM, "answers", calls_tools=True, thinks_tokens=100_000)
        async with a_world(Catalogue((offer,))) as world:
            await asyncio.sleep(HOUR_S)
            assert (world.find(GLM).answers, world.find(GLM).calls_tools) == (True, None)

    play(story())


def test_the_budget_of_a_day_is_never_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.proxy.models.look.DAILY_PROBES", 20)

    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            await asyncio.sleep(12 * HOUR_S)
            world.finder.look_again(is_asked=True)
            await asyncio.sleep(HOUR_S)
            assert len(world.nvidia.asked) == 20
            assert knows_both_choices(world.status)
            await asyncio.sleep(DAY_S)
            assert len(world.nvidia.asked) == 40

    play(story())


def test_without_probes_only_the_list_is_read() -> None:
    async def story() -> None:
        async with a_world(FIRST_DAY) as world:
            world.configure(probe_models=False)
            await asyncio.sleep(HOUR_S)
            assert (world.nvidia.list_requests, world.nvidia.asked) == (1, [])

    play(story())


def test_what_was_found_is_known_after_a_restart_without_a_probe(tmp_path: Path) -> None:
    async def story() -> None:
        port = free_port()
        async with a_world(FIRST_DAY, folder=tmp_path, port=port) as world:
            await asyncio.sleep(HOUR_S)
            found = world.status.findings
        async with a_world(FIRST_DAY, folder=tmp_path, port=port) as world:
            assert world.status.findings == found
            await asyncio.sleep(HOUR_S)
            assert not world.nvidia.asked

    play(story())


# ---- probes never disturb a turn


async def work(world: World, turns: list[tuple[float, float]]) -> None:
    """Plays a client with a turn of 2 s and a pause of 3 s, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        with world.gateway.serve(Notes("")):
            await asyncio.sleep(2)
        turns.append((began_s, loop.time()))
        await asyncio.sleep(3)


def test_no_probe_begins_while_a_request_is_being_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        turns: list[tuple[float, float]] = []
        async with a_world(FIRST_DAY) as world:
            probes_s: list[float] = []
            note, clock = world.gateway.evidence.note_probe_sent, asyncio.get_running_loop().time

            def watch(model_id: str) -> None:
                probes_s.append(clock())
                note(model_id)

            monkeypatch.setattr(world.gateway.evidence, "note_probe_sent", watch)
            worker = asyncio.create_task(work(world, turns))
            await asyncio.sleep(HOUR_S / 3)
            worker.cancel()
            assert len(probes_s) > 70
            assert not [(at_s, turn) for at_s in probes_s for turn in turns if turn[0] < at_s < turn[1]]
            assert knows_both_choices(world.status)

    play(story())


def test_a_probe_in_flight_ends_with_the_gateway() -> None:
    async def story() -> float:
        async with a_world(Catalogue((Offer(GLM, "hangs"),))) as world:
            await asyncio.sleep(SILENCE_S / 2)
            assert world.nvidia.asked == [GLM]
        return asyncio.get_running_loop().time()

    assert play(story()) < SILENCE_S
