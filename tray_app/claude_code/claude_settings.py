"""Writes the set-up as Claude Code's own settings: for one run (`claude --settings FILE`), or for all sessions.

In these sessions, a model that the user picks in `/model` answers, and the neutral name stands for the model of the
tray. The keys were observed with Claude Code 2.1.332 (November 2026).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tray_app import APP_NAME
from tray_app.catalog import AS_IN_TRAY, AS_IN_TRAY_LABEL, NAMED_MODEL_HEADER, PROJECT_HEADER, Model
from tray_app.claude_code.exports import NO_KEY_TOKEN, list_variables
from tray_app.claude_code.shell_syntax import LOOPBACK

STATUS_LINE_REFRESH_S = 1
"""How often Claude Code asks for the status line, in seconds, so that it moves while a request waits."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that Claude Code's settings depend on."""

    url: str
    selected: Model
    """The model that is chosen in the tray."""
    offered: tuple[Model, ...]
    """The models of the tray's menu, which `/model` offers, too."""
    needs_server_key: bool = False
    """If True, the settings hold no token: the key is never written down, and Claude Code replaces no $VARIABLES in
    them. It then takes ANTHROPIC_AUTH_TOKEN from its environment."""
    no_proxy: str = ""
    """The user's own list for NO_PROXY, which must be repeated, because the settings replace it."""
    is_manual: bool = False
    """Tells whether Claude Code asks the user before each risky command, instead of letting the model judge it."""
    folder: str = ""
    """The folder of the run, for the history; empty: the settings are for sessions in any folder."""
    status_line: str = ""
    """The command of the status line; empty: the user's own status line stays."""


def make_settings(setup: Setup) -> dict[str, Any]:
    """Returns the environment, and the rules that the exports cannot express."""
    hosts = ",".join(part for part in (LOOPBACK, setup.no_proxy) if part)
    permissions: dict[str, Any] = {"deny": ["WebSearch"]}  # the gateway has no web search
    if setup.is_manual:
        permissions |= {"defaultMode": "default", "disableAutoMode": "disable"}
    settings: dict[str, Any] = {
        "env": {
            **({} if setup.needs_server_key else {"ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN}),
            "ANTHROPIC_API_KEY": "",  # a variable cannot be unset here; Claude Code sends no empty key
            **list_variables(setup.url, setup.selected, AS_IN_TRAY),
            "ANTHROPIC_CUSTOM_HEADERS": _write_headers(setup),
            # Claude Code reads the variable in lower case first.
            "NO_PROXY": hosts,
            "no_proxy": hosts,
        },
        "model": AS_IN_TRAY,
        "modelPicker": {"replaceBuiltInOptions": True, "options": _list_options(setup)},
        "permissions": permissions,
        "skipWebFetchPreflight": True,  # it would ask Anthropic's servers about every address
    }
    if setup.status_line:
        settings["statusLine"] = {
            "type": "command",
            "command": setup.status_line,
            "padding": 0,
            "refreshInterval": STATUS_LINE_REFRESH_S,
        }
    return settings


def render_settings(setup: Setup) -> str:
    """Returns the settings as the text of a JSON file."""
    return json.dumps(make_settings(setup), indent=2) + "\n"


def _write_headers(setup: Setup) -> str:
    """Returns the headers of each request, one per line. A header cannot hold every character that a path may."""
    headers = [f"{NAMED_MODEL_HEADER}: named"]
    if setup.folder:
        headers.append(f"{PROJECT_HEADER}: {quote(os.fsencode(setup.folder))}")
    return "\n".join(headers)


def _list_options(setup: Setup) -> list[dict[str, str]]:
    """Returns the rows of `/model`: the neutral name first, then the models of the tray's menu."""
    as_in_tray = {
        "model": AS_IN_TRAY,
        "label": AS_IN_TRAY_LABEL,
        "description": f"The model that is chosen in the menu of {APP_NAME}, now {setup.selected.label}",
    }
    named = [
        {
            "model": model.id,
            "label": model.label,
            "description": f"{model.context_tokens:,} tokens, through {APP_NAME}",
        }
        for model in setup.offered
    ]
    return [as_in_tray, *named]
