"""Runs the gateway in a thread of its own, which other threads start, configure and stop."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tray_app.errors import PortTaken, StartError
from tray_app.history.writer import HistoryWriter
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.sentences import WHERE_TO_SET_ADDR
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import explain_exposure
from tray_app.settings.settings import Address
from tray_app.status.board import Phase, StatusBoard, Topic
from tray_app.status.troubles import GATEWAY_ENDED

if TYPE_CHECKING:  # the proxy thread imports asyncio and aiohttp, while the icon is already being drawn
    import asyncio
    import socket
    import ssl

    from tray_app.proxy.exchange.gateway import Gateway
    from tray_app.proxy.exchange.search import SearchBackend
    from tray_app.proxy.models.finder import ModelFinder
    from tray_app.proxy.models.trial import Trial
    from tray_app.proxy.server.routes import Page

log = logging.getLogger(__name__)

_CLOSE_S = 0.5
"""Seconds that cancelled requests get to tell their clients."""
_END_S = 5.0
"""Seconds that the thread gets to end after the draining. If it hangs, it is left to itself."""

_TAKEN = {errno.EADDRINUSE, 10048}  # 10048 is the same error on Windows
_NOT_ALLOWED = {errno.EACCES, 10013}
_LAST_PRIVILEGED_PORT = 1023


@dataclass(frozen=True, slots=True)
class Run:
    """A gateway that listens, with the thread that it runs in."""

    address: Address
    """The address that it listens on, with its real port."""
    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    gateway: Gateway
    finder: ModelFinder | None
    """None: upstream is never asked which models it has, and which of them answer."""
    drain_s: asyncio.Future[float]
    """Setting the result ends the run. It is the time for running answers, in seconds."""
    ended: threading.Event = field(default_factory=threading.Event)
    """Set if a fault has ended the thread."""

    def begin_stop(self, drain_s: float) -> None:
        """Begins to end the run. Only the thread of the run may call it."""
        if not self.drain_s.done():
            self.drain_s.set_result(drain_s)

    def call(self, function: Callable[[], None]) -> None:
        """Calls the function in the thread of the run, unless the run has ended."""
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(function)


class ProxyService:
    """Runs one gateway at a time. Only one thread at a time may call its methods, except `cancel_drain`."""

    def __init__(
        self,
        board: StatusBoard,
        search_backend: SearchBackend | None = None,
        *,
        state_folder: Path | None = None,
        timeouts: Timeouts = TIMEOUTS,
        poll_models_every_s: float | None = None,
        make_tls_context: Callable[[], ssl.SSLContext] | None = None,
        history: HistoryWriter | None = None,
        make_page: Callable[[], Page] | None = None,
    ) -> None:
        """`state_folder`: where a gateway saves what it learned for the next one; None: it saves nothing.

        `poll_models_every_s`: how often upstream is asked which models it has, and which of them answer; None: never.
        `make_tls_context`: is called before the first connection with TLS, and decides which certificates of upstream
        are trusted; None: those that OpenSSL trusts.
        `history` gets a record of each request for an answer; None: none is kept.
        `make_page`: is called in the proxy thread, and returns what a browser gets; None: there is no page.
        """
        self._board = board
        self._search_backend = search_backend
        self._state_folder = state_folder
        self._timeouts = timeouts
        self._poll_models_every_s = poll_models_every_s
        self._make_tls_context = make_tls_context
        self._history = history
        self._make_page = make_page
        self.running: Run | None = None
        self._reserved: tuple[Address, list[socket.socket]] | None = None
        self._preparing: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Tells whether a gateway listens. A gateway that a fault has ended does not."""
        return self.running is not None and not self.running.ended.is_set()

    @property
    def config(self) -> GatewayConfig | None:
        """The configuration of the running gateway; None while no gateway runs."""
        return self.running.gateway.config if self.running is not None and self.is_running else None

    def reserve(self, addr: Address) -> Address:
        """Listens on the address of the next start already, even while a gateway runs on another one.

        Connections wait until then. Returns the address with its real port. StartError says why it cannot listen there.
        """
        from tray_app.proxy.server.sockets import reserve

        self.release()
        try:
            sockets = reserve(addr)
        except (OSError, UnicodeError) as error:
            raise _explain_bind(error, addr) from error
        self._reserved = addr, sockets
        return Address(addr.host, sockets[0].getsockname()[1])

    def release(self) -> None:
        """Gives up the address that is reserved, if there is one."""
        _, sockets = self._reserved or (None, [])
        self._reserved = None
        for reserved in sockets:
            reserved.close()

    def prepare(self) -> None:
        """Begins to import what a gateway consists of, so that the next start is faster. Returns at once."""
        self._preparing = threading.Thread(target=_import_parts, name="imports", daemon=True)
        self._preparing.start()

    def start(self, config: GatewayConfig) -> Address:
        """Starts the gateway; returns the address with its real port. StartError says why it cannot listen."""
        assert not self.is_running
        addr = config.settings.addr
        # A server key that is not known yet protects the gateway, too: every request is refused until it is known.
        if not config.keys.is_server_unknown and (reason := explain_exposure(addr, config.keys.server)):
            raise StartError(reason)
        started: Future[Run] = Future()
        thread = threading.Thread(target=self._run, args=(config, started), name="proxy", daemon=True)
        thread.start()
        try:
            self.running = started.result()
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no name server can hold
            raise _explain_bind(error, addr) from error
        finally:
            if started.exception() is not None:
                thread.join()
        return self.running.address

    def configure(self, config: GatewayConfig) -> None:
        """Gives the configuration to all requests from now on. The address stays until the next start."""
        if self.running is not None:
            gateway = self.running.gateway
            before, gateway.config = gateway.config, config
            if before.keys.nvidia != config.keys.nvidia:
                gateway.outcomes.forget_key()
            if before.upstream != config.upstream:
                self.running.call(gateway.follow_account)
            if before.settings.log_bodies and not config.settings.log_bodies:
                self.running.call(gateway.kept_bodies.forget)

    def poll_models(self, *, is_asked: bool = False) -> None:
        """Asks upstream now for its list, and which models answer. Returns at once: the board gets the result later.

        `is_asked`: the user asked for it, so that models which gave no verdict or were forbidden are asked again.
        """
        if self.running is not None and self.running.finder is not None:
            self.running.call(partial(self.running.finder.look_again, is_asked=is_asked))

    def try_model(self, model_id: str) -> Future[Trial]:
        """Asks one model whether it answers. Any thread may call it. StartError if no gateway runs."""
        import asyncio

        from tray_app.proxy.models.trial import try_model

        running = self.running
        if running is None or running.ended.is_set():
            raise StartError("The gateway does not run, so that no model can be asked.")
        return asyncio.run_coroutine_threadsafe(try_model(running.gateway, model_id), running.loop)

    def stop(self, drain_s: float) -> None:
        """Stops the gateway. Running answers may go on for `drain_s` seconds, and then end with an error event."""
        running = self.running
        if running is None:
            return
        running.call(lambda: running.begin_stop(drain_s))
        running.thread.join(drain_s + _END_S)
        if running.thread.is_alive():
            log.error("the gateway's thread does not end, and is left to itself")
        self.running = None

    def cancel_drain(self) -> None:
        """Ends running answers at once, while another thread waits in `stop`."""
        running = self.running
        if running is not None:
            running.call(running.gateway.cancel_drain)

    def _run(self, config: GatewayConfig, started: Future[Run]) -> None:
        if self._preparing is not None:
            self._preparing.join()  # two threads that import the same modules may wait for each other
        import asyncio

        try:
            asyncio.run(self._serve(config, started))
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
                return
            log.exception("the gateway's thread ended")
            run = started.result()
            run.ended.set()
            if not run.gateway.is_quitting:
                self._board.publish(phase=Phase.STOPPED, url="")
                self._board.report(Topic.START, GATEWAY_ENDED)

    async def _serve(self, config: GatewayConfig, started: Future[Run]) -> None:
        import asyncio

        _import_parts()

        from aiohttp import web

        from tray_app.proxy.models.finder import ModelFinder
        from tray_app.proxy.server.listener import Listener, find_connection_limit
        from tray_app.proxy.server.rare_log import LoopErrors
        from tray_app.proxy.server.routes import make_app

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(LoopErrors(log))
        async with AsyncExitStack() as stack:  # ends the parts in reverse order
            demo_url = ""
            if config.is_demo:
                from tray_app.proxy.demo import start_demo

                demo = await start_demo()
                stack.push_async_callback(demo.stop)
                demo_url = demo.url
            gateway = self._make_gateway(config, demo_url)
            stack.push_async_callback(gateway.close)
            gateway.follow_account()
            web_app = make_app(gateway, self._make_page() if self._make_page else None)
            runner = web.AppRunner(web_app, handler_cancellation=True, shutdown_timeout=_CLOSE_S)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            listener = Listener(runner.server, find_connection_limit(), self._timeouts)
            address = await listener.open(config.settings.addr, self._take_reserved(config.settings.addr))
            stack.push_async_callback(listener.close)
            log.info("listening on %s", address)
            finder = None
            if self._poll_models_every_s is not None:
                finder = ModelFinder(gateway, self._poll_models_every_s)
                finder.start()
                stack.push_async_callback(finder.stop)
            run = Run(address, threading.current_thread(), loop, gateway, finder, loop.create_future())
            started.set_result(run)
            drain_s = await run.drain_s
            gateway.begin_drain()
            await listener.close()
            await gateway.drain(drain_s)

    def _take_reserved(self, addr: Address) -> list[socket.socket]:
        """Returns the sockets that listen on the address already. Sockets of another address are closed."""
        if self._reserved is None or self._reserved[0] != addr:
            self.release()
            return []
        (_, sockets), self._reserved = self._reserved, None
        return sockets

    def _make_gateway(self, config: GatewayConfig, demo_url: str) -> Gateway:
        from tray_app.proxy.exchange.gateway import Gateway

        return Gateway(
            config,
            self._board,
            state_folder=self._state_folder,
            demo_url=demo_url,
            search_backend=self._search_backend,
            timeouts=self._timeouts,
            make_tls_context=self._make_tls_context,
            history=self._history,
        )


def _import_parts() -> None:
    from tray_app.proxy.lean_aiohttp import import_aiohttp

    import_aiohttp()  # before anything else imports it
    import tray_app.proxy.models.finder
    import tray_app.proxy.server.routes  # noqa: F401 (what imports it after this finds it)


def _explain_bind(error: OSError | UnicodeError, address: Address) -> StartError:
    number, reason = (error.errno, error.strerror) if isinstance(error, OSError) else (None, None)
    if number in _TAKEN:
        return PortTaken(
            f"Port {address.port} is in use by another program. Quit that program, or choose another port: "
            f"{WHERE_TO_SET_ADDR}."
        )
    if number in _NOT_ALLOWED and address.port > _LAST_PRIVILEGED_PORT:
        # Windows reports this for ports that it reserves for Hyper-V, and for ports that one program holds for itself.
        return PortTaken(
            f"Port {address.port} is held by the system or by another program. Choose another port: "
            f"{WHERE_TO_SET_ADDR}."
        )
    if number in _NOT_ALLOWED:
        return StartError(f"This user may not listen on port {address.port}. Choose a port above 1023.")
    return StartError(f"Listening on {address} failed: {reason or error}. Check the address.")
