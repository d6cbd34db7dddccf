"""Takes the pictures of the page, with invented requests of an invented fortnight.

The program is the real one. It runs on the simulated NVIDIA of the tests, and Chromium shows its page.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from PIL import Image

from tests.browser.page_app import PageApp, open_app
from tests.support.browser import Chromium, View
from tests.support.chunks import text, think
from tests.support.fake_upstream import event
from tests.support.gateway import WEATHER, Client, question
from tests.support.history import write_history
from tests.support.nvidia_catalogue import Catalogue, read_day
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tray_app.catalog import PROJECT_HEADER
from tray_app.history.database import FILE_NAME
from tray_app.history.record import Outcome, Reason, RequestRecord

LIGHT, DARK = View(1280, 800), View(1280, 800, is_dark=True)
GLM, MINIMAX = "z-ai/glm-5.3-flash", "minimaxai/minimax-m3.1-flash"
PROJECTS = ("/home/me/shop", "/home/me/shop", "/home/me/notes", "/home/me/thesis")
DAY_S = 86_400
GOES_ON = "This answer goes on"
"""A prompt that begins with these words gets an answer without an end; the number behind them says how long it is."""


class GoingOn(SimulatedNvidia):
    """The simulated NVIDIA, which can also be in the middle of an answer."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        prompt = str((await request.json())["messages"][-1].get("content"))
        if GOES_ON not in prompt:
            return await super().answer(request)
        tokens = int(prompt.partition(GOES_ON)[2].split()[0])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        part = think if "thinks" in prompt else text
        for _ in range(tokens):
            await response.write(event(part("word ")))
        await asyncio.Event().wait()  # until the client leaves, which cancels this handler
        return response


class Nvidia(NvidiaThread):
    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.nvidia = GoingOn(catalogue, self.nvidia.clock, pace=0.3)


def take_pictures(folder: Path) -> None:
    """Saves page-now.png, page-now-dark.png, page-welcome.png, page-history.png and page-models.png."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chromium = stack.enter_context(Chromium())
        nvidia = stack.enter_context(Nvidia(read_day("first_day")))
        take_welcome(chromium, nvidia.url, home / "new", folder)
        invent_history(home / "used" / "data" / FILE_NAME)
        running = open_app(home / "used", chromium, nvidia.url, requests_per_minute=40, follow_successors=True)
        app = stack.enter_context(running)
        wait_for_findings(app)
        with running_requests(app.client):
            app.enter("now")
            chromium.wait_text("thinking", "writing")
            save(chromium, folder / "page-now.png", LIGHT)
            save(chromium, folder / "page-now-dark.png", DARK)
        for view in ("history", "models"):
            app.enter(view)
            save(chromium, folder / f"page-{view}.png", LIGHT)


def take_welcome(chromium: Chromium, url: str, home: Path, folder: Path) -> None:
    """The welcome, with a key and what was found out, before the first request."""
    with open_app(home, chromium, url, key="", follow_successors=True) as app:
        app.enter("")
        chromium.find("textbox", "NVIDIA API key").send_keys("nvapi-invented")
        chromium.find("button", "Check and save").click()
        chromium.wait_text("NVIDIA accepts it", "GLM 5.3 Flash answers")
        save(chromium, folder / "page-welcome.png", LIGHT)


def wait_for_findings(app: PageApp) -> None:
    """Returns when the program has asked enough models for a picture."""
    app.enter("models")
    states = "[...document.querySelectorAll('.state')].map((one) => one.textContent)"
    app.chromium.wait_for(f"return {states}.filter((state) => state === 'answers').length > 6")


def save(chromium: Chromium, path: Path, view: View) -> None:
    chromium.look(view)
    chromium.command("Emulation.setScrollbarsHidden", hidden=True)
    chromium.wait_drawn()
    chromium.save_picture(path, is_whole=False)
    Image.open(path).convert("RGB").quantize(dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def running_requests(client: Client) -> Iterator[None]:
    """Some requests that have been answered, and three that are under way."""
    ask(client, "/home/me/shop", "Why does the test fail?", 6)
    ask(client, "/home/me/shop", "Then mend it.", 7)
    ask(client, "/home/me/notes", "Which notes are about Lisbon?", 2)
    ask(client, "/home/me/thesis", "Shorten the second chapter.", 11, model="minimaxai/minimax-m2.1")
    with ExitStack() as stack:
        for project, words, turn in (
            ("/home/me/shop", f"{GOES_ON} 412 and writes", 8),
            ("/home/me/notes", f"{GOES_ON} 96 and thinks", 3),
            ("/home/me/thesis", f"{GOES_ON} 1730 and writes", 12),
        ):
            stack.enter_context(client.stream(make_turn(words, turn), **name(project)))
        yield


def ask(client: Client, project: str, words: str, turn: int, **fields: Any) -> None:
    client.ask(make_turn(words, turn, **fields), **name(project))


def make_turn(words: str, turn: int, **fields: Any) -> dict[str, Any]:
    """A request as Claude Code sends it in the turn of this number."""
    before = [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": "Done."}] * (turn - 1)
    messages = [*before, {"role": "user", "content": words}]
    thinking = {"type": "enabled", "budget_tokens": 4000}
    return question(**{"messages": messages, "max_tokens": 8000, "tools": [WEATHER], "thinking": thinking, **fields})


def name(project: str) -> dict[str, str]:
    session = f"00000000-0000-4000-8000-{sum(project.encode()):012d}"
    return {PROJECT_HEADER: quote(project), "X-Claude-Code-Session-Id": session}


def invent_history(path: Path) -> None:
    """A fortnight of work, more of it on some days than on others, and none on a Sunday."""
    luck, today_s = random.Random(15), time.time() // DAY_S * DAY_S
    records: list[RequestRecord] = []
    for day in range(14, 0, -1):
        count = 0 if day in {6, 13} else luck.randint(60, 240)
        begins_s = (today_s - day * DAY_S + luck.uniform(8, 19) * 3600 for _ in range(count))
        records += [invent_request(luck, began_s) for began_s in begins_s]
    now_s = time.time()
    records += [invent_request(luck, now_s - seconds) for seconds in range(3 * 3600, 300, -400)]
    path.parent.mkdir(parents=True)
    write_history(path, records)


def invent_request(luck: random.Random, began_s: float) -> RequestRecord:
    model_id = luck.choice((GLM, GLM, GLM, MINIMAX))
    has_failed = luck.random() < 0.03
    tokens_in = luck.randint(16_000, 90_000)
    return RequestRecord(
        began_s,
        asked="nvidia",
        model_id=model_id,
        reason=Reason.RETIRED if model_id == MINIMAX else Reason.TRAY,
        session_id="00000000-0000-4000-8000-000000000015",
        project=luck.choice(PROJECTS),
        is_stream=True,
        queue_wait_s=luck.expovariate(1) if luck.random() < 0.2 else None,
        first_token_s=None if has_failed else luck.lognormvariate(0.2, 0.5),
        total_s=luck.lognormvariate(2, 0.7),
        tries=1,
        tokens_in=None if has_failed else tokens_in,
        tokens_out=None if has_failed else luck.randint(60, 2400),
        tokens_cached=None if has_failed else int(tokens_in * luck.uniform(0.3, 0.9)),
        tool_calls=None if has_failed else luck.randint(0, 2),
        outcome=Outcome.FAILED if has_failed else Outcome.ANSWERED,
        error="Overloaded" if has_failed else "",
        cause="NVIDIA is overloaded" if has_failed else "",
        kind="turn",
        turn=luck.randint(1, 30),
    )
