"""What a view of the page is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tray_app.page.actions import Desk
from tray_app.proxy.exchange.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Reading:
    """One request of the browser to read something, with all that can be read."""

    gateway: Gateway
    desk: Desk
    history_file: Path
    query: dict[str, str]
