"""A gateway with its finder in front of the simulated NVIDIA, in virtual time: a day passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tests.support.nvidia_catalogue import Catalogue
from tests.support.simulated_nvidia import SimulatedNvidia, serve
from tests.support.virtual_time import run_virtually
from tray_app.catalog import Model
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.finder import ModelFinder
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.status.board import Status, StatusBoard
from tray_app.status.choices import find_answering
from tray_app.status.findings import Finding

T = TypeVar("T")

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
BEGIN_S = 1_795_737_600.0
"""The Unix time at which each story begins: 2026-11-27, 00:00 UTC."""

KEY = "nvapi-any"


@dataclass
class World:
    """The parts of a story."""

    nvidia: SimulatedNvidia
    gateway: Gateway
    finder: ModelFinder

    @property
    def status(self) -> Status:
        return self.gateway.board.status

    def find(self, model_id: str) -> Finding:
        """Returns what the board shows about a model."""
        return self.status.findings.find(model_id)

    @property
    def now_s(self) -> float:
        """The Unix time of the story."""
        return self.gateway.evidence.now()

    def find_answering(self, choice: Model) -> str:
        """Returns the id of the model that answers for a choice of the menu."""
        status = self.status
        catalog = self.gateway.config.settings.catalog.with_listed(status.listed_models)
        return find_answering(choice, catalog, status.findings, status.listed_models).id

    def configure(self, **settings: Any) -> None:
        """Changes settings, as the user does."""
        config = self.gateway.config
        self.gateway.config = replace(config, settings=replace(config.settings, **settings))

    async def wait_status(self, is_it: Callable[[Status], bool]) -> float:
        """Returns the seconds since the beginning of the story when this is true of the status."""
        is_true, loop = asyncio.Event(), asyncio.get_running_loop()
        self.gateway.board.subscribe(lambda status: is_true.set() if is_it(status) else None)
        if not is_it(self.status):
            await is_true.wait()
        return loop.time()


@asynccontextmanager
async def a_world(
    catalogue: Catalogue, *, key: str = KEY, folder: Path | None = None, port: int = 0
) -> AsyncIterator[World]:
    """Starts the parts, with the finder at work until the end of the `with`. `port` 0 is a free one."""
    clock = asyncio.get_running_loop().time
    async with serve(SimulatedNvidia(catalogue, clock, pace=1.0), port) as nvidia:
        config = GatewayConfig(Settings(nvidia_url=nvidia.url), Keys(nvidia=key))
        gateway = Gateway(config, StatusBoard(), state_folder=folder)
        gateway.evidence.now = lambda: BEGIN_S + clock()
        gateway.follow_account()
        finder = ModelFinder(gateway, DAY_S)
        finder.start()
        try:
            yield World(nvidia, gateway, finder)
        finally:
            await finder.stop()
            await gateway.close()


def play(story: Coroutine[Any, Any, T]) -> T:
    """Plays a story in virtual time, with real HTTP."""
    return run_virtually(story, has_network=True)
