"""Builds the menu and the tooltip from values: the status, the settings, and the facts about this user's machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import PurePath

from tray_app.catalog import Model
from tray_app.history.sums import DaySum, shorten_count
from tray_app.settings.settings import Settings
from tray_app.status.board import Phase, Status
from tray_app.status.findings import REQUESTS_PER_DAY, Finding
from tray_app.status.following import find_answering, find_catalog, label_choice
from tray_app.status.messages import find_notice, find_successor
from tray_app.status.ranking import describe_figures, rank_models

PAGE_LABEL = "Open Page"
"""The default item: a click on the icon itself does the same."""

OPEN_LABEL = "Open Claude Code in Terminal"
"""The item that the notification of the first start names."""


class Command(Enum):
    """The commands that a click can give to the app. Some of them have an argument."""

    SHOW_TROUBLE = auto()
    OPEN_PAGE = auto()
    """Shows the page in the browser."""
    CHOOSE_MODEL = auto()
    """The argument is the id of the model."""
    OPEN_CLAUDE_CODE = auto()
    """The argument is the folder to open it in; empty: the last used one."""
    LOOK_AGAIN = auto()
    """Finds out anew which models answer."""
    COPY_EXPORTS = auto()
    """The argument is the key of one of `MenuFacts.forms`; empty: the form for the user's shell."""
    TOGGLE_BODY_LOG = auto()
    TOGGLE_ALL_SESSIONS = auto()
    TOGGLE_PAUSE = auto()
    TOGGLE_START_AT_LOGIN = auto()
    TOGGLE_CLIENT_CHOICE = auto()
    OPEN_LOGS = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class MenuFacts:
    """What the menu shows of this user's machine."""

    shell: str
    """The name of the shell in which the user probably starts Claude Code."""
    home: PurePath
    forms: Mapping[str, str] = field(default_factory=dict)
    """The forms in which the exports can be copied: the key of each, and its label."""
    recent_folders: tuple[PurePath, ...] = ()
    """The folders in which Claude Code was last started, the newest first."""
    starts_at_login: bool = False
    today: DaySum | None = None
    """Today's requests to all models; None: nobody knows them yet."""
    covers_all_sessions: bool = False
    """Tells whether each session of Claude Code goes through the gateway, however it is started."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu. `checked` None: it has no check mark. `command` None: it is a text or has a submenu."""

    label: str
    command: Command | None = None
    argument: str = ""
    checked: bool | None = None
    is_radio: bool = False
    is_visible: bool = True
    is_default: bool = False
    """Tells whether a click on the icon itself does the same."""
    children: tuple[Item, ...] = ()
    """The lines of the submenu; empty: there is none. They have no submenus of their own."""


SEPARATOR = Item("")
Menu = tuple[Item, ...]

_FOLDER_CHARACTERS = 40
"""Longest label of a folder. A longer path is shortened in its middle."""
_MOST_MODELS = 20
"""So many other models are offered. NVIDIA serves about 16 that call tools to one account (November 2026)."""


def build_menu(status: Status, settings: Settings, facts: MenuFacts) -> Menu:
    """Returns the whole menu. A hidden item keeps its place: no item moves unless the list of models changes."""
    selected = settings.selected_model
    models = (
        Item(
            label_choice(model, status, settings),
            Command.CHOOSE_MODEL,
            model.id,
            checked=model == selected,
            is_radio=True,
        )
        for model in settings.catalog.offered(selected)
    )
    return (
        _status_line(status, settings),
        _switch_line(find_successor(status, settings)),
        _today_line(facts.today),
        SEPARATOR,
        *models,
        _more_models_menu(status, settings),
        SEPARATOR,
        Item(PAGE_LABEL, Command.OPEN_PAGE, is_visible=settings.serve_page != "never", is_default=True),
        Item(OPEN_LABEL, Command.OPEN_CLAUDE_CODE),
        _folder_menu(facts),
        Item(f"Copy Claude Code Exports ({facts.shell})", Command.COPY_EXPORTS),
        Item(
            "Copy Exports For",
            children=tuple(Item(label, Command.COPY_EXPORTS, form) for form, label in facts.forms.items()),
        ),
        SEPARATOR,
        Item("Log Request Bodies", Command.TOGGLE_BODY_LOG, checked=settings.log_bodies),
        _more_menu(status, settings, facts),
        SEPARATOR,
        Item(_quit_label(status), Command.QUIT),
    )


def build_tooltip(status: Status, settings: Settings) -> str:
    """Returns one line about the model that answers, the state, and its requests of this day."""
    answering = find_answering(settings.selected_model, status, settings)
    label, trouble = answering.label, find_notice(status, settings)
    state = trouble.title.removeprefix(f"{label} ") if trouble else _describe(status)
    is_name = state[1:2].isupper()  # a word in capitals, such as NVIDIA
    today = status.findings.find(answering.id).today
    count = f" · {today:,} of about {REQUESTS_PER_DAY:,} today" if today else ""
    return f"{label} · {state if is_name else state[:1].lower() + state[1:]}{count}"


def _status_line(status: Status, settings: Settings) -> Item:
    trouble = find_notice(status, settings)
    if trouble and status.phase is not Phase.QUITTING:
        return Item(trouble.title, Command.SHOW_TROUBLE)
    return Item(_describe(status))


def _switch_line(successor: Model | None) -> Item:
    if successor is None:
        return Item("Switch", is_visible=False)
    return Item(f"Switch to {successor.label}", Command.CHOOSE_MODEL, successor.id)


def _today_line(today: DaySum | None) -> Item:
    if today is None or not today.requests:
        return Item("Today", is_visible=False)
    parts = [f"Today: {today.requests:,} request{'s' if today.requests > 1 else ''}"]
    if today.tokens_in is not None:
        parts.append(f"{shorten_count(today.tokens_in)} in")
    if today.tokens_out is not None:
        parts.append(f"{shorten_count(today.tokens_out)} out")
    return Item(" · ".join(parts))


def _more_models_menu(status: Status, settings: Settings) -> Item:
    """Returns the submenu with what answers, best first, without the choices that the menu offers already."""
    selected, findings = settings.selected_model, status.findings
    catalog = find_catalog(status, settings)
    offered = {model.id for model in settings.catalog.offered(selected)}
    ranked = (model for model in rank_models(catalog, findings) if not catalog.is_hidden(model))
    others = [model for model in ranked if model.id not in offered][:_MOST_MODELS]
    models = (
        Item(
            _figures_label(model, findings.find(model.id)),
            Command.CHOOSE_MODEL,
            model.id,
            checked=False,
            is_radio=True,
        )
        for model in others
    )
    again = Item("Look Again", Command.LOOK_AGAIN)
    children = (*models, SEPARATOR, again) if others else (again,)
    return Item("More Models", children=children, is_visible=not status.is_demo)


def _figures_label(model: Model, finding: Finding) -> str:
    figures = ", ".join(filter(None, ("no tools" if finding.calls_tools is False else "", describe_figures(finding))))
    return f"{model.label} · {figures}" if figures else model.label


def _folder_menu(facts: MenuFacts) -> Item:
    folders = facts.recent_folders
    children = tuple(Item(_folder_label(path, facts.home), Command.OPEN_CLAUDE_CODE, str(path)) for path in folders)
    return Item("Open Claude Code In", children=children, is_visible=bool(children))


def _folder_label(path: PurePath, home: PurePath) -> str:
    """Returns the path with ~ for the home folder. Of a long path, only the first and the last folders are shown."""
    join = type(path)
    first, *others = ("~", *path.relative_to(home).parts) if path.is_relative_to(home) else path.parts
    label = str(join(first, *others))
    while len(label) > _FOLDER_CHARACTERS and len(others) > 1:
        others = others[1:]
        label = str(join(first, "…", *others))
    return label if len(label) <= _FOLDER_CHARACTERS else f"…{label[1 - _FOLDER_CHARACTERS :]}"


def _more_menu(status: Status, settings: Settings, facts: MenuFacts) -> Item:
    children = (
        Item("Use for All Claude Code Sessions", Command.TOGGLE_ALL_SESSIONS, checked=facts.covers_all_sessions),
        Item("Pause", Command.TOGGLE_PAUSE, checked=status.is_paused),
        Item("Start at Login", Command.TOGGLE_START_AT_LOGIN, checked=facts.starts_at_login),
        Item(
            "Other Programs Choose Their Own Model",
            Command.TOGGLE_CLIENT_CHOICE,
            checked=settings.clients_choose_model,
        ),
        Item("Open Log Folder", Command.OPEN_LOGS),
    )
    return Item("More", children=children)


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
