"""How soon the program is there, and how much memory it takes then.

usage: python packaging/measure_start.py [--runs N] [--wine PREFIX] [PROGRAM [ARGUMENTS...]]

Starts the program N times (10; without one, that of the checkout) on a desktop of its own, as a demo. Prints medians:
from the start to the first answer of its port, from the start to its icon in the panel, and the memory of the idle
program. With --wine it is a Windows program, in a Wine prefix such as .build/windows/pristine, which is changed.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from bench.usage import read_memory
from tests.bundle.wine_desktop import WINE, WineDesktop
from tests.support.desktop_harness import Desktop, Watcher, end
from tests.support.ports import free_port

POLL_S = 0.002
START_LIMIT_S = 60
IDLE_S = 1.5  # until what is loaded after the start is loaded, too


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the program. Memory in MB: what it holds, and its share where it is not alone (PSS)."""

    port_ms: float
    icon_ms: float
    rss_mb: float
    pss_mb: float


def measure_on_linux(command: list[str]) -> Start:
    with Desktop() as desktop, Watcher(desktop.bus) as watcher:
        del desktop.env["PYTHONPATH"]  # an installed program is to find its own parts, not the checkout's
        return measure(desktop, command, lambda: bool(watcher.items))


def measure_under_wine(command: list[str], prefix: Path) -> Start:
    with WineDesktop(prefix) as desktop:
        desktop.run(WINE, "wineboot")  # else the first program waits for Windows to start
        explorer = desktop.spawn(WINE, "explorer", log="explorer")
        try:
            return measure(desktop, [str(WINE), *command], desktop.has_icon)
        finally:
            end(explorer)


def measure(desktop: Desktop, command: list[str], has_icon: Callable[[], bool]) -> Start:
    port = free_port()
    desktop.env["ADDR"] = f"127.0.0.1:{port}"
    begin = time.perf_counter()
    process = desktop.spawn(*command, "--demo", log="app", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port_s = icon_s = None
    while port_s is None or icon_s is None:
        if process.poll() is not None or time.perf_counter() - begin > START_LIMIT_S:
            raise SystemExit("The program does not start.")
        if icon_s is None and has_icon():
            icon_s = time.perf_counter() - begin
        if port_s is None and answers(port):
            port_s = time.perf_counter() - begin
        time.sleep(POLL_S)
    time.sleep(IDLE_S)
    memory = read_memory([process.pid])
    end(process)
    return Start(port_s * 1e3, icon_s * 1e3, memory.rss_mb, memory.pss_mb)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(usage=str(__doc__))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--wine", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command or [sys.executable, "-m", "tray_app"]

    def start() -> Start:
        return measure_under_wine(command, options.wine) if options.wine else measure_on_linux(command)

    start()  # the first one reads it from the disk
    starts = [start() for _ in range(options.runs)]
    for field in fields(Start):
        figures = [getattr(one, field.name) for one in starts]
        name, unit = field.name.replace("mb", "MB").rsplit("_", 1)
        print(f"{name}: {statistics.median(figures):.0f} {unit} ({min(figures):.0f} to {max(figures):.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
