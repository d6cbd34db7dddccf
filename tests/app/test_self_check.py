"""`--self-check` finds out whether a part of the program is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aiohttp import web

from tests.support.running_app import ROOT
from tray_app.app import self_check
from tray_app.desktop import Desktop, find_desktop
from tray_app.proxy.workers import worker


@pytest.fixture
def desktop() -> Desktop:
    return find_desktop({})


def check(desktop: Desktop) -> tuple[bool, list[str]]:
    lines: list[str] = []
    is_whole = self_check.run_self_check(desktop, lines.append)
    return is_whole, [line for line in lines if line.startswith("FAILED")]


def test_this_program_is_complete() -> None:
    command = [sys.executable, "-m", "tray_app", "--self-check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["ok"] * 10
    assert done.stderr == ""


def test_a_missing_module_that_only_this_system_needs_is_reported(desktop: Desktop) -> None:
    type(desktop).late_imports, before = ("no.such.module",), type(desktop).late_imports
    try:
        assert check(desktop) == (False, ["FAILED  desktop: ModuleNotFoundError: No module named 'no'"])
    finally:
        type(desktop).late_imports = before


def test_aiohttp_without_its_compiled_parser_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiohttp import http_parser

    monkeypatch.setattr(http_parser, "HttpRequestParser", http_parser.HttpRequestParserPy)
    assert check(desktop) == (False, ["FAILED  compiled parts: NotWhole: aiohttp parses HTTP in Python"])


def test_a_gateway_that_gives_an_error_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(question: object) -> dict[str, str]:
        raise web.HTTPForbidden(text="refused")

    monkeypatch.setattr("tray_app.proxy.demo.compose", refuse)
    is_whole, failed = check(desktop)
    assert not is_whole
    assert failed[0].startswith("FAILED  gateway: NotWhole: HTTP ")


def test_a_gateway_that_gives_no_answer_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway repeats the request after an empty answer, for longer than the self-check waits."""
    monkeypatch.setattr("tray_app.proxy.demo.compose", lambda _: {"content": ""})
    monkeypatch.setattr(self_check, "_TIMEOUT_S", 0.5)
    is_whole, failed = check(desktop)
    assert not is_whole
    assert failed[0] == "FAILED  gateway: NotWhole: no answer within 0.5 seconds"


def test_icon_states_that_look_alike_are_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from tray_app.tray import art

    draw = art.draw
    monkeypatch.setattr(art, "draw", lambda state: draw(art.IconState("G")))
    assert check(desktop) == (False, ["FAILED  icon: NotWhole: 1 pictures for 24 states"])


def test_a_settings_file_that_is_not_kept_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.settings.store.SettingsStore._write", lambda *_: None)
    is_whole, failed = check(desktop)
    assert not is_whole
    assert failed == ["FAILED  settings: NotWhole: what was read is not what was written"]


def test_a_file_of_the_page_that_is_missing_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from tray_app.page import files

    whole = files.list_files()
    rest = {name: path for name, path in whole.items() if name not in ("api.js", "views/now.css")}
    monkeypatch.setattr(files, "list_files", lambda: rest)
    assert check(desktop) == (False, ["FAILED  page: NotWhole: there is no api.js, views/now.css"])


def test_a_program_that_cannot_start_its_worker_is_reported(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "find_worker", lambda: (["/no/such/program"], "."))
    assert check(desktop) == (False, ["FAILED  worker process: NotWhole: no worker process can be started"])
