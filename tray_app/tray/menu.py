"""What the menu says: a pure function of the status and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tray_app.catalog import offered_models
from tray_app.settings import Settings
from tray_app.status import Phase, Status


class Command(Enum):
    """What a click asks the app for."""

    SHOW_TROUBLE = auto()
    CHOOSE_MODEL = auto()
    TOGGLE_CLIENT_CHOICE = auto()
    TOGGLE_BODY_LOG = auto()
    COPY_EXPORTS = auto()
    OPEN_LOGS = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu. `checked` None: no mark; `argument` goes with the command. No command: a text."""

    label: str
    command: Command | None = None
    argument: str = ""
    checked: bool | None = None
    is_radio: bool = False


SEPARATOR = Item("")
Menu = tuple[Item, ...]


def build_menu(status: Status, settings: Settings, shell: str) -> Menu:
    """The whole menu. Only texts and marks change while the app runs, unless a model beside the defaults is set."""
    selected = settings.selected_model
    models = (
        Item(model.label, Command.CHOOSE_MODEL, model.id, checked=model is selected, is_radio=True)
        for model in offered_models(selected)
    )
    return (
        _status_line(status),
        SEPARATOR,
        *models,
        Item("Let Clients Choose the Model", Command.TOGGLE_CLIENT_CHOICE, checked=settings.clients_choose_model),
        SEPARATOR,
        Item(f"Copy Claude Code Exports ({shell})", Command.COPY_EXPORTS),
        SEPARATOR,
        Item("Log Request Bodies", Command.TOGGLE_BODY_LOG, checked=settings.log_bodies),
        Item("Open Log Folder", Command.OPEN_LOGS),
        SEPARATOR,
        Item(_quit_label(status), Command.QUIT),
    )


def build_tooltip(status: Status, settings: Settings) -> str:
    """One line about the model and the state."""
    state = status.notice.title if status.notice else _describe(status)
    return f"{settings.selected_model.label} · {state[:1].lower()}{state[1:]}"


def _status_line(status: Status) -> Item:
    if status.notice and status.phase is not Phase.QUITTING:
        return Item(status.notice.title, Command.SHOW_TROUBLE)
    return Item(_describe(status))


def _describe(status: Status) -> str:
    match status.phase:
        case Phase.RUNNING:
            demo = "Demo: no model, running" if status.is_demo else "Running"
            active = f" · {status.active_requests} active" if status.active_requests else ""
            return f"{demo} on {status.url.removeprefix('http://')}{active}"
        case Phase.QUITTING:
            return "Quitting…"
        case Phase.STOPPED:
            return "Not running"
    return "Starting…"


def _quit_label(status: Status) -> str:
    if not status.active_requests:
        return "Quit"
    return f"Quit ({status.active_requests} request{'s' if status.active_requests > 1 else ''} active)"
