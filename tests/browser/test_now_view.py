"""The view "Now" in Chromium, of a real gateway in front of a scripted upstream."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tests.support.browser import Chromium, View
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, refusal, stream
from tests.support.gateway import RunningGateway, question
from tests.support.page import NotingDesk
from tray_app.catalog import MINIMAX_M2_1, PROJECT_HEADER
from tray_app.page.actions import ChooseModel
from tray_app.page.tokens import make_address, mint_token

MARKUP = "<img src=x onerror=alert(1)>"
VIEWS = [View(width=1920), View(width=320, is_dark=True), View(zoom=2, has_motion=False)]


def open_page(chromium: Chromium, paged: RunningGateway, tmp_path: Path) -> None:
    chromium.open(make_address(paged.address.url, mint_token(tmp_path)))


def check_looks(chromium: Chromium) -> None:
    """Everybody can use the page, and it is never wider than the screen."""
    for view in VIEWS:
        chromium.look(view)
        assert (chromium.check_accessibility(), chromium.count_sideways_px()) == ([], 0), view


def test_a_running_request_keeps_the_focus_while_it_changes_and_is_cancelled_by_the_keyboard(
    chromium: Chromium, paged: RunningGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(stream(text("Hi"), gate := Gate(), text("x" * 4000), Gate(), ends=False))
    open_page(chromium, paged, tmp_path)
    chromium.wait_text("No request yet")
    with paged.stream(None, **{PROJECT_HEADER: quote(f"/home/{MARKUP}")}) as answer:
        chromium.wait_text("writing", MARKUP)
        chromium.run(
            "arguments[0].focus(); window.before = document.activeElement", chromium.find("button", "Cancel request 1")
        )
        gate.open()
        chromium.wait_text("about 95")
        assert chromium.run("return document.activeElement === window.before")
        check_looks(chromium)
        chromium.press(" ")
        chromium.wait_text("cancelled by you")
        chromium.wait_for("return document.activeElement.id === 'running'")
        assert answer.read_rest().error["type"]


def test_a_failure_shows_its_way_out_and_all_its_fields(
    chromium: Chromium, paged: RunningGateway, desk: NotingDesk, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(refusal(503))
    paged.ask()
    open_page(chromium, paged, tmp_path)
    chromium.wait_text("NVIDIA is overloaded", "Another model may have room.")
    check_looks(chromium)
    chromium.find("button", f"Use {MINIMAX_M2_1.label}").click()
    chromium.wait_for("return document.querySelector('.way button').matches(':focus')")
    details = chromium.find("button", "Details of request 1")
    details.click()
    chromium.wait_text("claude-sonnet-5", "Overloaded")
    assert details.get_attribute("aria-expanded") == "true"
    assert desk.actions == [ChooseModel(MINIMAX_M2_1.id)]
    check_looks(chromium)


def test_the_bodies_of_a_request_are_shown_as_text_with_what_differs_from_the_one_before(
    chromium: Chromium, paged: RunningGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    paged.configure(log_bodies=True)
    for prompt in ("Good morning", f"Good {MARKUP}"):
        upstream.script(stream(text(MARKUP), finish()))
        paged.ask(question(prompt, stream=True), x_claude_code_session_id="session-1")
    open_page(chromium, paged, tmp_path)
    chromium.find("button", "Details of request 2").click()
    chromium.wait_text("[text]", MARKUP)
    chromium.run("document.querySelectorAll('.bodies details').forEach((each) => { each.open = true })")
    chromium.wait_text("Not the same: message 1", "Good morning", f"Good {MARKUP}")
    check_looks(chromium)
