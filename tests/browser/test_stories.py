"""What a person does with the page and the real program, from the first minute on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.browser.page_app import PageApp, open_app
from tests.support import kit
from tests.support.browser import Chromium
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, hello, refusal, stream
from tests.support.gateway import NVIDIA_KEY, question
from tests.support.kit import Session
from tests.support.nvidia_catalogue import read_day
from tests.support.ports import free_port
from tests.support.simulated_nvidia import NvidiaThread
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1, PROJECT_HEADER
from tray_app.claude_code.exports import render_exports

WRONG_KEY = "nvapi-of-somebody-who-left"
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def newcomer(chromium: Chromium, tmp_path: Path) -> Iterator[PageApp]:
    """The program without a key, at its welcome, in front of the simulated NVIDIA."""
    day = msgspec.structs.replace(read_day("first_day"), refused_keys=(WRONG_KEY,))
    home = tmp_path / "home"
    with NvidiaThread(day) as nvidia, open_app(home, chromium, nvidia.url, key="", follow_successors=True) as app:
        app.enter("")
        yield app


def give_key(app: PageApp, key: str) -> None:
    app.chromium.find("textbox", "NVIDIA API key").send_keys(key)
    app.chromium.find("button", "Check and save").click()


def test_the_first_minute_from_the_key_to_the_first_answer_and_the_doctor(newcomer: PageApp) -> None:
    chromium = newcomer.chromium
    chromium.find("heading", "Three steps, about a minute")
    give_key(newcomer, WRONG_KEY)
    chromium.wait_for("return document.querySelector('.notice.bad')")
    give_key(newcomer, NVIDIA_KEY)
    chromium.wait_text("NVIDIA accepts it")
    assert NVIDIA_KEY not in chromium.run("return document.documentElement.outerHTML")

    chromium.find("button", "Test GLM 5.3 Flash").click()
    chromium.wait_text("GLM 5.3 Flash answers")
    chromium.wait_text("Waiting for the first request")
    assert newcomer.client.ask().text == "z-ai/glm-5.3-flash answers."
    chromium.wait_text("A client is connected: GLM 5.3 Flash answered in")
    assert chromium.check_accessibility() == []
    chromium.find("button", "Show what happens").click()
    chromium.find("button", "Details of request 1").click()
    chromium.wait_text("z-ai/glm-5.3-flash")

    newcomer.go("connect")
    chromium.find("button", "Examine").click()
    chromium.find("button", "Examine again")
    assert chromium.check_accessibility() == []


def test_the_doctor_leads_to_the_place_where_a_key_is_entered(newcomer: PageApp) -> None:
    chromium = newcomer.chromium
    chromium.find("button", "Not now").click()
    newcomer.go("connect")
    chromium.find("button", "Examine").click()

    chromium.find("button", "Enter a key").click()

    chromium.find("textbox", "NVIDIA API key")


@pytest.mark.kit
def test_claude_code_is_told_when_its_first_prompt_was_answered(newcomer: PageApp, tmp_path: Path) -> None:
    kit.need_kit(kit.CLAUDE)
    give_key(newcomer, NVIDIA_KEY)
    newcomer.chromium.wait_text("NVIDIA accepts it")
    exports = render_exports("bash", newcomer.url, GLM_4_7, needs_server_key=False)

    ran = Session(tmp_path / "claude", tmp_path / "project").run(exports, "Say hello.")

    assert "glm-5.3-flash answers." in ran.stdout, ran
    newcomer.chromium.wait_text("Claude Code is connected: GLM 5.3 Flash answered in")


def test_after_a_kill_the_page_waits_and_the_history_is_whole(
    chromium: Chromium, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = lambda body: hello(is_stream=bool(body.get("stream")))
    port = free_port()
    with open_app(tmp_path, chromium, upstream.url, port=port) as app:
        for _ in range(3):
            app.client.ask(question(), **{PROJECT_HEADER: "/home/me/shop"})
        app.enter("history")
        chromium.wait_text("3 requests shown, which are all.")
        app.app.send(signal.SIGKILL)
        chromium.wait_text("The program does not answer. This page waits for it.")
    chromium.take_complaints()  # of the connection that was lost

    with open_app(tmp_path, chromium, upstream.url, port=port) as app:
        app.enter("history")
        chromium.wait_text("3 requests shown, which are all.", "shop")


COUNT = """
const table = document.querySelector("table[aria-labelledby=running]")?.innerText ?? "";
const tokens = Number(/about ([\\d,]+)/.exec(table)?.[1].replace(",", ""));
return tokens > values && tokens;
"""
"""The tokens of the one running answer, as soon as there are more than so many."""


def test_an_answer_is_seen_growing_and_a_failure_is_cured_by_its_button(
    chromium: Chromium, upstream: FakeUpstream, tmp_path: Path
) -> None:
    growing = stream(text("Hello " * 20), more := Gate(), text("Hello " * 200), end := Gate(), finish())
    upstream.script(growing, refusal(404, {"status": 404, "detail": "Function 'f': Not found for account 'a'"}))
    with open_app(tmp_path, chromium, upstream.url) as app:
        app.enter()
        with app.client.stream_later() as answer:
            few = chromium.wait_for(COUNT, 0)
            more.open()
            chromium.wait_for(COUNT, few)
            chromium.wait_text("1 running", "writing")
            end.open()
        assert answer.result().text.startswith("Hello Hello")
        chromium.wait_text("Nothing runs at the moment.", "answered")

        assert app.client.ask().status == 400
        chromium.find("button", "Use MiniMax M2.1").click()
        app.app.folder.wait_setting("model", MINIMAX_M2_1.id)
        upstream.script(hello(is_stream=False))
        assert app.client.ask().text == "Hello!"
        assert upstream.received[-1].body["model"] == MINIMAX_M2_1.id


def test_what_upstream_and_clients_say_is_text_everywhere(
    chromium: Chromium, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = lambda _: refusal(400, {"status": 400, "title": MARKUP, "detail": MARKUP})
    with open_app(tmp_path, chromium, upstream.url, log_bodies=True) as app:
        app.client.ask(question(MARKUP, model=MARKUP), **{PROJECT_HEADER: "/home/%3Cimg%20src=x%3E"})
        app.enter()
        for view in ("history", "models", "settings", "logs", "now"):
            app.go(view)
            chromium.wait_drawn()
            assert chromium.run("return document.querySelectorAll('main img, main [onerror]').length") == 0
        chromium.find("button", "Details of request 1").click()
        chromium.wait_text(MARKUP)
