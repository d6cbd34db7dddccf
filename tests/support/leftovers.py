"""What a gateway holds on to: what must be nothing again once nobody is being served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import RunningGateway

T = TypeVar("T")


@dataclass(frozen=True)
class Holdings:
    """Counted in the gateway's own loop."""

    tasks: int
    """Less the one that runs the gateway, and those that wait for clients at each listening socket."""
    upstream_connections: int
    """In use; those kept alive for the next request are none."""
    waiting: int
    """In the pacer's queues."""
    active: int


NOTHING = Holdings(0, 0, 0, 0)

_WAITS_FOR_CLIENTS = ("Listener._accept", "IocpProactor.accept.<locals>.accept_coro")  # the second one on Windows


def holdings(gateway: RunningGateway) -> Holdings:
    async def count() -> Holdings:
        return _count(gateway)

    return _run(gateway, count)


def wait_until_held(gateway: RunningGateway, is_it: Callable[[Holdings], bool]) -> None:
    """Returns once this is true of what the gateway holds."""

    async def wait() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not is_it(_count(gateway)):  # noqa: ASYNC110 (no event tells of the very end of a task)
                await asyncio.sleep(0.005)

    _run(gateway, wait)


def wait_until_nothing_is_held(gateway: RunningGateway) -> None:
    try:
        wait_until_held(gateway, NOTHING.__eq__)
    except TimeoutError:
        raise AssertionError(f"still held: {holdings(gateway)}") from None


def _count(gateway: RunningGateway) -> Holdings:
    assert gateway.service.running is not None
    inside = gateway.service.running.gateway
    connector = inside.upstream.session.pool.connector
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return Holdings(
        tasks=len([name for name in names if name not in _WAITS_FOR_CLIENTS])
        - 2,  # the gateway's own, and the one that counts
        upstream_connections=len(connector._acquired) if connector else 0,  # noqa: SLF001 (aiohttp counts them nowhere else)
        waiting=inside.pacer.waiting_count,
        active=len(inside.serving),
    )


def _run(gateway: RunningGateway, work: Callable[[], Coroutine[None, None, T]]) -> T:
    assert gateway.service.running is not None
    return asyncio.run_coroutine_threadsafe(work(), gateway.service.running.loop).result(TIMEOUT_S + 5)
