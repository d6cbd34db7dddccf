"""Uses the terminal of this process: runs a program in it, as if the user had started that, and finds it at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGTSTP", "SIGBREAK")
"""Signals that the terminal sends to the program as well, so that it decides what they mean."""
_FORWARDED = ("SIGTERM", "SIGHUP")
"""Signals that reach this process alone."""


def find_terminal() -> bool:
    """Tells whether this process has a terminal at which the user can be asked, whatever its standard input is."""
    try:
        os.close(os.open("CONIN$" if sys.platform == "win32" else "/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def run_child(command: list[str] | str, environ: Mapping[str, str], umask: int) -> int:
    """Runs the command to its end; returns its exit code, or 128 and the signal's number if a signal has ended it.

    OSError if the command cannot be started. `umask` is for the command; -1: that of this process.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _: FrameType | None) -> None:
        for process in processes:
            if process.returncode is None:
                os.kill(process.pid, number)

    with _handled(forward):
        process = subprocess.Popen(command, env=dict(environ), umask=umask)
        processes.append(process)
        code = _wait(process)
    return code if code >= 0 else 128 - code


@contextmanager
def _handled(forward: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Forwards signals meanwhile, or leaves them to the program. A signal that is ignored already stays so."""
    before = {}
    for names, handler in ((_FROM_TERMINAL, _do_nothing), (_FORWARDED, forward)):
        for name in names:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                # A function, because a program that is started inherits SIG_IGN, but no function.
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _do_nothing(_: int, __: FrameType | None) -> None:
    pass


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Waits for the end of the process. If it is stopped (Ctrl-Z), stops, too, so that the shell gets the terminal."""
    if sys.platform == "win32":
        return process.wait()
    while True:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(process.pid, signal.SIGCONT)  # the shell has continued this process
