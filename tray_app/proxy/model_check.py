"""A look at start and every day at which models NVIDIA lists: one small request, beside those of the clients."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from tray_app import APP_ID, __version__
from tray_app.proxy.gateway import Gateway
from tray_app.settings import Address
from tray_app.translate import json_text

log = logging.getLogger(__name__)

_TIMEOUT_S = 60
_RETRY_S = 900.0  # the network may come up later than this program
_MAX_LIST_BYTES = 8 * 1024 * 1024  # a model takes some hundred
_CHAT = "/chat/completions"


class ModelCheck:
    """Puts the ids that upstream lists on the board. A check that fails changes nothing there."""

    def __init__(self, gateway: Gateway, every_s: float) -> None:
        self._gateway = gateway
        self._every_s = every_s
        self._is_due = asyncio.Event()

    def start(self) -> None:
        """Looks at once, and again every `every_s` seconds, after a failure sooner, until the event loop ends."""
        self._task = asyncio.create_task(self._run())

    def hurry(self) -> None:
        """Lets the next look begin at once."""
        self._is_due.set()

    async def _run(self) -> None:
        while True:
            self._is_due.clear()
            pause_s = self._every_s if await self._look() else min(self._every_s, _RETRY_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), pause_s)

    async def _look(self) -> bool:
        """False if it failed."""
        config = self._gateway.config
        url, key = find_list(config.settings.nvidia_url), config.keys.nvidia
        if config.is_demo or not url or not key:
            return True
        try:
            ids = await fetch_ids(url, key)
        except (aiohttp.ClientError, OSError, ValueError, RecursionError) as error:  # OSError includes TimeoutError
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


async def fetch_ids(url: str, key: str) -> frozenset[str]:
    """The ids of a list in OpenAI's form. ValueError for any other answer, and aiohttp's errors."""
    # a session of its own, by the rules of chat requests: no connection stays open from one day to the next
    is_near = Address(urlsplit(url).hostname or "", 0).is_loopback
    async with (
        aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(_TIMEOUT_S), trust_env=not is_near
        ) as session,
        session.get(
            url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": f"{APP_ID}/{__version__}"},
            allow_redirects=False,
        ) as response,
    ):
        if response.status != 200:
            raise ValueError(f"HTTP {response.status}")
        body = b""
        async for part in response.content.iter_any():
            body += part
            if len(body) > _MAX_LIST_BYTES:
                raise ValueError("it is longer than any list")
    ids = _read_ids(json_text.decode(body))
    if not ids:
        raise ValueError("it names no model")
    return ids


def _read_ids(value: Any) -> frozenset[str]:
    models = value.get("data") if isinstance(value, dict) else None
    ids = (model.get("id") for model in models if isinstance(model, dict)) if isinstance(models, list) else ()
    return frozenset(model_id for model_id in ids if isinstance(model_id, str))
