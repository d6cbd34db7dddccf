"""A year without a release: models come and go, and each day a user works with the two choices of the menu.

    python -m pytest tests/proxy/models/test_year.py -s

prints for each choice who answered on how many days, and what finding that out cost. HTTP is left out here, because
the stories of one day have it, and a year would take a minute with it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.proxy.models.world import BEGIN_S, DAY_S, HOUR_S, KEY
from tests.support.nvidia_year import DAYS, make_lives, play_day
from tests.support.simulated_nvidia import Refusal, SimulatedNvidia
from tests.support.virtual_time import run_virtually
from tray_app.catalog import DEFAULTS, Model, family_of
from tray_app.errors import ModelUnavailable, Overloaded
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.finder import ModelFinder
from tray_app.proxy.models.look import DAILY_PROBES
from tray_app.proxy.models.probe import SILENCE_S, Answered
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.outcomes import find_trouble
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.status.board import StatusBoard
from tray_app.status.choices import find_answering
from tray_app.translate.refusal.refusal import explain_refusal

REQUESTS = 2
"""So many requests a day go to each choice."""
MOST_TURNS = 4
"""A request is followed to so many models, the first one included."""


class Wire:
    """Stands in for the HTTP client: asks the simulated NVIDIA without a connection."""

    def __init__(self, nvidia: SimulatedNvidia) -> None:
        self.nvidia = nvidia

    async def fetch(self, *_: object) -> bytes:
        self.nvidia.list_requests += 1
        return json.dumps({"data": [{"id": o.id} for o in self.nvidia.catalogue.models if o.is_listed]}).encode()

    async def close(self) -> None: ...

    async def ask(self, model: Model) -> bool:
        """Returns whether the answer calls a tool. Raises the errors that the HTTP client raises."""
        judged = self.nvidia.judge(KEY, model.id)
        if isinstance(judged, Refusal):
            raise explain_refusal(judged.status, json.dumps(judged.body).encode(), model)
        if judged.conduct == "hangs":
            await asyncio.sleep(SILENCE_S)
            raise TimeoutError
        await asyncio.sleep(judged.first_token_s)
        return judged.calls_tools

    async def probe(self, gateway: Gateway, _: GatewayConfig, model: Model) -> Answered:
        gateway.evidence.note_probe_sent(model.id)
        return Answered(1.0, await self.ask(model))


@dataclass
class Tally:
    """How the days of one choice went."""

    at_once: int = 0
    """Days on which the model that the program expected answered the first request."""
    followed: int = 0
    """Days on which the first request was refused, and answered by the next model."""
    unanswered: int = 0
    had_family: int = 0
    """Days on which a member of the choice's family answered this account and called tools."""
    in_family: int = 0
    """Days on which a member of the choice's family answered."""
    without_tools: int = 0
    by: Counter[str] = field(default_factory=Counter)
    """Model -> days on which it answered."""


class User:
    """Works with each choice once a day, as the gateway does with requests of a client."""

    def __init__(self, gateway: Gateway, wire: Wire) -> None:
        self.gateway = gateway
        self.wire = wire
        self.tallies = {choice.label: Tally() for choice in DEFAULTS}

    async def work(self) -> None:
        for choice in DEFAULTS:
            tally, tried = self.tallies[choice.label], 0
            tally.had_family += any(
                offer.conduct == "answers" and offer.calls_tools and family_of(offer.id) == family_of(choice.id)
                for offer in self.wire.nvidia.catalogue.models
            )
            while tried < MOST_TURNS:
                model, tried = self._choose(choice), tried + 1
                if await self._ask(model):
                    break
            else:
                tally.unanswered += 1
                continue
            tally.at_once += tried == 1
            tally.followed += tried > 1
            tally.by[model.id] += 1
            tally.in_family += family_of(model.id) == family_of(choice.id)
            offer = self.wire.nvidia.catalogue.find(model.id)
            tally.without_tools += not (offer and offer.calls_tools)
            for _ in range(REQUESTS - 1):
                await self._ask(model)

    def _choose(self, choice: Model) -> Model:
        status = self.gateway.board.status
        catalog = self.gateway.config.settings.catalog.with_listed(status.listed_models)
        return find_answering(choice, catalog, status.findings, status.listed_models)

    async def _ask(self, model: Model) -> bool:
        """Asks once, and again after passing errors. Returns whether the model answered in the end."""
        evidence = self.gateway.evidence
        for _ in range(10):
            evidence.note_sent(model.id)
            try:
                calls_tools = await self.wire.ask(model)
            except ModelUnavailable as error:
                evidence.note_refused(model.id, find_trouble(error))
                return False
            except Overloaded:
                evidence.note_failed(model.id)
                continue
            evidence.note_answered(model.id, 1.0)
            if calls_tools:
                evidence.note_called(model.id)
            return True
        return False


async def live_through(wire: Wire) -> tuple[User, list[int]]:
    """Returns the user after the year, and the number of probes on each day."""
    clock, lives, probes = asyncio.get_running_loop().time, make_lives(), list[int]()
    config = GatewayConfig(Settings(nvidia_url="http://127.0.0.1:1/v1/chat/completions"), Keys(nvidia=KEY))
    gateway = Gateway(config, StatusBoard())
    await gateway.upstream.close()
    gateway.upstream = cast("UpstreamClient", wire)
    gateway.evidence.now = lambda: BEGIN_S + clock()
    gateway.follow_account()
    wire.nvidia.clock = clock
    user, finder = User(gateway, wire), ModelFinder(gateway, DAY_S)
    for day in range(DAYS):
        wire.nvidia.catalogue = play_day(lives, day)
        if not day:
            finder.start()
        await asyncio.sleep(12 * HOUR_S)
        await user.work()
        await asyncio.sleep(day * DAY_S + DAY_S - 60 - clock())
        probes.append(gateway.evidence.count_probes())
        await asyncio.sleep((day + 1) * DAY_S - clock())
    await finder.stop()
    await gateway.close()
    return user, probes


def test_in_a_year_without_a_release_each_choice_is_answered_on_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia = SimulatedNvidia(play_day(make_lives(), 0), clock=lambda: 0.0)
    wire = Wire(nvidia)
    monkeypatch.setattr("tray_app.proxy.models.look.probe", wire.probe)
    monkeypatch.setattr("tray_app.proxy.upstream.evidence.PUBLISH_S", HOUR_S)  # each look publishes by itself
    user, probes = run_virtually(live_through(wire))
    print(
        "\n| choice | days answered at once | after following | unanswered | a relative was there "
        "| and answered | without tools | models |"
    )
    print("|---" * 8 + "|")
    for label, tally in user.tallies.items():
        print(
            f"| {label} | {tally.at_once} | {tally.followed} | {tally.unanswered} | {tally.had_family} "
            f"| {tally.in_family} | {tally.without_tools} | {len(tally.by)} |"
        )
    print(f"\nprobes a day: {probes[0]} on the first, then {sum(probes[1:]) / (DAYS - 1):.0f}, {max(probes)} at most")
    for tally in user.tallies.values():
        assert tally.unanswered == 0
        assert tally.at_once + tally.followed == DAYS
        assert tally.at_once > 0.9 * DAYS
        assert tally.without_tools <= 0.01 * DAYS
        assert tally.in_family > 0.9 * tally.had_family
        assert len(tally.by) >= 5
    assert max(probes) < DAILY_PROBES
