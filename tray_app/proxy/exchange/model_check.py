"""A look at start and every day at which models NVIDIA lists: one small request, beside those of the clients."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tray_app.errors import ProxyError
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.translate import json_text

log = logging.getLogger(__name__)

_TIMEOUT_S = 60
_RETRY_S = 900.0  # the network may come up later than this program
_MAX_LIST_BYTES = 1024 * 1024  # a model takes some hundred, and all are decoded without a pause
_CHAT = "/chat/completions"


class ModelCheck:
    """Puts the ids that upstream lists on the board. A check that fails changes nothing there."""

    def __init__(self, gateway: Gateway, every_s: float) -> None:
        self._gateway = gateway
        self._every_s = every_s
        self._is_due = asyncio.Event()

    def start(self) -> None:
        """Looks at once, and again every `every_s` seconds, after a failure sooner, until `stop`."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends a look that is under way, too."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def check_now(self) -> None:
        """Lets the next look begin at once."""
        self._is_due.set()

    async def _run(self) -> None:
        while True:
            self._is_due.clear()
            pause_s = self._every_s if await self._look() else min(self._every_s, _RETRY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):  # up to 3.11, wait_for may swallow that the task is cancelled
                    await self._is_due.wait()

    async def _look(self) -> bool:
        """False if it failed."""
        config = self._gateway.config
        url, key = find_list(config.settings.nvidia_url), config.keys.nvidia
        if config.is_demo or not url or not key:
            return True
        try:
            ids = _read_ids(json_text.decode(await self._gateway.upstream.fetch(url, key, _TIMEOUT_S, _MAX_LIST_BYTES)))
        except (ProxyError, ValueError, RecursionError) as error:
            log.info("no list of models from %s: %s: %s", url, type(error).__name__, error)
            return False
        log.info("%s has %d models", url, len(ids))
        self._gateway.board.publish(listed_models=ids)
        return True


def find_list(chat_url: str) -> str:
    """Where the list of models is, for the address that takes chat requests; empty where it has no usual end."""
    parts = urlsplit(chat_url)
    if not parts.path.endswith(_CHAT):
        return ""
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.removesuffix(_CHAT)}/models", "", ""))


def _read_ids(value: Any) -> frozenset[str]:
    """The ids of a list in OpenAI's form. ValueError for anything else."""
    models = value.get("data") if isinstance(value, dict) else None
    ids = (model.get("id") for model in models if isinstance(model, dict)) if isinstance(models, list) else ()
    found = frozenset(model_id for model_id in ids if isinstance(model_id, str))
    if not found:
        raise ValueError("it names no model")
    return found
