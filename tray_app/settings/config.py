"""Everything that the user decides about the gateway, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The settings and keys that the gateway works with. A request keeps the one that it started with."""

    settings: Settings
    keys: Keys
    is_demo: bool = False
    """Tells whether the demo upstream answers in the place of NVIDIA."""
    is_paused: bool = False
    """Tells whether new requests for an answer are refused, because the user has paused the program."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys in force. Upstream or a client may repeat them in a text that others can read."""
        return tuple(key for key in (self.keys.nvidia, self.keys.server) if key)

    @property
    def serves_page(self) -> bool:
        """Tells whether browsers get the page.

        If the user has not decided, they do only if nobody but the user's own programs can be expected at the gateway.
        """
        if self.settings.serve_page == "local":
            return self.settings.addr.is_loopback and not self.keys.is_guarded
        return self.settings.serve_page == "always"

    @property
    def upstream(self) -> tuple[str, str]:
        """The address that chat requests go to, and the key that goes with them."""
        return self.settings.nvidia_url, self.keys.nvidia
