"""The command claude: what Claude Code is started with, and the way from an empty home to the first answer."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import kit
from tests.support.fake_upstream import FakeUpstream, hello
from tests.support.launcher import USERS_UMASK, Launcher
from tests.support.waiting import wait_for
from tray_app.claude_code.recent_folders import list_recent_folders
from tray_app.history.database import FILE_NAME
from tray_app.history.reader import read_page
from tray_app.shells import find_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script as `claude`, and a pseudo-terminal")


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    user = Launcher(tmp_path, NVIDIA_API_KEY="nvapi-of-the-test", UPSTREAM_URL="http://127.0.0.1:9/v1")
    yield user
    user.end()


def test_claude_code_gets_all_words_the_input_and_the_folder_and_gives_its_exit_code(launcher: Launcher) -> None:
    words = ["-p", "two words", "", 'a "quote"', "it's", "$HOME", "--help", "--demo", "--", "--settings", "x"]
    done = launcher.run("claude", *words, stdin="a question", EXIT_CODE="7")
    assert (done.returncode, done.stdout) == (7, "the answer\n"), done.stderr
    told = launcher.told
    assert told["words"] == ["--settings", told["settings"]["_file"], *words]
    assert (told["input"], told["folder"]) == ("a question", str(launcher.work))
    assert told["umask"] == USERS_UMASK, "files that Claude Code writes have the usual modes"
    assert told["settings"]["_mode"] == 0o600
    assert not Path(told["settings"]["_file"]).exists(), "the file is removed at the end"
    running = launcher.running
    assert running is not None, "the app outlives the run"
    assert "Claude NVIDIA Tray runs in the background from now on. `" in done.stderr
    assert told["settings"]["env"]["ANTHROPIC_BASE_URL"] == running.url
    assert list_recent_folders(launcher.state) == [launcher.work]


def test_nothing_of_the_users_set_up_leads_away_from_the_gateway(launcher: Launcher) -> None:
    launcher.write_claude_settings(
        env={"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "http://elsewhere", "EDITOR": "vi"}
    )
    named = json.dumps({"env": {"ANTHROPIC_MODEL": "other", "MINE": "1"}, "permissions": {"deny": ["Read(.env)"]}})
    foreign = {"CLAUDE_CODE_USE_VERTEX": "1", "ANTHROPIC_API_KEY": "sk-ant", "no_proxy": "intranet"}
    done = launcher.run("claude", "--manual", f"--settings={named}", SERVER_API_KEY="of-this-gateway", **foreign)
    assert done.returncode == 0, done.stderr
    told = launcher.told
    environment, settings = told["environment"], told["settings"]
    assert told["words"] == [f"--settings={settings['_file']}"]
    assert not {"CLAUDE_CODE_USE_VERTEX", "ANTHROPIC_API_KEY"} & environment.keys()
    assert environment["ANTHROPIC_AUTH_TOKEN"] == "of-this-gateway"
    assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1,localhost,intranet"
    assert (settings["env"]["CLAUDE_CODE_USE_BEDROCK"], settings["env"]["MINE"]) == ("", "1")
    assert settings["env"]["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert not {"ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_MODEL", "EDITOR"} & settings["env"].keys()
    assert "of-this-gateway" not in json.dumps(settings)
    assert settings["permissions"]["deny"] == ["Read(.env)", "WebSearch"]
    assert settings["permissions"]["defaultMode"] == "default"


def test_without_a_key_and_a_terminal_the_command_that_saves_one_is_named(launcher: Launcher) -> None:
    done = launcher.run("claude", "-p", "hi", NVIDIA_API_KEY="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no NVIDIA API key yet, and no terminal to ask for it." in done.stderr
    assert "set-key` first." in done.stderr
    assert launcher.running is None


@pytest.mark.parametrize("words", [["claude", "-p", "hi"], ["doctor"]])
def test_in_a_folder_that_is_gone_it_says_so(launcher: Launcher, words: list[str]) -> None:
    command = shlex.join([*find_program(), *words])
    done = subprocess.run(
        ["sh", "-c", f'rmdir "$PWD" && {command}'],
        capture_output=True,
        text=True,
        cwd=launcher.work,
        env=launcher.environment,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "claude-nvidia-tray: The folder of this terminal cannot be used (it is gone).\n"


def test_a_running_demo_is_used_and_named(launcher: Launcher) -> None:
    launcher.run("start", "--demo", "--no-tray")
    done = launcher.run("claude", "-p", "hi", NVIDIA_API_KEY="")
    assert (done.returncode, done.stdout) == (0, "the answer\n")
    assert "Note: a demo is running, so the answers are canned." in done.stderr


def test_a_question_about_claude_code_itself_starts_nothing(launcher: Launcher) -> None:
    assert launcher.run("claude", "--version", NVIDIA_API_KEY="").returncode == 0
    assert (launcher.told["words"], launcher.running) == (["--version"], None)


def test_where_claude_code_is_missing_the_command_that_installs_it_is_named(launcher: Launcher) -> None:
    done = launcher.run("claude", "-p", "hi", PATH="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`npm install -g @anthropic-ai/claude-code`" in done.stderr


def test_an_app_that_was_started_without_the_key_of_this_terminal_is_named(launcher: Launcher) -> None:
    launcher.run("start", "--no-tray", NVIDIA_API_KEY="")
    done = launcher.run("claude", "-p", "hi")
    assert (done.returncode, done.stdout) == (0, "the answer\n")
    assert "the running app has no NVIDIA API key, because it was started without the variables" in done.stderr


@pytest.mark.kit
def test_from_an_empty_home_to_the_first_answer_of_the_real_claude_code(tmp_path: Path, upstream: FakeUpstream) -> None:
    """The key is typed once, although the standard input is a pipe; closing the terminal leaves the app running."""
    import pty

    kit.need_kit(kit.CLAUDE)
    upstream.default = lambda body: hello(is_stream=bool(body.get("stream")))
    user = Launcher(tmp_path, UPSTREAM_URL=upstream.url, DISABLE_AUTOUPDATER="1")
    user.environment["PATH"] = f"{kit.CLAUDE.parent}:/usr/bin:/bin"
    ours, theirs = pty.openpty()
    # The first terminal that the leader of a session opens is its terminal.
    with_terminal = ["/bin/sh", "-c", 'exec 3<>"$0"; exec "$@" 3>&-', os.ttyname(theirs)]
    process = subprocess.Popen(
        [*with_terminal, *find_program(), "claude", "-p"],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
        cwd=user.work,
        env=user.environment,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(b"say hello")
        process.stdin.close()
        shown = b""
        while b"NVIDIA API key" not in shown or b": " not in shown.partition(b"NVIDIA API key")[2]:
            shown += os.read(ours, 1000)
        os.write(ours, b"nvapi-typed\n")
        while b"Hello!" not in shown:
            shown += os.read(ours, 1000)
        assert process.wait(60) == 0
    finally:
        os.close(theirs)
        os.close(ours)  # the terminal is closed
    assert b"nvapi-typed" not in shown
    assert user.running is not None
    assert list((user.state / "claude-code").glob("*.json")) == []
    assert upstream.received[0].headers["Authorization"] == "Bearer nvapi-typed"
    kept = wait_for(lambda: read_page(user.app_home / "data" / FILE_NAME, 9), "the request is in the history")
    assert {found.record.project for found in kept} == {str(user.work)}
    assert all(found.record.session_id for found in kept)
    assert user.run("stop").returncode == 0
    wait_for(lambda: user.running is None, "the end of the app")
