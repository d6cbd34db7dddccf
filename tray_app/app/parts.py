"""The parts of the app, each made once. What the menu, the page and the app itself do, they do with these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tray_app.app.instance import Instance
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.app.user_sessions import UserSessions
from tray_app.desktop import Desktop
from tray_app.history.database import DEMO_FILE_NAME, FILE_NAME
from tray_app.history.writer import HistoryWriter
from tray_app.paths import Paths
from tray_app.proxy.service import ProxyService
from tray_app.settings.keys import Keys
from tray_app.settings.store import SettingsStore
from tray_app.status.board import StatusBoard

if TYPE_CHECKING:  # imported by the proxy thread
    from tray_app.page.routes import Page

_POLL_MODELS_S = 24 * 3600.0
"""The time between two requests for NVIDIA's list of models."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one run of the app."""

    paths: Paths
    environ: Mapping[str, str]
    desktop: Desktop
    is_demo: bool
    store: SettingsStore
    board: StatusBoard
    history: HistoryWriter
    history_file: Path
    service: ProxyService
    supervisor: GatewaySupervisor
    user_sessions: UserSessions


def make_parts(
    paths: Paths,
    environ: Mapping[str, str],
    desktop: Desktop,
    instance: Instance,
    say: Callable[[str], None],
    on_keys: Callable[[Keys], None],
    make_page: Callable[[], Page],
    *,
    is_demo: bool,
    has_icon: bool,
) -> Parts:
    """Returns the parts. Nothing runs yet.

    `say` prints a line on the terminal. `on_keys` is called with new keys before anything uses them. `make_page` is
    called in the proxy thread whenever a gateway starts. `has_icon` tells whether an icon is asked for.
    """
    store = SettingsStore(paths.settings, environ, owns_folder=paths.owns_settings_folder)
    board = StatusBoard()
    history_file = paths.data / (DEMO_FILE_NAME if is_demo else FILE_NAME)
    history = HistoryWriter(history_file, store.current.history_days)
    service = ProxyService(
        board,
        state_folder=paths.state,
        poll_models_every_s=_POLL_MODELS_S,
        make_tls_context=desktop.make_tls_context,
        history=history,
        make_page=make_page,
    )
    supervisor = GatewaySupervisor(
        service,
        store,
        board,
        instance,
        environ,
        say,
        on_keys,
        is_demo=is_demo,
        has_icon=has_icon,
        reads_keyring_apart=desktop.reads_keyring_apart,
    )
    user_sessions = UserSessions(paths.state, environ, store)
    return Parts(
        paths, environ, desktop, is_demo, store, board, history, history_file, service, supervisor, user_sessions
    )
