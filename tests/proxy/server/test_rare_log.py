"""RareLog writes the first of many lines, and their number each minute."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.support.virtual_time import run_virtually
from tray_app.proxy.server.rare_log import LoopErrors, RareLog

log = logging.getLogger("tray_app.tests.rare")


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=log.name)


def test_a_line_is_written_and_further_lines_are_counted_for_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> list[bool]:
        rare = RareLog(log)
        written = [rare.warn(f"knock {number}") for number in range(1000)]
        await asyncio.sleep(61)
        written += [rare.warn("knock again")]
        await asyncio.sleep(60)
        return written

    assert run_virtually(run()) == [True, *(False for _ in range(1000))]
    assert caplog.messages == [
        "knock 0",
        "knock 999 (the newest of 999 such lines in 60 s)",
        "knock again (the newest of 1 such lines in 60 s)",
    ]


def test_a_line_after_a_quiet_minute_is_written_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        rare = RareLog(log)
        for number in range(3):
            assert rare.warn(f"knock {number}")
            await asyncio.sleep(61)

    run_virtually(run())
    assert caplog.messages == ["knock 0", "knock 1", "knock 2"]


def test_only_the_first_of_many_loop_errors_is_logged_in_full(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(LoopErrors(log))
        for number in range(1000):
            loop.call_exception_handler({"message": f"trouble {number}", "exception": OSError("too many files")})
        await asyncio.sleep(61)

    run_virtually(run())
    assert caplog.messages == [
        "the event loop says: trouble 0: OSError",
        "trouble 0",
        "the event loop says: trouble 999: OSError (the newest of 999 such lines in 60 s)",
    ]
    assert "OSError: too many files" in caplog.text


def test_what_a_closed_loop_has_left_behind_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> RareLog:
        return RareLog(log)

    rare = asyncio.run(run())
    assert rare.warn("a task was left")
    assert caplog.messages == ["a task was left"]
