"""The gateway's worker processes: for work that would hold its event loop for long, or that it must be able to stop.

A process starts with the first job that finds none free, and ends after a while without any. A job that nobody waits
for any more ends with its process. Where no process can be started, a thread does the job.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from tray_app.errors import ProxyError
from tray_app.proxy.workers.frames import Job, Result
from tray_app.proxy.workers.jobs import JOBS, describe_fault
from tray_app.proxy.workers.worker import (
    Answer,
    JobRefused,
    Worker,
    WorkerFault,
    WorkerUnavailable,
    spawn_worker,
)

log = logging.getLogger(__name__)

IDLE_S = 60.0
"""A worker without a job for so long ends. Starting one takes about 0.2 s."""


class WorkerPool:
    """Runs jobs in a few processes; more jobs wait for one. For one event loop, which closes it."""

    def __init__(self, most_workers: int, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(most_workers)
        self._free: list[Worker] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def free_count(self) -> int:
        """How many worker processes wait for a job."""
        return len(self._free)

    async def run(self, job: Job, data: list[bytes | bytearray], answer: Answer | None = None) -> Result:
        """The result of a job. `data` is its input in pieces, and is emptied as it is handed over.

        Raises the ProxyError that the job raised, WorkerEnded or WorkerFault.
        """
        async with self._places:
            try:
                worker = self._free.pop() if self._free else await self._start()
            except WorkerUnavailable as error:
                log.warning("no worker process can be started (%s), so a thread does its work", error)
                return await _do_in_thread(job, data, answer)
            return await self._do(worker, job, data, answer)

    async def close(self) -> None:
        """Ends the workers that are free. Those with a job end with it."""
        while self._free:
            self._end(self._free.pop())
        while self._ending:
            await asyncio.wait(self._ending)

    async def _start(self) -> Worker:
        """A worker that can take a job. If it cannot, or nobody waits for it any more, its process ends."""
        spawning = asyncio.create_task(spawn_worker())
        try:
            worker = await asyncio.shield(spawning)
            await worker.wait_ready()
        except BaseException:
            self._keep_until_done(_end_spawned(spawning))
            raise
        log.info("a worker process started")
        return worker

    async def _do(self, worker: Worker, job: Job, data: list[bytes | bytearray], answer: Answer | None) -> Result:
        if worker.idle_timer is not None:
            worker.idle_timer.cancel()
        try:
            result = await worker.do(job, data, answer)
        except JobRefused as refused:
            self._keep(worker)
            raise refused.error from None
        except BaseException:
            self._end(worker)
            raise
        self._keep(worker)
        return result

    def _keep(self, worker: Worker) -> None:
        self._free.append(worker)
        worker.idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._retire, worker)

    def _retire(self, worker: Worker) -> None:
        self._free.remove(worker)
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        self._keep_until_done(worker.end())

    def _keep_until_done(self, end: Coroutine[Any, Any, None]) -> None:
        """Ends a worker in a task of its own, which no cancelled request takes along."""
        ending = asyncio.create_task(end)
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


async def _end_spawned(spawning: asyncio.Task[Worker]) -> None:
    with suppress(WorkerUnavailable):
        worker = await spawning
        await worker.end()


async def _do_in_thread(job: Job, data: list[bytes | bytearray], answer: Answer | None) -> Result:
    """Does a job in this process. It may hold others up for some milliseconds, and cannot be stopped."""
    loop = asyncio.get_running_loop()

    def ask(question: bytes) -> bytes:
        assert answer is not None
        return asyncio.run_coroutine_threadsafe(answer(question), loop).result()

    def work() -> Result:
        try:
            result = JOBS[job.name](job.arguments, content, ask)
            return Result(result.content, [*result.pieces])
        except ProxyError:
            raise
        except Exception as error:
            raise WorkerFault(describe_fault(error)) from None

    content = bytearray().join(data)
    data.clear()
    return await asyncio.to_thread(work)
