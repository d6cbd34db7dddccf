"""Changes settings for the page, and says what that leads to. Only the job thread uses it, except for the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tray_app.app.key_desk import KeyPlace, find_place, find_variable
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.errors import StartError
from tray_app.page.entrance import make_entrance
from tray_app.page.views.setting_words import TITLES
from tray_app.page.views.settings import SettingsFacts
from tray_app.sentences import WHERE_TO_SET_ADDR
from tray_app.settings.keys import NVIDIA_KEY, SERVER_KEY, Secret, explain_exposure
from tray_app.settings.settings import Address, Settings
from tray_app.settings.store import SettingsStore

_MOVES = (
    "This program then listens at {addr}. Running answers get 5 seconds to end. Sessions of Claude Code that use the "
    "present address must be started anew."
)
_NO_PAGE = 'There is no page then. To have it back, change "serve_page" in the settings file {file}.'


class SettingsDesk:
    """The settings of the app, as the page changes them."""

    def __init__(
        self,
        store: SettingsStore,
        supervisor: GatewaySupervisor,
        environ: Mapping[str, str],
        state: Path,
        put: Callable[[Callable[[], None]], None],
    ) -> None:
        """`state` is the folder in which tokens are noted. `put` hands a job to the job thread."""
        self._store = store
        self._supervisor = supervisor
        self._environ = environ
        self._state = state
        self._put = put

    @property
    def facts(self) -> SettingsFacts:
        """What is known of the settings besides their values. Any thread may ask for it."""
        keys = self._supervisor.keys
        places = {NVIDIA_KEY.setting: self._name_place(NVIDIA_KEY, keys.nvidia)}
        places[SERVER_KEY.setting] = self._name_place(SERVER_KEY, keys.server)
        unknown = {NVIDIA_KEY.setting: keys.is_nvidia_unknown, SERVER_KEY.setting: keys.is_server_unknown}
        return SettingsFacts(
            self._store.path,
            self._store.variables,
            self._store.model_entries,
            {name: place for name, place in places.items() if place},
            frozenset(name for name, is_unknown in unknown.items() if is_unknown),
        )

    def change(self, changes: Mapping[str, object], *, is_trial: bool) -> dict[str, Any]:
        """Returns `errors` (a sentence by the name of each wrong setting) and `notes` (what the change leads to).

        If nothing is wrong and it is no trial, the settings are changed. `moves_to` is then the address of the page
        where the gateway will listen; empty: the page stays where it is. `problem` says why they are not in the file.
        """
        if self._store.refresh():  # The change would hide an edit that has not been applied yet.
            self._supervisor.apply()
        errors = self._store.check(changes)
        before, after = self._supervisor.config.settings, self._store.preview(changes)
        is_move, address = before.addr != after.addr, None
        if is_move and not errors:
            try:
                address = self._reserve(after.addr)
            except StartError as error:
                errors = {"addr": _shorten(error)}
        if errors or is_trial:
            self._supervisor.release()
            return {"errors": _name(errors), "notes": [] if errors else self._explain(before, after)}
        self._store.change(changes)
        moves_to = self._make_page_address(address, after) if address else ""
        if is_move:  # the answer must have left before the gateway ends
            self._put(self._supervisor.take_over)
        else:
            self._supervisor.take_over()
        return {
            "errors": {},
            "notes": [],
            "moves_to": moves_to,
            "problem": "" if self._store.is_saved else self._store.problem,
        }

    def restart(self) -> dict[str, Any]:
        """Starts the gateway anew, after the answer has left. `moves_to` is as in `change`."""
        settings, address = self._supervisor.config.settings, None
        if settings.addr.port == 0:  # the system gives it another port
            address = self._supervisor.reserve(settings.addr)
        moves_to = self._make_page_address(address, settings) if address else ""
        self._put(self._supervisor.restart)
        return {"moves_to": moves_to}

    def _reserve(self, addr: Address) -> Address | None:
        """Listens on a new address. StartError says why the gateway may not or cannot listen there."""
        keys = self._supervisor.keys
        if not keys.is_server_unknown and (reason := explain_exposure(addr, keys.server)):
            raise StartError(reason)
        return self._supervisor.reserve(addr)

    def _explain(self, before: Settings, after: Settings) -> list[str]:
        """Returns what a change leads to that the user may not expect, as sentences."""
        notes = [_MOVES.format(addr=after.addr)] if before.addr != after.addr else []
        if self._has_page(before) and not self._has_page(after):
            notes.append(_NO_PAGE.format(file=self._store.path))
        return notes

    def _make_page_address(self, address: Address, settings: Settings) -> str:
        """Returns the address of the page after a move, with a token, because it is another origin; empty: no page."""
        return make_entrance(address.url, self._state, "settings") if self._has_page(settings) else ""

    def _has_page(self, settings: Settings) -> bool:
        return replace(self._supervisor.config, settings=settings).serves_page

    def _name_place(self, secret: Secret, value: str) -> str:
        """Returns where a key is, for a sentence that begins with "It is in"; empty if there is none."""
        match find_place(secret, value, self._store, self._environ):
            case KeyPlace.VARIABLE:
                return f"the environment variable {find_variable(self._environ, secret)}"
            case KeyPlace.FILE:
                return "the settings file"
            case KeyPlace.KEYRING:
                return "the system keyring"
        return ""


def _name(errors: Mapping[str, str]) -> dict[str, str]:
    """Returns the errors with the titles of the page in place of the names in the file."""
    return {name: error.replace(f'"{name}"', f"“{TITLES.get(name, name)}”", 1) for name, error in errors.items()}


def _shorten(error: StartError) -> str:
    """Returns the sentence without the hint where to set the address, because that is here."""
    return str(error).replace(f": {WHERE_TO_SET_ADDR}", "")
