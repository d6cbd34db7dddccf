"""A worker process: it does one job after another, read from standard input and answered on standard output.

The gateway hands over what would hold its event loop for long, and what it must be able to stop: large requests, PDFs
and the repair of long broken JSON. A worker gets no keys, writes no log, and ends when its input does.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import TextIO

import msgspec

from tray_app import __version__
from tray_app.errors import ProxyError, RequestTooLarge
from tray_app.proxy.workers.frames import ASK, FAULT, HEAD, PIECE, READY, REFUSED, RESULT, Job, Refusal
from tray_app.proxy.workers.jobs import JOBS, describe_fault
from tray_app.proxy.workers.memory_limit import limit_memory

MEMORY_BYTES = 2_000_000_000
"""The address space of a worker, where the system can limit it. A request of 64 MB needs some 300 MB."""

_NICENESS = 5
"""Where cores are few, the streams of the gateway come first."""

_TOO_MUCH_MEMORY = "The request is too large: working on it takes more memory than this gateway has for one request."


def main() -> None:
    """Serves jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the gateway's to answer
    with suppress(AttributeError, OSError):  # Windows has no such call
        os.nice(_NICENESS)
    limit_memory(MEMORY_BYTES)
    source, target = io.FileIO(os.dup(sys.stdin.fileno()), "r"), io.FileIO(os.dup(sys.stdout.fileno()), "w")
    with open(os.devnull, "w") as nothing:  # noqa: PTH123 (no path to a file)
        sys.stdout = sys.stderr = nothing  # a library that prints must not break into the frames
        channel = _Channel(source, target)
        channel.write(READY, __version__.encode())
        serve(channel, _Watchdog(nothing))


def serve(channel: _Channel, watchdog: _Watchdog) -> None:
    """Answers every job that comes; returns at the end of the input."""
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
        except Exception as error:
            channel.write(FAULT, describe_fault(error).encode())
        finally:
            watchdog.stop()


def _ask(channel: _Channel, watchdog: _Watchdog, question: bytes) -> bytes:
    """Puts a question to the gateway in the middle of a job; the time until its answer does not count."""
    watchdog.stop()
    channel.write(ASK, question)
    answer = channel.read()
    if answer is None:  # the gateway is gone
        raise SystemExit
    watchdog.start()
    return bytes(answer)


class _Watchdog:
    """Ends this process if a job takes too long, even in the middle of a library's C code."""

    def __init__(self, nothing: TextIO) -> None:
        """`nothing` keeps nothing of what is written to it: the traceback, which nobody would read."""
        self._nothing = nothing
        self.limit_s = 0.0

    def start(self) -> None:
        faulthandler.dump_traceback_later(self.limit_s, exit=True, file=self._nothing)

    def stop(self) -> None:
        faulthandler.cancel_dump_traceback_later()


class _Channel:
    """Frames in and out."""

    def __init__(self, source: io.RawIOBase, target: io.RawIOBase) -> None:
        self._source = source
        self._target = target

    def read(self) -> bytearray | None:
        """The content of the next frame; None at the end of the input."""
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
