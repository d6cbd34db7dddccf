"""The view "History" in Chromium: the chart with the keyboard, pages of requests, filters, and the deletion."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.browser import Chromium, View
from tests.support.gateway import RunningGateway
from tests.support.history import invent_requests, write_history
from tests.support.page import NotingDesk
from tray_app.history.record import Outcome, RequestRecord
from tray_app.page.actions import DeleteHistory
from tray_app.page.tokens import make_address, mint_token

NOW_S = time.time()
MARKUP = "<img src=x onerror=alert(1)>"
STRANGE = RequestRecord(
    NOW_S, MARKUP, MARKUP, project=MARKUP, outcome=Outcome.FAILED, error="Overloaded", cause="NVIDIA is overloaded"
)
VIEWS = [View(width=1920), View(width=320, is_dark=True), View(zoom=2, has_motion=False)]
REQUESTS = 120


def open_history(chromium: Chromium, paged: RunningGateway, tmp_path: Path) -> None:
    chromium.open(make_address(paged.address.url, mint_token(tmp_path)))
    chromium.find("link", "History").click()


def count_rows(chromium: Chromium) -> int:
    return int(chromium.run("return document.querySelectorAll('table.latest tbody:not(.day)').length"))


def test_the_history_is_read_from_bar_to_bar_and_page_by_page(
    chromium: Chromium, paged: RunningGateway, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    write_history(tmp_path / "history.sqlite3", [*invent_requests(10, REQUESTS, NOW_S - 60), STRANGE])
    open_history(chromium, paged, tmp_path)
    chromium.wait_text(f"{REQUESTS + 1} requests", "50 requests shown.", MARKUP, "none")
    bars = chromium.find_all("img", "request")
    chromium.run("arguments[0].focus()", bars[-1])
    says = bars[-1].get_attribute("aria-label")
    assert says is not None
    chromium.wait_text(says)
    chromium.press(Keys.ARROW_LEFT, Keys.HOME)
    chromium.wait_text(str(chromium.focused.get_attribute("aria-label")))
    assert "no requests" in str(chromium.focused.get_attribute("aria-label"))  # of 14 days, ten have requests
    chromium.find("button", "Older").click()
    chromium.wait_text("100 requests shown.")
    chromium.find("button", "Older").click()
    chromium.wait_text("121 requests shown, which are all.")
    assert count_rows(chromium) == REQUESTS + 1
    for view in VIEWS:
        chromium.look(view)
        assert (chromium.check_accessibility(), chromium.count_sideways_px()) == ([], 0), view


def test_requests_are_filtered_and_sums_are_grouped(chromium: Chromium, paged: RunningGateway, tmp_path: Path) -> None:
    write_history(tmp_path / "history.sqlite3", [*invent_requests(3, 60, NOW_S - 60), STRANGE])
    open_history(chromium, paged, tmp_path)
    chromium.wait_text("61 requests")
    chromium.run(
        "arguments[0].value = 'failed'; arguments[0].dispatchEvent(new Event('change'))",
        chromium.find("combobox", "Result"),
    )
    chromium.wait_text(", which are all.")
    results = chromium.run("return [...document.querySelectorAll('.latest .doing')].map((cell) => cell.innerText)")
    assert "NVIDIA is overloaded" in results
    assert not any("answered" in result or "call" in result for result in results)
    chromium.find("radio", "Model").click()
    chromium.wait_text("By model", "GLM 5.3 Flash")
    chromium.find("radio", "7 days").click()
    chromium.wait_text("Last 7 days")


def test_the_history_is_deleted_only_after_a_second_word(
    chromium: Chromium, paged: RunningGateway, desk: NotingDesk, tmp_path: Path
) -> None:
    write_history(tmp_path / "history.sqlite3", [STRANGE])
    open_history(chromium, paged, tmp_path)
    chromium.find("button", "Delete history…").click()
    chromium.wait_text("This cannot be undone.")
    chromium.press(" ")  # the focus is on the button that deletes nothing
    chromium.wait_no_text("This cannot be undone.")
    assert not desk.actions
    desk.results.append({"sentence": "The history is deleted."})
    chromium.find("button", "Delete history…").click()
    chromium.find("button", "Delete all of it").click()
    chromium.wait_text("The history is deleted.")
    assert desk.actions == [DeleteHistory()]


def test_an_empty_and_a_damaged_history_are_told(chromium: Chromium, paged: RunningGateway, tmp_path: Path) -> None:
    open_history(chromium, paged, tmp_path)
    chromium.wait_text("No request was recorded in this time.", "What is stored")
    (tmp_path / "history.sqlite3").write_bytes(b"damaged " * 1000)
    chromium.find("radio", "30 days").click()
    chromium.wait_text("The history cannot be read.")
    (tmp_path / "history.sqlite3").unlink()
    chromium.take_complaints()  # Chromium notes each answer that is an error
    chromium.find("button", "Try again").click()
    chromium.wait_text("No request was recorded in this time.")
