"""What a gateway takes at its start and while nobody asks it anything; each round starts it anew."""

from __future__ import annotations

import itertools
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.cases import Row
from bench.gateways import OURS, Gateway, Maker
from bench.results import Results
from bench.usage import find_tree, read_cpu, read_memory, subtract

FIRST_ANSWER = Row("first-answer", "s", "from the start of the program to its first complete answer")
MEMORY = Row("memory-idle", "MB", "memory of the idle program after one answer, RSS of all its processes")
MEMORY_PSS = Row("memory-idle-pss", "MB", "the same, with what its processes share counted once (PSS)")
IDLE = Row("idle-cpu", "ms", "processor time of the idle program for each minute")
IDLE_TRAY = Row("idle-cpu-tray", "ms", "the same with its tray icon, on Linux")
ICON = Row("icon", "s", "from the start of the program to its icon in the tray, on Linux")
START_ROWS = (FIRST_ANSWER, MEMORY, MEMORY_PSS, IDLE, IDLE_TRAY, ICON)
SETTLE_S = 1.5
"""What is loaded after the first answer is loaded within this time."""


class Starts:
    """Measures those of the rows above that are wanted."""

    def __init__(self, wanted: set[str], scratch: Path, upstream_url: str, results: Results) -> None:
        self.wanted = wanted & {row.name for row in START_ROWS}
        self._scratch = scratch
        self._upstream_url = upstream_url
        self._results = results
        self._numbers = itertools.count()
        lacking = find_lacking_part() if self.wanted & {ICON.name, IDLE_TRAY.name} else ""
        if lacking:
            self.wanted -= {ICON.name, IDLE_TRAY.name}
            results.left_out.append(f"{ICON.name} and {IDLE_TRAY.name}: {lacking}")

    def measure(self, makers: Sequence[Maker], idle_s: float, is_counted: bool) -> None:
        """One round."""
        results = self._results if is_counted else Results([], 0)
        with ExitStack() as stack:
            running = []
            if self.wanted - {ICON.name, IDLE_TRAY.name}:
                running = [(IDLE, stack.enter_context(self._start(maker, results))) for maker in makers]
            if self.wanted & {ICON.name, IDLE_TRAY.name}:
                running.append((IDLE_TRAY, self._start_with_icon(stack, results)))
            if self.wanted & {IDLE.name, IDLE_TRAY.name}:
                time.sleep(SETTLE_S)
                before = [read_cpu(gateway.pid) for _, gateway in running]
                begin_s = time.monotonic()
                time.sleep(idle_s)
                for (row, gateway), earlier in zip(running, before, strict=True):
                    share = subtract(read_cpu(gateway.pid), earlier) / (time.monotonic() - begin_s) / 1e9
                    self._note(results, row, gateway.name, share * 60_000)

    def _note(self, results: Results, row: Row, gateway: str, value: float) -> None:
        if row.name in self.wanted:
            results.note(row.name, gateway, value)

    def _make_home(self) -> Path:
        home = self._scratch / f"start{next(self._numbers)}"
        home.mkdir(mode=0o700)
        return home

    def _start(self, maker: Maker, results: Results) -> Gateway:
        gateway = Gateway(maker, self._make_home(), self._upstream_url)
        try:
            self._note(results, FIRST_ANSWER, maker.name, gateway.wait_answer())
            if self.wanted & {MEMORY.name, MEMORY_PSS.name}:
                time.sleep(SETTLE_S)
                memory = read_memory(find_tree(gateway.pid))
                self._note(results, MEMORY, maker.name, memory.rss_mb)
                self._note(results, MEMORY_PSS, maker.name, memory.pss_mb)
        except BaseException:
            gateway.end()
            raise
        return gateway

    def _start_with_icon(self, stack: ExitStack, results: Results) -> Gateway:
        """Starts this checkout's program on a session bus of its own, with the part of a panel that takes icons."""
        from tests.support.desktop_harness import Desktop, Watcher

        desktop = stack.enter_context(Desktop())
        watcher = stack.enter_context(Watcher(desktop.bus))
        maker = Maker(OURS, (sys.executable, "-m", "tray_app"))
        gateway = stack.enter_context(Gateway(maker, self._make_home(), self._upstream_url, desktop.env))
        watcher.wait(lambda: bool(watcher.items), "the icon")
        self._note(results, ICON, OURS, time.monotonic() - gateway.begin_s)
        gateway.wait_answer()
        return gateway


def find_lacking_part() -> str:
    """Says what a measurement of the icon lacks here; empty if nothing."""
    if shutil.which("dbus-daemon") is None:
        return "dbus-daemon is not installed (apt install dbus)."
    try:
        import tests.support.desktop_harness  # noqa: F401
    except ImportError as error:
        return f"the test support cannot be imported ({error})."
    return ""
