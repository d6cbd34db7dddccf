"""What a program and all processes that it started take of the machine, read from /proc."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

PROC = Path("/proc")

CpuTimes = dict[tuple[int, int], int]
"""The processor time in nanoseconds, by process and thread."""


@dataclass(frozen=True, slots=True)
class Memory:
    """In MB of a million bytes: all that the processes hold, and with what they share counted once (PSS)."""

    rss_mb: float
    pss_mb: float


def check_system() -> None:
    if not (PROC / "self" / "task").is_dir() or not (PROC / "self" / "schedstat").is_file():
        raise BenchError("The figures come from /proc/PID/schedstat, which only Linux has: run the benchmark there.")


def find_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    tree = [pid]
    for parent in tree:
        tree += children.get(parent, [])
    return tree


def read_cpu(pid: int) -> CpuTimes:
    times: CpuTimes = {}
    for process in find_tree(pid):
        for thread in list_threads(process):
            try:
                words = (PROC / str(process) / "task" / str(thread) / "schedstat").read_text().split()
            except OSError:  # it has ended
                continue
            times[process, thread] = int(words[0])
    return times


def list_threads(pid: int) -> list[int]:
    try:
        return [int(path.name) for path in (PROC / str(pid) / "task").iterdir()]
    except OSError:
        return []


def subtract(after: CpuTimes, before: CpuTimes) -> int:
    """The nanoseconds between the two. What a thread took that ended meanwhile is not known, and not counted."""
    return sum(time - before.get(thread, 0) for thread, time in after.items())


def read_memory(processes: Iterable[int]) -> Memory:
    """What these processes hold together."""
    kib = {"Rss": 0, "Pss": 0}
    for process in processes:
        try:
            lines = (PROC / str(process) / "smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            name, value = line.split()[:2]
            if name.rstrip(":") in kib:
                kib[name.rstrip(":")] += int(value)
    return Memory(rss_mb=kib["Rss"] * 1024 / 1e6, pss_mb=kib["Pss"] * 1024 / 1e6)
