"""The doctor of the page: each button beside a finding does what it says, and the finding is then a better one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.page_app import PageApp, open_app
from tests.support.browser import Chromium
from tests.support.gateway import NVIDIA_KEY
from tests.support.nvidia_catalogue import Catalogue, Conduct, Offer
from tests.support.simulated_nvidia import NvidiaThread, SimulatedNvidia
from tests.support.waiting import wait_for
from tray_app import APP_ID
from tray_app.catalog import MODELS
from tray_app.settings.keys import NVIDIA_KEY as SECRET

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

OWN = '{"model": "opus"}\n'
"""The user's own settings of Claude Code."""

FOUND = """
const found = [...document.querySelectorAll(".findings li")].map((one) => one.innerText.replace(/\\s+/g, " "));
"""
"""Leaves the words of each finding in `found`."""


def make_day(conduct: Conduct, *others: Offer) -> Catalogue:
    """Returns a day on which every model of the catalog does the same, except `others`."""
    return Catalogue(tuple(Offer(model.id, conduct, calls_tools=True) for model in MODELS)).replace(*others)


@pytest.fixture
def nvidia() -> Iterator[SimulatedNvidia]:
    with NvidiaThread(make_day("answers")) as nvidia:
        yield nvidia


@pytest.fixture
def claude_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the user's settings of Claude Code."""
    file = tmp_path / "claude" / "settings.json"
    file.parent.mkdir()
    file.write_text(OWN)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(file.parent))
    return file


@dataclass(frozen=True)
class Programs:
    """A terminal that shows nothing, and a Claude Code that only tells which key and which settings it got."""

    folder: Path
    told: Path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """The only terminal and the only Claude Code that are found, and an environment that leads elsewhere."""
    told, folder = tmp_path / "told", tmp_path / "bin"
    folder.mkdir()
    tell = f'(echo "$ANTHROPIC_API_KEY" && cat "$2") > {told}.new && mv {told}.new {told}'
    claude = f'if [ "$1" = --version ]; then echo "2.1.332 (Claude Code)"; else {tell}; fi'
    for name, does in {"xdg-terminal-exec": 'exec "$@"', "claude": claude}.items():
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another-account")
    return Programs(tmp_path, told)


def wait_found(app: PageApp, *words: str) -> WebElement:
    """Returns the finding with these words, as soon as the doctor has ended with it."""
    look = "const at = found.findIndex((said) => values.every((words) => said.includes(words)));"
    is_ended = "!document.querySelector('.findings button:disabled')"
    element: WebElement = app.chromium.wait_for(
        f"{FOUND} {look} return at >= 0 && {is_ended} && document.querySelectorAll('.findings li')[at]", words
    )
    return element


def press(app: PageApp, finding: WebElement, label: str) -> None:
    """Presses the button of a finding, in the middle of the window, where nothing lies above it."""
    app.chromium.run("arguments[0].scrollIntoView({block: 'center'})", finding)
    app.chromium.find("button", label, finding).click()


def focus(chromium: Chromium, element: WebElement) -> None:
    """Gives the focus to an element that the bar at the top of the page hides, which must bring it to light."""
    chromium.run("scrollBy(0, arguments[0].getBoundingClientRect().top - 5); arguments[0].focus()", element)
    top = chromium.run("return document.querySelector('.bar').getBoundingClientRect().bottom")
    assert chromium.run("return arguments[0].getBoundingClientRect().top", element) >= top


def examine(app: PageApp) -> None:
    """Has the doctor look at everything for the first time."""
    app.go("connect")
    app.chromium.find("button", "Examine").click()


def test_the_remedies_for_what_stands_between_the_gateway_and_nvidia(
    chromium: Chromium, nvidia: SimulatedNvidia, tmp_path: Path
) -> None:
    last = MODELS[-1].id  # too far behind to judge the key
    nvidia.catalogue = make_day("not served", Offer(last, "forbidden"))
    home = tmp_path / "home"
    home.mkdir()
    keyring = home / "keys"
    keyring.write_text("damaged")
    with open_app(home, chromium, nvidia.url, key="") as app:
        app.enter()
        examine(app)
        finding = wait_found(app, "NVIDIA API key.", "The keyring does not answer")
        keyring.write_text(json.dumps([[APP_ID, SECRET.name, NVIDIA_KEY]]))
        press(app, finding, "Ask the keyring again")
        wait_found(app, "NVIDIA API key.", "There is an NVIDIA API key.")

        finding = wait_found(app, "NVIDIA key.", "serves none of these models")
        wait_for(lambda: last in nvidia.asked, "the look that a new key leads to")
        nvidia.catalogue = make_day("busy", Offer(last, "answers", calls_tools=True))
        press(app, finding, "Look which models answer")
        finding = wait_found(app, "NVIDIA key.", "too busy to check the key")
        wait_for(lambda: nvidia.asked.count(last) > 1, "another look")

        nvidia.catalogue = make_day("answers")
        press(app, finding, "Examine again")
        wait_found(app, "NVIDIA key.", "NVIDIA accepts the key")
        assert app.client.ask().text.endswith(" answers.")


def test_the_remedies_for_what_leads_claude_code_elsewhere(
    chromium: Chromium, nvidia: SimulatedNvidia, claude_settings: Path, programs: Programs
) -> None:
    with open_app(programs.folder / "home", chromium, nvidia.url) as app:
        app.enter("connect")
        chromium.find("button", "Use it for all Claude Code sessions…").click()
        chromium.find("button", "Use it for all sessions").click()
        chromium.wait_text("All new sessions of Claude Code use this program.")
        claude_settings.write_text(OWN)  # as an editor does that had the file open all the time

        chromium.find("button", "Examine").click()
        finding = wait_found(app, "All sessions.", f"no longer leads to {app.url}")
        press(app, finding, "Use it for all sessions again")
        wait_found(app, f"Claude Code reads {claude_settings}, which leads to this gateway.")
        assert json.loads(claude_settings.read_text())["env"]["ANTHROPIC_BASE_URL"] == app.url

        finding = wait_found(app, "Environment.", "ANTHROPIC_API_KEY")
        press(app, finding, "Open Claude Code in a terminal")
        wait_for(programs.told.is_file, "Claude Code")
        key, settings = programs.told.read_text().split("\n", 1)
        assert (key, json.loads(settings)["env"]["ANTHROPIC_BASE_URL"]) == ("", app.url)

        focus(chromium, chromium.find("button", "Undo…"))
        chromium.press(" ")
        chromium.find("button", "Undo it").click()
        chromium.wait_text("Claude Code's settings are restored.")
        assert claude_settings.read_text() == OWN
        assert chromium.check_accessibility() == []
