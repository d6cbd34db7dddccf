"""The gateway's worker processes, for work that would block its event loop, or that it must be able to stop.

A process is started if a job finds none free, and ends after some time without a job. If a job's request is cancelled,
its process is ended. If no process can be started, a thread does the job.
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
"""Seconds without a job after which a worker ends. Starting one takes about 0.2 s."""


class WorkerPool:
    """Runs jobs in a few processes. Further jobs wait for a free one. One event loop uses the pool and closes it."""

    def __init__(self, most_workers: int, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(most_workers)
        self.free: list[Worker] = []
        """The workers that wait for a job."""
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, job: Job, data: list[bytes | bytearray], answer: Answer | None = None) -> Result:
        """Runs a job. `data` is its input in pieces, which are removed from the list as they are written.

        Raises the ProxyError that the job raised, WorkerEnded or WorkerFault.
        """
        async with self._places:
            try:
                worker = self.free.pop() if self.free else await self._start()
            except WorkerUnavailable as error:
                log.warning("no worker process can be started (%s), so a thread does its work", error)
                return await _do_in_thread(job, data, answer)
            return await self._do(worker, job, data, answer)

    async def close(self) -> None:
        """Ends the free workers. A worker with a job ends with the job."""
        while self.free:
            self._end(self.free.pop())
        while self._ending:
            await asyncio.wait(self._ending)

    async def _start(self) -> Worker:
        """Returns a new worker that can take a job. Its process is ended if it cannot, or if this call is cancelled."""
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
        self.free.append(worker)
        worker.idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._retire, worker)

    def _retire(self, worker: Worker) -> None:
        self.free.remove(worker)
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        self._keep_until_done(worker.end())

    def _keep_until_done(self, end: Coroutine[Any, Any, None]) -> None:
        """Ends a worker in its own task, so that a cancelled request does not cancel it."""
        ending = asyncio.create_task(end)
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


async def _end_spawned(spawning: asyncio.Task[Worker]) -> None:
    with suppress(WorkerUnavailable):
        worker = await spawning
        await worker.end()


async def _do_in_thread(job: Job, data: list[bytes | bytearray], answer: Answer | None) -> Result:
    """Does a job in a thread of this process. It may delay others by some milliseconds, and cannot be stopped."""
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
        except Exception as error:  # noqa: BLE001 (the request is told of any fault)
            raise WorkerFault(describe_fault(error)) from None

    content = bytearray().join(data)
    data.clear()
    return await asyncio.to_thread(work)
