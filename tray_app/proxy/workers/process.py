"""The main program of a worker process. It reads jobs from standard input, and writes results to standard output.

The gateway gives it work that would block the event loop, or that must be stoppable: large requests, PDFs and the
repair of long broken JSON. A worker gets no keys, writes no log, and ends at the end of its input.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

import msgspec

from tray_app import __version__
from tray_app.errors import ProxyError, RequestTooLarge
from tray_app.proxy.workers.frames import ASK, FAULT, HEAD, PIECE, READY, REFUSED, RESULT, Job, Refusal
from tray_app.proxy.workers.jobs import JOBS, describe_fault
from tray_app.proxy.workers.memory_limit import limit_memory

MEMORY_BYTES = 2_000_000_000
"""Limit for the memory of a worker, if the system supports one. A request of 64 MB needs about 300 MB."""

_NICENESS = 5
"""Lowers the priority of a worker, so that the gateway's streams take precedence on machines with few cores."""

_TOO_MUCH_MEMORY = "The request is too large: working on it takes more memory than this gateway has for one request."


def main() -> None:
    """Does jobs until the end of the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway handles Ctrl-C in a terminal
    posix: Any = os
    with suppress(AttributeError, OSError):  # Windows has no such call
        posix.nice(_NICENESS)
    limit_memory(MEMORY_BYTES)
    source, target = io.FileIO(os.dup(sys.stdin.fileno()), "r"), io.FileIO(os.dup(sys.stdout.fileno()), "w")
    with open(os.devnull, "w") as nothing:  # noqa: PTH123 (no path to a file)
        sys.stdout = sys.stderr = nothing  # the output of a library must not get between the frames
        channel = _Channel(source, target)
        channel.write(READY, __version__.encode())
        serve(channel, _Watchdog(nothing))


def serve(channel: _Channel, watchdog: _Watchdog) -> None:
    """Does each job in the input, and returns at its end."""
    while (head := channel.read()) is not None and (data := channel.read()) is not None:
        job = msgspec.json.decode(head, type=Job)
        watchdog.limit_s = job.limit_s
        watchdog.start()
        try:
            result = JOBS[job.name](job.arguments, data, partial(_ask, channel, watchdog))
            for piece in result.pieces:
                channel.write(PIECE, piece)
            channel.write(RESULT, result.content)
        except ProxyError as error:
            channel.refuse(type(error), error.message)
        except MemoryError:
            channel.refuse(RequestTooLarge, _TOO_MUCH_MEMORY)
        except Exception as error:  # noqa: BLE001 (the gateway is told of any fault)
            channel.write(FAULT, describe_fault(error).encode())
        finally:
            watchdog.stop()


def _ask(channel: _Channel, watchdog: _Watchdog, question: bytes) -> bytes:
    """Asks the gateway a question during a job. The time limit does not count the wait for the answer."""
    watchdog.stop()
    channel.write(ASK, question)
    answer = channel.read()
    if answer is None:  # the gateway has ended
        raise SystemExit
    watchdog.start()
    return bytes(answer)


class _Watchdog:
    """Ends this process if a job takes too long, even in the middle of a library's C code."""

    def __init__(self, nothing: TextIO) -> None:
        """`nothing` discards what is written to it, which is a traceback that no one reads."""
        self._nothing = nothing
        self.limit_s = 0.0

    def start(self) -> None:
        faulthandler.dump_traceback_later(self.limit_s, exit=True, file=self._nothing)

    def stop(self) -> None:
        faulthandler.cancel_dump_traceback_later()


class _Channel:
    """Reads and writes frames."""

    def __init__(self, source: io.RawIOBase, target: io.RawIOBase) -> None:
        self._source = source
        self._target = target

    def read(self) -> bytearray | None:
        """Returns the content of the next frame; None at the end of the input."""
        head = self._read_exactly(HEAD.size)
        return None if head is None else self._read_exactly(HEAD.unpack(head)[1])

    def write(self, kind: bytes, content: bytes) -> None:
        for part in (HEAD.pack(kind, len(content)), content):
            view = memoryview(part)
            while view:
                view = view[self._target.write(view) or 0 :]

    def refuse(self, error: type[ProxyError], message: str) -> None:
        self.write(REFUSED, msgspec.json.encode(Refusal(error.__name__, message)))

    def _read_exactly(self, size_bytes: int) -> bytearray | None:
        content = bytearray(size_bytes)
        view = memoryview(content)
        while view:
            count = self._source.readinto(view)
            if not count:
                return None
            view = view[count:]
        return content


if __name__ == "__main__":
    main()
