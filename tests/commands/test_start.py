"""The commands start, stop and status, and the way from the demo to real answers, with real processes."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launcher import Launcher
from tests.support.waiting import wait_for
from tray_app.app.health import Waiting
from tray_app.app.instance import Instance
from tray_app.commands.status import Overview, describe_overview

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sessions and signals of POSIX")


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    user = Launcher(tmp_path)
    yield user
    user.end()


def test_a_demo_is_replaced_by_the_real_app_and_each_says_what_it_is(launcher: Launcher) -> None:
    assert launcher.run("status").returncode == 1
    started = launcher.run("start", "--demo", "--no-tray")
    assert started.returncode == 0
    assert "(DEMO: canned answers, no model) and listens on http://127.0.0.1:" in started.stdout
    assert "It goes on when this terminal is closed." in started.stdout
    demo = launcher.running
    assert demo is not None
    assert (demo.is_demo, demo.has_icon) == (True, False)
    assert os.getsid(demo.pid) == demo.pid, "it has a session of its own"
    assert "running as a demo" in launcher.run("status").stdout
    again = launcher.run("start", "--demo")
    assert (again.returncode, "is already running as a demo" in again.stdout) == (0, True)

    saved = launcher.run("set-key", stdin="nvapi-of-the-test\n", UPSTREAM_URL="http://127.0.0.1:9/v1")
    assert saved.returncode == 0, saved.stderr
    assert "The demo is running. It ends now" in saved.stdout
    real = launcher.running
    assert real is not None
    assert (real.is_demo, real.has_icon) == (False, False), "it has an icon only if the demo had one"

    overview = json.loads(launcher.run("status", "--json").stdout)
    assert (overview["running"], overview["demo"], overview["has_nvidia_key"]) == (True, False, True)
    assert (overview["url"], overview["pid"], overview["answers"]) == (real.url, real.pid, True)
    for words in (["start", "--demo"], ["--demo"]):
        mismatch = launcher.run(*words)
        assert (mismatch.returncode, "is already running. It listens on" in mismatch.stdout) == (1, True)
        assert "It gives real answers, and a demo does not take its place." in mismatch.stdout
    assert launcher.run("stop").stdout == "Claude NVIDIA Tray has ended.\n"
    assert launcher.running is None
    assert launcher.run("stop").stdout == "Claude NVIDIA Tray is not running.\n"


def test_an_app_that_starts_without_a_key_says_so(launcher: Launcher) -> None:
    done = launcher.run("start", "--no-tray", NVIDIA_API_KEY="", PROVIDER_API_KEY="")
    assert (done.returncode, done.stderr) == (0, "")
    assert "It has no NVIDIA API key yet." in done.stdout


def test_a_run_takes_over_from_a_demo(launcher: Launcher) -> None:
    launcher.run("start", "--demo", "--no-tray")
    before = launcher.running
    with socket.socket() as taken:  # the run ends at once, because its port is not free
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = launcher.run("--no-tray", ADDR=f"127.0.0.1:{taken.getsockname()[1]}")
    assert before is not None
    assert "The demo is running. It ends now, to make room for real answers." in done.stdout
    assert launcher.running is None


def test_an_app_that_does_not_listen_is_a_failure_that_says_what_the_app_said(launcher: Launcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = launcher.run("start", "--no-tray", ADDR=f"127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} is in use" in done.stderr
    output = launcher.state / "background-output.txt"
    assert output.stat().st_mode & 0o777 == 0o600


def test_an_app_that_hangs_is_ended_by_a_signal(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    from tray_app.app import background

    launcher.run("start", "--demo", "--no-tray")
    running = launcher.running
    assert running is not None
    monkeypatch.setattr(background, "_QUIT_S", 0.0)
    monkeypatch.setattr(Instance, "ask_to_quit", lambda _: None)
    assert background.end_app(Instance(launcher.state))
    wait_for(lambda: not _is_alive(running.pid), "the end of the process")


def test_the_status_tells_who_waits_and_what_is_not_known() -> None:
    overview = Overview(
        running=True,
        demo=False,
        paused=True,
        pid=1,
        url="http://127.0.0.1:3001",
        answers=False,
        model="z-ai/glm4.7",
        answering="z-ai/glm-5.3-flash",
        today=1234,
        has_nvidia_key=None,
        active_requests=0,
        waits=(Waiting("GLM 4.7", 2, 12, 38, 40), Waiting("GLM 4.7", 1, 3, 0, 0)),
        settings="/settings.json",
        log="/logs",
    )
    lines = list(describe_overview(overview))
    assert lines[0][1].endswith("running; paused, so that requests are refused")
    assert ("gateway", "http://127.0.0.1:3001, which does not answer") in lines
    assert ("model", "z-ai/glm4.7, for which z-ai/glm-5.3-flash answers") in lines
    assert ("key", "unknown, because the system keyring gives no answer") in lines
    assert [text for name, text in lines if name == "waiting"] == [
        "2 for NVIDIA's rate limit of GLM 4.7, since 12 s, 38 of 40 sent in the last minute",
        "1 for NVIDIA's rate limit of GLM 4.7, since 3 s",
    ]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended stays until its parent, which may be this one, has asked for its exit code.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
