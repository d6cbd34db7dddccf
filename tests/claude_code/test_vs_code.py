"""The settings of Visual Studio Code for the extension of Claude Code."""

from __future__ import annotations

import json
from dataclasses import replace

from tray_app.catalog import GLM_4_7
from tray_app.claude_code.claude_settings import Setup, make_settings
from tray_app.claude_code.vs_code import render_vs_code

SETUP = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7,))


def test_the_lines_fit_between_the_braces_of_a_settings_file() -> None:
    settings = json.loads("{" + render_vs_code(SETUP) + "}")
    variables = {entry["name"]: entry["value"] for entry in settings["claudeCode.environmentVariables"]}
    assert variables == make_settings(SETUP)["env"]
    assert settings["claudeCode.disableLoginPrompt"] is True


def test_a_gateway_with_a_server_key_gets_no_token() -> None:
    assert "ANTHROPIC_AUTH_TOKEN" not in render_vs_code(replace(SETUP, needs_server_key=True))
