"""Polls NVIDIA's list of models: with one small request at start, and one every day."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from tray_app.errors import KeyRefused, ProxyError
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.upstream.model_list import MAX_LIST_BYTES, find_list, read_ids

log = logging.getLogger(__name__)

_TIMEOUT_S = 60
"""Time for the whole request."""
_RETRY_S = 900.0
"""Pause after a failed poll. The network may come up later than this program."""


class ModelListPoll:
    """Publishes the ids that upstream lists on the board. A failed poll leaves the board as it is."""

    def __init__(self, gateway: Gateway, every_s: float) -> None:
        self._gateway = gateway
        self._every_s = every_s
        self._is_due = asyncio.Event()

    def start(self) -> None:
        """Polls at once and then every `every_s` seconds until `stop`. A failed poll is repeated sooner."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends the polling, including a poll that is running."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def poll_now(self) -> None:
        """Lets the next poll begin at once."""
        self._is_due.set()

    async def _run(self) -> None:
        while True:
            self._is_due.clear()
            pause_s = self._every_s if await self._poll() else min(self._every_s, _RETRY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):  # not wait_for, which may swallow a cancellation up to Python 3.11
                    await self._is_due.wait()

    async def _poll(self) -> bool:
        """Checks once. Returns False if that failed, and True if it succeeded or there is nothing to ask."""
        config = self._gateway.config
        url, key = find_list(config.settings.nvidia_url), config.keys.nvidia
        if config.is_demo or not url or not key:
            return True
        try:
            ids = read_ids(await self._gateway.upstream.fetch(url, key, _TIMEOUT_S, MAX_LIST_BYTES))
        except KeyRefused as error:
            self._gateway.outcomes.note_key_refused(error)
            return True  # a new key is asked about at once
        except (ProxyError, ValueError) as error:
            log.info("no list of models from %s: %s: %s", url, type(error).__name__, error)
            return False
        log.info("%s has %d models", url, len(ids))
        self._gateway.board.publish(listed_models=ids)
        return True
