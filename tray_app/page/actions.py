"""Everything that the page can ask for, one structure each. The browser sends it as JSON with its name under "do"."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tray_app.claude_code.claude_settings import Setup
from tray_app.page.views.settings import SettingsFacts


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


class DeleteHistory(_Action, frozen=True):
    """Deletes all that the history holds, for ever."""


class OpenSettingsFolder(_Action, frozen=True):
    """Shows the folder of the settings file in the file manager."""


class ChangeSettings(_Action, frozen=True):
    """Changes settings. The result has a sentence for each wrong one; nothing is changed then."""

    changes: dict[str, Any]
    """Values as the settings file has them, by the names of the settings. None: the default."""
    is_trial: bool = False
    """Tells whether to change nothing, and only to say what is wrong and what would happen."""


class Pause(_Action, frozen=True):
    """Refuses new requests from now on, or takes them again. Those that run go on."""

    is_on: bool


class Restart(_Action, frozen=True):
    """Ends the gateway, after its running answers, and starts it anew."""


class CollectDiagnostics(_Action, frozen=True):
    """Writes a text about this program for somebody who helps, without any key."""


class SaveKey(_Action, frozen=True):
    """Has NVIDIA judge an API key, and saves it unless NVIDIA refuses it."""

    key: str

    def __repr__(self) -> str:
        """Returns a text without the key, since texts of this kind may get into a log."""
        return "SaveKey(key=hidden)"


class RemoveKey(_Action, frozen=True):
    """Removes the saved NVIDIA API key."""


class AskKeyring(_Action, frozen=True):
    """Asks the keyring of the system for the keys again, without waiting for the next time."""


class TestModel(_Action, frozen=True):
    """Asks one model whether it answers, with one small request."""

    __test__ = False
    """Keeps pytest from taking it for a test."""
    model_id: str


class CorrectModel(_Action, frozen=True):
    """Corrects what is known of a model. The result has a sentence for each wrong fact; nothing is changed then."""

    model_id: str
    facts: dict[str, Any]
    """The facts as an entry of "models" in the settings file has them. None: what the program itself knows."""


class PutInMenu(_Action, frozen=True):
    """Has the menu offer a model, or no more."""

    model_id: str
    is_in: bool


class HideModel(_Action, frozen=True):
    """Has neither the menu nor a list offer a model, or has them offer it again."""

    model_id: str
    is_hidden: bool


class OrderModels(_Action, frozen=True):
    """Offers these models first, in this order."""

    model_ids: tuple[str, ...]


class UseInBackground(_Action, frozen=True):
    """Chooses the model that answers what no user waits for; empty: the selected model answers it."""

    model_id: str


class PreviewAllSessions(_Action, frozen=True):
    """Returns what would change in the user's settings of Claude Code, and changes nothing."""

    is_on: bool


class UseForAllSessions(_Action, frozen=True):
    """Has each session of Claude Code go through the gateway, or no more."""

    is_on: bool


class Examine(_Action, frozen=True):
    """Looks at everything between Claude Code and NVIDIA. Takes some seconds."""


class LeaveWelcome(_Action, frozen=True):
    """Notes that the user has seen the welcome, so that the page no longer begins with it."""


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

ModelAction = CorrectModel | PutInMenu | HideModel | OrderModels | UseInBackground
"""Each action that changes what is offered, or what is known of a model."""
Action = (
    ChooseModel
    | LookAgain
    | ToggleBodyLog
    | StartAtLogin
    | OpenClaudeCode
    | OpenLogFolder
    | OpenSettingsFolder
    | ChangeSettings
    | Pause
    | Restart
    | CollectDiagnostics
    | DeleteHistory
    | SaveKey
    | RemoveKey
    | AskKeyring
    | TestModel
    | ModelAction
    | PreviewAllSessions
    | UseForAllSessions
    | Examine
    | LeaveWelcome
    | Quit
)
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
    key_place: str = ""
    """Where the NVIDIA API key in use comes from, as a sentence; empty: there is none."""
    key_variable: str = ""
    """The environment variable that the key comes from; empty: it comes from elsewhere. No button can remove it."""
    needs_welcome: bool = False
    """Tells whether the user has not seen the welcome yet, or has not left it."""
    settings_file: Path = Path()
    log_file: Path = Path()


class Desk(Protocol):
    """The app, as far as the page needs it. Any thread may call it."""

    @property
    def facts(self) -> PageFacts:
        """The newest facts."""

    @property
    def settings_facts(self) -> SettingsFacts:
        """What is known of the settings besides their values, as it is now."""

    @property
    def setup(self) -> Setup:
        """What the set-up of Claude Code depends on, as it is now."""

    def carry_out(self, action: Action) -> Future[Any]:
        """Begins an action. The result can be turned into JSON; AppError says what went wrong."""


def read_action(body: bytes) -> Action | LiveAction:
    """Returns the action in a JSON body. msgspec.DecodeError or msgspec.ValidationError if there is none."""
    return msgspec.json.decode(body, type=Action | LiveAction)  # type: ignore[no-any-return]
