"""Makes the set-up of Claude Code from the settings, the keys and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tray_app.claude_code.claude_settings import Setup
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Settings
from tray_app.shells import find_status_line_command


def make_setup(url: str, settings: Settings, keys: Keys, environ: Mapping[str, str], state: Path) -> Setup:
    """Returns the set-up for a gateway that listens at `url`; empty: it will listen where the settings say.

    `state` is the folder for the state of this program.
    """
    model = settings.selected_model
    return Setup(
        url or settings.addr.url,
        model,
        settings.catalog.offered(model),
        needs_server_key=keys.is_guarded,
        no_proxy=environ.get("no_proxy") or environ.get("NO_PROXY", ""),
        is_manual=settings.manual_mode,
        status_line=find_status_line_command(str(state)),
    )
