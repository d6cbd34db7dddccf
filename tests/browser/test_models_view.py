"""The view "Models" in Chromium: the board, its buttons, and corrections with their errors at the fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import StartGateway
from tests.support.browser import Chromium, View
from tests.support.gateway import RunningGateway
from tests.support.page import NotingDesk
from tray_app.page.actions import CorrectModel, HideModel, OrderModels, PutInMenu, TestModel, UseInBackground
from tray_app.page.routes import Page
from tray_app.page.tokens import make_address, mint_token
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

GLM, MINIMAX, FLASH, NEW = "z-ai/glm4.7", "minimaxai/minimax-m2.1", "z-ai/glm-5.3-flash", "x-lab/seer-2"
RETIRED = Finding(answers=False, refusal=ModelTrouble(Unavailability.RETIRED, "2026-05-14"))
GOOD = Finding(True, True, first_token_s=1.4, asked=120, succeeded=116, found_at=1_800_000_000.0)
VIEWS = [View(width=1920), View(width=320, is_dark=True), View(zoom=2, has_motion=False)]
DONE = {"errors": {}, "problem": ""}


@pytest.fixture
def desk() -> NotingDesk:
    return NotingDesk()


@pytest.fixture
def opened(start_gateway: StartGateway, desk: NotingDesk, chromium: Chromium, tmp_path: Path) -> RunningGateway:
    """A gateway that knows something of some models, and whose view of them is open."""
    gateway = start_gateway(make_page=lambda: Page(tmp_path, tmp_path / "history.sqlite3", desk))
    findings = Findings({GLM: RETIRED, FLASH: GOOD, "z-ai/glm-6-flash": GOOD})
    gateway.board.publish(findings=findings, listed_models=frozenset({FLASH, "z-ai/glm-6-flash", NEW}))
    chromium.open(make_address(gateway.address.url, mint_token(tmp_path)))
    chromium.find("link", "Models").click()
    chromium.wait_text("3 listed · 2 answer and call tools")
    return gateway


@pytest.mark.usefixtures("opened")
def test_the_board_says_what_answers_and_what_was_retired(chromium: Chromium) -> None:
    chromium.wait_text("97 % of 120 answered, first token 1.4 s", "tools, images, thinking (low, high, max)")
    chromium.find_all("button", "Retired and not served")[0].click()
    chromium.find_all("button", "Add from NVIDIA's list")[0].click()
    chromium.wait_text("retired 14 May 2026", "Seer 2", "not asked yet")
    for view in VIEWS:
        chromium.look(view)
        assert (chromium.check_accessibility(), chromium.count_sideways_px()) == ([], 0), view


@pytest.mark.usefixtures("opened")
def test_each_button_asks_for_what_it_says(chromium: Chromium, desk: NotingDesk) -> None:
    desk.results += [{"answers": True, "sentence": "GLM 5.3 Flash answers after 1.2 s.", "first_token_s": 1.2}]
    desk.results += [DONE, DONE, DONE, DONE]
    chromium.find("button", "Test GLM 5.3 Flash").click()
    chromium.wait_text("GLM 5.3 Flash answers after 1.2 s.")
    chromium.find("button", "Background work by GLM 5.3 Flash").click()
    chromium.wait_text("answers titles and sub-agents from now on.")
    chromium.find("button", "Down GLM 4.7").click()
    chromium.wait_text("GLM 4.7 is number 2 of the menu.")
    chromium.find_all("button", "Add from NVIDIA's list")[0].click()
    chromium.find("button", "Add Seer 2 to the menu").click()
    chromium.wait_text("The menu offers Seer 2 now.")
    chromium.find("button", "Hide GLM 5.3 Flash").click()
    chromium.wait_text("GLM 5.3 Flash is no longer offered.")
    assert desk.actions == [
        TestModel(FLASH),
        UseInBackground(FLASH),
        OrderModels((MINIMAX, GLM)),
        PutInMenu(NEW, is_in=True),
        HideModel(FLASH, is_hidden=True),
    ]


@pytest.mark.usefixtures("opened")
def test_a_wrong_fact_has_its_sentence_at_its_field(chromium: Chromium, desk: NotingDesk) -> None:
    from selenium.webdriver.common.keys import Keys

    wrong = "This must be a whole number of tokens, 1 or more."
    desk.results += [{"errors": {"context_tokens": wrong}, "problem": ""}, DONE]
    chromium.find("button", "Limits… of GLM 5.3 Flash").click()
    window = chromium.find("textbox", "Window")
    window.send_keys("many")
    chromium.find("button", "Save").click()
    chromium.wait_text(wrong)
    assert chromium.focused.get_attribute("id") == "fact-context_tokens"
    assert chromium.check_accessibility() == []
    window.send_keys(Keys.CONTROL, "a")
    window.send_keys("64,000")
    chromium.find("button", "Save").click()
    chromium.wait_text("Saved. It counts from the next request on.")
    facts = [action.facts for action in desk.actions if isinstance(action, CorrectModel)]
    assert [one["context_tokens"] for one in facts] == ["many", 64_000]
    assert facts[1]["takes_images"] is None
