"""Opens the settings file for a command, and tells the user what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.commands.terminal import complain
from tray_app.paths import Paths
from tray_app.settings.store import SettingsStore


def open_settings(paths: Paths, environ: Mapping[str, str]) -> SettingsStore:
    """Returns the store of the user's settings."""
    store = SettingsStore(paths.settings, environ, owns_folder=paths.owns_settings_folder)
    for sentence in (store.problem, store.note):
        if sentence:
            complain(sentence)
    return store
