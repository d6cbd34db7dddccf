"""The real Claude Code at work, and beside it the page, which tells in words what happens meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.browser.page_app import PageApp, open_app
from tests.support import kit
from tests.support.browser import Chromium
from tests.support.fake_upstream import Gate
from tests.support.kit import Session
from tests.support.nvidia_catalogue import Catalogue, Offer
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tray_app.catalog import GLM_5_3_FLASH, MINIMAX_M3_1_FLASH
from tray_app.claude_code.exports import render_exports

pytestmark = pytest.mark.kit

CHOSEN, NEXT = GLM_5_3_FLASH, MINIMAX_M3_1_FLASH

THOUGHTS = 400
"""So many chunks of thinking come before each answer of the chosen model."""
DAY = Catalogue(
    (
        Offer(CHOSEN.id, "answers", calls_tools=True, thinks_tokens=THOUGHTS),
        Offer(NEXT.id, "answers", calls_tools=True),
    )
)

ROW = """
const row = document.querySelector("table[aria-labelledby=running] tbody tr");
const said = row?.innerText.replace(/\\s+/g, " ") ?? "";
"""
"""Leaves the words of the first running row in `said`."""


@pytest.fixture
def nvidia() -> Iterator[SimulatedNvidia]:
    """NVIDIA with two models."""
    with NvidiaThread(DAY) as nvidia:
        yield nvidia


@pytest.fixture
def app(chromium: Chromium, nvidia: SimulatedNvidia, tmp_path: Path) -> Iterator[PageApp]:
    """The program, with its page open in the view "Now"."""
    kit.need_kit(kit.CLAUDE)
    with open_app(tmp_path / "app", chromium, nvidia.url, model=CHOSEN.id, follow_successors=True) as app:
        app.enter()
        chromium.wait_text("No request yet")
        yield app


@contextmanager
def run_claude(
    app: PageApp, nvidia: SimulatedNvidia, folder: Path, prompt: str
) -> Iterator[Future[subprocess.CompletedProcess[str]]]:
    """Runs Claude Code with a prompt meanwhile, in a home and a project of its own. Leaving the `with` waits for it."""
    exports = render_exports("bash", app.url, CHOSEN, needs_server_key=False)
    session = Session(folder / "claude", folder / "project")
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(session.run, exports, prompt)
        except BaseException:
            _release(nvidia)
            raise


def _release(nvidia: SimulatedNvidia) -> None:
    """Has NVIDIA answer everything at once, so that Claude Code does not go on for minutes after a failure."""
    nvidia.catalogue = DAY
    for gate in nvidia.gates.values():
        gate.open()


def wait_row(app: PageApp, pattern: str) -> None:
    """Returns as soon as a JavaScript pattern matches the words of the first running row."""
    app.chromium.wait_for(f"{ROW} return new RegExp(values).test(said)", pattern)


def wait_more_tokens(app: PageApp, count: int) -> int:
    """Returns how many tokens the first running row tells, as soon as there are more than `count`."""
    read = "const tokens = Number(/about ([\\d,]+)/.exec(said)?.[1].replace(',', ''));"
    return int(app.chromium.wait_for(f"{ROW} {read} return tokens > values && tokens", count))


def test_the_first_prompt_appears_streams_and_ends(app: PageApp, nvidia: SimulatedNvidia, tmp_path: Path) -> None:
    half, thought, end = Gate(), Gate(), Gate()
    nvidia.gates = {THOUGHTS // 2: half, THOUGHTS + 1: thought, THOUGHTS + 2: end}
    with run_claude(app, nvidia, tmp_path, "Say hello.") as ran:
        wait_row(app, f"Turn 1 {CHOSEN.label} thinking")
        few = wait_more_tokens(app, 0)
        half.open()
        wait_row(app, f"Turn 1 {CHOSEN.label} writing")
        more = wait_more_tokens(app, few)
        thought.open()
        wait_more_tokens(app, more)
        app.chromium.wait_text("1 running")
        end.open()
        claude = ran.result()
    assert claude.stdout.strip() == f"{CHOSEN.id} answers.", claude.stderr
    app.chromium.wait_text("Nothing runs at the moment.", "answered", "of all requests answered")


def test_a_storm_is_told_with_its_tries_and_its_countdown_until_it_is_over(
    app: PageApp, nvidia: SimulatedNvidia, tmp_path: Path
) -> None:
    nvidia.catalogue = DAY.replace(Offer(CHOSEN.id, "busy", waiting=77, places=32))
    with run_claude(app, nvidia, tmp_path, "Say hello.") as ran:
        wait_row(app, r"77 wait for 32 places at NVIDIA (1 try|\d+ tries), next in \d+ s")
        app.chromium.wait_text("77 for 32 places")
        nvidia.catalogue = msgspec.structs.replace(DAY, requests_per_minute=0)
        wait_row(app, r"NVIDIA's rate limit is reached \d+ tries, next in \d+ s")
        nvidia.catalogue = DAY
        claude = ran.result()
    assert claude.stdout.strip() == f"{CHOSEN.id} answers.", claude.stderr
    app.chromium.wait_text("Nothing runs at the moment.", "answered")
    app.chromium.find("button", "Details of request 1").click()
    app.chromium.wait_for("return /Sent to NVIDIA\\s+[3-9] times/.test(document.body.innerText)")


def test_a_retirement_in_the_middle_of_a_prompt_is_told_and_followed(
    app: PageApp, nvidia: SimulatedNvidia, tmp_path: Path
) -> None:
    nvidia.gates = {THOUGHTS + 1: (end := Gate())}
    order = 'Call the tool Bash with {"command": "echo done > step", "description": "A step"}'
    with run_claude(app, nvidia, tmp_path, order) as ran:
        wait_row(app, "calling a tool")
        nvidia.catalogue = DAY.replace(Offer(CHOSEN.id, "retired", retired_on="2026-11-28"))
        end.open()
        told = f"{NEXT.label} answers for {CHOSEN.label}. NVIDIA retired {CHOSEN.label} on 2026-11-28."
        app.chromium.wait_text(told)
        claude = ran.result()
    assert claude.stdout.strip() == f"{NEXT.id} answers.", claude.stderr
    app.chromium.wait_text("1 tool call", f"{CHOSEN.id} → {NEXT.label} retired")
    app.chromium.find("button", "Details of request 2").click()
    app.chromium.wait_text("NVIDIA does not serve the model that was meant, so this one answers in its place.")
    assert app.chromium.check_accessibility() == []
