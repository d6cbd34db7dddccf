"""What the doctor says about the settings files of Claude Code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tray_app.doctor.findings import Finding, Level, Remedy
from tray_app.doctor.settings_files import check_all_sessions, check_settings_files

URL = "http://127.0.0.1:3001"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder, with the user's settings in `user` and the administrator's in `managed` beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def check(project: Path) -> list[Finding]:
    environ = {"CLAUDE_CONFIG_DIR": str(project.parent / "user")}
    return check_settings_files(environ, project, URL, (project.parent / "managed",))


def test_no_file_is_well(project: Path) -> None:
    (finding,) = check(project)
    assert finding.level is Level.OK


def test_files_that_do_not_disturb_or_lead_here_are_well(project: Path) -> None:
    user = write(
        project.parent / "user" / "settings.json", {"env": {"ANTHROPIC_BASE_URL": URL, "ANTHROPIC_MODEL": "x"}}
    )
    local = write(project / ".claude" / "settings.local.json", {"env": {"FOO": "1", "ANTHROPIC_MODEL": ""}})
    assert [finding.sentence for finding in check(project)] == [
        f"Claude Code reads {user}, which leads to this gateway.",
        f"Claude Code reads {local}, and nothing in it disturbs.",
    ]


def test_what_wins_over_the_exports_is_named_but_not_its_value(project: Path) -> None:
    content = {
        "env": {"ANTHROPIC_BASE_URL": "https://other", "ANTHROPIC_API_KEY": "secret"},
        "apiKeyHelper": "echo secret",
    }
    path = write(project / ".claude" / "settings.json", content)
    (finding,) = check(project)
    assert finding.level is Level.NOTE
    assert finding.sentence == (f"{path} wins over the exports: ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, apiKeyHelper.")


def test_only_the_administrators_settings_are_a_failure(project: Path) -> None:
    managed = project.parent / "managed"
    write(managed / "managed-settings.json", {"permissions": {}})
    write(managed / "managed-settings.d" / "10.json", {"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}})
    harmless, disturbing = check(project)
    assert (harmless.level, disturbing.level) == (Level.OK, Level.FAIL)
    assert disturbing.fix == "Only your administrator can change that."


def test_a_damaged_file_is_named(project: Path) -> None:
    path = write(project / ".claude" / "settings.json", "{damage")
    (finding,) = check(project)
    assert finding.level is Level.NOTE
    assert str(path) in finding.sentence


def test_all_sessions_that_lead_elsewhere_are_told(project: Path) -> None:
    environ = {"CLAUDE_CONFIG_DIR": str(project.parent / "user")}
    user = write(project.parent / "user" / "settings.json", {"env": {"ANTHROPIC_BASE_URL": URL}})
    assert not check_all_sessions(environ, URL, is_on=True)
    write(user, {"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000"}})
    (finding,) = check_all_sessions(environ, URL, is_on=True)
    assert (finding.level, finding.remedy) == (Level.NOTE, Remedy.USE_FOR_ALL_SESSIONS)
    assert str(user) in finding.sentence
    assert not check_all_sessions(environ, URL, is_on=False)
