"""Starts and restarts the gateway as settings, keys and free ports change. Only the job thread uses it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Unpack

from tray_app.app.instance import Instance
from tray_app.errors import PortTaken, StartError
from tray_app.proxy.service import ProxyService
from tray_app.sentences import WHERE_TO_SET_ADDR
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import KeyReader, Keys, explain_exposure
from tray_app.settings.settings import Address
from tray_app.settings.store import Changes, SettingsStore
from tray_app.status import troubles
from tray_app.status.board import Phase, StatusBoard, Topic, Trouble

log = logging.getLogger(__name__)

_DRAIN_S = 5.0
"""Seconds that running answers get when the gateway moves to another address."""
_PORTS_TO_TRY = 20
"""Number of ports that are tried at the very first start, the usual one among them."""


class GatewaySupervisor:
    """Keeps the gateway running with the present settings and keys, and reports on the board what prevents that."""

    def __init__(
        self,
        service: ProxyService,
        store: SettingsStore,
        board: StatusBoard,
        instance: Instance,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        on_keys: Callable[[Keys], None],
        *,
        is_demo: bool,
        has_icon: bool,
        reads_keyring_apart: bool = False,
    ) -> None:
        """`on_keys` is called with new keys before anything uses them. `say` prints a line on the terminal.

        `reads_keyring_apart`: the keyring is read in a process of its own.
        """
        self._service = service
        self._store = store
        self._board = board
        self._instance = instance
        self._environ = environ
        self._reader = KeyReader(store, environ, reads_apart=reads_keyring_apart)
        self._say = say
        self._on_keys = on_keys
        self._is_demo = is_demo
        self._has_icon = has_icon
        self._is_paused = False

    @property
    def keys(self) -> Keys:
        """The keys as they were last read."""
        return self._reader.keys

    @property
    def config(self) -> GatewayConfig:
        """The settings in force and the keys, which the gateway should work with."""
        return GatewayConfig(self._store.current, self.keys, self._is_demo, self._is_paused)

    def read_keys(self) -> None:
        """Reads the keys from the environment, the keyring and the settings file, and reports trouble with them."""
        self._on_keys(self._reader.read())
        self._board.publish(has_nvidia_key=bool(self.keys.nvidia))
        self._board.report(Topic.KEY, self._find_key_trouble())
        self._report_settings()

    def begin(self) -> None:
        """Starts the gateway, or reports why it cannot start."""
        config = self.config
        try:
            try:
                address = self._service.start(config)
            except PortTaken:
                if not self._store.is_new or self._environ.get("ADDR"):
                    raise
                address = self._find_port(config)
        except StartError as error:
            sentence = str(error)
            if not isinstance(error, PortTaken) and not self.keys.is_guarded and self._reader.silence:
                sentence += f" A server key may be in the system keyring, which {self._reader.silence.reason}."
            log.warning("%s", sentence)
            self._say(sentence)
            is_taken = isinstance(error, PortTaken)
            port = config.settings.addr.port
            trouble = troubles.port_in_use(port, sentence) if is_taken else troubles.cannot_listen(sentence)
            self._board.report(Topic.START, trouble)
            self._board.publish(phase=Phase.STOPPED, url="")
            self._publish("")
            return
        self._board.report(Topic.START, None)
        self._board.publish(phase=Phase.RUNNING, url=address.url)
        self._publish(address.url)

    def apply(self) -> None:
        """Gives changed settings to the gateway, after another program has changed the file."""
        self.read_keys()
        self._follow()

    def poll(self) -> bool:
        """Asks a silent keyring again if it is time to. Returns whether it was asked."""
        if not self._reader.is_due():
            return False
        self._read_again()
        return True

    def pause(self, *, is_paused: bool) -> None:
        """Refuses new requests from now on, or takes them again. Those that run go on, and no model is probed."""
        log.info("paused" if is_paused else "resumed")
        self._is_paused = is_paused
        self._service.configure(self.config)
        self._board.publish(is_paused=is_paused)
        if not is_paused:
            self._service.poll_models()

    def try_again(self) -> None:
        """Ends a pause, asks a silent keyring, and starts a stopped gateway, without waiting for the next poll."""
        if self._is_paused:
            self.pause(is_paused=False)
        if self.keys.is_nvidia_unknown or self.keys.is_server_unknown:
            self._reader.read_again()
            self._read_again()
        if not self._service.is_running:
            self.begin()

    def take_over(self) -> None:
        """Gives settings that this program has changed to the gateway, which is started anew if it must move."""
        self._report_settings()
        self._follow()

    def restart(self) -> None:
        """Ends the gateway, after its running answers, and starts it anew."""
        self._service.stop(_DRAIN_S)
        self.begin()

    def reserve(self, addr: Address) -> Address | None:
        """Listens on an address to which the gateway shall move. Returns it with its real port. StartError: it cannot.

        None: the gateway itself has this port, and must leave it first.
        """
        running = self._service.running
        try:
            return self._service.reserve(addr)
        except PortTaken:
            if running is not None and running.address.port == addr.port:
                return None
            raise

    def release(self) -> None:
        """Gives up the address that is reserved, if there is one."""
        self._service.release()

    def look_again(self) -> None:
        """Finds out anew which models answer. Returns at once."""
        self._service.poll_models(is_asked=True)

    def _read_again(self) -> None:
        keys_before = self.keys
        self.read_keys()
        if self.keys != keys_before:
            self._follow()

    def _follow(self) -> None:
        """Gives the present settings and keys to the gateway. Starts or restarts it if that is needed."""
        before, config = self._service.config, self.config
        addr = config.settings.addr
        # If the gateway would be open to the network, `begin` refuses to start it and says why.
        is_exposed = not config.keys.is_server_unknown and bool(explain_exposure(addr, config.keys.server))
        if before is not None and (before.settings.addr != addr or is_exposed):
            self._service.stop(_DRAIN_S)
        if self._service.is_running:
            self._service.configure(config)
        else:
            self.begin()
        if before is None or before.upstream != config.upstream:
            self._board.forget_models()
            self._service.poll_models()

    def change(self, **changes: Unpack[Changes]) -> None:
        """Changes settings from the next request on, and saves them."""
        if self._store.refresh():  # The update would hide an edit that has not been applied yet.
            self.apply()
        self._store.update(**changes)
        self._service.configure(self.config)
        self._report_settings()

    def _publish(self, url: str) -> None:
        self._instance.publish(url, is_demo=self._is_demo, has_icon=self._has_icon)

    def _find_port(self, config: GatewayConfig) -> Address:
        """Starts the gateway on the next free port, and saves that port. PortTaken if none of the next ones is free."""
        taken = config.settings.addr
        for step in range(1, _PORTS_TO_TRY):
            addr = Address(taken.host, taken.port + step)
            try:
                address = self._service.start(replace(config, settings=replace(config.settings, addr=addr)))
            except PortTaken:
                continue
            self._say(f"Port {taken.port} is taken; port {addr.port} is used from now on.")
            self._store.update(addr=addr)
            return address
        raise PortTaken(
            f"Ports {taken.port} to {taken.port + _PORTS_TO_TRY - 1} are all in use. "
            f"Choose another one: {WHERE_TO_SET_ADDR}."
        )

    def _find_key_trouble(self) -> Trouble | None:
        needs_nvidia_key = not self._is_demo
        silence, unknown = self._reader.silence, []
        if self.keys.is_nvidia_unknown and needs_nvidia_key:
            unknown.append("NVIDIA API key")
        if self.keys.is_server_unknown:
            unknown.append("server key")
        if silence and unknown:
            return troubles.keyring_silent(silence.reason, " and the ".join(unknown))
        if self.keys.is_server_unknown:
            return troubles.MISSING_SERVER_KEY
        return None if self.keys.nvidia or not needs_nvidia_key else troubles.MISSING_NVIDIA_KEY

    def _report_settings(self) -> None:
        problem = self._store.problem
        self._board.report(Topic.SETTINGS, troubles.settings_problem(problem) if problem else None)
