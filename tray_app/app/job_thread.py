"""The job thread: runs one job after another, looks for outside changes every second, and redraws the menu."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

log = logging.getLogger(__name__)

POLL_S = 1.0
"""The time between two polls for outside changes."""
_REDRAW_PAUSE_S = 0.25
"""The least time between two redraws, so that many requests at once cause only four redraws a second."""

Job = Callable[[], None]


class JobThread:
    """Runs jobs in a thread of its own from `start` to `end`. Any thread and any signal handler may call `put`."""

    def __init__(self, poll: Callable[[], bool], redraw: Job) -> None:
        """`poll` looks for outside changes, and returns whether the menu must be redrawn."""
        self._poll = poll
        self._redraw = redraw
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="jobs")
        self._ended = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job | None) -> None:
        """Queues a job, after which the menu is redrawn. None: only redraws the menu."""
        self._jobs.put(job)

    def end(self) -> None:
        """Ends the thread after the current job. That job calls it."""
        self._ended.set()

    def wait_end(self, timeout_s: float) -> bool:
        """Waits until `end` is called. Returns False if the time is over first."""
        return self._ended.wait(timeout_s)

    def join(self) -> None:
        """Waits for the thread to end, if it was started."""
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        last_redraw_s = -_REDRAW_PAUSE_S
        last_look_s = time.monotonic()
        needs_redraw = True
        while not self._ended.is_set():
            if time.monotonic() - last_look_s >= POLL_S:  # jobs that wait must not delay it
                last_look_s = time.monotonic()
                needs_redraw = self._attempt(self._poll) or needs_redraw
            pause_s = max(0.0, last_redraw_s + _REDRAW_PAUSE_S - time.monotonic()) if needs_redraw else POLL_S
            try:
                job = self._jobs.get(timeout=pause_s)
                needs_redraw = True
                if job is not None:
                    self._attempt(job)
            except Empty:
                if needs_redraw:
                    self._attempt(self._redraw)
                    needs_redraw, last_redraw_s = False, time.monotonic()

    def _attempt(self, job: Callable[[], bool | None]) -> bool:
        try:
            return bool(job())
        except Exception:  # a click that fails must not end the app
            log.exception("a job of the job thread failed")
            return True
