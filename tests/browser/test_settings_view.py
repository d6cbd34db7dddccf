"""The views "Settings" and "Logs" in Chromium: the settings of the real app, and a log that grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import StartGateway
from tests.support.browser import Chromium, View
from tests.support.page import NotingDesk
from tests.support.ports import free_port
from tests.support.running_app import App
from tray_app.page.actions import PageFacts
from tray_app.page.routes import Page
from tray_app.page.tokens import make_address, mint_token

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

VIEWS = [View(width=1920), View(width=320, is_dark=True), View(zoom=2, has_motion=False)]
RATE, ADDRESS = "Requests per minute to each model", "Address of this program"


def check_looks(chromium: Chromium) -> None:
    """Everybody can use the page, and it is never wider than the screen."""
    for view in VIEWS:
        chromium.look(view)
        assert (chromium.check_accessibility(), chromium.count_sideways_px()) == ([], 0), view
    chromium.look(View())


def write(field: WebElement, text: str) -> None:
    """Replaces the text of a field, as a person does by the keyboard."""
    field.clear()
    field.send_keys(text)


def test_settings_are_refused_or_saved_and_the_page_moves_along_until_the_program_is_quit(
    chromium: Chromium, tmp_path: Path
) -> None:
    old, new = (f"127.0.0.1:{free_port()}" for _ in range(2))
    (tmp_path / "settings.json").write_text(json.dumps({"addr": old}), encoding="utf-8")
    app = App(tmp_path, ("--no-tray", "--demo"), {"ADDR": "", "UPSTREAM_URL": "http://127.0.0.1:9"}, [])
    try:
        app.wait_listening()
        chromium.open(make_address(f"http://{old}", mint_token(tmp_path / "state"), "settings"))
        write(chromium.find("textbox", RATE), "-5")
        chromium.find("button", "Save").click()
        chromium.wait_text("must be a whole number, 0 or more, not -5.")
        chromium.wait_for("return document.activeElement.id === 'setting-requests_per_minute'")
        check_looks(chromium)
        write(chromium.focused, "25\n")  # Enter saves, too
        chromium.wait_text("Saved.", "Changed; the default is 40 requests.")
        assert app.folder.settings["requests_per_minute"] == 25

        chromium.find("button", "Pause").send_keys("\n")  # a click would be on the bar that stays at the top
        chromium.wait_text(f"Paused at http://{old}")
        chromium.find("button", "Resume").send_keys("\n")
        chromium.wait_text(f"Running at http://{old}")

        write(chromium.find("textbox", ADDRESS), new)
        chromium.find("button", "Save").click()
        dialog = chromium.find("dialog", "Save this?")
        assert chromium.check_accessibility() == []
        chromium.find("button", "Save", dialog).click()
        chromium.wait_text(f"Running at http://{new}")

        chromium.find("button", "Quit…").click()
        chromium.wait_text("No request is running.")
        chromium.find("button", "Quit", chromium.find("dialog", "Quit Claude NVIDIA Tray?")).click()
        chromium.wait_text("The program has been quit.")
        assert app.wait_end() == 0
        chromium.take_complaints()  # the page goes on looking for the program
    finally:
        app.close()


def test_the_log_follows_unless_somebody_reads_and_is_nothing_but_text(
    chromium: Chromium, start_gateway: StartGateway, tmp_path: Path
) -> None:
    log_file, desk = tmp_path / "a.log", NotingDesk()
    desk.facts = PageFacts(log_file=log_file)
    paged = start_gateway(make_page=lambda: Page(tmp_path, tmp_path / "history.sqlite3", desk))

    def add(*texts: str, level: str = "INFO") -> None:
        with log_file.open("a", encoding="utf-8") as file:
            file.writelines(f"2026-11-28 10:20:30,123 {level:<7} {text}\n" for text in texts)

    add(*(f"line {number}" for number in range(200)), "<img src=x onerror=alert(1)>")
    chromium.open(make_address(paged.address.url, mint_token(tmp_path), "logs"))
    chromium.wait_text("line 199", "<img src=x onerror=alert(1)>", "Following")
    add("careful", level="WARNING")
    chromium.wait_text("Warning", "careful")
    chromium.wait_for("const box = document.querySelector('.log'); return box.scrollTop > 100")
    check_looks(chromium)
    chromium.run("document.querySelector('.log').scrollTo(0, 0)")
    chromium.wait_text("Not following while you read.")
    add("the newest")
    chromium.find("button", "Go to the newest").click()
    chromium.wait_text("the newest", "Following")
    chromium.find("searchbox", "Find in the log").send_keys("careful")
    chromium.wait_text("1 of the last 203 entries")
