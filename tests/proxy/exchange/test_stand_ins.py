"""Stand-ins: a request to a model that NVIDIA has withdrawn is answered by another one, in the same request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest

from tests.conftest import KEYS, LogFile
from tests.support.gateway import AT_ONCE, QUICK, Answer, RunningGateway, both_ways, question
from tests.support.nvidia_catalogue import Catalogue, Offer, read_day
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tray_app.catalog import GLM_4_7, GLM_5_3_FLASH, MINIMAX_M2_1, MINIMAX_M3_1_FLASH, NAMED_MODEL_HEADER
from tray_app.errors import ModelUnavailable, Overloaded
from tray_app.proxy.exchange.stand_ins import MOST_FOLLOWED, Reason, StandIns, find_next
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.settings import Address, Settings
from tray_app.status.board import Status
from tray_app.status.findings import ModelTrouble, Unavailability

FIRST_DAY = read_day("first_day")
GLM, FLASH, MINIMAX, MINIMAX_FLASH = GLM_4_7.id, GLM_5_3_FLASH.id, MINIMAX_M2_1.id, MINIMAX_M3_1_FLASH.id
NEMOTRON = "nvidia/nemotron-3.5-lightning-30b-a3b"
NAMED = {NAMED_MODEL_HEADER: "1"}


@contextmanager
def a_gateway(
    catalogue: Catalogue = FIRST_DAY, timeouts: Timeouts = QUICK, **settings: Any
) -> Iterator[tuple[RunningGateway, SimulatedNvidia]]:
    """Starts a gateway in front of the simulated NVIDIA, before anything is known of its models."""
    with NvidiaThread(catalogue) as nvidia:
        chosen = Settings(nvidia_url=nvidia.url, addr=Address("127.0.0.1", 0), **settings)
        gateway = RunningGateway(chosen, KEYS, timeouts=timeouts)
        try:
            yield gateway, nvidia
        finally:
            gateway.stop()


def said_by(answer: Answer, model_id: str) -> bool:
    named = answer.body["model"] if not answer.is_stream else model_id.encode() in answer.raw
    return named in (model_id, True) and answer.text == f"{model_id} answers."


@both_ways
def test_on_the_first_day_the_first_request_is_answered_by_a_relative(is_stream: bool, log_file: LogFile) -> None:
    with a_gateway() as (gateway, nvidia):
        assert said_by(gateway.ask(question(stream=is_stream)), FLASH)
        assert nvidia.asked == [GLM, FLASH]
        assert said_by(gateway.ask(question(stream=is_stream)), FLASH)
        assert nvidia.asked == [GLM, FLASH, FLASH], "a retired model is not asked again"
    assert f"{GLM} is retired 2026-05-14, {FLASH} stands in" in log_file.text


def test_a_large_request_is_answered_by_a_relative_too() -> None:
    with a_gateway() as (gateway, nvidia):
        assert said_by(gateway.ask(question("word " * 100_000)), FLASH)
        assert said_by(gateway.ask(question("word " * 100_000)), FLASH)
        assert nvidia.asked == [GLM, FLASH, FLASH]


def test_if_the_whole_family_is_gone_the_next_best_answers() -> None:
    catalogue = FIRST_DAY.replace(Offer(FLASH, "retired", retired_on="2026-11-28"))
    with a_gateway(catalogue) as (gateway, nvidia):
        assert said_by(gateway.ask(), MINIMAX_FLASH)
        assert nvidia.asked == [GLM, FLASH, MINIMAX_FLASH]


def test_a_retirement_between_two_requests_is_followed_in_the_second() -> None:
    with a_gateway() as (gateway, nvidia):
        gateway.ask()
        nvidia.catalogue = FIRST_DAY.replace(Offer(FLASH, "retired", retired_on="2026-11-28"))
        assert said_by(gateway.ask(), MINIMAX_FLASH)


def test_a_listed_model_that_the_client_names_means_itself_and_a_retired_one_is_followed() -> None:
    with a_gateway() as (gateway, nvidia):
        assert said_by(gateway.ask(question(model=MINIMAX_FLASH), **NAMED), MINIMAX_FLASH)
        assert said_by(gateway.ask(question(model=MINIMAX), **NAMED), MINIMAX_FLASH)
        assert nvidia.asked == [MINIMAX_FLASH, MINIMAX, MINIMAX_FLASH]


def test_without_the_setting_the_refusal_is_the_answer() -> None:
    with a_gateway(follow_successors=False) as (gateway, nvidia):
        assert gateway.ask().sentence.startswith("NVIDIA retired GLM 4.7 on 2026-05-14.")
        assert nvidia.asked == [GLM]


def test_a_model_that_is_only_busy_is_not_followed() -> None:
    with a_gateway(FIRST_DAY.replace(Offer(GLM, "busy")), AT_ONCE) as (gateway, nvidia):
        answer = gateway.ask()
        assert answer.sentence == "NVIDIA is overloaded: 77 requests wait for 32 places of GLM 4.7."
        assert set(nvidia.asked) == {GLM}


def test_if_nothing_is_served_the_error_is_that_of_the_chosen_model_after_a_handful_of_tries() -> None:
    nothing = Catalogue(models=(Offer(GLM, "retired", retired_on="2026-05-14"),))
    with a_gateway(nothing) as (gateway, nvidia):
        assert gateway.ask().sentence.startswith("NVIDIA retired GLM 4.7 on 2026-05-14.")
        assert len(nvidia.asked) == len(set(nvidia.asked)) == MOST_FOLLOWED


def test_the_background_model_takes_titles_and_sub_agents_and_never_a_turn_or_a_check() -> None:
    check = question(stop_sequences=["</block>"])
    with a_gateway(background_model=NEMOTRON, model=FLASH) as (gateway, nvidia):
        assert said_by(gateway.ask(question(model="claude-haiku-5-5")), NEMOTRON)
        assert said_by(gateway.ask(question(), x_claude_code_agent_id="agent"), NEMOTRON)
        assert said_by(gateway.ask(check, x_claude_code_agent_id="agent"), FLASH)
        assert said_by(gateway.ask(), FLASH)
        nvidia.catalogue = FIRST_DAY.replace(Offer(NEMOTRON, "retired", retired_on="2026-11-28"))
        assert said_by(gateway.ask(question(), x_claude_code_agent_id="agent"), FLASH), "in the same request"
        assert said_by(gateway.ask(question(), x_claude_code_agent_id="agent"), FLASH)
        assert nvidia.asked[-3:] == [NEMOTRON, FLASH, FLASH]


WITHDRAWN = ModelUnavailable("gone", is_retired=True)
REFUSED = Status(model_troubles=((GLM, ModelTrouble(Unavailability.RETIRED)),))


@pytest.mark.parametrize(
    ("error", "settings", "expected"),
    [
        (WITHDRAWN, Settings(), (FLASH, Reason.WITHDRAWN)),
        (WITHDRAWN, Settings(fallback_models=(MINIMAX,)), (FLASH, Reason.WITHDRAWN)),
        (WITHDRAWN, Settings(follow_successors=False, fallback_models=(MINIMAX,)), (MINIMAX, Reason.FAILED)),
        (Overloaded("busy"), Settings(fallback_models=(MINIMAX,)), (MINIMAX, Reason.FAILED)),
        (Overloaded("busy"), Settings(), None),
    ],
    ids=["followed", "followed first", "not followed", "a fallback", "neither"],
)
def test_the_reason_decides_who_is_asked_next(error: Any, settings: Settings, expected: Any) -> None:
    found = find_next(error, GLM_4_7, {GLM}, REFUSED, settings)
    assert (found and (found.model.id, found.reason)) == expected


def test_the_stand_ins_are_found_again_only_if_something_has_changed() -> None:
    known, settings = StandIns(), Settings()
    assert known.find(Status(), settings) == ({}, None)
    found = known.find(REFUSED, settings)
    assert found == ({GLM: GLM_5_3_FLASH}, None)
    assert known.find(REFUSED, settings) is found
    assert known.find(deepcopy(REFUSED), settings) is found
    assert known.find(REFUSED, Settings(follow_successors=False)) == ({}, None)


def test_the_background_model_is_found_again_only_if_something_has_changed() -> None:
    known, settings = StandIns(), Settings(background_model=GLM)
    assert known.find(Status(), settings) == ({}, GLM_4_7)
    assert known.find(REFUSED, settings) == ({GLM: GLM_5_3_FLASH}, None)
