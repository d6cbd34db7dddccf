"""Everything that the page can ask for, one structure each. The browser sends it as JSON with its name under "do"."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec


def _tag(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag=_tag):
    """An action. Its name in the JSON is that of the class, in small letters with underscores."""


class ChooseModel(_Action, frozen=True):
    """Chooses the model that answers from the next request on."""

    model_id: str


class LookAgain(_Action, frozen=True):
    """Finds out anew which models answer. The result comes with the findings, later."""


class ToggleBodyLog(_Action, frozen=True):
    """Switches the logging of request and answer bodies on or off."""

    is_on: bool


class StartAtLogin(_Action, frozen=True):
    """Has this program started when the user logs in, or no more."""

    is_on: bool


class OpenClaudeCode(_Action, frozen=True):
    """Opens a terminal with Claude Code in a folder; empty: the folder that was used last."""

    folder: str = ""


class OpenLogFolder(_Action, frozen=True):
    """Shows the folder of the log in the file manager."""


class Pause(_Action, frozen=True):
    """Refuses new requests from now on, or takes them again. Those that run go on."""

    is_on: bool


class Quit(_Action, frozen=True):
    """Quits this program."""


class CancelRequest(_Action, frozen=True):
    """Cancels the running request with this number. Its client gets an error."""

    number: int


class AskInstead(_Action, frozen=True):
    """Has another model answer the running request with this number, for this time only."""

    number: int
    model_id: str


LiveAction = CancelRequest | AskInstead
"""Each action on a running request. The gateway carries it out, in its own thread."""

Action = ChooseModel | LookAgain | ToggleBodyLog | StartAtLogin | OpenClaudeCode | OpenLogFolder | Pause | Quit
"""Each action that the app carries out."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page shows of this user's machine. The app replaces it whenever it has looked."""

    icon_place: str = ""
    """Where the icon is, for a sentence that begins with "Its icon is"; empty: there is none."""
    shell: str = ""
    """The name of the shell in which the user probably starts Claude Code."""
    recent_folders: tuple[str, ...] = ()
    starts_at_login: bool = False
    covers_all_sessions: bool = False
    """Tells whether each session of Claude Code goes through the gateway, however it is started."""
    settings_file: Path = Path()
    log_folder: Path = Path()


class Desk(Protocol):
    """The app, as far as the page needs it. Any thread may call it."""

    @property
    def facts(self) -> PageFacts:
        """The newest facts."""

    def carry_out(self, action: Action) -> Future[Any]:
        """Begins an action. The result can be turned into JSON; AppError says what went wrong."""


def read_action(body: bytes) -> Action | LiveAction:
    """Returns the action in a JSON body. msgspec.DecodeError or msgspec.ValidationError if there is none."""
    return msgspec.json.decode(body, type=Action | LiveAction)  # type: ignore[no-any-return]
