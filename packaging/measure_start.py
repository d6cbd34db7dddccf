"""How soon the program is there, and how much memory it takes then.

usage: python packaging/measure_start.py [--runs N] [--without-icon] PROGRAM [ARGUMENTS...]

Starts the program N times (10; without one, that of the checkout) on a desktop of its own, as a demo. Prints medians:
from the start to the first answer of its port, from the start to its icon in the panel, and the memory of the idle
program. Without an icon it also takes a Windows program: --without-icon wine64 NAME.exe
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from tests.desktop_harness import Desktop, Watcher, end
from tests.ports import free_port

LOOK_S = 0.002
START_LIMIT_S = 60
IDLE_S = 1.5  # until what is loaded after the start is loaded, too


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the program. Memory in MB: what it holds, and its share where it is not alone (PSS)."""

    port_ms: float
    icon_ms: float | None
    rss_mb: float
    pss_mb: float


def measure(command: list[str], *, has_icon: bool) -> Start:
    with Desktop() as desktop, Watcher(desktop.bus) as watcher:
        port = free_port()
        del desktop.env["PYTHONPATH"]  # an installed program is to find its own parts, not the checkout's
        desktop.env["ADDR"] = f"127.0.0.1:{port}"
        begin = time.perf_counter()
        process = desktop.spawn(*command, "--demo", *([] if has_icon else ["--no-tray"]), log="app")
        port_s = icon_s = None
        while port_s is None or (has_icon and icon_s is None):
            passed_s = time.perf_counter() - begin
            if process.poll() is not None or passed_s > START_LIMIT_S:
                raise SystemExit(f"It does not start:\n{desktop.read_log('app')}")
            if icon_s is None and watcher.items:
                icon_s = passed_s
            if port_s is None and answers(port):
                port_s = time.perf_counter() - begin
            time.sleep(LOOK_S)
        time.sleep(IDLE_S)
        memory_kib = read_memory(process.pid)
        end(process)
    return Start(port_s * 1e3, icon_s and icon_s * 1e3, memory_kib["Rss"] * 1024 / 1e6, memory_kib["Pss"] * 1024 / 1e6)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def read_memory(pid: int) -> dict[str, int]:
    """In KiB."""
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(usage=str(__doc__))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--without-icon", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command or [sys.executable, "-m", "tray_app"]
    measure(command, has_icon=not options.without_icon)  # the first start reads it from the disk
    starts = [measure(command, has_icon=not options.without_icon) for _ in range(options.runs)]
    for field in fields(Start):
        figures = [value for start in starts if (value := getattr(start, field.name)) is not None]
        if figures:
            name, unit = field.name.replace("mb", "MB").rsplit("_", 1)
            print(f"{name}: {statistics.median(figures):.0f} {unit} ({min(figures):.0f} to {max(figures):.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
