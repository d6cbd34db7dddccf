"""Builds the menu and the tooltip from the status and the settings, without any other input."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tray_app.catalog import Model
from tray_app.settings.settings import Settings
from tray_app.status.board import Phase, Status
from tray_app.status.messages import find_notice, find_successor


class Command(Enum):
    """The commands that a click can give to the app."""

    SHOW_TROUBLE = auto()
    CHOOSE_MODEL = auto()
    TOGGLE_CLIENT_CHOICE = auto()
    TOGGLE_BODY_LOG = auto()
    COPY_EXPORTS = auto()
    OPEN_LOGS = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu. `checked` None: it has no check mark. `command` None: it is only a text."""

    label: str
    command: Command | None = None
    argument: str = ""
    checked: bool | None = None
    is_radio: bool = False
    is_visible: bool = True


SEPARATOR = Item("")
Menu = tuple[Item, ...]


def build_menu(status: Status, settings: Settings, shell: str) -> Menu:
    """Returns the whole menu. A hidden item keeps its place: no item moves unless the list of models changes."""
    selected = settings.selected_model
    models = (
        Item(_model_label(model, status), Command.CHOOSE_MODEL, model.id, checked=model == selected, is_radio=True)
        for model in settings.catalog.offered(selected)
    )
    return (
        _status_line(status, settings),
        _switch_line(find_successor(status, settings)),
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
    """Returns one line about the model and the state."""
    label, trouble = settings.selected_model.label, find_notice(status, settings)
    state = trouble.title.removeprefix(f"{label} ") if trouble else _describe(status)
    is_name = state[1:2].isupper()  # a word in capitals, such as NVIDIA
    return f"{label} · {state if is_name else state[:1].lower() + state[1:]}"


def _status_line(status: Status, settings: Settings) -> Item:
    trouble = find_notice(status, settings)
    if trouble and status.phase is not Phase.QUITTING:
        return Item(trouble.title, Command.SHOW_TROUBLE)
    return Item(_describe(status))


def _switch_line(successor: Model | None) -> Item:
    if successor is None:
        return Item("Switch", is_visible=False)
    return Item(f"Switch to {successor.label}", Command.CHOOSE_MODEL, successor.id)


def _model_label(model: Model, status: Status) -> str:
    trouble = status.model_trouble(model.id)
    return f"{model.label} ({trouble.kind.value})" if trouble else model.label


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
