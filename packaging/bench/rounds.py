"""The course of a measurement: in each round every gateway does every case once, in changing order."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.cases import CASES, Case, Measured
from bench.errors import BenchError, GatewayFault
from bench.gateways import Gateway, Maker
from bench.helpers import LoadProcess, UpstreamProcess
from bench.load import Result
from bench.results import Results
from bench.starts import Starts
from bench.usage import read_cpu, subtract

T = TypeVar("T")

QUIET_S = 0.1
"""What a gateway still does after its answers, such as writing its history, is done within this time."""
IDLE_S = 12
WARM_UP_IDLE_S = 0.5


def tell(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


class Bench:
    """The processes that measure, and the gateways under load."""

    def __init__(self, stack: ExitStack, makers: Sequence[Maker], scratch: Path, has_load: bool) -> None:
        self.upstream = stack.enter_context(UpstreamProcess())
        self._loads = stack.enter_context(ExitStack())
        self._start_loads()
        self.gateways: list[Gateway] = []
        for number, maker in enumerate(makers if has_load else ()):
            home = scratch / f"load{number}"
            home.mkdir(mode=0o700)
            self.gateways.append(stack.enter_context(Gateway(maker, home, self.upstream.url)))
            self.gateways[-1].wait_answer()

    def _start_loads(self) -> None:
        self._loads.close()
        self._load = self._loads.enter_context(LoadProcess())
        self._heavy = self._loads.enter_context(LoadProcess())

    def measure_direct(self, case: Case, seed: int) -> Result:
        return self._insist(case, "the benchmark's own upstream", self.upstream.port, None, seed)[0]

    def measure(self, case: Case, gateway: Gateway, seed: int, direct: Result | None, faults: list[str]) -> Measured:
        """One round of a case. If the gateway does something wrong, that is noted, and it is asked once more."""
        try:
            result, cpu_ns = self._measure(case, gateway.port, gateway.pid, seed)
        except GatewayFault as fault:
            faults.append(f"{case.name}: {gateway.name} {fault}.")
            tell(f"{faults[-1]} It is asked once more.")
            self._start_loads()
            result, cpu_ns = self._insist(case, gateway.name, gateway.port, gateway.pid, seed)
        return Measured(result, cpu_ns, direct)

    def _insist(self, case: Case, name: str, port: int, pid: int | None, seed: int) -> tuple[Result, int]:
        try:
            return self._measure(case, port, pid, seed)
        except GatewayFault as fault:
            raise BenchError(f"{case.name}: {name} {fault}.") from None

    def _measure(self, case: Case, port: int, pid: int | None, seed: int) -> tuple[Result, int]:
        """The result, and the processor time in nanoseconds of the process with all that it started."""
        self.upstream.follow(case.plan)
        self._load.prepare(replace(case.job, port=port, seed=seed))
        if case.heavy:
            self._heavy.prepare(replace(case.heavy, port=port, seed=seed))
        time.sleep(QUIET_S)
        before = read_cpu(pid) if pid else {}
        self._load.go()
        if case.heavy:
            time.sleep(case.job.stagger_s)
            self._heavy.go()
            self._heavy.finish()
        result = self._load.finish()
        time.sleep(QUIET_S)
        return result, subtract(read_cpu(pid), before) if pid else 0


def run_rounds(
    makers: Sequence[Maker], wanted: set[str], results: Results, scratch: Path, cases: Sequence[Case] = CASES
) -> None:
    """Adds the figures of all rounds to the results. The first time each gateway does each case does not count."""
    chosen = [case for case in cases if {figure.row.name for figure in case.figures} & wanted]
    with ExitStack() as stack:
        bench = Bench(stack, makers, scratch, has_load=bool(chosen))
        starts = Starts(wanted, scratch, bench.upstream.url, results)
        for number in range(results.rounds + 1):
            name = f"round {number} of {results.rounds}" if number else "warm-up"
            for position, case in enumerate(chosen):
                tell(f"{name}: {case.name}")
                measure_case(bench, case, number, number * 100 + position, results, is_counted=number > 0)
            if starts.wanted:
                tell(f"{name}: {', '.join(sorted(starts.wanted))}")
                order = rotate(makers, number)
                starts.measure(order, idle_s=IDLE_S if number else WARM_UP_IDLE_S, is_counted=number > 0)


def measure_case(bench: Bench, case: Case, number: int, seed: int, results: Results, is_counted: bool) -> None:
    """Lets each gateway do the case once. Of a warm-up, only what went wrong is noted."""
    direct = bench.measure_direct(case, seed) if case.needs_direct else None
    for gateway in rotate(bench.gateways, number):
        measured = bench.measure(case, gateway, seed, direct, results.faults)
        if is_counted:
            for figure in case.figures:
                results.note(figure.row.name, gateway.name, figure.read(measured))
    for figure in case.figures:
        if is_counted and direct is not None and figure.direct_field:
            results.direct.setdefault(figure.row.name, []).append(getattr(direct, figure.direct_field))


def rotate(sequence: Sequence[T], by: int) -> list[T]:
    by %= max(1, len(sequence))
    return [*sequence[by:], *sequence[:by]]
