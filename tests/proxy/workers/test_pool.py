"""Worker processes are started for jobs, are ended with cancelled requests, and report what failed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from tests.support.pdfs import make_pdf, make_slow_pdf
from tray_app import __version__
from tray_app.catalog import GLM_4_7, Catalog
from tray_app.errors import InvalidRequest, ThreadUnsupported
from tray_app.proxy.workers import worker as one_worker
from tray_app.proxy.workers.frames import HEAD, READY, Job
from tray_app.proxy.workers.jobs import RequestArguments
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.proxy.workers.worker import Worker, WorkerEnded, WorkerFault
from tray_app.settings.keys import NVIDIA_KEY
from tray_app.translate.request.question import Rules

RULES = Rules(Catalog(), GLM_4_7)
LIMIT_S = 60.0


def job(name: str, arguments: object = None, limit_s: float = LIMIT_S) -> Job:
    return Job(name, limit_s, msgspec.Raw(msgspec.json.encode(arguments)))


def pdf_job(limit_s: float = LIMIT_S) -> Job:
    return job("pdf", limit_s, limit_s)


def count_job() -> Job:
    return job("count", RequestArguments(RULES))


def run(work: Callable[[WorkerPool], Coroutine[Any, Any, None]], idle_s: float = 60.0) -> None:
    """Runs `work` with a pool of one worker, and closes it. What hangs ends as an error that shows where."""

    async def use() -> None:
        pool = WorkerPool(1, idle_s)
        async with asyncio.timeout(LIMIT_S):
            try:
                await work(pool)
            finally:
                await pool.close()

    asyncio.run(use())


def pid_of(pool: WorkerPool) -> int:
    [worker] = pool.free
    return worker.process.pid


def test_one_process_does_job_after_job() -> None:
    async def work(pool: WorkerPool) -> None:
        first = await pool.run(pdf_job(), [make_pdf("one").encode()])
        pid = pid_of(pool)
        second = await pool.run(pdf_job(), [make_pdf("two").encode()])
        assert (b"one" in first.content, b"two" in second.content) == (True, True)
        assert pid_of(pool) == pid

    run(work)


def test_the_input_may_come_in_any_pieces_which_are_removed_from_the_list() -> None:
    async def work(pool: WorkerPool) -> None:
        data = make_pdf("in pieces").encode()
        pieces: list[bytes | bytearray] = [data[:1], bytearray(data[1:100]), data[100:]]
        assert b"in pieces" in (await pool.run(pdf_job(), pieces)).content
        assert not pieces

    run(work)


def test_a_refusal_is_an_error_for_the_client_and_the_worker_goes_on() -> None:
    async def work(pool: WorkerPool) -> None:
        for body, error in (
            (b"[1]", InvalidRequest),
            (b"{", InvalidRequest),
            (b'{"model": "x"}', InvalidRequest),
        ):
            with pytest.raises(error):
                await pool.run(count_job(), [body])
        pid = pid_of(pool)
        thread = {"model": "x", "messages": [{"role": "user", "content": "hi"}], "thread": {"id": "t"}}
        with pytest.raises(ThreadUnsupported) as refused:
            await pool.run(job("translate", RequestArguments(RULES)), [json.dumps(thread).encode()])
        assert refused.value.details
        assert pid_of(pool) == pid

    run(work)


def test_a_fault_of_the_program_names_the_place_and_no_text_of_the_request() -> None:
    async def work(pool: WorkerPool) -> None:
        with pytest.raises(WorkerFault, match="KeyError") as fault:
            await pool.run(job("no such job"), [b"secret"])
        assert "serve" in str(fault.value)
        assert "secret" not in str(fault.value)

    run(work)


def test_a_job_that_takes_too_long_ends_with_its_process() -> None:
    async def work(pool: WorkerPool) -> None:
        with pytest.raises(WorkerEnded):
            await pool.run(pdf_job(0.2), [make_slow_pdf().encode()])
        assert b"next" in (await pool.run(pdf_job(), [make_pdf("next").encode()])).content

    run(work)


def test_a_worker_that_ends_during_its_job_is_replaced() -> None:
    async def work(pool: WorkerPool) -> None:
        await pool.run(pdf_job(), [make_pdf("first").encode()])
        os.kill(pid_of(pool), signal.SIGTERM)  # on Windows, this also ends the process at once
        with pytest.raises(WorkerEnded):
            await pool.run(pdf_job(), [make_pdf("second").encode()])
        assert b"third" in (await pool.run(pdf_job(), [make_pdf("third").encode()])).content

    run(work)


def test_a_cancelled_job_ends_with_its_process() -> None:
    async def work(pool: WorkerPool) -> None:
        waiting = asyncio.create_task(pool.run(pdf_job(), [make_slow_pdf(pages=9).encode()]))
        other = asyncio.create_task(pool.run(pdf_job(), [make_pdf("other").encode()]))  # it waits for the only worker
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert b"other" in (await other).content

    run(work)


def test_a_worker_ends_after_some_time_without_a_job() -> None:
    async def work(pool: WorkerPool) -> None:
        await pool.run(pdf_job(), [make_pdf("one").encode()])
        [worker] = pool.free
        assert await worker.process.wait() is not None
        assert not pool.free
        assert b"two" in (await pool.run(pdf_job(), [make_pdf("two").encode()])).content

    run(work, idle_s=0.0)


def test_a_worker_does_not_get_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NVIDIA_KEY.variables[0], "nvapi-not-for-workers")
    seen: dict[str, str] = {}

    async def start(*_: str, env: dict[str, str], **__: Any) -> None:
        seen.update(env)
        raise OSError("no more processes")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    run(read_page)
    assert seen
    assert "nvapi-not-for-workers" not in seen.values()


def test_a_worker_that_does_not_end_itself_after_its_time_limit_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = HEAD.pack(READY, len(__version__)) + __version__.encode()
    deaf = f"import sys; sys.stdout.buffer.write({ready!r}); sys.stdout.flush(); sys.stdin.read()"
    monkeypatch.setattr(one_worker, "find_worker", lambda: ([sys.executable, "-c", deaf], os.curdir))
    monkeypatch.setattr(one_worker, "_OVERDUE_S", 0.0)

    async def work(pool: WorkerPool) -> None:
        with pytest.raises(WorkerEnded):
            await pool.run(pdf_job(0.0), [b""])
        assert not pool.free

    run(work)


def test_a_thread_does_the_job_if_a_worker_does_not_get_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    monkeypatch.setattr(one_worker, "find_worker", lambda: (silent, os.curdir))
    monkeypatch.setattr(one_worker, "_START_S", 0.0)
    run(read_page)


async def read_page(pool: WorkerPool) -> None:
    assert b"a page" in (await pool.run(pdf_job(), [make_pdf("a page").encode()])).content


@pytest.mark.parametrize(
    "command",
    [["/no/such/program"], [sys.executable, "-c", ""], [sys.executable, "-c", "print('H' + 'another program' * 9)"]],
    ids=["not there", "ends at once", "another program"],
)
def test_a_thread_does_the_job_if_no_worker_can_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: list[str]
) -> None:
    monkeypatch.setattr(one_worker, "find_worker", lambda: (command, os.curdir))

    async def work(pool: WorkerPool) -> None:
        await read_page(pool)
        with pytest.raises(InvalidRequest):
            await pool.run(count_job(), [b"[1]"])
        with pytest.raises(WorkerFault, match="KeyError"):
            await pool.run(job("no such job"), [b"secret"])
        assert not pool.free

    run(work)
    assert "a thread does its work" in caplog.text
    assert "secret" not in caplog.text


def test_a_thread_can_ask_as_a_worker_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_worker, "find_worker", lambda: (["/no/such/program"], os.curdir))
    source = {"type": "base64", "media_type": "application/pdf", "data": make_pdf("x")}
    messages = [{"role": "user", "content": [{"type": "document", "source": source}]}]
    body = json.dumps({"model": "x", "messages": messages}).encode()

    async def answer(question: bytes) -> bytes:
        return b"the text"

    async def work(pool: WorkerPool) -> None:
        result = await pool.run(job("translate", RequestArguments(RULES)), [body], answer)
        assert b"the text" in b"".join(result.pieces)

    run(work)


def test_a_worker_whose_question_has_no_answer_gets_no_further_job() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": make_pdf("x")}
    messages = [{"role": "user", "content": [{"type": "document", "source": source}]}]
    body = json.dumps({"model": "x", "messages": messages}).encode()

    async def answer(question: bytes) -> bytes:
        raise InvalidRequest("no answer")

    async def work(pool: WorkerPool) -> None:
        with pytest.raises(InvalidRequest, match="no answer"):
            await pool.run(job("translate", RequestArguments(RULES)), [body], answer)
        assert not pool.free
        await read_page(pool)

    run(work)


def test_a_worker_whose_start_was_cancelled_has_ended_when_the_pool_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that disconnects and a gateway that quits may both cancel the same request."""
    started: list[Worker] = []

    async def never_ready(worker: Worker) -> None:
        started.append(worker)
        await asyncio.Event().wait()

    monkeypatch.setattr(Worker, "wait_ready", never_ready)

    async def work(pool: WorkerPool) -> None:
        reading = asyncio.create_task(read_page(pool))
        while not started:  # noqa: ASYNC110 (the pool has no event for it)
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await pool.close()
        assert started[0].process.returncode is not None

    run(work)
