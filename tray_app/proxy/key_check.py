"""Checks an NVIDIA API key with NVIDIA, before the key is saved.

One model is no judge: NVIDIA lists models that it serves to some accounts only, or to nobody any more. So the list of
models is asked for with the key, and then several models are, until one of them tells. Each question costs one token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from tray_app.errors import KeyRefused, ProxyError, UpstreamFault
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.faults import faults_explained
from tray_app.proxy.upstream.model_list import MAX_LIST_BYTES, find_list, read_ids
from tray_app.proxy.upstream.session import send
from tray_app.proxy.upstream.tls import MakeTlsContext
from tray_app.settings.settings import Settings

MOST_MODELS = 3
"""So many models are asked at most."""
_TIMEOUT_S = 15
"""Time for each answer. A busy model may keep a request waiting for minutes, but then the key is not the problem."""


class Verdict(Enum):
    """What NVIDIA says about a key."""

    VALID = auto()
    """A model answers."""
    REFUSED = auto()
    """NVIDIA does not know the key."""
    NO_PERMISSION = auto()
    """NVIDIA knows the key, but its account may not use the hosted models."""
    NOT_SERVED = auto()
    """NVIDIA knows the key, but serves none of the models that were asked to it."""
    BUSY = auto()
    """NVIDIA has no time for an answer."""
    UNREACHABLE = auto()
    """NVIDIA cannot be reached."""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """The verdict on a key, and a sentence for the user that says it and what to do."""

    verdict: Verdict
    sentence: str


def list_judges(settings: Settings) -> list[str]:
    """Returns the ids of the models that may judge a key, the selected one first."""
    chosen = settings.selected_model.id
    return [chosen, *(model.id for model in settings.catalog.models if model.id != chosen)]


def check_key(key: str, chat_url: str, model_ids: Sequence[str], make_tls_context: MakeTlsContext) -> KeyCheck:
    """Asks upstream about the key; takes up to a minute. `model_ids` are asked in this order, listed ones first."""
    return asyncio.run(_check(key, chat_url, model_ids, make_tls_context))


async def _check(key: str, chat_url: str, model_ids: Sequence[str], make_tls_context: MakeTlsContext) -> KeyCheck:
    client = UpstreamClient(make_tls_context=make_tls_context)
    try:
        listed = await _fetch_ids(client, key, chat_url)
        ids = sorted(model_ids, key=lambda model_id: model_id not in listed)[:MOST_MODELS]  # it keeps their order
        return await _ask_models(client, key, chat_url, ids)
    except KeyRefused:
        return _refused()
    except ProxyError as error:
        return KeyCheck(Verdict.UNREACHABLE, f"The key could not be checked: {error.message}")
    finally:
        await client.close()


async def _fetch_ids(client: UpstreamClient, key: str, chat_url: str) -> frozenset[str]:
    """Returns the ids that upstream lists; none if its list cannot be had or read. KeyRefused: it refuses the key."""
    list_url = find_list(chat_url)
    if not list_url:
        return frozenset()
    try:
        return read_ids(await client.fetch(list_url, key, _TIMEOUT_S, MAX_LIST_BYTES))
    except KeyRefused:
        raise
    except (ProxyError, ValueError):
        return frozenset()


async def _ask_models(client: UpstreamClient, key: str, chat_url: str, model_ids: Sequence[str]) -> KeyCheck:
    statuses = []
    for model_id in model_ids:
        status = await _ask(client, key, chat_url, model_id)
        statuses.append(status)
        if status == 401:
            return _refused()
        if status < 400:
            return KeyCheck(Verdict.VALID, f"NVIDIA accepts the key: {model_id} answers.")
    tried = ", ".join(model_ids)
    if any(status == 429 or status >= 500 for status in statuses):
        return KeyCheck(Verdict.BUSY, "NVIDIA is too busy to check the key. It does not refuse it.")
    if 403 in statuses:
        return KeyCheck(
            Verdict.NO_PERMISSION,
            f"NVIDIA knows the key, but its account may not use NVIDIA's hosted models (tried: {tried}). "
            "Look at your account on build.nvidia.com: it may need to be verified, or the key to be made there.",
        )
    return KeyCheck(
        Verdict.NOT_SERVED,
        f"NVIDIA does not refuse the key, but serves none of these models to it: {tried}. "
        "Choose another model in the menu, or look on build.nvidia.com which ones are offered.",
    )


async def _ask(client: UpstreamClient, key: str, chat_url: str, model_id: str) -> int:
    """Returns the HTTP status of a request for one token."""
    question = {"model": model_id, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    body = json.dumps(question).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Accept": "application/json"}
    try:
        with faults_explained(_TIMEOUT_S):
            response = await send(client.session, "POST", chat_url, key, _TIMEOUT_S, headers, body)
    except UpstreamFault:
        raise
    except ProxyError:  # it was reached, and is silent
        return 504
    response.close()
    return response.status


def _refused() -> KeyCheck:
    return KeyCheck(
        Verdict.REFUSED,
        "NVIDIA refuses this key. Copy it again from build.nvidia.com; a new key there makes the one before invalid.",
    )
