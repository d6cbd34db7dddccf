"""The page of the real app: what is asked for there is done."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.support.gateway import NVIDIA_KEY
from tests.support.history import invent_requests, write_history
from tests.support.page import Browser
from tests.support.running_app import App
from tests.support.waiting import wait_for
from tray_app.page.reads import READS
from tray_app.settings.settings import Settings

ODD_VALUES: list[Any] = [
    *("", "x" * 5000, "\0", "\n\u202e", "../../x", "-rf", "$(exit)", "=cmd", None, -1, 1e308, True),
    *([], {}, [None], {"x": None}, json.loads("[" * 300 + "]" * 300)),
]
FIELDS = {
    "choose_model": ["model_id"],
    "open_claude_code": ["folder"],
    "correct_model": ["model_id", "facts"],
    "put_in_menu": ["model_id", "is_in"],
    "hide_model": ["model_id", "is_hidden"],
    "order_models": ["model_ids"],
    "use_in_background": ["model_id"],
    "cancel_request": ["number"],
    "ask_instead": ["number", "model_id"],
    "save_key": ["key"],
}
"""The fields of actions that take values of any kind from the page."""


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


def test_no_value_that_the_page_sends_is_a_fault_and_no_key_comes_back(tmp_path: Path) -> None:
    settings = [{"do": "change_settings", "changes": {field.name: None}} for field in fields(Settings)]
    actions = [
        *({"do": do, **dict.fromkeys(names, value)} for do, names in FIELDS.items() for value in ODD_VALUES),
        *settings,
        *({"do": "change_settings", "changes": {field.name: ODD_VALUES[-1]}} for field in fields(Settings)),
    ]
    environment = {"ADDR": "127.0.0.1:0", "PROVIDER_API_KEY": NVIDIA_KEY, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    app = App(tmp_path, ("--no-tray", "--demo"), environment, [])
    try:
        browser = Browser(f"http://{app.wait_listening().host}", tmp_path / "state")
        browser.enter()
        answers = [browser.act(**action) for action in actions]
        assert [action for action, answer in zip(actions, answers, strict=True) if answer.status >= 500] == []
        assert {answer.status for answer in answers[-2 * len(settings) : -len(settings)]} == {200}, "the defaults"
        answers += [browser.request("GET", path) for path in READS]
        assert not [answer for answer in answers if NVIDIA_KEY.encode() in answer.raw]
        assert "Traceback" not in app.folder.log
        assert NVIDIA_KEY not in app.folder.log
    finally:
        app.close()
