"""What the page shows of the ways from Claude Code to the gateway: texts to copy, and the change for all sessions."""

from __future__ import annotations

import difflib
import re
from typing import Any

from tray_app.claude_code.all_sessions import Preview
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.exports import NO_KEY_TOKEN, SHELLS
from tray_app.claude_code.forms import FORMS, render_form
from tray_app.claude_code.vs_code import render_vs_code
from tray_app.redaction import hide_secrets
from tray_app.shells import find_command, name_command

_CONTEXT_LINES = 1
"""So many unchanged lines are shown around each change."""
_SECRET = re.compile(rf'("\w*(?:KEY|TOKEN|SECRET|PASSWORD)": ?)"(?!{NO_KEY_TOKEN}")[^"]+"', re.IGNORECASE)
"""A value whose name says that it is a secret. The token that opens nothing is none."""


def show_connect(setup: Setup, shell: str, *, is_demo: bool) -> dict[str, Any]:
    """Returns the texts to copy. `shell` is the one in which the user probably starts Claude Code."""
    return {
        "launcher": name_command("claude"),
        "start": name_command("start"),
        "shells": [
            {
                "name": name,
                "label": label,
                "is_yours": name == shell or (name == "bash" and shell == "zsh"),
                "launcher": f"{find_command(name)} claude",
                "exports": render_form(name, setup, name, is_demo=is_demo),
                "undo": render_form("undo", setup, name),
            }
            for name, label in FORMS.items()
            if name in SHELLS
        ],
        "settings": render_form("settings", setup, shell),
        "vs_code": render_vs_code(setup),
        "url": setup.url,
        "token": "" if setup.needs_server_key else NO_KEY_TOKEN,
        "needs_server_key": setup.needs_server_key,
    }


def show_preview(preview: Preview | None) -> dict[str, Any]:
    """Returns the lines that a change adds to the user's settings file and removes from it. None: it changes nothing.

    No secret of the user is in them.
    """
    if preview is None:
        return {"file": "", "is_new": False, "is_removed": False, "lines": []}
    return {
        "file": str(preview.file),
        "is_new": not preview.before,
        "is_removed": bool(preview.before) and not preview.after,
        "lines": _compare(preview.before, preview.after),
    }


def _compare(before: str, after: str) -> list[dict[str, str]]:
    """Returns each line of the difference with its sign: "+", "-", " ", or "…" where unchanged lines are left out."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_CONTEXT_LINES, lineterm="")
    lines: list[dict[str, str]] = []
    for line in list(found)[2:]:  # the first two lines name the files
        if not line.startswith("@@"):
            lines.append({"sign": line[:1], "text": _hide(line[1:])})
        elif lines:
            lines.append({"sign": "…", "text": ""})
    return lines


def _hide(line: str) -> str:
    return hide_secrets(_SECRET.sub(r'\1"[hidden]"', line))
