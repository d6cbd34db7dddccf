"""Writes what the extension of Claude Code for Visual Studio Code needs, as settings of the editor.

The names are those of Anthropic's documentation (November 2026). They were not tried with this program.
"""

from __future__ import annotations

import json

from tray_app.claude_code.claude_settings import Setup, make_settings


def render_vs_code(setup: Setup) -> str:
    """Returns the lines for the editor's settings.json, between its braces. No server key is in them."""
    variables = [{"name": name, "value": value} for name, value in make_settings(setup)["env"].items()]
    settings = {"claudeCode.disableLoginPrompt": True, "claudeCode.environmentVariables": variables}
    lines = json.dumps(settings, indent=2).splitlines()[1:-1]
    return "\n".join(lines) + "\n"
