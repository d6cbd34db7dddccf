"""The order and the length of waits, and what is said of them, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.virtual_time import jump, run_virtually
from tests.translate.bounded import bounded
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, Catalog, Model
from tray_app.errors import RateLimited
from tray_app.proxy.upstream.pacing import MAX_WAITING, Pacer, Urgency
from tray_app.proxy.upstream.window import LONGEST_PAUSE_S, PAUSE_S, WINDOW_S
from tray_app.status.board import Wait
from tray_app.status.delays import explain_wait
from tray_app.status.progress import Pace
from tray_app.translate.request.question import Rules, read_question
from tray_app.translate.request.validation import read_request

MODELS = (GLM_4_7, MINIMAX_M2_1)


@dataclass
class Clients:
    """Clients that come, wait and leave. Each has a name, under which its outcome is recorded."""

    limit: int
    starts: list[tuple[float, str]] = field(default_factory=list)
    refused: dict[str, RateLimited] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pacer = Pacer()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, *names: str, model: Model = GLM_4_7, urgency: Urgency = Urgency.TURN) -> None:
        for name in names:
            self._tasks[name] = asyncio.create_task(self._wait(name, model, urgency))

    def leave(self, *names: str) -> None:
        for name in names:
            self._tasks[name].cancel()

    async def stay(self) -> None:
        """Returns when no client waits any more."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _wait(self, name: str, model: Model, urgency: Urgency) -> None:
        try:
            await self.pacer.wait_turn(model, limit=self.limit, urgency=urgency)
        except RateLimited as error:
            self.refused[name] = error
        else:
            self.starts.append((now_s(), name))

    @property
    def order(self) -> str:
        return " ".join(name for _, name in self.starts)


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def pass_s(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_who_comes_first_is_served_first() -> None:
    async def story() -> str:
        clients = Clients(limit=4)
        clients.come(*"abcdef")
        await clients.stay()
        return clients.order

    assert run_virtually(story()) == "a b c d e f"


def test_other_requests_go_before_background_requests() -> None:
    async def story() -> str:
        clients = Clients(limit=2)
        clients.come("first")
        clients.come("title", "agent", urgency=Urgency.BACKGROUND)
        clients.come("turn")
        await pass_s(1)
        clients.come("turn-2")
        await clients.stay()
        return clients.order

    assert run_virtually(story()) == "first turn turn-2 title agent"


def test_a_check_of_auto_mode_goes_before_the_work_of_sub_agents() -> None:
    """A turn waits for the check, even if it is about a command of a sub-agent."""
    work: dict[str, Any] = {"model": "nvidia", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    check = {**work, "stop_sequences": ["</block>"]}
    headers = {"x-claude-code-agent-id": "agent"}

    def urgency(body: dict[str, Any]) -> Urgency:
        question = read_question(read_request(body), Rules(Catalog(), GLM_4_7), headers)
        return Urgency.BACKGROUND if question.is_background else Urgency.TURN

    async def story() -> str:
        clients = Clients(limit=2)
        clients.come("first")
        clients.come("work", urgency=urgency(work))
        await pass_s(1)
        clients.come("check", urgency=urgency(check))
        await clients.stay()
        return clients.order

    assert run_virtually(story()) == "first check work"


def test_a_background_request_gives_way_for_a_minute_and_no_longer() -> None:
    async def story() -> str:
        clients = Clients(limit=2)
        clients.come("first")
        clients.come("agent", urgency=Urgency.BACKGROUND)
        for n in range(30):  # for minutes more requests than the limit allows
            clients.come(f"turn-{n}")
            await pass_s(10)
        await clients.stay()
        return clients.order

    assert run_virtually(story()).startswith("first turn-0 turn-1 turn-2 turn-3 turn-4 turn-5 agent turn-6 turn-7")


def test_a_probe_gives_way_to_all_others_however_long_it_waits() -> None:
    async def story() -> str:
        clients = Clients(limit=2)
        clients.come("first")
        clients.come("probe", urgency=Urgency.PROBE)
        clients.come("agent", urgency=Urgency.BACKGROUND)
        for n in range(9):
            clients.come(f"turn-{n}")
            await pass_s(30)
        await clients.stay()
        return clients.order

    assert run_virtually(story()).endswith("turn-7 turn-8 probe")


def test_one_model_never_delays_another() -> None:
    async def story() -> dict[str, float]:
        clients = Clients(limit=1)
        clients.come("glm", "glm-2", "glm-3")
        await pass_s(5)
        clients.come("minimax", model=MINIMAX_M2_1)
        await clients.stay()
        return {name: start_s for start_s, name in clients.starts}

    assert run_virtually(story()) == {"glm": 0, "minimax": 5, "glm-2": WINDOW_S, "glm-3": 2 * WINDOW_S}


def test_without_a_limit_nobody_waits() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=0)
        clients.come(*"abcdefgh")
        clients.pacer.note_refused(GLM_4_7)
        await clients.stay()
        return clients.starts

    assert run_virtually(story()) == [(0, name) for name in "abcdefgh"]


@pytest.mark.parametrize("limit", [0, 40])
def test_a_pause_that_upstream_asks_for_delays_all_requests_to_that_model(limit: int) -> None:
    async def story() -> dict[str, float]:
        clients = Clients(limit)
        clients.come("first")
        await pass_s(1)
        clients.pacer.hold(GLM_4_7, 20)
        clients.pacer.hold(GLM_4_7, 5)  # the longer of two pauses counts
        clients.come("second")
        clients.come("other", model=MINIMAX_M2_1)
        await pass_s(10)
        clients.come("third")
        await clients.stay()
        return {name: start_s for start_s, name in clients.starts}

    assert run_virtually(story()) == {"first": 0, "other": 1, "second": 21, "third": 21}


def test_no_pause_is_longer_than_clients_wait() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=0)
        clients.pacer.hold(GLM_4_7, 3_600)
        clients.come("first")
        await clients.stay()
        return clients.starts

    assert run_virtually(story()) == [(60, "first")]


def test_a_pause_without_a_limit_is_named_and_a_full_queue_names_it() -> None:
    async def story() -> tuple[Wait, str]:
        clients = Clients(limit=0)
        clients.pacer.hold(GLM_4_7, 30)
        clients.come(*(f"turn-{n}" for n in range(MAX_WAITING + 1)))
        await pass_s(5)
        wait = clients.pacer.describe_wait(GLM_4_7.id, "GLM 4.7", MAX_WAITING, 5)
        await clients.stay()
        [refused] = clients.refused.values()
        return wait, refused.message

    wait, refused = run_virtually(story())
    assert wait == Wait("GLM 4.7", MAX_WAITING, 5, used=0, limit=0, next_s=25, is_pause=True)
    assert explain_wait(wait).startswith(
        "NVIDIA refused a request to GLM 4.7, so there is a pause: 64 requests wait, and the next one is sent in 25 s. "
    )
    assert refused == (
        "64 requests wait for GLM 4.7 already, as NVIDIA wants a pause. Please try again, or run fewer agents at once."
    )


def test_all_waiting_requests_start_when_the_limit_is_removed() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=1)
        clients.come(*(f"turn-{n}" for n in range(MAX_WAITING + 1)))
        await pass_s(7)
        clients.limit = 0
        clients.come("late")
        await clients.stay()
        return clients.starts

    starts = run_virtually(story())
    assert starts[0] == (0, "turn-0")
    assert {start_s for start_s, _ in starts[1:]} == {7}
    assert len(starts) == MAX_WAITING + 2


def test_a_client_that_leaves_frees_its_place_at_once() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=1)
        clients.come("a", "b", "c")
        await pass_s(10)
        clients.leave("b")
        await clients.stay()
        return clients.starts

    assert run_virtually(story()) == [(0, "a"), (WINDOW_S, "c")]


async def wait_in_a_storm() -> Clients:
    """Returns clients of which two, c and d, wait for the last 5 s of a pause of 6 s."""
    clients = Clients(limit=40)
    clients.come("a")
    await pass_s(0)
    clients.pacer.note_refused(GLM_4_7)
    clients.come("b")
    await pass_s(PAUSE_S)
    clients.pacer.note_refused(GLM_4_7)
    clients.come("c", "d")
    await pass_s(1)
    clients.pacer.note_refused(GLM_4_7)  # this belongs to the same lesson
    await pass_s(1)
    return clients


def test_the_turn_of_a_client_that_left_goes_to_the_next() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = await wait_in_a_storm()
        await pass_s(3)
        clients.pacer.note_served(GLM_4_7)  # gives c its turn,
        clients.leave("c")  # but c has not woken yet
        await clients.stay()
        return clients.starts

    assert run_virtually(story())[2:] == [(8, "d")]


def test_a_client_that_leaves_as_turns_are_given_is_passed_over() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = await wait_in_a_storm()
        await pass_s(3)
        clients.leave("c")
        clients.pacer.note_served(GLM_4_7)
        await clients.stay()
        return clients.starts

    assert run_virtually(story())[2:] == [(8, "d")]


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    async def story() -> Clients:
        clients = Clients(limit=2)
        clients.come(*(f"turn-{n}" for n in range(MAX_WAITING + 1)))
        await pass_s(10)
        clients.come("late", "later")
        clients.come("elsewhere", model=MINIMAX_M2_1)
        await pass_s(0)
        assert set(clients.refused) == {"late", "later"}
        clients.leave("turn-9")
        await pass_s(0)
        clients.come("lucky")
        await clients.stay()
        return clients

    clients = run_virtually(story())
    error = clients.refused["late"]
    assert (error.status, error.retry_after_s) == (429, 21)  # the next turn is due half a minute after the first
    assert "64 requests wait for GLM 4.7 already, of which NVIDIA takes about 2 a minute" in str(error)
    assert len(clients.starts) == MAX_WAITING + 2
    assert clients.order.endswith("lucky")


def test_retry_after_is_never_longer_than_clients_accept() -> None:
    async def story() -> RateLimited:
        clients = Clients(limit=1)
        clients.come(*(f"turn-{n}" for n in range(MAX_WAITING + 2)))
        await pass_s(0)
        clients.leave(*(f"turn-{n}" for n in range(1, MAX_WAITING + 1)))
        await clients.stay()
        return clients.refused[f"turn-{MAX_WAITING + 1}"]

    assert run_virtually(story()).retry_after_s == 60


def test_a_refusal_delays_all_waiting_requests() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=40)
        clients.come("a")
        await pass_s(1)
        clients.pacer.note_refused(GLM_4_7)
        clients.come("b")
        clients.come("elsewhere", model=MINIMAX_M2_1)
        await pass_s(1)
        clients.pacer.note_refused(GLM_4_7)
        await clients.stay()
        return clients.starts

    assert run_virtually(story()) == [(0, "a"), (1, "elsewhere"), (2 + PAUSE_S, "b")]


def test_a_request_that_is_served_gives_the_next_turn_at_once() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = await wait_in_a_storm()
        await pass_s(2.5)
        clients.pacer.note_served(GLM_4_7)
        await clients.stay()
        return clients.starts

    starts = run_virtually(story())
    assert starts[2] == (7.5, "c")


def test_a_refusal_may_bring_the_next_turn_forward() -> None:
    """A refused request does not count, so the next one may start sooner than before the refusal."""

    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=2)
        clients.come("a", "b", "c")
        await pass_s(31)
        clients.pacer.note_refused(GLM_4_7)
        await clients.stay()
        return clients.starts

    assert run_virtually(story()) == [(0, "a"), (WINDOW_S / 2, "b"), (31 + LONGEST_PAUSE_S, "c")]


def test_a_clock_that_jumps_over_many_turns_gives_no_more_than_are_due() -> None:
    async def story() -> list[tuple[float, str]]:
        clients = Clients(limit=8)
        clients.come(*(f"turn-{n}" for n in range(12)))
        await pass_s(1)
        jump(3600)
        await clients.stay()
        return clients.starts

    starts = [start_s for start_s, _ in run_virtually(story())]
    assert starts == pytest.approx([*[0] * 5, *[3601] * 5, 3601 + WINDOW_S / 4, 3601 + 2 * WINDOW_S / 4])


def test_no_timer_runs_once_nobody_waits() -> None:
    async def story() -> int:
        clients = Clients(limit=1)
        clients.come("a", "b", "c")
        await pass_s(70)
        clients.leave("c")
        await clients.stay()
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # noqa: SLF001
        return len([timer for timer in timers if not timer.cancelled()])

    assert run_virtually(story()) == 0


# ---- what is said of waits


def test_a_wait_says_how_many_requests_were_sent_and_when_the_next_one_goes() -> None:
    async def story() -> list[Wait]:
        clients = Clients(limit=15)
        clients.come(*"abcdefghijk")
        waits = []
        for _ in range(2):
            await pass_s(5)
            waits.append(clients.pacer.describe_wait(GLM_4_7.id, "GLM 4.7", 2, 5))
        await clients.stay()
        return waits

    wait = Wait("GLM 4.7", waiting=2, longest_s=5, used=9, limit=15, next_s=4)
    assert run_virtually(story()) == [wait, replace(wait, used=10, next_s=8)]


def test_a_wait_after_a_refusal_is_a_pause_until_the_next_request_may_start() -> None:
    async def story() -> list[Wait]:
        clients = Clients(limit=40)
        clients.come("a")
        await pass_s(1)
        clients.pacer.note_refused(GLM_4_7)
        refused = clients.pacer.describe_wait(GLM_4_7.id, "GLM 4.7", 1, 1)
        await pass_s(PAUSE_S)
        return [refused, clients.pacer.describe_wait(GLM_4_7.id, "GLM 4.7", 1, 4)]

    refused, later = run_virtually(story())
    assert refused == Wait("GLM 4.7", 1, 1, used=0, limit=20, next_s=3, is_pause=True)
    assert not later.is_pause


def test_the_pace_of_a_model_lists_the_requests_of_the_last_minute() -> None:
    async def story() -> list[tuple[Pace, ...]]:
        clients = Clients(limit=40)
        paces = [clients.pacer.describe_paces(int)]
        clients.come("a", "b")
        await pass_s(10)
        clients.come("c")
        clients.come("d", model=MINIMAX_M2_1)
        await pass_s(1)
        for pause_s in (0, 50, 20):
            await pass_s(pause_s)
            paces.append(clients.pacer.describe_paces(lambda loop_s: 1000 + int(loop_s)))
        return paces

    glm, minimax = Pace("GLM 4.7", 40, (1000, 1000, 1010)), Pace("MiniMax M2.1", 40, (1010,))
    assert run_virtually(story()) == [(), (glm, minimax), (replace(glm, starts_at=(1010,)), minimax), ()]


# ---- any behaviour of clients


@dataclass(frozen=True)
class Plan:
    """One client, which comes `after_s` after the one before and leaves after `timeout_s`. None means never."""

    after_s: int
    model: int
    urgency: Urgency
    timeout_s: int | None


PLANS = st.lists(
    st.builds(
        Plan,
        after_s=st.sampled_from([0, 0, 0, 1, 2, 30]),
        model=st.sampled_from([0, 0, 0, 1]),
        urgency=st.sampled_from([*Urgency, Urgency.TURN]),
        timeout_s=st.none() | st.none() | st.integers(0, 90),
    ),
    min_size=30,
    max_size=60,
)


@dataclass
class Fate:
    """The outcome of one client. Its wait ends with its turn or with its timeout."""

    plan: Plan
    came_s: float
    ended_s: float = 0.0
    is_served: bool = False

    @property
    def rank(self) -> float:
        return self.came_s + self.plan.urgency.value

    def waits_at(self, time_s: float) -> bool:
        return self.came_s < time_s < self.ended_s


async def live_through(plans: list[Plan], limit: int) -> list[Fate]:
    pacer = Pacer()

    async def live(fate: Fate) -> None:
        # A timeout never falls on the time of a turn, because then chance would decide which comes first.
        timeout_s = None if fate.plan.timeout_s is None else fate.plan.timeout_s + 0.0123
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await pacer.wait_turn(MODELS[fate.plan.model], limit=limit, urgency=fate.plan.urgency)
                fate.is_served = True
        fate.ended_s = now_s()

    fates, tasks = [], []
    for plan in plans:
        if plan.after_s:
            await pass_s(plan.after_s)
        fates.append(Fate(plan, now_s()))
        tasks.append(asyncio.create_task(live(fates[-1])))
    await asyncio.gather(*tasks)
    return fates


@bounded
@given(PLANS, st.sampled_from([1, 3, 16, 24]))
def test_whatever_clients_do_turns_are_fair_and_as_many_as_the_limit_allows(plans: list[Plan], limit: int) -> None:
    fates = run_virtually(live_through(plans, limit))
    assert all(fate.is_served or fate.plan.timeout_s is not None for fate in fates), "a turn was lost"
    burst = max(limit * 5 // 8, 1)
    spacing_s = WINDOW_S / (limit + 1 - burst)
    for model in range(len(MODELS)):
        of_model = [fate for fate in fates if fate.plan.model == model]
        served = sorted((fate for fate in of_model if fate.is_served), key=lambda fate: fate.ended_s)
        starts_s = [fate.ended_s for fate in served]
        for earlier_s, later_s in zip(starts_s, starts_s[limit:], strict=False):
            assert later_s - earlier_s > WINDOW_S - 1e-6, "more than the limit within a minute"
        for earlier_s, later_s in zip(starts_s, starts_s[burst:], strict=False):
            assert later_s - earlier_s > spacing_s - 1e-6, "a burst that is too large"
        for fate in served:
            better = [other for other in of_model if other.waits_at(fate.ended_s) and other.rank < fate.rank]
            assert not better, "somebody with a better right was overtaken"
        for before, fate in pairwise(served):
            is_near = fate.ended_s - before.ended_s < spacing_s + 1e-6
            assert fate.ended_s == fate.came_s or is_near, "a turn was not given when it was due"
