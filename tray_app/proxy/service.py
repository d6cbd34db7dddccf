"""The gateway's thread: started and stopped from outside, everything else inside."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from tray_app.errors import PortTaken, StartError
from tray_app.keys import Keys
from tray_app.proxy.patience import PATIENCE, Patience
from tray_app.settings import Address, Settings
from tray_app.status import StatusBoard

if TYPE_CHECKING:  # asyncio and aiohttp load in the proxy thread, while the icon is already being drawn
    import asyncio
    import ssl

    from tray_app.proxy.gateway import Gateway
    from tray_app.proxy.model_check import ModelCheck
    from tray_app.proxy.search import SearchBackend

log = logging.getLogger(__name__)

_CLOSE_S = 0.5
_TAKEN = {errno.EADDRINUSE, 10048}  # 10048: the same on Windows
_NOT_ALLOWED = {errno.EACCES, 10013}
_LAST_PRIVILEGED_PORT = 1023


class ProxyService:
    """Runs one gateway at a time on a thread of its own. Not for calls from several threads at once."""

    def __init__(
        self,
        board: StatusBoard,
        search_backend: SearchBackend | None = None,
        *,
        state_folder: Path | None = None,
        patience: Patience = PATIENCE,
        check_models_every_s: float | None = None,
        make_tls_context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`state_folder`: where a gateway keeps what it learned for the next one; None: nowhere.

        `check_models_every_s`: how often upstream is asked for its list of models; None: never.
        `make_tls_context`: which certificates upstream may show, in the proxy thread; None: those that OpenSSL trusts.
        """
        self._board = board
        self._search_backend = search_backend
        self._state_folder = state_folder
        self._patience = patience
        self._check_models_every_s = check_models_every_s
        self._make_tls_context = make_tls_context
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gateway: Gateway | None = None
        self._model_check: ModelCheck | None = None
        self._drain_s: asyncio.Future[float] | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    def start(self, settings: Settings, keys: Keys, *, is_demo: bool) -> Address:
        """Listens as the settings say; returns the address with its real port. StartError says why it cannot."""
        assert self._thread is None
        if not settings.addr.is_loopback and not keys.is_guarded:
            raise StartError(
                f"Listening on {settings.addr} would open the gateway to your network. Set a server key first "
                "(`claude-nvidia-tray set-key --server`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
            )
        listening: Future[Address] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(settings, keys, is_demo, listening), name="proxy", daemon=True
        )
        self._thread.start()
        try:
            return listening.result()
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no name server can hold
            raise _explain_bind(error, settings.addr) from error
        finally:
            if listening.exception() is not None:
                self._thread.join()
                self._thread = None

    def configure(self, settings: Settings, keys: Keys, *, is_demo: bool) -> None:
        """What requests from now on go by. The address stays until the next start."""
        from tray_app.proxy.gateway import GatewayConfig

        if self._gateway is not None:
            before = self._gateway.config
            self._gateway.config = GatewayConfig(settings, keys, is_demo)
            if before.keys.nvidia != keys.nvidia:
                self._gateway.outcomes.forget_key()

    def check_models(self) -> None:
        """Asks upstream for its list of models out of turn, and does not wait for it; the board has it afterwards."""
        if self._loop is not None and self._model_check is not None:
            self._loop.call_soon_threadsafe(self._model_check.hurry)

    def stop(self, drain_s: float) -> None:
        """Accepts no more, lets running answers finish for `drain_s` seconds, ends the rest with an error event."""
        if self._thread is None:
            return
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._begin_stop, drain_s)
        self._thread.join()
        self._thread = None

    def hurry(self) -> None:
        """Ends the draining of a `stop` that another thread waits in."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._cancel_serving)

    def _begin_stop(self, drain_s: float) -> None:
        assert self._drain_s is not None
        if not self._drain_s.done():
            self._drain_s.set_result(drain_s)

    def _cancel_serving(self) -> None:
        if self._gateway is not None and self._gateway.is_quitting:
            for task in self._gateway.serving:
                task.cancel()

    def _run(self, settings: Settings, keys: Keys, is_demo: bool, listening: Future[Address]) -> None:
        import asyncio

        try:
            asyncio.run(self._serve(settings, keys, is_demo, listening))
        except BaseException as error:
            if listening.done():
                log.exception("the gateway's thread ended")
            else:
                listening.set_exception(error)

    async def _serve(self, settings: Settings, keys: Keys, is_demo: bool, listening: Future[Address]) -> None:
        import asyncio

        from aiohttp import web

        from tray_app.proxy.demo import start_demo
        from tray_app.proxy.gateway import Gateway, GatewayConfig
        from tray_app.proxy.model_check import ModelCheck
        from tray_app.proxy.server import make_app

        self._loop = asyncio.get_running_loop()
        self._drain_s = self._loop.create_future()
        demo = await start_demo() if is_demo else None
        gateway = Gateway(
            GatewayConfig(settings, keys, is_demo),
            self._board,
            state_folder=self._state_folder,
            demo_url=demo.url if demo else "",
            search_backend=self._search_backend,
            patience=self._patience,
            tls_context=self._make_tls_context() if self._make_tls_context else None,
        )
        runner = web.AppRunner(
            make_app(gateway),
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_CLOSE_S,
            keepalive_timeout=self._patience.idle_s,
        )
        try:
            await runner.setup()
            address = settings.addr
            site = web.TCPSite(runner, address.host or None, address.port)
            await site.start()
            self._gateway = gateway
            port = runner.addresses[0][1]
            log.info("listening on %s", Address(address.host, port))
            listening.set_result(Address(address.host, port))
            if self._check_models_every_s is not None:
                self._model_check = ModelCheck(gateway, self._check_models_every_s)
                self._model_check.start()
            drain_s = await self._drain_s
            gateway.is_quitting = True
            await site.stop()
            await _drain(gateway, drain_s)
        finally:
            if self._model_check is not None:
                await self._model_check.stop()  # before the gateway's way upstream is closed
            self._gateway = self._model_check = None
            await runner.cleanup()
            await gateway.close()
            if demo is not None:
                await demo.stop()


async def _drain(gateway: Gateway, drain_s: float) -> None:
    """Waits for what is being served, then cancels it: each then tells its client."""
    import asyncio

    if gateway.serving:
        log.info("quitting: %d requests are still being answered", len(gateway.serving))
        await asyncio.wait(set(gateway.serving), timeout=drain_s)
    for task in gateway.serving:
        task.cancel()
    if gateway.serving:
        await asyncio.wait(set(gateway.serving), timeout=_CLOSE_S)


def _explain_bind(error: OSError | UnicodeError, address: Address) -> StartError:
    number, reason = (error.errno, error.strerror) if isinstance(error, OSError) else (None, None)
    if number in _TAKEN:
        return PortTaken(
            f"Port {address.port} is in use by another program. Quit that program, or choose another port: "
            f'"addr" in the settings file, or the environment variable ADDR.'
        )
    if number in _NOT_ALLOWED and address.port > _LAST_PRIVILEGED_PORT:
        # Windows says so of ports that it reserves for Hyper-V, and of those that a program holds for itself alone
        return PortTaken(
            f"Port {address.port} is held by the system or by another program. Choose another port: "
            '"addr" in the settings file, or the environment variable ADDR.'
        )
    if number in _NOT_ALLOWED:
        return StartError(f"This user may not listen on port {address.port}. Choose a port above 1023.")
    return StartError(f"Listening on {address} failed: {reason or error}. Check the address.")
