"""The variables that would lead Claude Code away from the gateway."""

from __future__ import annotations

from tray_app.claude_code.claude_settings import Setup, make_settings
from tray_app.claude_code.conflicts import CONFLICTS, drop_conflicts, find_conflicts
from tray_app.settings.settings import Settings


def test_conflicts_are_found_and_dropped_whatever_their_case() -> None:
    variables = {"PATH": "/bin", "ANTHROPIC_MODEL": "x", "claude_code_use_bedrock": "1", "AWS_PROFILE": "mine"}
    assert find_conflicts(variables) == ["ANTHROPIC_MODEL", "claude_code_use_bedrock"]
    assert drop_conflicts(variables) == {"PATH": "/bin", "AWS_PROFILE": "mine"}


def test_each_name_is_listed_once() -> None:
    assert len(CONFLICTS) == len(set(CONFLICTS))


def test_what_the_set_up_says_about_servers_credentials_and_models_is_among_the_conflicts() -> None:
    model = Settings().selected_model
    names = make_settings(Setup("http://127.0.0.1:3001", model, (model,)))["env"]
    assert {name for name in names if name.startswith("ANTHROPIC_")} <= set(CONFLICTS)
