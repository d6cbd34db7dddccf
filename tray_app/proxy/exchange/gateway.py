"""What the request handlers share: the settings in force, the way upstream, and who is being served."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from tray_app.errors import UserActionNeeded
from tray_app.proxy.exchange.bodies import BodyReader
from tray_app.proxy.exchange.pdf import PdfTexts
from tray_app.proxy.exchange.search import SearchBackend
from tray_app.proxy.exchange.translator import RequestTranslator
from tray_app.proxy.upstream.calibrations import Calibrations
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.outcomes import Outcomes
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.proxy.upstream.quirks import Quirks
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.proxy.workers.pool import WorkerPool
from tray_app.sentences import NO_NVIDIA_KEY
from tray_app.settings.config import GatewayConfig
from tray_app.status.board import StatusBoard

_REQUEST_WORKERS = 2
"""Each takes a core while it works, and up to twice the size of the request in memory."""

REQUEST_ID = web.RequestKey("request_id", str)


class Gateway:
    """The state of one running gateway. Lives in the proxy thread; only `config` is set from outside."""

    def __init__(
        self,
        config: GatewayConfig,
        board: StatusBoard,
        *,
        state_folder: Path | None = None,
        demo_url: str = "",
        search_backend: SearchBackend | None = None,
        timeouts: Timeouts = TIMEOUTS,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """`state_folder`: where what is learned is kept for the next gateway; None: nowhere."""
        self.config = config
        self.board = board
        self.demo_url = demo_url
        self.search_backend = search_backend
        self.timeouts = timeouts
        self.upstream = UpstreamClient(timeouts, tls_context)
        self.pacer = Pacer(board)
        self.outcomes = Outcomes(board, self.pacer)
        self.calibrations = Calibrations(state_folder)
        self.quirks = Quirks(state_folder)
        self.bodies = BodyReader()
        self.workers = WorkerPool(_REQUEST_WORKERS)
        # of their own: a request that waits for the text of its PDF keeps its worker meanwhile
        self._pdf_workers = WorkerPool(1)
        self.translator = RequestTranslator(self.workers, PdfTexts(self._pdf_workers))
        self.is_quitting = False
        self.serving: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        await self.upstream.close()
        await self.workers.close()
        await self._pdf_workers.close()
        await self.calibrations.close()
        await self.quirks.close()

    def target(self, config: GatewayConfig) -> tuple[str, str]:
        """Upstream's URL and key; the demo's own where it runs. UserActionNeeded without a key."""
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

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Counts the current request as active for as long as it runs."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        self.board.count_request(+1)
        try:
            yield
        finally:
            self.serving.discard(task)
            self.board.count_request(-1)


GATEWAY = web.AppKey("gateway", Gateway)
