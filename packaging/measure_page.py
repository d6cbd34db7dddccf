"""What the page costs: its size, its first paint, the gateway's work for it, and how smooth it is with much to show.

usage: python packaging/measure_page.py

It starts the program on a scripted upstream, and opens its page in Chromium. Times depend on the machine, and on what
else it does.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from page_pictures import invent_request

from tests.browser.page_app import PageApp, open_app
from tests.support.browser import Chromium
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Reply, Rest, stream
from tests.support.gateway import question
from tests.support.history import write_history
from tray_app.history.database import FILE_NAME

RUNS = 5
EVENTS = 1000
EVENT_S = 0.005
RECORDS = 10_000
RUNNING = 50
WATCH_S = 5

WATCH = """
window.seen = {tasks: [], gaps: []};
new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((task) => task.duration)))
  .observe({type: "longtask"});
let last = performance.now();
requestAnimationFrame(function draw(now) { seen.gaps.push(now - last); last = now; requestAnimationFrame(draw); });
"""


def main() -> None:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chromium, upstream = stack.enter_context(Chromium()), stack.enter_context(FakeUpstream())
        write_much_history(home)
        app = stack.enter_context(open_app(home, chromium, upstream.url))
        measure_loading(app)
        upstream.default = lambda _: slow_answer()
        measure_gateway(app)
        with running_requests(app):
            measure_smoothness(app)


def write_much_history(home: Path) -> None:
    luck, now_s = random.Random(15), time.time()
    path = home / "data" / FILE_NAME
    path.parent.mkdir(parents=True)
    write_history(path, [invent_request(luck, now_s - 200 * number) for number in range(RECORDS, 0, -1)])


def slow_answer() -> Reply:
    """So many events, one after another."""
    steps = [step for number in range(EVENTS) for step in (text(f"word {number} "), Rest(EVENT_S))]
    return stream(*steps, finish())


def measure_loading(app: PageApp) -> None:
    paints_ms = []
    for _ in range(RUNS):
        app.chromium.command("Network.clearBrowserCache")
        app.enter("now")
        script = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        paints_ms.append(app.chromium.wait_for(script))
    sizes = app.chromium.measure()
    print(f"size: {sum(sizes.values()):,} bytes in {len(sizes)} files, as they are sent")
    print(f"first paint: {statistics.median(paints_ms):.0f} ms (median of {RUNS}, with an empty cache)")


def measure_gateway(app: PageApp) -> None:
    """The processor time of the gateway for an answer of many events, with and without an open page."""
    costs_s: dict[str, list[float]] = {"closed": [], "open": []}
    for _ in range(RUNS):
        for state, costs in costs_s.items():
            if state == "open":
                app.enter("now")
            else:
                app.chromium.open("about:blank")
            before_s = read_cpu_s(app)
            app.client.ask(question(stream=True))
            costs.append(read_cpu_s(app) - before_s)
    for state, costs in costs_s.items():
        each_us = statistics.median(costs) / EVENTS * 1e6
        print(f"gateway, page {state}: {each_us:.0f} µs of processor time for each of {EVENTS} events")


def read_cpu_s(app: PageApp) -> float:
    fields = Path(f"/proc/{app.app.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_requests(app: PageApp) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(RUNNING):
            answer = stack.enter_context(app.client.stream())
            threading.Thread(target=answer.read_rest, daemon=True).start()
        yield
        app.chromium.open("about:blank")


def measure_smoothness(app: PageApp) -> None:
    for view in ("now", "history"):
        app.enter(view)
        app.chromium.run(WATCH)
        time.sleep(WATCH_S)
        seen = app.chromium.run("return window.seen")
        rows = app.chromium.run("return document.querySelectorAll('tr').length")
        gaps = sorted(seen["gaps"])
        longest_ms = max(seen["tasks"], default=0)
        print(
            f"{view}, {RUNNING} running and {RECORDS:,} in the history ({rows} rows): {len(gaps) / WATCH_S:.0f} "
            f"frames a second, 99 % within {gaps[int(len(gaps) * 0.99)]:.0f} ms; longest task {longest_ms:.0f} ms"
        )


if __name__ == "__main__":
    main()
