"""The line that Claude Code shows below its prompt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import question
from tests.support.running_app import App
from tests.support.waiting import wait_for
from tray_app.app.instance import Instance
from tray_app.app.status_file import STATUS_FILE
from tray_app.catalog import AS_IN_TRAY
from tray_app.commands import status_line
from tray_app.commands.status_line import NOT_RUNNING, STARTING, find_state_folder, is_running, make_line, shows_links
from tray_app.paths import HOME_VARIABLE, find_paths

NOW_S = 1_800_000_000
STATE: dict[str, Any] = {
    "model": "GLM 4.7",
    "is_demo": False,
    "page": "http://127.0.0.1:3001/",
    "trouble": "",
    "note": "",
    "paces": {},
    "sessions": {},
    "delays": [],
}
OWN, OTHER = {"session_id": "own"}, {"session_id": "other"}
WAITS = {"session": "own", "text": "waiting for NVIDIA's rate limit,", "since": NOW_S - 12, "concerns_all": True}
SILENT = {"session": "own", "text": "no word for", "since": NOW_S - 40, "concerns_all": False}


def line(session: dict[str, Any] | None = None, **changes: Any) -> str:
    text = make_line(OWN if session is None else session, {**STATE, **changes}, is_running=True, now_s=NOW_S)
    return text.replace("\x1b[31m", "").replace("\x1b[33m", "").replace("\x1b[0m", "")


def test_a_quiet_session_sees_its_model_and_the_requests_of_the_last_minute() -> None:
    assert line() == "GLM 4.7"
    pace = {"limit": 40, "starts_at": [NOW_S - 70, NOW_S - 60, NOW_S - 59, NOW_S]}
    assert line(paces={"GLM 4.7": pace}) == "GLM 4.7 · 2 of 40 this minute"
    assert line(paces={"GLM 4.7": {**pace, "limit": 0}}) == "GLM 4.7 · 2 this minute"
    assert line(paces={"MiniMax M2.1": pace}) == "GLM 4.7"


def test_a_session_sees_its_own_model_and_what_it_asked_for() -> None:
    sessions = {
        "own": {"picked": "z-ai/glm4.7", "asked": "GLM 4.7", "model": "MiniMax M2.1"},
        "other": {"picked": "nvidia", "asked": "", "model": "GLM 5.2"},
    }
    assert line(sessions=sessions) == "GLM 4.7 → MiniMax M2.1"
    assert line(OTHER, sessions=sessions) == "GLM 5.2"
    note = "MiniMax M2.1 answers for GLM 4.7"
    assert line(sessions=sessions, note=note) == "GLM 4.7 → MiniMax M2.1", "the arrow says it already"
    assert line(OTHER, sessions=sessions, note=note) == f"GLM 5.2 · {note}"


def test_a_model_that_was_picked_in_claude_code_is_shown_before_it_is_asked() -> None:
    sessions = {"own": {"picked": "nvidia", "asked": "", "model": "GLM 5.2"}}
    named = {"session_id": "own", "model": {"id": "minimaxai/minimax-m2.1", "display_name": "MiniMax M2.1"}}
    neutral = {"session_id": "other", "model": {"id": "nvidia", "display_name": "NVIDIA (as in the tray)"}}
    assert line(named, sessions=sessions) == "MiniMax M2.1"
    assert line(neutral, sessions=sessions) == "GLM 4.7"
    assert line({**neutral, "session_id": "own"}, sessions=sessions) == "GLM 5.2"
    for odd in ("x", {}, {"id": 7}, {"id": "x", "display_name": None}):
        assert line({"session_id": "new", "model": odd}) == "GLM 4.7"


def test_the_neutral_name_is_the_one_of_the_catalog() -> None:
    assert status_line.AS_IN_TRAY == AS_IN_TRAY


def test_the_name_of_the_model_leads_to_the_page_where_the_terminal_has_links() -> None:
    def linked(**changes: Any) -> str:
        return make_line(OWN, {**STATE, **changes}, is_running=True, now_s=NOW_S, has_links=True)

    link, end = "\x1b]8;;http://127.0.0.1:3001/\x07", "\x1b]8;;\x07"
    assert linked() == f"{link}GLM 4.7{end}"
    assert linked(is_demo=True, note="a note") == f"DEMO · {link}GLM 4.7{end} · a note"
    assert linked(page="") == line() == "GLM 4.7"
    assert linked(page="http://x/\x1b\x07\n") == "\x1b]8;;http://x/\x07GLM 4.7\x1b]8;;\x07"
    older = {name: value for name, value in STATE.items() if name != "page"}
    assert make_line(OWN, older, is_running=True, now_s=NOW_S, has_links=True) == "GLM 4.7"


@pytest.mark.parametrize(
    ("environ", "has_links"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux"}, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"WT_SESSION": "e2b1"}, True),
        ({"KONSOLE_VERSION": "240800"}, True),
        ({"VTE_VERSION": "7600"}, True),
        ({"VTE_VERSION": "5000"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"VTE_VERSION": "7600", "STY": "1.pts"}, False),
        ({"TERM": "dumb", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "foot", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_links_are_for_terminals_that_are_known_to_have_them(environ: dict[str, str], has_links: bool) -> None:
    assert shows_links(environ) is has_links


def test_the_demo_says_so_first() -> None:
    assert line(is_demo=True) == "DEMO · GLM 4.7"


def test_delays_of_the_session_come_before_those_of_others() -> None:
    elsewhere = {**WAITS, "session": "other", "since": NOW_S - 90}
    assert line(delays=[elsewhere, WAITS]) == "GLM 4.7 · waiting for NVIDIA's rate limit, 12 s"
    assert line(delays=[elsewhere]) == "GLM 4.7 · another session: waiting for NVIDIA's rate limit, 90 s"
    assert line(delays=[WAITS, SILENT]) == "GLM 4.7 · no word for 40 s"
    assert line(OTHER, delays=[SILENT]) == "GLM 4.7", "a long prompt of another session is its own affair"


def test_a_trouble_takes_the_place_of_delays() -> None:
    assert line(delays=[WAITS], trouble="NVIDIA refused the key") == "GLM 4.7 · NVIDIA refused the key"


def test_without_the_app_or_its_file_the_line_says_so() -> None:
    assert NOT_RUNNING in make_line(OWN, STATE, is_running=False, now_s=NOW_S), (
        "a file of a crashed app is not believed"
    )
    assert make_line(OWN, None, is_running=True, now_s=NOW_S) == STARTING


def test_a_name_that_a_client_sent_is_no_command_for_the_terminal() -> None:
    sessions = {"own": {"picked": "", "asked": "\x1b]0;evil\x07" + "x" * 500, "model": "GLM 4.7"}}
    shown = line(sessions=sessions)
    assert shown.isprintable()
    assert len(shown) < 100


def test_the_folder_and_the_files_are_those_of_the_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for environ in ({}, {HOME_VARIABLE: str(tmp_path)}, {HOME_VARIABLE: "~/tray"}, {HOME_VARIABLE: "relative"}):
        assert find_state_folder(environ) == str(find_paths(environ).state)
    assert (status_line.HOME_VARIABLE, status_line.STATUS_FILE) == (HOME_VARIABLE, STATUS_FILE)


def test_the_app_counts_as_running_for_as_long_as_it_holds_its_lock(tmp_path: Path) -> None:
    assert not is_running(str(tmp_path / "state"))
    instance = Instance(tmp_path / "state")
    assert instance.acquire()
    assert is_running(str(tmp_path / "state"))
    instance.release()
    assert not is_running(str(tmp_path / "state"))
    assert instance.acquire(), "the look has left no lock behind"
    instance.release()


def run(home: Path, stdin: bytes, *arguments: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tray_app", "status-line", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, HOME_VARIABLE: str(home), **environ},
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode()


DAMAGED: list[bytes | None] = [None, b"", b"{", b"[]", b'{"model": 1}', b"\xff" * 100, b"[" * 100_000]


@pytest.mark.parametrize("state", DAMAGED, ids=["missing", "empty", "cut", "no object", "odd", "no text", "deep"])
@pytest.mark.parametrize("stdin", [b"", b"{", b"7", b"\xff"], ids=["empty", "cut", "no object", "no text"])
def test_whatever_is_damaged_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: bytes | None, stdin: bytes
) -> None:
    instance = Instance(tmp_path / "state")
    assert instance.acquire()
    if state is not None:
        (tmp_path / "state" / STATUS_FILE).write_bytes(state)
    (tmp_path / "input").write_bytes(stdin)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with (tmp_path / "input").open() as shown, (tmp_path / "output").open("w") as written:
        monkeypatch.setattr(sys, "stdin", shown)
        monkeypatch.setattr(sys, "stdout", written)
        assert status_line.print_status_line([]) == 0
    instance.release()
    [shown_line] = (tmp_path / "output").read_text().splitlines()
    assert shown_line.startswith("Claude NVIDIA Tray")


def test_the_command_imports_nothing_that_is_slow(tmp_path: Path) -> None:
    """Claude Code starts it once a second."""
    script = "import runpy, sys; sys.argv[1:] = ['status-line']\n"
    script += "try: runpy.run_module('tray_app')\nexcept SystemExit: pass\n"
    slow = "argparse logging asyncio dataclasses inspect msgspec filelock tray_app.settings tray_app.app"
    script += f"print([name for name in {slow.split()} if name in sys.modules])"
    lines = subprocess.run(
        [sys.executable, "-c", script], input="{}", capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines[-1] == "[]"


def test_the_folder_may_be_named(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "there" / "state")
    assert instance.acquire()
    assert run(tmp_path, b"{}", str(tmp_path / "there" / "state"), NO_COLOR="1") == f"{STARTING}\n"
    assert run(tmp_path, b"{}", NO_COLOR="1") == f"{NOT_RUNNING}\n"
    instance.release()


def test_the_line_is_plain_where_no_colour_is_wanted(tmp_path: Path) -> None:
    assert run(tmp_path, b"{}", NO_COLOR="1") == f"{NOT_RUNNING}\n"
    assert run(tmp_path, b"{}", NO_COLOR="") == f"\x1b[31m{NOT_RUNNING}\x1b[0m\n"


def test_the_line_of_a_running_app_comes_from_its_file(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "state")
    assert instance.acquire()
    (tmp_path / "state" / STATUS_FILE).write_text(json.dumps({**STATE, "delays": [{**WAITS, "since": 0}]}))
    assert "waiting for NVIDIA's rate limit, " in run(tmp_path, b'{"session_id": "own"}')
    instance.release()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a signal ends the app without a word")
def test_the_line_follows_a_real_app_from_its_start_to_its_crash_and_its_end(tmp_path: Path) -> None:
    environ = {"ADDR": "127.0.0.1:0", "PROVIDER_API_KEY": "", "NO_COLOR": "1"}
    session = json.dumps({"session_id": "own"}).encode()

    def shows(line: str) -> None:
        wait_for(lambda: run(tmp_path, session, NO_COLOR="1") == f"{line}\n", line)

    for ends in (signal.SIGKILL, signal.SIGTERM):
        app = App(tmp_path, ("--demo", "--no-tray"), environ, [])
        try:
            client = app.wait_listening()
            shows("DEMO · GLM 4.7")
            client.ask(question(model="claude-sonnet-5"), x_claude_code_session_id="own")
            shows("DEMO · claude-sonnet-5 → GLM 4.7 · 1 this minute")
            app.send(ends)
            app.wait_end()
        finally:
            app.close()
        assert run(tmp_path, session, NO_COLOR="1") == f"{NOT_RUNNING}\n"
    assert not (tmp_path / "state" / STATUS_FILE).exists()
