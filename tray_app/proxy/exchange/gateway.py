"""Holds what all request handlers share: the configuration, the way to upstream, and the running requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from tray_app.catalog import Model
from tray_app.errors import Paused, UserActionNeeded
from tray_app.history.writer import HistoryWriter
from tray_app.proxy.exchange.bodies import BodyReader
from tray_app.proxy.exchange.kept_bodies import BodyKeeper
from tray_app.proxy.exchange.live import list_gauges, list_requests
from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.exchange.pdf import PdfTexts
from tray_app.proxy.exchange.progress import Progress
from tray_app.proxy.exchange.progress_book import ProgressBook
from tray_app.proxy.exchange.recent import Recent
from tray_app.proxy.exchange.search import SearchBackend
from tray_app.proxy.exchange.stand_ins import StandIns
from tray_app.proxy.exchange.steering import Repeats
from tray_app.proxy.exchange.translator import RequestTranslator
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.evidence import Evidence
from tray_app.proxy.upstream.learned_calibrations import Calibrations
from tray_app.proxy.upstream.learned_quirks import Quirks
from tray_app.proxy.upstream.outcomes import Outcomes
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.proxy.upstream.tls import MakeTlsContext
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.sentences import NO_NVIDIA_KEY, PAUSED
from tray_app.settings.config import GatewayConfig
from tray_app.status.board import StatusBoard
from tray_app.status.live import Gauge, LiveRequest

log = logging.getLogger(__name__)

_REQUEST_WORKERS = 2
"""Number of worker processes for requests. Each uses one core and up to twice the size of its request in memory."""

_GOODBYE_S = 0.5
"""Time for cancelled requests to tell their clients that this program quits."""

REQUEST_ID = web.RequestKey("request_id", str)


class Gateway:
    """The state of one running gateway. It belongs to the proxy thread, but other threads may replace `config`."""

    def __init__(
        self,
        config: GatewayConfig,
        board: StatusBoard,
        *,
        state_folder: Path | None = None,
        demo_url: str = "",
        search_backend: SearchBackend | None = None,
        timeouts: Timeouts = TIMEOUTS,
        make_tls_context: MakeTlsContext | None = None,
        history: HistoryWriter | None = None,
    ) -> None:
        """`state_folder` keeps what is learned of models for the next start. None keeps nothing.

        `history` gets a record of each request for an answer; None: none is kept.
        Without a `search_backend` searches are refused. `make_tls_context` decides which certificates of upstream are
        trusted; None: those that OpenSSL finds.
        """
        self.config = config
        self.board = board
        self.demo_url = demo_url
        self.search_backend = search_backend
        self.timeouts = timeouts
        self.history = history
        self.recent = Recent()
        self.repeats = Repeats()
        self.kept_bodies = BodyKeeper()
        self.upstream = UpstreamClient(timeouts, make_tls_context)
        self.pacer = Pacer()
        self.evidence = Evidence(board, state_folder)
        self.outcomes = Outcomes(board, self.pacer, self.evidence)
        self._progress_book = ProgressBook(board, self.pacer, self.outcomes)
        self.calibrations = Calibrations(state_folder)
        self.quirks = Quirks(state_folder)
        self.stand_ins = StandIns()
        self.bodies = BodyReader()
        self.workers = WorkerPool(_REQUEST_WORKERS)
        # PDFs have a pool of their own, because a request keeps its worker while it waits for the text of its PDF.
        self._pdf_workers = WorkerPool(1)
        self.translator = RequestTranslator(self.workers, PdfTexts(self._pdf_workers))
        self.is_quitting = False
        """Tells whether the gateway accepts no more requests. A request that is cancelled then tells its client why."""
        self.serving: set[asyncio.Task[object]] = set()
        """The tasks that answer requests."""
        self.is_idle = asyncio.Event()
        """Set while no request of a client is being answered."""
        self.is_idle.set()

    async def close(self) -> None:
        """Closes the connections to upstream, ends the worker processes, and saves what was learned."""
        self._progress_book.close()
        await self.upstream.close()
        await self.workers.close()
        await self._pdf_workers.close()
        await self.calibrations.close()
        await self.quirks.close()
        await self.evidence.close()

    def follow_account(self) -> None:
        """Has the evidence belong to the address and the key that are now in force. The demo leaves no evidence."""
        url, key = self.config.upstream
        self.evidence.use(url, "" if self.config.is_demo else key)

    def target(self, config: GatewayConfig) -> tuple[str, str]:
        """Returns upstream's URL and key, or those of the demo. Raises UserActionNeeded if there is no key."""
        if config.is_demo:
            return self.demo_url, "demo"
        if config.keys.is_nvidia_unknown:
            raise UserActionNeeded(
                "Claude NVIDIA Tray cannot read its NVIDIA API key: the system keyring does not answer. Unlock the "
                "keyring and try again; the menu of the tray icon says more."
            )
        if not config.keys.nvidia:
            raise UserActionNeeded(NO_NVIDIA_KEY)
        return config.settings.nvidia_url, config.keys.nvidia

    def check_pause(self, config: GatewayConfig) -> None:
        """Raises Paused if the user has paused the program."""
        if config.is_paused:
            raise Paused(PAUSED)

    def live(self) -> tuple[LiveRequest, ...]:
        """Returns each running request as it is now, the oldest first. Called in the gateway's own thread."""
        return list_requests(self._progress_book, self.pacer, self.config.secrets)

    def gauges(self) -> tuple[Gauge, ...]:
        """Returns the pace of each model that is in use. Called in the gateway's own thread."""
        return list_gauges(self._progress_book, self.pacer, self.evidence)

    def cancel(self, number: int) -> bool:
        """Cancels a request, whose client gets an error. Called in the gateway's own thread.

        Returns False if there is no such request, or if it has ended or is being cancelled already.
        """
        progress = self._progress_book.find(number)
        return progress is not None and progress.steering.cancel()

    def ask_instead(self, number: int, model: Model) -> bool:
        """Has another model answer a request, at once and for this time only. Called in the gateway's own thread.

        Returns False if there is no such request, if it is still being prepared, or if the client has seen a part of
        its answer.
        """
        progress = self._progress_book.find(number)
        return progress is not None and progress.steering.ask_instead(model)

    @contextmanager
    def serve(self, notes: Notes) -> Iterator[Progress]:
        """Counts the current task as a running request until the end of the `with`, and keeps a record of it.

        CancelledByUser if the user cancels it, and the exchange has not taken the order itself.
        """
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        self.is_idle.clear()
        try:
            with self._progress_book.record(notes) as progress:
                try:
                    yield progress
                except asyncio.CancelledError:
                    progress.steering.take_order()
                    raise
        finally:
            self.serving.discard(task)
            if not self.serving:
                self.is_idle.set()

    def begin_drain(self) -> None:
        """Notes that this program is quitting. Called before the listener closes."""
        self.is_quitting = True

    async def drain(self, limit_s: float) -> None:
        """Lets running requests finish for `limit_s` seconds, then cancels the rest, so that each tells its client."""
        if self.serving:
            log.info("quitting: %d requests are still being answered", len(self.serving))
            await asyncio.wait(set(self.serving), timeout=limit_s)
        self.cancel_drain()
        if self.serving:
            await asyncio.wait(set(self.serving), timeout=_GOODBYE_S)

    def cancel_drain(self) -> None:
        """Cancels the requests that `drain` waits for. Does nothing unless the drain has begun."""
        if self.is_quitting:
            for task in self.serving:
                task.cancel()


GATEWAY = web.AppKey("gateway", Gateway)
