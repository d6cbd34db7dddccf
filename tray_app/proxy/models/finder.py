"""Finds out, by itself and for the key in use, which models answer: from NVIDIA's list, and with small probes.

NVIDIA's list is a catalogue and no permission: two thirds of its models answer nobody, and it changes daily. So what
no request of a client has shown of late is found out with probes, one at a time and behind every request.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from tray_app.errors import KeyRefused, ProxyError
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.models.look import Look
from tray_app.proxy.upstream.model_list import MAX_LIST_BYTES, find_list, read_ids
from tray_app.status.findings import LookProgress

log = logging.getLogger(__name__)

_LIST_S = 60
"""Time for the whole request for the list."""
_RETRY_S = 900.0
"""Pause after a look that failed. The network may come up later than this program."""
_STEP_S = 3600.0
"""The clock is read at this interval, because timers stand still while the machine sleeps."""


class ModelFinder:
    """Looks at the list, and probes models, at start and then every day. Belongs to the event loop of the gateway."""

    def __init__(self, gateway: Gateway, every_s: float) -> None:
        self._gateway = gateway
        self._evidence = gateway.evidence
        self._every_s = every_s
        self._is_asked = False

    def start(self) -> None:
        """Looks at once and then every `every_s` seconds until `stop`. A look that failed is repeated sooner."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends the looking, including a probe that is running."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def look_again(self, *, is_asked: bool) -> None:
        """Lets the next look begin at once. `is_asked`: the user asked for it, so that it leaves out fewer models."""
        self._is_asked |= is_asked
        self._evidence.look_due.set()

    async def _run(self) -> None:
        while True:
            self._evidence.look_due.clear()
            is_asked, self._is_asked = self._is_asked, False
            is_done = await self._look(is_asked=is_asked)
            finished = self._gateway.board.status.look.finished + 1
            self._gateway.board.publish(look=LookProgress(finished, ended_at=self._evidence.now()))
            await self._rest(self._every_s if is_done else min(self._every_s, _RETRY_S))

    async def _rest(self, pause_s: float) -> None:
        """Returns after the pause, or sooner if a look is due."""
        ends_s = self._evidence.now() + pause_s
        while pause_s > 0 and self._evidence.now() < ends_s:
            step_s = min(pause_s, _STEP_S)
            pause_s -= step_s
            with suppress(TimeoutError):
                async with asyncio.timeout(step_s):  # not wait_for, which may swallow a cancellation up to Python 3.11
                    await self._evidence.look_due.wait()
                    return

    async def _look(self, *, is_asked: bool) -> bool:
        """Looks once. Returns False if that failed, and True if it succeeded or there is nothing to ask."""
        config = self._gateway.config
        url, key = find_list(config.settings.nvidia_url), config.keys.nvidia
        if config.is_demo or config.is_paused or not url or not key:
            return True
        self._evidence.publish()  # what another run found out, and what holds no more
        try:
            ids = read_ids(await self._gateway.upstream.fetch(url, key, _LIST_S, MAX_LIST_BYTES))
        except KeyRefused as error:
            self._gateway.outcomes.note_key_refused(error)
            return True  # a new key is asked about at once
        except (ProxyError, ValueError) as error:
            log.info("no list of models from %s: %s: %s", url, type(error).__name__, error)
            return False
        log.info("%s has %d models", url, len(ids))
        self._gateway.board.publish(listed_models=ids)
        return await Look(self._gateway, config, ids, is_asked=is_asked).probe_all()
