"""A simulation of agents and an upstream with a rate limit, in virtual time. It prints what pacing changes:

    python -m tests.proxy.upstream.pacing_simulation [MINUTES]

Without pacing every refusal is passed on to Claude Code, which retries 10 times in about three minutes. Then the turn
has failed. With pacing a refused request waits for another turn, five times at most. A turn takes 3 to 12 s beside its
waits, and every second agent works in the background.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.support.virtual_time import run_virtually
from tray_app.catalog import GLM_4_7, NEMOTRON_3_5_LIGHTNING, Model
from tray_app.proxy.upstream.pacing import Pacer, Urgency

ATTEMPTS = 6
_CLIENT_ATTEMPTS = 11

Limit = Callable[[float], int]
"""Returns how many requests a minute upstream takes at a time, which is given in seconds."""


def steady(limit: int) -> Limit:
    return lambda _: limit


def by_load(time_s: float) -> int:
    """Returns a limit that falls or rises every five minutes."""
    return (40, 15, 30, 8)[int(time_s // 300) % 4]


STORM_S, STORM_ENDS_S = 300, 480


def storm(time_s: float) -> int:
    """Returns a limit that is 0 for three minutes."""
    return 0 if STORM_S <= time_s < STORM_ENDS_S else 40


def busy(time_s: float) -> int:
    """Returns a limit that is 0 for most of three minutes: seven of ten requests are refused."""
    if not STORM_S <= time_s < STORM_ENDS_S:
        return 40
    return 0 if random.Random(time_s).random() < 0.7 else 40


@dataclass
class Upstream:
    """Takes up to `limit` requests in any minute. With `burst`, up to so many at once and the others evenly spaced."""

    limit: Limit
    burst: int | None
    luck: random.Random
    taken_s: list[float] = field(default_factory=list)
    refused: int = 0
    _minute: deque[float] = field(default_factory=deque)
    _tokens: float = 0

    async def ask(self) -> bool:
        """Returns False if the request is refused."""
        await asyncio.sleep(self.luck.uniform(0.05, 0.4))
        now_s = _now_s()
        if not self._takes(now_s):
            self.refused += 1
            await asyncio.sleep(self.luck.uniform(0.05, 0.2))
            return False
        self.taken_s.append(now_s)
        await asyncio.sleep(self.luck.uniform(0.5, 3))
        return True

    def _takes(self, now_s: float) -> bool:
        limit = self.limit(now_s)
        if self.burst is not None:
            since_s = now_s - self.taken_s[-1] if self.taken_s else 60 * self.burst
            refilled = min(self.burst, self._tokens + since_s * limit / 60)
            if refilled < 1:
                return False
            self._tokens = refilled - 1
            return True
        while self._minute and self._minute[0] <= now_s - 60:
            self._minute.popleft()
        if len(self._minute) >= limit:
            return False
        self._minute.append(now_s)
        return True


@dataclass
class Report:
    """What the clients saw, and which part of upstream's limit was used."""

    upstream_refusals: int = 0
    client_refusals: int = 0
    failed_turns: int = 0
    turns: int = 0
    used_share: float = 0
    longest_s: float = 0
    """Longest time from the first request of a turn to the first byte of its answer."""
    longest_interactive_s: float = 0
    taken_s: list[float] = field(default_factory=list)
    """The times at which upstream took a request."""

    def count_turn(self, waited_s: float, *, is_background: bool) -> None:
        self.turns += 1
        self.longest_s = max(self.longest_s, waited_s)
        if not is_background:
            self.longest_interactive_s = max(self.longest_interactive_s, waited_s)


def simulate(
    limit: Limit, *, agents: int, paced: bool, minutes: int = 30, burst: int | None = None, seed: int = 1
) -> Report:
    """Simulates the agents' work. The report is always the same for the same arguments."""
    return run_virtually(_simulate(limit, agents, paced, minutes, burst, random.Random(seed)))


async def _simulate(
    limit: Limit, agents: int, paced: bool, minutes: int, burst: int | None, luck: random.Random
) -> Report:
    report, upstream = Report(), Upstream(limit, burst, luck)
    ask = _pace(upstream) if paced else lambda _: upstream.ask()
    work = [asyncio.create_task(_work(ask, report, luck, is_background=bool(n % 2))) for n in range(agents)]
    await asyncio.sleep(minutes * 60)
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    report.upstream_refusals, report.taken_s = upstream.refused, upstream.taken_s
    report.used_share = len(upstream.taken_s) / sum(limit(minute * 60) for minute in range(minutes))
    return report


def simulate_fan_outs(limit: Limit, *, asks: int, times: int, burst: int | None = None, seed: int = 1) -> Report:
    """Simulates `asks` requests at once every two minutes. A request that failed is not repeated."""

    async def fan_out() -> Report:
        report, upstream = Report(), Upstream(limit, burst, random.Random(seed))
        ask = _pace(upstream)

        async def ask_once() -> None:
            asked_s = _now_s()
            if await ask(False):
                report.count_turn(_now_s() - asked_s, is_background=False)
            else:
                report.client_refusals += 1

        for _ in range(times):
            await asyncio.gather(asyncio.sleep(120), *(ask_once() for _ in range(asks)))
        report.upstream_refusals = upstream.refused
        return report

    return run_virtually(fan_out())


def simulate_session(
    limit: Limit, *, sub_agents: int, has_background_model: bool, minutes: int = 30, seed: int = 1
) -> tuple[Report, Report]:
    """Simulates one session with its sub-agents. Returns what the session saw, and what the sub-agents saw.

    With a background model, the sub-agents ask a model of their own, which has a limit of its own.
    """

    async def session() -> tuple[Report, Report]:
        luck, pacer = random.Random(seed), Pacer()
        upstream = Upstream(limit, None, luck)
        ask = _pace(upstream, GLM_4_7, pacer)
        second = Upstream(limit, None, luck) if has_background_model else upstream
        ask_second = _pace(second, NEMOTRON_3_5_LIGHTNING, pacer) if has_background_model else ask
        own, others = Report(), Report()
        work = [asyncio.create_task(_work(ask, own, luck, is_background=False))]
        work += [asyncio.create_task(_work(ask_second, others, luck, is_background=True)) for _ in range(sub_agents)]
        await asyncio.sleep(minutes * 60)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        own.upstream_refusals, others.upstream_refusals = upstream.refused, second.refused
        return own, others

    return run_virtually(session())


def _pace(upstream: Upstream, model: Model = GLM_4_7, pacer: Pacer | None = None) -> Callable[[bool], Awaitable[bool]]:
    """Returns a function that asks upstream with pacing and retries. It returns False if all attempts were refused.

    Without a `pacer`, it gets one of its own.
    """
    pacer = pacer or Pacer()

    async def ask(is_background: bool) -> bool:
        for attempt in range(ATTEMPTS):
            urgency = Urgency.BACKGROUND if is_background and attempt == 0 else Urgency.TURN
            await pacer.wait_turn(model, limit=40, urgency=urgency)
            if await upstream.ask():
                pacer.note_served(model)
                return True
            pacer.note_refused(model)
        return False

    return ask


async def _work(
    ask: Callable[[bool], Awaitable[bool]], report: Report, luck: random.Random, *, is_background: bool
) -> None:
    """Runs one agent, which takes turn after turn and uses its tools in between."""
    await asyncio.sleep(luck.uniform(0, 5))
    while True:
        asked_s = _now_s()
        for attempt in range(_CLIENT_ATTEMPTS):
            if await ask(is_background):
                report.count_turn(_now_s() - asked_s, is_background=is_background)
                break
            report.client_refusals += 1
            await asyncio.sleep(min(0.5 * 2**attempt, 32) * luck.uniform(1, 1.25))
        else:
            report.failed_turns += 1
        await asyncio.sleep(luck.uniform(2, 9))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


WORLDS: dict[str, tuple[Limit, int | None]] = {
    "40 a minute": (steady(40), None),
    "25 a minute": (steady(25), None),
    "by load: 40, 15, 30, 8": (by_load, None),
    "40, at most 10 at once": (steady(40), 10),
    "40, at most 5 at once": (steady(40), 5),
    "40, and none for three minutes": (storm, None),
    "40, and few for three minutes": (busy, None),
    "8 a minute": (steady(8), None),
}


def main(minutes: int) -> None:
    print(
        f"| upstream, {minutes} min | agents | | 429s of upstream | 429s at clients | failed turns | turns "
        "| limit used | longest wait | interactive |"
    )
    print("|---" * 10 + "|")
    for name, (limit, burst) in WORLDS.items():
        for agents in (4, 8, 16):
            for paced in (False, True):
                report = simulate(limit, agents=agents, paced=paced, minutes=minutes, burst=burst)
                print(
                    f"| {name} | {agents} | {'paced' if paced else 'passed on'} | {report.upstream_refusals} "
                    f"| {report.client_refusals} | {report.failed_turns} | {report.turns} | {report.used_share:.1%} "
                    f"| {report.longest_s:.0f} s | {report.longest_interactive_s:.0f} s |"
                )
    print("\n| at once, every 2 min | upstream takes at once | 429s of upstream | longest wait |")
    print("|---" * 4 + "|")
    for asks in (10, 25, 40):
        for burst in (None, 10, 5):
            report = simulate_fan_outs(steady(40), asks=asks, times=minutes // 2, burst=burst)
            print(f"| {asks} | {burst or 'all'} | {report.upstream_refusals} | {report.longest_s:.0f} s |")
    print("\n| upstream; 8 sub-agents ask | own turns | longest wait | turns of sub-agents | longest wait |")
    print("|---" * 5 + "|")
    for name in ("40 a minute", "25 a minute", "by load: 40, 15, 30, 8", "8 a minute"):
        for has_model in (False, True):
            own, others = simulate_session(
                WORLDS[name][0], sub_agents=8, has_background_model=has_model, minutes=minutes
            )
            print(
                f"| {name}; {'a second' if has_model else 'the same'} model | {own.turns} | {own.longest_s:.0f} s "
                f"| {others.turns} | {others.longest_s:.0f} s |"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
