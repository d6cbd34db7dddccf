"""The welcome of the real app: the key, the models, and whether the page begins with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvidia_catalogue import read_day
from tests.support.page import Browser
from tests.support.running_app import App
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tests.support.waiting import wait_for
from tray_app.app.key_desk import describe_place, find_variable
from tray_app.page.actions import SaveKey
from tray_app.page.views.welcome import show_choices
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.settings.store import SettingsStore
from tray_app.status.board import Status
from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

GLM, FLASH, MINIMAX = "z-ai/glm4.7", "z-ai/glm-5.3-flash", "minimaxai/minimax-m2.1"
KEY, REFUSED = "nvapi-of-the-test-1234567890", "nvapi-refused"


@pytest.fixture
def nvidia() -> Iterator[SimulatedNvidia]:
    """A service in NVIDIA's place, on the day on which GLM 4.7 is retired and GLM 5.3 Flash answers."""
    with NvidiaThread(read_day("first_day")) as nvidia:
        yield nvidia


@contextmanager
def run(home: Path, *arguments: str, **environment: str) -> Iterator[tuple[App, Browser]]:
    """The real app without an icon, and a browser that was let in."""
    app = App(home, ("--no-tray", *arguments), {"ADDR": "127.0.0.1:0", **environment}, [])
    try:
        browser = Browser(f"http://{app.wait_listening().host}", home / "state")
        browser.enter()
        yield app, browser
    finally:
        app.close()


def wait_state(browser: Browser, is_it: Callable[[Any], bool]) -> Any:
    """Returns the first state of the page for which `is_it` holds."""

    def look() -> Any:
        state = browser.read("/page/state")
        return state if is_it(state) else None

    return wait_for(look, "the state of the page")


def test_a_key_is_judged_saved_used_and_removed_and_never_shown(tmp_path: Path, nvidia: SimulatedNvidia) -> None:
    with run(tmp_path, UPSTREAM_URL=nvidia.url) as (app, browser):
        state = wait_state(browser, lambda state: state["facts"]["needs_welcome"])
        assert (state["needs_user"], state["key"]["has"], state["facts"]["key_place"]) == (True, False, "")

        refused = browser.act(do="save_key", key=REFUSED).body
        assert (refused["is_saved"], refused["is_accepted"]) == (False, False)
        assert refused["sentence"].startswith("NVIDIA refuses this key.")
        assert "nvidia_key" not in app.folder.settings

        saved = browser.act(do="save_key", key=f" {KEY}\n")
        assert (saved.body["is_saved"], saved.body["is_accepted"], saved.body["notes"]) == (True, True, [])
        assert str(app.folder.settings_file) in saved.body["place"]
        assert app.folder.settings["nvidia_key"] == KEY
        state = wait_state(browser, lambda state: state["key"]["has"] and state["facts"]["key_place"])
        assert "no usable keyring" in state["facts"]["key_place"]

        trial = browser.act(do="test_model", model_id=FLASH).body
        assert (trial["answers"], trial["sentence"][:28]) == (True, "GLM 5.3 Flash answers after ")
        assert trial["sentence"].endswith(" s, and calls tools.")
        gone = browser.act(do="test_model", model_id=GLM).body
        assert (gone["answers"], "retired" in gone["sentence"]) == (False, True)

        assert browser.act(do="leave_welcome").status == 200
        assert not wait_state(browser, lambda state: not state["facts"]["needs_welcome"])["needs_user"]

        assert browser.act(do="remove_key").body["sentence"] == "The NVIDIA API key is removed."
        assert wait_state(browser, lambda state: not state["key"]["has"])["needs_user"]
        assert KEY not in app.folder.log + saved.raw.decode()


def test_a_text_that_cannot_be_a_key_is_not_sent_to_nvidia(tmp_path: Path, nvidia: SimulatedNvidia) -> None:
    with run(tmp_path, UPSTREAM_URL=nvidia.url) as (app, browser):
        answer = browser.act(do="save_key", key="two words")
        assert (answer.status, answer.sentence[:16]) == (400, "That is no key: ")
        assert browser.act(do="save_key", key="  ").sentence == "No key was given; nothing is changed."
        assert not nvidia.asked
        assert "nvidia_key" not in app.folder.settings


def test_a_variable_that_wins_is_named_and_the_key_is_saved_all_the_same(
    tmp_path: Path, nvidia: SimulatedNvidia
) -> None:
    with run(tmp_path, UPSTREAM_URL=nvidia.url, NVIDIA_API_KEY=REFUSED) as (app, browser):
        browser.act(do="leave_welcome")
        state = wait_state(browser, lambda state: state["facts"]["key_place"] and state["key"]["is_refused"])
        assert (state["facts"]["key_variable"], state["needs_user"]) == ("NVIDIA_API_KEY", True)
        saved = browser.act(do="save_key", key="nvapi-no-permission").body
        assert (saved["is_saved"], saved["is_accepted"]) == (True, False)
        assert saved["sentence"].endswith("It is saved all the same.")
        assert saved["notes"] == [
            "Note: the environment variable NVIDIA_API_KEY is set, and is used instead of it.",
        ]
        assert app.folder.settings["nvidia_key"] == "nvapi-no-permission"


def test_the_demo_needs_no_key_and_its_answers_can_be_tested(tmp_path: Path) -> None:
    with run(tmp_path, "--demo") as (_, browser):
        state = wait_state(browser, lambda state: state["facts"]["needs_welcome"])
        assert (state["app"]["is_demo"], state["needs_user"]) == (True, True)
        trial = browser.act(do="test_model", model_id=GLM).body
        assert (trial["answers"], trial["sentence"][:22]) == (True, "GLM 4.7 answers after ")
        browser.act(do="leave_welcome")
        assert not wait_state(browser, lambda state: not state["facts"]["needs_welcome"])["needs_user"]


def test_the_place_of_the_key_is_said(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json", {})
    assert describe_place(Keys(), store, {}) == ""
    assert describe_place(Keys(KEY), store, {}) == "It is kept in the system keyring."
    assert "NVIDIA_API_KEY" in describe_place(Keys(KEY), store, {"NVIDIA_API_KEY": KEY})
    store.update(nvidia_key=KEY)
    assert str(store.path) in describe_place(Keys(KEY), store, {})
    assert find_variable({"NVIDIA_API_KEY": "  "}) == ""


def test_the_key_is_not_in_the_repr_of_the_action() -> None:
    assert KEY not in repr(SaveKey(KEY))


def test_a_choice_shows_what_is_known_of_the_model_that_answers_for_it() -> None:
    findings = Findings(
        {
            GLM: Finding(answers=False, refusal=ModelTrouble(Unavailability.RETIRED, "2026-05-14")),
            FLASH: Finding(answers=True, calls_tools=True, first_token_s=1.2, asked=40, succeeded=39, found_at=5.0),
        }
    )
    glm, minimax = show_choices(Status(findings=findings), Settings())["choices"]
    assert (glm["id"], glm["is_chosen"], glm["absence"]) == (GLM, True, {"kind": "retired", "date": "2026-05-14"})
    assert (glm["answering"]["id"], glm["answers"], glm["calls_tools"]) == (FLASH, True, True)
    assert (glm["first_token_s"], glm["asked"], glm["succeeded"], glm["takes_images"]) == (1.2, 40, 39, True)
    assert (minimax["id"], minimax["is_chosen"], minimax["answers"], minimax["found_at"]) == (
        MINIMAX,
        False,
        None,
        None,
    )
