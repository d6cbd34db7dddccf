"""Starts one worker process, gives it jobs and ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import msgspec

from tray_app import __version__, errors
from tray_app.errors import ProxyError
from tray_app.proxy.workers.frames import ASK, DATA, HEAD, JOB, PIECE, READY, REFUSED, RESULT, Job, Refusal, Result
from tray_app.settings.keys import without_keys
from tray_app.shells import find_worker

log = logging.getLogger(__name__)

_START_S = 30.0
"""Longest time in seconds until a new process must be ready."""

_END_S = 10.0
"""Time for the system to end a process. Quitting waits no longer for it."""

_OVERDUE_S = 2.0
"""Seconds after a job's time limit until the worker is ended from here. It ends itself at the limit, but on Windows it
may then wait forever for a lock that one of its threads held."""

_READ_BYTES = 64 * 1024
"""Most bytes that are read from a worker in one step, and the largest size of a result's pieces."""
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # without it, Windows opens a console

Answer = Callable[[bytes], Coroutine[Any, Any, bytes]]
"""Answers a question that a worker asks during its job."""


class WorkerEnded(Exception):
    """The worker ended before its job did. It took too long or too much memory, or was ended from outside."""


class WorkerUnavailable(Exception):
    """No worker can be started. There are too many processes, or the program was replaced by another version."""


class WorkerFault(Exception):
    """A fault of this program in the worker. The message says where it is."""


class JobRefused(Exception):
    """The result of the job is an error for the client. The worker can take another job."""

    def __init__(self, error: ProxyError) -> None:
        super().__init__(error)
        self.error = error


class Worker:
    """One worker process. The pool sets `idle_timer`, which ends a process without jobs."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._input = process.stdin
        self._output = process.stdout
        self.idle_timer: asyncio.TimerHandle | None = None

    async def wait_ready(self) -> None:
        """Waits until the process can take a job. Raises WorkerUnavailable if it is not this version of the program."""
        with suppress(asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_START_S):
                kind, size_bytes = HEAD.unpack(await self._output.readexactly(HEAD.size))
                if kind == READY and await self._output.readexactly(size_bytes) == __version__.encode():
                    return
        raise WorkerUnavailable("its program is another one")

    async def do(self, job: Job, data: list[bytes | bytearray], answer: Answer | None) -> Result:
        """Does a job. Raises JobRefused, WorkerFault or WorkerEnded; only after JobRefused the worker can go on."""
        try:
            await self._write(JOB, [msgspec.json.encode(job)])
            await self._write(DATA, data)
            return await self._read_result(job.limit_s + _OVERDUE_S, answer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            raise WorkerEnded(f"the worker process ended during the job {job.name!r}") from None

    async def end(self) -> None:
        """Ends the process, whatever it is doing. Gives up after some seconds if the system does not end it."""
        if self.idle_timer is not None:
            self.idle_timer.cancel()
        with suppress(ProcessLookupError):
            self.process.kill()
        # The pipes are closed, not read to their end: that end may never come on Windows. There is no public way.
        self.process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            async with asyncio.timeout(_END_S):
                await self.process.wait()
        except TimeoutError:
            log.warning("a worker process does not end, and is left to itself")

    async def _read_result(self, limit_s: float, answer: Answer | None) -> Result:
        """Returns the result of the job. Raises TimeoutError if it takes longer than `limit_s` without a question."""
        pieces: list[bytes] = []
        while True:
            async with asyncio.timeout(limit_s):
                kind, content = await self._read_frame(pieces)
            if kind == RESULT:
                return Result(content, pieces)
            if kind == REFUSED:
                refusal = msgspec.json.decode(content, type=Refusal)
                raise JobRefused(getattr(errors, refusal.error)(refusal.message))
            if kind != ASK or answer is None:
                raise WorkerFault(content.decode("utf-8", "replace"))
            await self._write(DATA, [await answer(content)])

    async def _read_frame(self, pieces: list[bytes]) -> tuple[bytes, bytes]:
        """Returns kind and content of the next frame other than PIECE. PIECE frames before it are added to `pieces`."""
        while True:
            kind, size_bytes = HEAD.unpack(await self._output.readexactly(HEAD.size))
            if kind != PIECE:
                return kind, await self._output.readexactly(size_bytes)
            pieces += [piece async for piece in self._read_pieces(size_bytes)]

    async def _read_pieces(self, size_bytes: int) -> AsyncIterator[bytes]:
        while size_bytes:
            piece = await self._output.read(min(size_bytes, _READ_BYTES))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size_bytes)
            size_bytes -= len(piece)
            yield piece

    async def _write(self, kind: bytes, content: list[bytes | bytearray]) -> None:
        self._input.write(HEAD.pack(kind, sum(map(len, content))))
        content.reverse()
        while content:
            self._input.write(content.pop())
            await self._input.drain()


async def spawn_worker() -> Worker:
    """Starts a process. Raises WorkerUnavailable if the system refuses."""
    command, folder = find_worker()
    environ = without_keys(os.environ)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,  # Python looks for modules here first, so it must not be the folder of a user's project
            env=environ,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=_READ_BYTES,
            creationflags=_NO_WINDOW,
        )
    except OSError as error:
        raise WorkerUnavailable(error.strerror or type(error).__name__) from error
    return Worker(process)
