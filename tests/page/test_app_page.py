"""The page of the real app: what is asked for there is done."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.history import invent_requests, write_history
from tests.support.page import Browser
from tests.support.running_app import App
from tests.support.waiting import wait_for


def test_a_model_that_is_chosen_on_the_page_is_saved_and_a_pause_lasts_until_it_is_ended(tmp_path: Path) -> None:
    app = App(tmp_path, ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0"}, [])
    try:
        client = app.wait_listening()
        browser = Browser(f"http://{client.host}", tmp_path / "state")
        browser.enter()
        assert browser.act(do="choose_model", model_id="minimaxai/minimax-m2.1").status == 200
        wait_for(lambda: browser.read("/page/state")["model"]["id"] == "minimaxai/minimax-m2.1", "the new model")
        assert "minimaxai/minimax-m2.1" in app.folder.settings_file.read_text(encoding="utf-8")
        assert browser.act(do="pause", is_on=True).status == 200
        assert browser.read("/page/state")["is_paused"] is True
        assert client.ask().sentence.startswith("Claude NVIDIA Tray is paused.")
        assert browser.act(do="pause", is_on=False).status == 200
        assert browser.read("/page/state")["is_paused"] is False
        assert browser.act(do="quit").status == 200
        assert app.wait_end() == 0
    finally:
        app.close()


def test_a_history_that_is_deleted_on_the_page_is_gone(tmp_path: Path) -> None:
    app = App(tmp_path, ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0"}, [])
    write_history(tmp_path / "data" / "history-demo.sqlite3", invent_requests(5, 20, time.time()))
    try:
        client = app.wait_listening()
        browser = Browser(f"http://{client.host}", tmp_path / "state")
        browser.enter()
        assert browser.read("/page/sums?days=0")["total"]["requests"] == 20
        assert browser.act(do="delete_history").body == {"sentence": "The history is deleted."}
        assert browser.read("/page/sums?days=0")["total"] is None
        wait_for(lambda: browser.read("/page/state")["today"]["requests"] == 0, "sums of today that are gone, too")
    finally:
        app.close()
