"""The option `--print-exports`: prints the set-up of Claude Code."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from tray_app.app.claude_setup import make_setup
from tray_app.app.instance import Instance
from tray_app.claude_code.claude_settings import render_settings
from tray_app.claude_code.exports import render_exports
from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import OK, complain
from tray_app.paths import Paths
from tray_app.settings.keys import read_keys

SETTINGS = "settings"
"""The word that --print-exports accepts besides the shells: it prints settings of Claude Code."""


def print_exports(form: str, paths: Paths, environ: Mapping[str, str], *, is_demo: bool) -> int:
    """Prints the exports for the running gateway, or for the address that it will listen on."""
    store = open_settings(paths, environ)
    running = Instance(paths.state).find_running()
    keys = read_keys(store, environ)
    if keys.is_server_unknown:
        complain("Note: the server key cannot be read now, so the gateway may refuse requests.")
    setup = make_setup(running.url if running else "", store.current, keys, environ, paths.state)
    if form == SETTINGS:
        text = render_settings(setup)
        if keys.is_guarded:
            complain(
                "Note: these settings do not contain the server key. Start claude with ANTHROPIC_AUTH_TOKEN set to it."
            )
    else:
        text = render_exports(form, setup.url, setup.selected, needs_server_key=keys.is_guarded, is_demo=is_demo) + "\n"
    sys.stdout.write(text)
    return OK
