"""The arguments, the environment and the settings of one run of Claude Code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.launch import has_status_line, make_environment, make_run_settings, read_arguments
from tray_app.settings.settings import Settings

MODEL = Settings().selected_model
SETUP = Setup("http://127.0.0.1:3001", MODEL, (MODEL,), status_line="ours")


def run_settings(*files: dict[str, Any], named: dict[str, Any] | None = None, setup: Setup = SETUP) -> dict[str, Any]:
    return make_run_settings(setup, files, named or {})


@pytest.mark.parametrize(
    ("words", "with_settings"),
    [
        ([], ["--settings", "/ours.json"]),
        (["-p", "hi"], ["--settings", "/ours.json", "-p", "hi"]),
        (["-p", "--settings", "THEIRS", "hi"], ["-p", "--settings", "/ours.json", "hi"]),
        (["--settings=THEIRS", "-p"], ["--settings=/ours.json", "-p"]),
        (["--settings", "{}", "--settings", '{"a": 1}'], ["--settings", "{}", "--settings", "/ours.json"]),
        (["--", "--settings", "THEIRS"], ["--settings", "/ours.json", "--", "--settings", "THEIRS"]),
        (["--settings"], ["--settings", "/ours.json", "--settings"]),
        (["--settings", "missing"], ["--settings", "/ours.json", "--settings", "missing"]),
        (["--settings", "{"], ["--settings", "/ours.json", "--settings", "{"]),
    ],
)
def test_our_file_stands_for_the_settings_that_the_user_names(
    words: list[str], with_settings: list[str], tmp_path: Path
) -> None:
    (tmp_path / "theirs.json").write_text('{"a": 1}', encoding="utf-8")
    words, with_settings = ([word.replace("THEIRS", "theirs.json") for word in part] for part in (words, with_settings))
    arguments = read_arguments(words, tmp_path)
    assert arguments.with_settings("/ours.json") == with_settings
    assert arguments.settings == (None if arguments.place is None else {"a": 1})


@pytest.mark.parametrize(
    ("words", "is_it"), [(["--help"], True), (["-v"], True), (["-p", "--help"], False), ([], False)]
)
def test_questions_about_claude_code_itself_are_known(words: list[str], is_it: bool) -> None:
    assert read_arguments(words, Path()).is_question is is_it


def test_a_session_in_the_background_is_known() -> None:
    assert read_arguments(["--bg", "hi"], Path()).is_background
    assert not read_arguments(["-p", "hi"], Path()).is_background


def test_the_environment_bypasses_proxies_and_holds_no_foreign_credentials() -> None:
    environ = {"PATH": "/bin", "ANTHROPIC_API_KEY": "sk", "NO_PROXY": "not-this-one", "no_proxy": "intranet"}
    hosts = "127.0.0.1,localhost,intranet"
    assert make_environment(environ, "") == {"PATH": "/bin", "NO_PROXY": hosts, "no_proxy": hosts}
    assert make_environment({}, "of-the-server")["ANTHROPIC_AUTH_TOKEN"] == "of-the-server"


def test_conflicts_in_the_users_files_are_blanked_and_nothing_else_is() -> None:
    made = run_settings({"env": {"CLAUDE_CODE_USE_BEDROCK": "1", "EDITOR": "vi"}}, {"env": {"ANTHROPIC_BASE_URL": "x"}})
    assert made["env"]["CLAUDE_CODE_USE_BEDROCK"] == ""
    assert made["env"]["ANTHROPIC_BASE_URL"] == SETUP.url
    assert "EDITOR" not in made["env"]
    assert "CLAUDE_CODE_USE_VERTEX" not in made["env"]


def test_a_token_in_the_users_files_is_not_blanked_if_the_servers_own_is_in_the_environment() -> None:
    setup = Setup(SETUP.url, MODEL, (MODEL,), needs_server_key=True)
    assert "ANTHROPIC_AUTH_TOKEN" not in run_settings({"env": {"ANTHROPIC_AUTH_TOKEN": "x"}}, setup=setup)["env"]


def test_named_settings_stay_except_where_they_conflict() -> None:
    named = {
        "env": {"CLAUDE_CODE_USE_VERTEX": "1", "MINE": "1"},
        "model": "opus",
        "permissions": {"allow": ["Bash"], "deny": ["WebSearch", "Read(.env)"], "defaultMode": "plan"},
        "statusLine": {"command": "theirs"},
    }
    before = json.dumps(named)
    made = run_settings(named=named)
    assert (made["env"]["MINE"], made["model"]) == ("1", "nvidia")
    assert "CLAUDE_CODE_USE_VERTEX" not in made["env"]
    assert made["permissions"] == {"allow": ["Bash"], "deny": ["WebSearch", "Read(.env)"], "defaultMode": "plan"}
    assert made["statusLine"] == {"command": "theirs"}
    assert json.dumps(named) == before


def test_a_status_line_of_the_user_is_seen() -> None:
    assert has_status_line([{}, {"statusLine": {"command": "theirs"}}])
    assert not has_status_line([{}, {"env": {}}])
