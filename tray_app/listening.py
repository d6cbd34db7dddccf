"""Where the gateway listens and what it goes by: brings it in line with the settings, the keys and the ports there are.

Used by the control thread alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tray_app.errors import PortTaken, StartError
from tray_app.instance import Instance
from tray_app.keys import Keys, read_keys
from tray_app.proxy.service import ProxyService
from tray_app.settings import Address, Settings
from tray_app.settings_store import SettingsStore
from tray_app.status import Phase, StatusBoard, Trouble

log = logging.getLogger(__name__)

_DRAIN_S = 5.0  # answers that run while the address changes
_PORTS_TO_TRY = 20


class Listening:
    """The gateway under the settings. What stands in the way is said on the board."""

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
    ) -> None:
        """`on_keys` is called with new keys before anything else has them. `say` shows a line on the terminal."""
        self._service = service
        self._store = store
        self._board = board
        self._instance = instance
        self._environ = environ
        self._say = say
        self._on_keys = on_keys
        self._is_demo = is_demo
        self.settings: Settings = store.current
        """Those that the gateway goes by."""
        self.keys = Keys()

    def read_keys(self) -> None:
        """Looks the keys up: in the environment, the keyring and the settings file."""
        self.keys = read_keys(self._store, self._environ)
        self._on_keys(self.keys)
        self._board.publish(has_nvidia_key=bool(self.keys.nvidia))
        missing = Trouble(
            "Add your NVIDIA API key…",
            "No NVIDIA API key yet. Get one on build.nvidia.com, then run `claude-nvidia-tray set-key` in a terminal.",
            "set-key",
        )
        self._board.report("key", None if self.keys.nvidia or self._is_demo else missing)
        self._report_settings()

    def begin(self) -> None:
        """Starts the gateway, or says in the status why it cannot."""
        settings = self.settings
        try:
            try:
                address = self._service.start(settings, self.keys, is_demo=self._is_demo)
            except PortTaken:
                if not self._store.is_new or self._environ.get("ADDR"):
                    raise
                address = self._find_port(settings)
        except StartError as error:
            log.warning("%s", error)
            self._say(str(error))
            title = (
                f"Port {settings.addr.port} is in use – fix…"
                if isinstance(error, PortTaken)
                else "Not listening – fix…"
            )
            self._board.report("start", Trouble(title, str(error)))
            self._board.publish(phase=Phase.STOPPED, url="")
            self._instance.publish("")
            return
        self._board.report("start", None)
        self._board.publish(phase=Phase.RUNNING, url=address.url)
        self._instance.publish(address.url)

    def apply(self) -> None:
        """Brings the gateway in line with the settings file, which another program may have changed."""
        before, self.settings = self.settings, self._store.current
        keys_before = self.keys
        self.read_keys()
        moves = before.addr != self.settings.addr or (keys_before.server and not self.keys.server)
        if self._service.is_running and moves:
            self._service.stop(_DRAIN_S)
        if self._service.is_running:
            self._service.configure(self.settings, self.keys, is_demo=self._is_demo)
        else:
            self.begin()
        if (before.nvidia_url, keys_before.nvidia) != (self.settings.nvidia_url, self.keys.nvidia):
            self._board.forget_models()
            self._service.check_models()

    def change(self, **changes: Any) -> None:
        """Changes settings, for the next request and for good."""
        self.settings = self._store.update(**changes)
        self._service.configure(self.settings, self.keys, is_demo=self._is_demo)
        self._report_settings()

    def _find_port(self, settings: Settings) -> Address:
        """On the very first run: the next free port, remembered. PortTaken if none of the next ones is free."""
        for step in range(1, _PORTS_TO_TRY):
            addr = Address(settings.addr.host, settings.addr.port + step)
            try:
                address = self._service.start(replace(settings, addr=addr), self.keys, is_demo=self._is_demo)
            except PortTaken:
                continue
            self._say(f"Port {settings.addr.port} is taken; port {addr.port} is used from now on.")
            self.settings = self._store.update(addr=addr)
            return address
        raise PortTaken(
            f"Ports {settings.addr.port} to {settings.addr.port + _PORTS_TO_TRY - 1} are all in use. "
            'Choose another one: "addr" in the settings file, or the environment variable ADDR.'
        )

    def _report_settings(self) -> None:
        problem = self._store.problem
        self._board.report("settings", Trouble("Settings file has a problem…", problem) if problem else None)
