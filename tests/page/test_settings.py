"""The settings on the page: none is missing, what is wrong changes nothing, and what is right is in force."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.fail
import pytest

from tests.support.keyrings import MemoryKeyring
from tests.support.page import Browser, NotingDesk
from tests.support.ports import free_port
from tests.support.running_app import App
from tests.support.waiting import wait_for
from tray_app import APP_ID
from tray_app.app.diagnostics import write_diagnostics
from tray_app.app.instance import Instance
from tray_app.app.settings_desk import SettingsDesk
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.page.actions import ChangeSettings
from tray_app.page.views.setting_words import GROUPS
from tray_app.page.views.settings import SettingsFacts, show_settings
from tray_app.proxy.service import ProxyService
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.parsing import check_changes, file_value
from tray_app.settings.settings import SECRETS, Settings
from tray_app.settings.store import SettingsStore
from tray_app.status.board import Status, StatusBoard

ROWS = [row for group in GROUPS for row in group.rows]
KEY = "nvapi-key-that-nobody-may-see"


def find_row(shown: dict[str, Any], name: str) -> dict[str, Any]:
    """The row of one setting in what the page reads."""
    rows: list[dict[str, Any]] = [row for group in shown["groups"] for row in group["rows"]]
    return next(row for row in rows if row["name"] == name)


# ---- the table


def test_every_setting_is_on_the_page_once() -> None:
    assert sorted(row.name for row in ROWS) == sorted(field.name for field in fields(Settings))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_setting_has_a_title_and_a_sentence_and_the_control_of_its_type(row: Any) -> None:
    assert row.title[0].isupper()
    assert row.help.endswith(".")
    default = getattr(Settings(), row.name)
    kinds = {bool: {"switch"}, int: {"number"}, str: {"text", "choice"}, tuple: {"lines", "json"}, dict: {"pairs"}}
    plain = default if isinstance(default, bool | int | str | tuple | dict) else str(default)
    assert row.kind in ({"key"} if row.name in SECRETS else kinds[type(plain)])


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "number"], ids=lambda row: row.name)
def test_the_smallest_number_of_the_page_is_the_smallest_that_is_accepted(row: Any) -> None:
    assert not check_changes({}, {row.name: row.least})[1]
    assert check_changes({}, {row.name: row.least - 1})[1]


def test_a_row_has_the_value_the_default_and_the_variable_that_wins() -> None:
    settings = Settings(requests_per_minute=7, allowed_origins=("http://a.b",), aliases={"fast": "z-ai/glm4.7"})
    facts = SettingsFacts(variables={"upstream_timeout_seconds": "UPSTREAM_TIMEOUT_SECONDS"})
    shown = json.loads(json.dumps(show_settings(settings, facts, running=2)))
    row = find_row(shown, "requests_per_minute")
    assert (row["value"], row["default"], row["variable"], shown["running"]) == (7, 40, "", 2)
    assert find_row(shown, "upstream_timeout_seconds")["variable"] == "UPSTREAM_TIMEOUT_SECONDS"
    assert find_row(shown, "allowed_origins")["value"] == ["http://a.b"]
    assert find_row(shown, "aliases")["value"] == {"fast": "z-ai/glm4.7"}
    assert {"id": "", "label": "The selected model"} in find_row(shown, "background_model")["choices"]
    assert "z-ai/glm4.7" in [choice["id"] for choice in find_row(shown, "model")["choices"]]


def test_what_the_page_shows_can_be_saved_as_it_is() -> None:
    shown = show_settings(Settings(), SettingsFacts(model_entries=[]), running=0)
    values = {row["name"]: row["value"] for group in shown["groups"] for row in group["rows"] if "value" in row}
    written, errors = check_changes({}, values)
    assert not errors
    assert written == {name: file_value(value) for name, value in values.items()}


def test_a_key_is_never_shown() -> None:
    facts = SettingsFacts(key_places={"nvidia_key": "the settings file"}, unknown_keys=frozenset({"server_api_key"}))
    shown = show_settings(Settings(nvidia_key=KEY, server_api_key=KEY), facts, running=0)
    assert KEY not in json.dumps(shown)
    assert find_row(shown, "nvidia_key")["place"] == "the settings file"
    assert find_row(shown, "server_api_key")["is_unknown"] is True


# ---- the addresses


def test_the_page_reads_the_settings_and_asks_for_changes(browser: Browser, desk: NotingDesk) -> None:
    desk.settings_facts = SettingsFacts(variables={"addr": "ADDR"})
    assert find_row(browser.read("/page/settings"), "addr")["variable"] == "ADDR"
    assert browser.act(do="change_settings", changes={"log_bodies": True}, is_trial=True).status == 200
    assert desk.actions == [ChangeSettings({"log_bodies": True}, is_trial=True)]


# ---- the desk


@contextmanager
def open_desk(folder: Path, environ: dict[str, str]) -> Iterator[SettingsDesk]:
    """The settings of an app that has read its keys. Its gateway is started by the first change."""
    store, board = SettingsStore(folder / "settings.json", environ), StatusBoard()
    service = ProxyService(board)
    supervisor = GatewaySupervisor(
        service,
        store,
        board,
        Instance(folder / "state"),
        environ,
        lambda _: None,
        lambda _: None,
        is_demo=False,
        has_icon=False,
    )
    supervisor.read_keys()
    try:
        yield SettingsDesk(store, supervisor, environ, folder / "state", lambda job: job())
    finally:
        service.stop(0)


@pytest.fixture
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("no_keyring")
def test_each_place_of_a_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"server_api_key": KEY}), encoding="utf-8")
    with open_desk(tmp_path, {"NVIDIA_API_KEY": KEY}) as desk:
        assert desk.facts.key_places == {
            "nvidia_key": "the environment variable NVIDIA_API_KEY",
            "server_api_key": "the settings file",
        }
    backend = MemoryKeyring()
    backend.set_password(APP_ID, "nvidia-api-key", KEY)
    keyring.set_keyring(backend)
    (tmp_path / "other").mkdir()
    with open_desk(tmp_path / "other", {}) as desk:
        assert desk.facts.key_places == {"nvidia_key": "the system keyring"}


@pytest.mark.usefixtures("no_keyring")
def test_changes_that_cannot_be_saved_are_in_force_and_the_page_is_told_why(tmp_path: Path) -> None:
    with open_desk(tmp_path, {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": "http://127.0.0.1:9"}) as desk:
        (tmp_path / "settings.json").write_text(json.dumps({"version": 99}), encoding="utf-8")
        answer = desk.change({"log_bodies": True}, is_trial=False)
        assert "newer version" in answer["problem"]


# ---- diagnostics


def test_diagnostics_have_everything_but_the_keys(tmp_path: Path) -> None:
    log_file = tmp_path / "a.log"
    log_file.write_text(f"2026-11-28 10:00:00,000 INFO    the key is {KEY}\n", encoding="utf-8")
    config = GatewayConfig(Settings(requests_per_minute=7, nvidia_key=KEY), Keys(nvidia=KEY))
    facts = SettingsFacts(tmp_path / "settings.json", {"addr": "ADDR"}, [], {"nvidia_key": "the settings file"})
    text = write_diagnostics("Linux-7", config, Status(active_requests=3), facts, log_file)
    for part in ("Linux-7", "requests_per_minute: 7, changed", "from ADDR", "in the settings file", "3 running"):
        assert part in text
    assert "the key is [hidden]" in text
    assert KEY not in text


# ---- the real app


class AppPage:
    """A running app with a browser that was let in."""

    def __init__(self, app: App, home: Path) -> None:
        self.app = app
        self._home = home
        self.browser = self.enter(f"http://{app.wait_listening().host}")

    def enter(self, url: str) -> Browser:
        browser = Browser(url, self._home / "state")
        browser.enter()
        return browser

    def change(self, *, is_trial: bool = False, **changes: Any) -> Any:
        answer = self.browser.act(do="change_settings", changes=changes, is_trial=is_trial)
        assert answer.status == 200, answer.raw
        return answer.body

    def row(self, name: str) -> dict[str, Any]:
        return find_row(self.browser.read("/page/settings"), name)


@contextmanager
def run(home: Path, **environment: str) -> Iterator[AppPage]:
    variables = {
        "ADDR": "",
        "LOG_BODY_MAX_CHARS": "",
        "PROVIDER_API_KEY": KEY,
        "UPSTREAM_URL": "http://127.0.0.1:9",
        **environment,
    }
    app = App(home, ("--no-tray", "--demo"), variables, [])
    try:
        yield AppPage(app, home)
    finally:
        app.close()


def test_changes_are_checked_saved_and_in_force(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(
        json.dumps({"addr": f"127.0.0.1:{free_port()}", "of_another_program": [1]}), encoding="utf-8"
    )
    with run(tmp_path, LOG_BODY_MAX_CHARS="10") as page:
        before = page.app.folder.settings
        wrong = page.change(requests_per_minute=-1, history_days=9)
        assert wrong["errors"].keys() == {"requests_per_minute"}
        assert wrong["errors"]["requests_per_minute"].startswith("“Requests per minute to each model” must be")
        assert "LOG_BODY_MAX_CHARS" in page.change(log_bodies=False)["errors"]["log_bodies"]
        assert "server" in page.change(addr=":0")["errors"]["addr"]  # without a server key, no other machine may use it
        assert page.app.folder.settings == before

        assert page.change(requests_per_minute=12, history_days=9) == {
            "errors": {},
            "notes": [],
            "moves_to": "",
            "problem": "",
        }
        assert page.row("requests_per_minute")["value"] == 12
        saved = page.app.folder.settings
        assert (saved["requests_per_minute"], saved["history_days"], saved["of_another_program"]) == (12, 9, [1])
        page.change(requests_per_minute=None)
        assert page.row("requests_per_minute")["value"] == 40
        assert page.row("log_bodies")["variable"] == "LOG_BODY_MAX_CHARS"
        assert page.row("nvidia_key")["place"] == "the environment variable PROVIDER_API_KEY"

        text = page.browser.act(do="collect_diagnostics").body["text"]
        assert "history_days: 9, changed" in text
        assert KEY not in text
        assert "listening on" in text


def test_the_page_is_told_where_the_program_moves_and_goes_on_there(tmp_path: Path) -> None:
    old, new = free_port(), free_port()
    (tmp_path / "settings.json").write_text(json.dumps({"addr": f"127.0.0.1:{old}"}), encoding="utf-8")
    with run(tmp_path) as page:
        trial = page.change(addr=f"127.0.0.1:{new}", is_trial=True)
        assert f"127.0.0.1:{new}" in trial["notes"][0]
        assert page.app.folder.settings["addr"] == f"127.0.0.1:{old}"
        assert page.change(addr=f"127.0.0.1:{old}", is_trial=True) == {"errors": {}, "notes": []}  # it is there already
        assert "There is no page then" in page.change(serve_page="never", is_trial=True)["notes"][0]
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = page.change(addr=f"127.0.0.1:{other.getsockname()[1]}")
        assert taken["errors"]["addr"].endswith("Quit that program, or choose another port.")

        moved = page.change(addr=f"127.0.0.1:{new}")["moves_to"]
        url, _, token = moved.partition("/#/settings?token=")
        assert url == f"http://127.0.0.1:{new}"
        browser = Browser(url, tmp_path / "state")
        # The new address takes connections at once, so that a browser never meets a closed door.
        answer = browser.request("POST", "/page/session", {"token": token}, Origin=url)
        assert answer.status == 200
        assert page.app.folder.settings["addr"] == f"127.0.0.1:{new}"

        page.browser = page.enter(url)
        assert page.browser.act(do="restart").body == {"moves_to": ""}
        wait_for(lambda: page.app.folder.log.count(f"listening on 127.0.0.1:{new}") == 2, "the second start")
        assert page.browser.read("/page/state")["app"]["url"] == url  # the browser is still let in
