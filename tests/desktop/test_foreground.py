"""A program that runs in the foreground gets its signals, and its end is passed on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tray_app.desktop.foreground import run_child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and job control of POSIX")

ROOT = Path(__file__).resolve().parents[2]

PARENT = """
import os, sys
from tray_app.desktop.foreground import run_child
sys.exit(run_child([sys.executable, "-c", sys.argv[1]], os.environ, 0o027))
"""

CHILD = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print(os.getpid(), flush=True)
while True:
    signal.pause()
"""


def start(child: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, child], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def test_the_exit_code_is_passed_on_and_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run_child([sys.executable, "-c", "raise SystemExit(7)"], os.environ, -1) == 7
    assert run_child([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], os.environ, -1) == 128 + 9
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_child([str(tmp_path / "nothing")], os.environ, -1)


def test_sigterm_reaches_the_program_which_decides() -> None:
    with start(CHILD) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.terminate()
        assert parent.wait(30) == 5


def test_ctrl_c_is_left_to_the_program() -> None:
    with start(CHILD.replace("SIGTERM", "SIGINT")) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGINT)  # the terminal sends it to both
        assert parent.wait(30) == 5


def test_a_program_that_stops_itself_takes_the_shell_along_and_goes_on_with_it() -> None:
    with start(CHILD) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGSTOP)
        wait_for(lambda: _state(parent.pid) == "T", "the parent stops")
        os.kill(parent.pid, signal.SIGCONT)
        wait_for(lambda: _state(child) != "T", "the child goes on")
        parent.terminate()
        assert parent.wait(30) == 5


def test_the_program_gets_the_umask() -> None:
    with start("import os; print(oct(os.umask(0)))") as parent:
        assert parent.communicate(timeout=30)[0] == "0o27\n"


def _state(pid: int) -> str:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()[:1]
