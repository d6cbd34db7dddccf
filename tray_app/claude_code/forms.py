"""The forms in which the set-up of Claude Code can be copied, and the label of each in the menu."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.claude_code.claude_settings import Setup, render_settings
from tray_app.claude_code.exports import SHELLS, render_exports, render_undo
from tray_app.shells import find_command

FORMS: Mapping[str, str] = {
    "bash": "bash or zsh",
    "fish": "fish",
    "powershell": "PowerShell",
    "cmd": "Command Prompt",
    "settings": "settings.json",
    "launcher": "One Line That Starts Claude Code",
    "undo": "One Line That Undoes the Exports",
}
"""The forms by their names, each with its label in the submenu, in the order of the submenu."""


def render_form(form: str, setup: Setup, shell: str, *, is_demo: bool = False) -> str:
    """Returns the text of one of FORMS, or of one of SHELLS, for the clipboard. KeyError if there is no such form.

    `shell` is the user's shell: the line that starts Claude Code and the undo line are for it. Only "settings" has more
    than one line, and ends with a line end.
    """
    match form:
        case "settings":
            return render_settings(setup)
        case "launcher":
            return f"{find_command(shell)} claude"
        case "undo":
            return render_undo(shell, setup.selected)
        case _ if form in SHELLS:
            return render_exports(
                form, setup.url, setup.selected, needs_server_key=setup.needs_server_key, is_demo=is_demo
            )
        case _:
            raise KeyError(form)
