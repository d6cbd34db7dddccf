"""The doctor of the page: each button beside a finding does what it says, and the finding is then a better one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.page_app import PageApp, open_app
from tests.support.browser import Chromium
from tests.support.gateway import NVIDIA_KEY
from tests.support.nvidia_catalogue import Catalogue, Conduct, Offer
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tests.support.waiting import wait_for
from tray_app import APP_ID
from tray_app.catalog import GLM_5_3_FLASH, MODELS
from tray_app.settings.keys import NVIDIA_KEY as KEY_IN_KEYRING

FOUND = """
const found = [...document.querySelectorAll(".findings li")].map((one) => one.innerText.replace(/\\s+/g, " "));
"""
"""Leaves the words of each finding in `found`."""


def make_day(conduct: Conduct) -> Catalogue:
    """Returns a day on which every model of the catalog does the same."""
    return Catalogue(tuple(Offer(model.id, conduct, calls_tools=True) for model in MODELS))


@pytest.fixture
def nvidia() -> Iterator[SimulatedNvidia]:
    with NvidiaThread(make_day("answers")) as nvidia:
        yield nvidia


@pytest.fixture
def claude_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings file of Claude Code, which names another model."""
    file = tmp_path / "claude" / "settings.json"
    file.parent.mkdir()
    file.write_text('{"model": "opus"}')
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(file.parent))
    return file


def wait_found(app: PageApp, *words: str) -> WebElement:
    """Returns the finding with these words, as soon as the doctor has ended with it."""
    look = "const at = found.findIndex((said) => values.every((words) => said.includes(words)));"
    is_ended = "!document.querySelector('.findings button:disabled')"
    element: WebElement = app.chromium.wait_for(
        f"{FOUND} {look} return at >= 0 && {is_ended} && document.querySelectorAll('.findings li')[at]", words
    )
    return element


def press(app: PageApp, finding: WebElement, label: str) -> None:
    app.chromium.find("button", label, finding).click()


def examine(app: PageApp) -> None:
    """Has the doctor look at everything for the first time."""
    app.go("connect")
    app.chromium.find("button", "Examine").click()


def test_the_remedies_for_what_stands_between_the_gateway_and_nvidia(
    chromium: Chromium, nvidia: SimulatedNvidia, tmp_path: Path
) -> None:
    nvidia.catalogue = make_day("not served")
    home = tmp_path / "home"
    home.mkdir()
    keys = home / "keys"
    keys.write_text("a damaged keyring")
    with open_app(home, chromium, nvidia.url, key="") as app:
        app.enter()
        examine(app)
        finding = wait_found(app, "NVIDIA API key.", "The keyring does not answer")
        keys.write_text(json.dumps([[APP_ID, KEY_IN_KEYRING.name, NVIDIA_KEY]]))
        press(app, finding, "Ask the keyring again")
        wait_found(app, "NVIDIA API key.", "There is an NVIDIA API key.")

        finding = wait_found(app, "NVIDIA key.", "serves none of these models")
        nvidia.catalogue = make_day("busy")
        asked = len(nvidia.asked)
        press(app, finding, "Look which models answer")
        finding = wait_found(app, "NVIDIA key.", "too busy to check the key")
        wait_for(lambda: GLM_5_3_FLASH.id in nvidia.asked[asked:], "a look at the models")

        nvidia.catalogue = make_day("answers")
        press(app, finding, "Examine again")
        wait_found(app, "NVIDIA key.", "NVIDIA accepts the key")
        assert app.client.ask().text.endswith(" answers.")


def test_the_remedies_for_what_leads_claude_code_elsewhere(
    chromium: Chromium,
    nvidia: SimulatedNvidia,
    claude_settings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, told = tmp_path / "bin" / "xdg-terminal-exec", tmp_path / "told"
    terminal.parent.mkdir()
    terminal.write_text(f'#!/bin/sh\necho "$@" > {told}.new && mv {told}.new {told}\n')
    terminal.chmod(0o700)
    monkeypatch.setenv("PATH", f"{terminal.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another-account")
    with open_app(tmp_path / "home", chromium, nvidia.url) as app:
        app.enter("connect")
        chromium.find("button", "Use it for all Claude Code sessions…").click()
        chromium.find("button", "Use it for all sessions").click()
        chromium.wait_text("All new sessions of Claude Code use this program.")
        claude_settings.write_text('{"model": "opus"}')  # as an editor does that had the file open all the time

        chromium.find("button", "Examine").click()
        finding = wait_found(app, "All sessions.", f"no longer leads to {app.url}")
        press(app, finding, "Use it for all sessions again")
        wait_found(app, f"Claude Code reads {claude_settings}, which leads to this gateway.")
        assert json.loads(claude_settings.read_text())["env"]["ANTHROPIC_BASE_URL"] == app.url

        finding = wait_found(app, "Environment.", "ANTHROPIC_API_KEY")
        press(app, finding, "Open Claude Code in a terminal")
        wait_for(told.is_file, "the words that the terminal gets")
        assert told.read_text().endswith(" claude\n")

        chromium.find("button", "Undo…").click()
        chromium.find("button", "Undo it").click()
        chromium.wait_text("Claude Code's settings are restored.")
        assert json.loads(claude_settings.read_text()) == {"model": "opus"}
        assert chromium.check_accessibility() == []
